"""How a virtual station obeys the core commands of OCPP 2.0.1 and 2.1: one function per action."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from csms.fleet import duties
from csms.fleet.connector import Connector
from csms.fleet.device import Device
from csms.fleet.duties import status
from csms.fleet.speech import BootReason, StopCause, Token
from csms.fleet.v2x.profiles import read_profile
from csms.ocpp.frames import JsonObject


def read_token(shape: JsonObject, group: JsonObject | None = None) -> Token:
    """An IdTokenType and the group it is of."""
    return Token(shape["idToken"], shape["type"], None if group is None else group["idToken"])


def connector_of(device: Device, evse: JsonObject) -> Connector | None:
    """The one connector of an EVSE, unless another of its connectors is meant."""
    return device.connector(evse["id"]) if evse.get("connectorId", 1) == 1 else None


def _reset(device: Device, payload: JsonObject) -> JsonObject:
    # 2.0.1 B11.FR.09: no single EVSE; B11.FR.06: an installation is not cut off. 2.1's
    # ImmediateAndResume needs transactions that outlive a restart; ours do not.
    known = payload["type"] in {"Immediate", "OnIdle"}
    if not known or "evseId" in payload or device.firmware_update.status == "Installing":
        return status("Rejected")
    if payload["type"] == "OnIdle" and device.busy:
        device.once_idle(lambda: device.reset(StopCause.RESET, BootReason.SCHEDULED_RESET))
        return status("Scheduled")
    device.reset(StopCause.RESET, BootReason.REMOTE_RESET)
    return status("Accepted")


def _change_availability(device: Device, payload: JsonObject) -> JsonObject:
    operative = payload["operationalStatus"] == "Operative"
    evse = payload.get("evse")
    if evse is None:
        return status(duties.set_operative(device, operative))
    connector = connector_of(device, evse)
    return status("Rejected" if connector is None else connector.set_operative(operative))


def _clear_cache(device: Device, payload: JsonObject) -> JsonObject:
    return status("Accepted")


def _unlock_connector(device: Device, payload: JsonObject) -> JsonObject:
    connector = connector_of(device, {"id": payload["evseId"], **payload})
    if connector is None:
        return status("UnknownConnector")
    if connector.tx is not None:  # 2.0.1 F05.FR.02
        return status("OngoingAuthorizedTransaction")
    connector.unlock()
    return status("Unlocked")


def _request_start(device: Device, payload: JsonObject) -> JsonObject:
    wished = payload.get("chargingProfile")
    tx = duties.start(
        device,
        payload.get("evseId"),
        read_token(payload["idToken"], payload.get("groupIdToken")),
        remote_start_id=payload["remoteStartId"],
        profile=None if wished is None else read_profile(wished),
    )
    if tx is None:
        return status("Rejected")
    return status("Accepted") if tx.id is None else {"status": "Accepted", "transactionId": tx.id}


def _request_stop(device: Device, payload: JsonObject) -> JsonObject:
    connector = device.find_transaction(payload["transactionId"])
    if connector is None:
        return status("Rejected")
    connector.stop(StopCause.REMOTE)
    return status("Accepted")


def _get_transaction_status(device: Device, payload: JsonObject) -> JsonObject:
    wanted = payload.get("transactionId")
    answer: JsonObject = {"messagesInQueue": device.has_kept(wanted)}
    if wanted is not None:  # 2.0.1 E14.FR.06
        answer["ongoingIndicator"] = device.find_transaction(wanted) is not None
    return answer


def _data_transfer(device: Device, payload: JsonObject) -> JsonObject:
    if payload["vendorId"] != device.spec.vendor:
        return status("UnknownVendorId")
    answer = status("Accepted")
    if "data" in payload:
        answer["data"] = payload["data"]
    return answer


def _trigger_message(device: Device, payload: JsonObject) -> JsonObject:
    evse = payload.get("evse")
    if evse is not None and connector_of(device, evse) is None:
        return status("Rejected")
    action = _TRIGGERS.get(payload["requestedMessage"])
    if action is None:  # certificates, local controllers
        return status("NotImplemented")
    done = action(device, None if evse is None else evse["id"])
    return status("Rejected" if done is False else "Accepted")


def _send_events(device: Device, number: int | None) -> bool:
    """2.0.1 F06: of the transactions that run, if any does."""
    running = [
        connector
        for connector in device.connectors
        if number in {None, connector.id} and connector.tx is not None and connector.tx.charge
    ]
    for connector in running:
        connector.send_reading("Trigger")
    return bool(running)


def _send_meter_values(device: Device, number: int | None) -> None:
    for connector in device.connectors:
        if number in {None, connector.id}:
            device.speech.metered_idle(connector.id, connector.read(), "Trigger")


def _firmware_status(device: Device, number: int | None) -> None:
    # 2.0.1 L01.FR.26: Idle unless an update is under way.
    update = device.firmware_update
    device.speech.firmware_status(update.status if update.running else "Idle", update.request_id)


def _log_status(device: Device, number: int | None) -> None:
    upload = device.log_upload
    device.speech.log_status(upload.status if upload.running else "Idle", upload.request_id)


_TRIGGERS: Mapping[str, Callable[[Device, int | None], bool | None]] = MappingProxyType(
    {
        "BootNotification": lambda device, _: device.boot(BootReason.TRIGGERED),
        "FirmwareStatusNotification": _firmware_status,
        "Heartbeat": lambda device, _: device.heartbeat(),
        "LogStatusNotification": _log_status,
        "MeterValues": _send_meter_values,
        "StatusNotification": duties.report_statuses,
        "TransactionEvent": _send_events,
    }
)

ANSWERS: Mapping[str, Callable[[Device, JsonObject], JsonObject]] = MappingProxyType(
    {
        "ChangeAvailability": _change_availability,
        "ClearCache": _clear_cache,
        "DataTransfer": _data_transfer,
        "GetTransactionStatus": _get_transaction_status,
        "RequestStartTransaction": _request_start,
        "RequestStopTransaction": _request_stop,
        "Reset": _reset,
        "TriggerMessage": _trigger_message,
        "UnlockConnector": _unlock_connector,
    }
)
