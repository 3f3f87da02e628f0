"""What a virtual station does on command, whatever the version the command came in."""

from __future__ import annotations

from datetime import datetime

from csms.domain.stations import Registration
from csms.fleet.configuration import (
    AUTHORIZE_REMOTE_START,
    HEARTBEAT_INTERVAL,
    MAX_PROFILES,
    PASSWORD,
    PROFILE_MAX_PERIODS,
    PROFILE_MAX_STACK_LEVEL,
    SAMPLE_INTERVAL,
    Change,
    Knob,
)
from csms.fleet.connector import Connector, Reservation
from csms.fleet.device import Device
from csms.fleet.physics import Supply
from csms.fleet.profiles import STATION_MAX, TX, TX_DEFAULT, Profile, Wanted
from csms.fleet.speech import Token, Transaction
from csms.ocpp.frames import JsonObject


def status(word: str) -> JsonObject:
    """The answer that is one word."""
    return {"status": word}


def read_instant(text: object) -> datetime | None:
    """A time in a command, if it is one; ours have a zone."""
    if not isinstance(text, str):
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo is not None else None


def configure(device: Device, knob: Knob, value: str) -> Change:
    """Change a setting, with effect at once if that can be."""
    change = device.configuration.change(knob, value)
    if change is Change.ACCEPTED:
        if knob is PASSWORD:
            device.take_password(device.speech.password(value))
        elif knob is HEARTBEAT_INTERVAL:
            device.retime_heartbeat()
        elif knob is SAMPLE_INTERVAL:
            for connector in device.connectors:
                connector.retime()
    return change


def set_operative(device: Device, operative: bool) -> str:
    """Put the whole station in or out of service; returns the word to answer with."""
    words = {connector.set_operative(operative) for connector in device.connectors}
    if device.operative != operative:
        device.operative = operative
        device.speech.station_status()
    return "Scheduled" if "Scheduled" in words else "Accepted"


def start(
    device: Device,
    connector_id: int | None,
    token: Token,
    *,
    remote_start_id: int | None = None,
    profile: Profile | None = None,
) -> Transaction | None:
    """Begin a transaction that was asked for, if a connector is free for it."""
    connector = _find_free(device, connector_id, token)
    if connector is None:
        return None
    if profile is not None:
        if profile.purpose != TX or not _fits(device, profile):
            return None
        device.profiles.install(connector.id, profile)
    if device.configuration.is_on(AUTHORIZE_REMOTE_START):
        return connector.start(token, remote_start_id=remote_start_id)
    return connector.start_unasked(token, remote_start_id=remote_start_id)


def _find_free(device: Device, connector_id: int | None, token: Token) -> Connector | None:
    if device.registration is not Registration.ACCEPTED:  # 2.0.1 B02.FR.05
        return None
    wanted = device.connectors if connector_id is None else [device.connector(connector_id)]
    return next((one for one in wanted if one is not None and one.is_free_for(token)), None)


def reserve(device: Device, connector_id: int | None, reservation: Reservation) -> str:
    """Keep a connector free for somebody; returns the word to answer with.

    Which connector must be said: ReserveConnectorZeroSupported, NonEvseSpecific are off.
    """
    connector = device.connector(connector_id) if connector_id else None
    if connector is None or reservation.expires_at <= device.clock.now():
        return "Rejected"
    word = connector.reserve(reservation)
    if word == "Accepted":
        for other in device.connectors:  # the same reservation has moved
            held = other.reservation
            if other is not connector and held is not None and held.id == reservation.id:
                other.cancel_reservation()
    return word


def cancel_reservation(device: Device, reservation_id: int) -> str:
    """Forget a reservation; returns the word to answer with."""
    for connector in device.connectors:
        if connector.reservation is not None and connector.reservation.id == reservation_id:
            connector.cancel_reservation()
            return "Accepted"
    return "Rejected"


