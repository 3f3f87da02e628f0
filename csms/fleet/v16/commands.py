"""How a virtual station obeys the core commands of OCPP 1.6: one function per action."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from csms.fleet import duties
from csms.fleet.configuration import BY_KEY, Access, Configuration, Knob
from csms.fleet.device import Device
from csms.fleet.duties import status
from csms.fleet.speech import BootReason, StopCause, Token
from csms.fleet.v16.profiles import read_profile
from csms.ocpp.frames import JsonObject


def _reset(device: Device, payload: JsonObject) -> JsonObject:
    cause = StopCause.HARD_RESET if payload["type"] == "Hard" else StopCause.RESET
    device.reset(cause, BootReason.REMOTE_RESET)
    return status("Accepted")


def _change_availability(device: Device, payload: JsonObject) -> JsonObject:
    operative = payload["type"] == "Operative"
    number = payload["connectorId"]
    if not number:
        return status(duties.set_operative(device, operative))
    connector = device.connector(number)
    return status("Rejected" if connector is None else connector.set_operative(operative))


def _change_configuration(device: Device, payload: JsonObject) -> JsonObject:
    knob = BY_KEY.get(payload["key"].lower())
    if knob is None:
        return status("NotSupported")
    return status(duties.configure(device, knob, payload["value"]).value)


def _get_configuration(device: Device, payload: JsonObject) -> JsonObject:
    wanted = payload.get("key") or []
    knobs = [BY_KEY.get(key.lower()) for key in wanted] if wanted else list(BY_KEY.values())
    known = [knob for knob in dict.fromkeys(knobs) if knob is not None]
    answer: JsonObject = {"configurationKey": [_shown(device.configuration, one) for one in known]}
    unknown = [key for key, knob in zip(wanted, knobs, strict=False) if knob is None]
    if unknown:
        answer["unknownKey"] = unknown
    return answer


def _shown(configuration: Configuration, knob: Knob) -> JsonObject:
    shown: JsonObject = {"key": knob.key, "readonly": knob.access is Access.READ_ONLY}
    if knob.access is not Access.WRITE_ONLY:
        shown["value"] = configuration.text(knob)
    return shown


def _clear_cache(device: Device, payload: JsonObject) -> JsonObject:
    return status("Accepted")


def _unlock_connector(device: Device, payload: JsonObject) -> JsonObject:
    connector = device.connector(payload["connectorId"])
    if connector is None:  # 1.6 5.18: also the word for an unknown connector
        return status("NotSupported")
    connector.unlock()
    return status("Unlocked")


def _remote_start(device: Device, payload: JsonObject) -> JsonObject:
    wished = payload.get("chargingProfile")
    tx = duties.start(
        device,
        payload.get("connectorId"),
        Token(payload["idTag"]),
        profile=None if wished is None else read_profile(wished),
    )
    return status("Rejected" if tx is None else "Accepted")


def _remote_stop(device: Device, payload: JsonObject) -> JsonObject:
    connector = device.find_transaction(payload["transactionId"])
    if connector is None:
        return status("Rejected")
    connector.stop(StopCause.REMOTE)
    return status("Accepted")


def _data_transfer(device: Device, payload: JsonObject) -> JsonObject:
    if payload["vendorId"] != device.spec.vendor:
        return status("UnknownVendorId")
    return {"status": "Accepted", "data": payload.get("data", "")}


def _trigger_message(device: Device, payload: JsonObject) -> JsonObject:
    number = payload.get("connectorId")
    if number and device.connector(number) is None:
        return status("Rejected")
    action = _TRIGGERS.get(payload["requestedMessage"])
    if action is None:  # certificates
        return status("NotImplemented")
    action(device, number)
    return status("Accepted")


def _firmware_status(device: Device, number: int | None) -> None:
    update = device.firmware_update
    device.speech.firmware_status(update.status if update.running else "Idle", update.request_id)


def _log_status(device: Device, number: int | None) -> None:
    upload = device.log_upload
    device.speech.log_status(upload.status if upload.running else "Idle", upload.request_id)


# 1.6 5.17 and, for the log, the ExtendedTriggerMessage of the security whitepaper.
_TRIGGERS: Mapping[str, Callable[[Device, int | None], None]] = MappingProxyType(
    {
        "BootNotification": lambda device, _: device.boot(BootReason.TRIGGERED),
        "DiagnosticsStatusNotification": _log_status,
        "FirmwareStatusNotification": _firmware_status,
        "Heartbeat": lambda device, _: device.heartbeat(),
        "LogStatusNotification": _log_status,
        "MeterValues": duties.send_readings,
        "StatusNotification": duties.report_statuses,
    }
)

ANSWERS: Mapping[str, Callable[[Device, JsonObject], JsonObject]] = MappingProxyType(
    {
        "ChangeAvailability": _change_availability,
        "ChangeConfiguration": _change_configuration,
        "ClearCache": _clear_cache,
        "DataTransfer": _data_transfer,
        "ExtendedTriggerMessage": _trigger_message,
        "GetConfiguration": _get_configuration,
        "RemoteStartTransaction": _remote_start,
        "RemoteStopTransaction": _remote_stop,
        "Reset": _reset,
        "TriggerMessage": _trigger_message,
        "UnlockConnector": _unlock_connector,
    }
)

_REFUSALS: Mapping[str, str] = MappingProxyType(
    {
        "CancelReservation": "Rejected",
        "ChangeAvailability": "Rejected",
        "ChangeConfiguration": "Rejected",
        "ClearCache": "Rejected",
        "ClearChargingProfile": "Unknown",
        "DataTransfer": "Rejected",
        "ExtendedTriggerMessage": "Rejected",
        "GetCompositeSchedule": "Rejected",
        "GetLog": "Rejected",
        "RemoteStartTransaction": "Rejected",
        "RemoteStopTransaction": "Rejected",
        "ReserveNow": "Rejected",
        "Reset": "Rejected",
        "SendLocalList": "Failed",
        "SetChargingProfile": "Rejected",
        "SignedUpdateFirmware": "Rejected",
        "TriggerMessage": "Rejected",
        "UnlockConnector": "UnlockFailed",
    }
)


def refuse(action: str, payload: JsonObject) -> JsonObject | None:
    """The answer that turns a command down."""
    word = _REFUSALS.get(action)
    return None if word is None else status(word)
