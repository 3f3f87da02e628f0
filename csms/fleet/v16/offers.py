"""How a virtual station obeys the commands of OCPP 1.6 that not every station knows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from csms.domain.timestamps import format_timestamp
from csms.fleet import duties
from csms.fleet.configuration import LOCAL_LIST_ENABLED, LOCAL_LIST_MAX_LENGTH
from csms.fleet.configuration import SEND_LOCAL_LIST_MAX_LENGTH as MAX_ENTRIES
from csms.fleet.connector import Reservation
from csms.fleet.device import Device
from csms.fleet.duties import read_instant, status
from csms.fleet.local_list import Entry
from csms.fleet.profiles import Wanted
from csms.fleet.speech import Token
from csms.fleet.v16.profiles import read_profile, read_purpose
from csms.ocpp.frames import JsonObject

# ---- reservation ---------------------------------------------------------------------------------


def _reserve_now(device: Device, payload: JsonObject) -> JsonObject:
    expires_at = read_instant(payload["expiryDate"])
    if expires_at is None:
        return status("Rejected")
    token = Token(payload["idTag"], group=payload.get("parentIdTag"))
    reservation = Reservation(payload["reservationId"], token, expires_at)
    return status(duties.reserve(device, payload["connectorId"], reservation))


def _cancel_reservation(device: Device, payload: JsonObject) -> JsonObject:
    return status(duties.cancel_reservation(device, payload["reservationId"]))


# ---- local list ----------------------------------------------------------------------------------


def _send_local_list(device: Device, payload: JsonObject) -> JsonObject:
    entries = [_entry(one) for one in payload.get("localAuthorizationList", [])]
    settings = device.configuration
    if not settings.is_on(LOCAL_LIST_ENABLED):
        return status("NotSupported")
    if len(entries) > settings.number(MAX_ENTRIES):
        return status("Failed")
    return status(
        device.local_list.update(
            entries,
            version=payload["listVersion"],
            full=payload["updateType"] == "Full",
            max_length=settings.number(LOCAL_LIST_MAX_LENGTH),
        )
    )


def _entry(shape: JsonObject) -> Entry:
    info = shape.get("idTagInfo")
    if info is None:
        return Entry(Token(shape["idTag"]), None)
    token = Token(shape["idTag"], group=info.get("parentIdTag"))
    return Entry(token, info["status"], read_instant(info.get("expiryDate")))


def _get_local_list_version(device: Device, payload: JsonObject) -> JsonObject:
    enabled = device.configuration.is_on(LOCAL_LIST_ENABLED)
    return {"listVersion": device.local_list.version if enabled else -1}  # 1.6 5.10


# ---- smart charging ------------------------------------------------------------------------------


def _set_charging_profile(device: Device, payload: JsonObject) -> JsonObject:
    profile = read_profile(payload["csChargingProfiles"])
    return status(duties.install_profile(device, payload["connectorId"], profile))


def _clear_charging_profile(device: Device, payload: JsonObject) -> JsonObject:
    number, purpose = payload.get("id"), payload.get("chargingProfilePurpose")
    wanted = Wanted(
        ids=None if number is None else (number,),
        connector_id=payload.get("connectorId"),
        purpose=None if purpose is None else read_purpose(purpose),
        stack_level=payload.get("stackLevel"),
    )
    return status("Accepted" if duties.clear_profiles(device, wanted) else "Unknown")


def _get_composite_schedule(device: Device, payload: JsonObject) -> JsonObject:
    number, unit = payload["connectorId"], payload.get("chargingRateUnit", "W")
    duration_s = payload["duration"]
    periods = duties.composite(device, number, unit=unit, duration_s=duration_s)
    if periods is None:
        return status("Rejected")
    return {
        "status": "Accepted",
        "connectorId": number,
        "scheduleStart": format_timestamp(device.clock.now()),
        "chargingSchedule": {
            "duration": duration_s,
            "chargingRateUnit": unit,
            "chargingSchedulePeriod": periods,
        },
    }


# ---- firmware and logs ---------------------------------------------------------------------------


def _update_firmware(device: Device, payload: JsonObject) -> JsonObject:
    device.firmware_update.begin(
        payload["location"],
        request_id=None,
        retrieve_at=read_instant(payload["retrieveDate"]),
    )
    return {}


def _get_diagnostics(device: Device, payload: JsonObject) -> JsonObject:
    device.log_upload.begin(payload["location"], request_id=None)
    return {"fileName": duties.log_name(device, "diagnostics")}


ANSWERS: Mapping[str, Callable[[Device, JsonObject], JsonObject]] = MappingProxyType(
    {
        "CancelReservation": _cancel_reservation,
        "ClearChargingProfile": _clear_charging_profile,
        "GetCompositeSchedule": _get_composite_schedule,
        "GetDiagnostics": _get_diagnostics,
        "GetLocalListVersion": _get_local_list_version,
        "GetLog": duties.get_log,
        "ReserveNow": _reserve_now,
        "SendLocalList": _send_local_list,
        "SetChargingProfile": _set_charging_profile,
        "SignedUpdateFirmware": duties.update_firmware,
        "UpdateFirmware": _update_firmware,
    }
)