def install_profile(device: Device, connector_id: int, profile: Profile) -> str:
    """Let a charging profile hold from now on; returns the word to answer with."""
    if connector_id and device.connector(connector_id) is None:
        return "Rejected"
    if not _fits(device, profile) or not _is_in_place(device, connector_id, profile):
        return "Rejected"
    device.profiles.install(connector_id, profile)
    device.profiles_changed()
    return "Accepted"


def _fits(device: Device, profile: Profile) -> bool:
    settings = device.configuration
    replaces = bool(device.profiles.find(Wanted(ids=(profile.id,))))
    return (
        profile.kind in {"Absolute", "Recurring", "Relative"}
        and (profile.kind == "Relative" or profile.start_at is not None)
        and 0 < len(profile.periods) <= settings.number(PROFILE_MAX_PERIODS)
        and profile.stack_level <= settings.number(PROFILE_MAX_STACK_LEVEL)
        and (replaces or len(device.profiles) < settings.number(MAX_PROFILES))
    )


def _is_in_place(device: Device, connector_id: int, profile: Profile) -> bool:
    if profile.purpose == STATION_MAX:
        # 1.6 3.13.1: no transaction, so nothing to be relative to
        return connector_id == 0 and profile.kind != "Relative"
    if profile.purpose == TX_DEFAULT:
        return True
    connector = device.connector(connector_id)
    if profile.purpose != TX or connector is None or connector.tx is None:
        return False
    return profile.transaction_id in {None, connector.tx.id}


def report_statuses(device: Device, connector_id: int | None) -> None:
    """Tell the status of one connector, of the station (0), or of all."""
    if not connector_id:
        device.speech.station_status()
    for connector in device.connectors:
        if connector_id in {None, connector.id}:
            connector.report()


def send_readings(device: Device, connector_id: int | None) -> None:
    """Tell what the meter of one connector, or of each, says now."""
    for connector in device.connectors:
        if connector_id in {None, 0, connector.id}:
            connector.send_reading("Trigger")


def clear_profiles(device: Device, wanted: Wanted) -> bool:
    """Forget charging profiles; whether there were any."""
    found = device.profiles.clear(wanted)
    device.profiles_changed()
    return found


def composite(
    device: Device, connector_id: int, *, unit: str, duration_s: int
) -> list[JsonObject] | None:
    """The chargingSchedulePeriod that results for a connector; None when it does not exist."""
    supply = device.spec.supply
    if connector_id == 0:
        tx = None
        whole_w = supply.max_power_w * len(device.connectors)
        supply = Supply(supply.current_type, whole_w, supply.phases)
    else:
        connector = device.connector(connector_id)
        if connector is None:
            return None
        tx = connector.tx
    periods = device.profiles.composite(
        connector_id, tx, supply=supply, now=device.clock.now(), duration_s=duration_s
    )
    per_unit_w = 1.0 if unit == "W" else supply.volts * supply.phases
    return [
        {"startPeriod": start_s, "limit": round(limit_w / per_unit_w, 1)}
        for start_s, limit_w in periods
    ]


def update_firmware(device: Device, payload: JsonObject) -> JsonObject:
    """UpdateFirmware of 2.x, and SignedUpdateFirmware of 1.6, which is the same message."""
    firmware = payload["firmware"]
    update = device.firmware_update
    replaces = update.running
    update.begin(
        firmware["location"],
        request_id=payload["requestId"],
        retrieve_at=read_instant(firmware["retrieveDateTime"]),
        install_at=read_instant(firmware.get("installDateTime")),
        signed="signature" in firmware,
    )
    return status("AcceptedCanceled" if replaces else "Accepted")


def get_log(device: Device, payload: JsonObject) -> JsonObject:
    """GetLog, the same message in 1.6 and 2.x."""
    upload = device.log_upload
    replaces = upload.running
    upload.begin(payload["log"]["remoteLocation"], request_id=payload["requestId"])
    return {
        **status("AcceptedCanceled" if replaces else "Accepted"),
        "filename": log_name(device, payload["logType"]),
    }


def log_name(device: Device, kind: str) -> str:
    """What the file of an upload is called."""
    return f"{device.spec.identity}-{kind}-{device.clock.now():%Y%m%dT%H%M%SZ}.log"[-255:]
