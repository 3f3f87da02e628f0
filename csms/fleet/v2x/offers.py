"""How a virtual station obeys the commands of OCPP 2.0.1 and 2.1 that not every station knows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from csms.domain.timestamps import format_timestamp
from csms.fleet import duties
from csms.fleet.configuration import (
    LOCAL_LIST_ENABLED,
    LOCAL_LIST_MAX_LENGTH,
    SEND_LOCAL_LIST_MAX_LENGTH,
)
from csms.fleet.connector import Reservation
from csms.fleet.device import Device
from csms.fleet.duties import read_instant, status
from csms.fleet.local_list import Entry
from csms.fleet.profiles import Wanted
from csms.fleet.v2x.commands import read_token
from csms.fleet.v2x.profiles import read_profile
from csms.ocpp.frames import JsonObject

# ---- reservation ---------------------------------------------------------------------------------


def _reserve_now(device: Device, payload: JsonObject) -> JsonObject:
    expires_at = read_instant(payload["expiryDateTime"])
    kind = payload.get("connectorType", device.spec.connector_type)
    if expires_at is None or kind != device.spec.connector_type:
        return status("Rejected")
    token = read_token(payload["idToken"], payload.get("groupIdToken"))
    reservation = Reservation(payload["id"], token, expires_at)
    return status(duties.reserve(device, payload.get("evseId"), reservation))


def _cancel_reservation(device: Device, payload: JsonObject) -> JsonObject:
    return status(duties.cancel_reservation(device, payload["reservationId"]))


# ---- local list ----------------------------------------------------------------------------------


def _send_local_list(device: Device, payload: JsonObject) -> JsonObject:
    entries = [_entry(one) for one in payload.get("localAuthorizationList", [])]
    settings = device.configuration
    enabled = settings.is_on(LOCAL_LIST_ENABLED)
    if not enabled or len(entries) > settings.number(SEND_LOCAL_LIST_MAX_LENGTH):
        return status("Failed")
    return status(
        device.local_list.update(
            entries,
            version=payload["versionNumber"],
            full=payload["updateType"] == "Full",
            max_length=settings.number(LOCAL_LIST_MAX_LENGTH),
        )
    )


def _entry(shape: JsonObject) -> Entry:
    info = shape.get("idTokenInfo")
    if info is None:
        return Entry(read_token(shape["idToken"]), None)
    token = read_token(shape["idToken"], info.get("groupIdToken"))
    return Entry(token, info["status"], read_instant(info.get("cacheExpiryDateTime")))


def _get_local_list_version(device: Device, payload: JsonObject) -> JsonObject:
    enabled = device.configuration.is_on(LOCAL_LIST_ENABLED)
    return {"versionNumber": device.local_list.version if enabled else 0}  # 2.0.1 D02.FR.03


# ---- smart charging ------------------------------------------------------------------------------


def _set_charging_profile(device: Device, payload: JsonObject) -> JsonObject:
    profile = read_profile(payload["chargingProfile"])
    return status(duties.install_profile(device, payload["evseId"], profile))


def _clear_charging_profile(device: Device, payload: JsonObject) -> JsonObject:
    number = payload.get("chargingProfileId")
    criteria = payload.get("chargingProfileCriteria", {})
    wanted = _wanted(criteria, criteria.get("evseId")) if number is None else Wanted(ids=(number,))
    return status("Accepted" if duties.clear_profiles(device, wanted) else "Unknown")


def _get_charging_profiles(device: Device, payload: JsonObject) -> JsonObject:
    criteria = payload["chargingProfile"]
    ours = "CSO" in criteria.get("chargingLimitSource", ["CSO"])
    found = device.profiles.find(_wanted(criteria, payload.get("evseId"))) if ours else []
    if not found:
        return status("NoProfiles")
    places = sorted({place for place, _ in found})
    for place in places:
        device.say(
            "ReportChargingProfiles",
            {
                "requestId": payload["requestId"],
                "chargingLimitSource": "CSO",
                "evseId": place,
                "chargingProfile": [profile.raw for at, profile in found if at == place],
                "tbc": place != places[-1],
            },
        )
    return status("Accepted")


def _wanted(criteria: JsonObject, evse_id: int | None) -> Wanted:
    ids = criteria.get("chargingProfileId")
    return Wanted(
        ids=None if ids is None else tuple(ids),
        connector_id=evse_id,
        purpose=criteria.get("chargingProfilePurpose"),
        stack_level=criteria.get("stackLevel"),
    )


def _get_composite_schedule(device: Device, payload: JsonObject) -> JsonObject:
    unit, duration_s = payload.get("chargingRateUnit", "W"), payload["duration"]
    periods = duties.composite(device, payload["evseId"], unit=unit, duration_s=duration_s)
    if periods is None:
        return status("Rejected")
    schedule = {
        "evseId": payload["evseId"],
        "duration": duration_s,
        "scheduleStart": format_timestamp(device.clock.now()),
        "chargingRateUnit": unit,
        "chargingSchedulePeriod": periods,
    }
    return {"status": "Accepted", "schedule": schedule}


ANSWERS: Mapping[str, Callable[[Device, JsonObject], JsonObject]] = MappingProxyType(
    {
        "CancelReservation": _cancel_reservation,
        "ClearChargingProfile": _clear_charging_profile,
        "GetChargingProfiles": _get_charging_profiles,
        "GetCompositeSchedule": _get_composite_schedule,
        "GetLocalListVersion": _get_local_list_version,
        "GetLog": duties.get_log,
        "ReserveNow": _reserve_now,
        "SendLocalList": _send_local_list,
        "SetChargingProfile": _set_charging_profile,
        "UpdateFirmware": duties.update_firmware,
    }
)
