"""How a virtual 1.6 station obeys each command: one function per action."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType

from csms.fleet.device import Device, Manners
from csms.ocpp.frames import JsonObject


def _status(word: str) -> JsonObject:
    return {"status": word}


def _reset(device: Device, payload: JsonObject) -> JsonObject:
    device.reset(hard=payload["type"] == "Hard")
    return _status("Accepted")


def _change_availability(device: Device, payload: JsonObject) -> JsonObject:
    operative = payload["type"] == "Operative"
    number = payload["connectorId"]
    if number:
        connector = device.connector(number)
        return _status("Rejected" if connector is None else connector.set_operative(operative))
    words = {connector.set_operative(operative) for connector in device.connectors}
    if device.operative != operative:
        device.operative = operative
        device.report_station()
    return _status("Scheduled" if "Scheduled" in words else "Accepted")


def _change_configuration(device: Device, payload: JsonObject) -> JsonObject:
    word = device.configuration.change(payload["key"], payload["value"])
    if word == "Accepted":
        effect = _EFFECTS.get(payload["key"].lower())
        if effect is not None:
            effect(device)
    return _status(word)


def _use_new_password(device: Device) -> None:
    text = device.configuration.text("AuthorizationKey")
    # OCPP-J 1.6 6.2.2: the key is written as hexadecimal; people also write it as it is.
    is_hex = re.fullmatch(r"(?:[0-9A-Fa-f]{2}){16,20}", text) is not None
    device.password = bytes.fromhex(text) if is_hex else text.encode()
    device.reconnect()


def _use_new_sample_interval(device: Device) -> None:
    for connector in device.connectors:
        connector.retime()


def _use_new_heartbeat_interval(device: Device) -> None:
    device.retime_heartbeat()


_EFFECTS: Mapping[str, Callable[[Device], None]] = MappingProxyType(
    {
        "authorizationkey": _use_new_password,
        "heartbeatinterval": _use_new_heartbeat_interval,
        "metervaluesampleinterval": _use_new_sample_interval,
    }
)


def _get_configuration(device: Device, payload: JsonObject) -> JsonObject:
    return device.configuration.report(payload.get("key", ()))


def _clear_cache(device: Device, payload: JsonObject) -> JsonObject:
    return _status("Accepted")


def _unlock_connector(device: Device, payload: JsonObject) -> JsonObject:
    connector = device.connector(payload["connectorId"])
    if connector is None:  # 1.6 5.18: also the word for an unknown connector
        return _status("NotSupported")
    connector.stop("UnlockCommand")
    return _status("Unlocked")


def _remote_start(device: Device, payload: JsonObject) -> JsonObject:
    number = payload.get("connectorId")
    candidates = device.connectors if number is None else [device.connector(number)]
    free = next((one for one in candidates if one is not None and one.free), None)
    if free is None:
        return _status("Rejected")
    if device.configuration.is_on("AuthorizeRemoteTxRequests"):
        free.start(payload["idTag"])
    else:
        free.start_unasked(payload["idTag"])
    return _status("Accepted")


def _remote_stop(device: Device, payload: JsonObject) -> JsonObject:
    for connector in device.connectors:
        if connector.tx is not None and connector.tx.id == payload["transactionId"]:
            connector.stop("Remote")
            return _status("Accepted")
    return _status("Rejected")


def _data_transfer(device: Device, payload: JsonObject) -> JsonObject:
    if payload["vendorId"] != device.spec.vendor:
        return _status("UnknownVendorId")
    return {"status": "Accepted", "data": payload.get("data", "")}


def _trigger_message(device: Device, payload: JsonObject) -> JsonObject:
    wanted = payload["requestedMessage"]
    number = payload.get("connectorId")
    if number and device.connector(number) is None:
        return _status("Rejected")
    if wanted == "BootNotification":
        device.boot()
    elif wanted == "Heartbeat":
        device.heartbeat()
    elif wanted == "StatusNotification":
        _send_status(device, number)
    elif wanted == "MeterValues":
        for connector in device.connectors:
            if number in {None, 0, connector.id}:
                connector.send_reading("Trigger")
    else:  # DiagnosticsStatusNotification, FirmwareStatusNotification
        device.say(wanted, {"status": "Idle"})
    return _status("Accepted")


def _send_status(device: Device, number: int | None) -> None:
    if not number:
        device.report_station()
    for connector in device.connectors:
        if number in {None, connector.id}:
            connector.report()


def _get_local_list_version(device: Device, payload: JsonObject) -> JsonObject:
    return {"listVersion": -1}  # 1.6 5.10: there are no local lists


MANNERS_V16 = Manners(
    answers={
        "ChangeAvailability": _change_availability,
        "ChangeConfiguration": _change_configuration,
        "ClearCache": _clear_cache,
        "DataTransfer": _data_transfer,
        "GetConfiguration": _get_configuration,
        "GetLocalListVersion": _get_local_list_version,
        "RemoteStartTransaction": _remote_start,
        "RemoteStopTransaction": _remote_stop,
        "Reset": _reset,
        "TriggerMessage": _trigger_message,
        "UnlockConnector": _unlock_connector,
    },
    refusals={
        "ChangeAvailability": "Rejected",
        "ChangeConfiguration": "Rejected",
        "ClearCache": "Rejected",
        "DataTransfer": "Rejected",
        "RemoteStartTransaction": "Rejected",
        "RemoteStopTransaction": "Rejected",
        "Reset": "Rejected",
        "TriggerMessage": "Rejected",
        "UnlockConnector": "UnlockFailed",
    },
)
