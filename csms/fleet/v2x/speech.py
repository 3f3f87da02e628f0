"""What a virtual station says in OCPP 2.0.1 and 2.1; what it says is the same in both."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from types import MappingProxyType

from csms.domain.stations import ConnectorStatus
from csms.domain.timestamps import format_timestamp
from csms.fleet.configuration import (
    ENDED_MEASURANDS,
    OFFLINE_THRESHOLD,
    SAMPLED_MEASURANDS,
    STARTED_MEASURANDS,
    Knob,
)
from csms.fleet.device import Device
from csms.fleet.physics import Reading
from csms.fleet.samples import samples
from csms.fleet.speech import (
    BootReason,
    ConnectorState,
    Heard,
    StopCause,
    Token,
    Transaction,
)
from csms.ocpp.frames import JsonObject

_STATUS: Mapping[ConnectorState, str] = MappingProxyType(
    {
        ConnectorState.AVAILABLE: ConnectorStatus.AVAILABLE.value,
        ConnectorState.PREPARING: ConnectorStatus.OCCUPIED.value,
        ConnectorState.CHARGING: ConnectorStatus.OCCUPIED.value,
        ConnectorState.SUSPENDED_EV: ConnectorStatus.OCCUPIED.value,
        ConnectorState.SUSPENDED_EVSE: ConnectorStatus.OCCUPIED.value,
        ConnectorState.FINISHING: ConnectorStatus.OCCUPIED.value,
        ConnectorState.RESERVED: ConnectorStatus.RESERVED.value,
        ConnectorState.UNAVAILABLE: ConnectorStatus.UNAVAILABLE.value,
        ConnectorState.FAULTED: ConnectorStatus.FAULTED.value,
    }
)
_CHARGING_STATE: Mapping[ConnectorState, str] = MappingProxyType(
    {
        ConnectorState.CHARGING: "Charging",
        ConnectorState.SUSPENDED_EV: "SuspendedEV",
        ConnectorState.SUSPENDED_EVSE: "SuspendedEVSE",
    }
)
_CONNECTED = "EVConnected"
# triggerReason and stoppedReason
_ENDS: Mapping[StopCause, tuple[str, str]] = MappingProxyType(
    {
        StopCause.LOCAL: ("StopAuthorized", "Local"),
        StopCause.REMOTE: ("RemoteStop", "Remote"),
        StopCause.DEAUTHORIZED: ("Deauthorized", "DeAuthorized"),
        StopCause.RESET: ("ResetCommand", "ImmediateReset"),
        StopCause.HARD_RESET: ("ResetCommand", "ImmediateReset"),
        StopCause.UNLOCKED: ("UnlockCommand", "Other"),
        StopCause.REFUSED: ("AbnormalCondition", "Other"),
        StopCause.FAULT: ("AbnormalCondition", "Other"),
    }
)
_TRIGGERS: Mapping[str, str] = MappingProxyType(
    {"Sample.Periodic": "MeterValuePeriodic", "Trigger": "Trigger"}
)


def token_shape(token: Token) -> JsonObject:
    """An IdTokenType."""
    return {"idToken": token.text, "type": token.type}


class SpeechV2x:
    """Implements Speech."""

    __slots__ = ("_device",)

    def __init__(self, device: Device) -> None:
        self._device = device

    @property
    def forgotten_s(self) -> float:
        """2.0.1 B04.FR.01."""
        return float(self._device.configuration.number(OFFLINE_THRESHOLD))

    def password(self, text: str) -> bytes:
        """2.0.1 A01: as it is written."""
        return text.encode()

    def boot(self, reason: BootReason, heard: Heard) -> None:
        """BootNotification with the reason."""
        spec = self._device.spec
        station = {
            "model": spec.model[:20],
            "vendorName": spec.vendor[:50],
            "firmwareVersion": self._device.firmware[:50],
            "serialNumber": (spec.serial_number or spec.identity)[:25],
        }
        payload = {"reason": reason.value, "chargingStation": station}
        self._device.say("BootNotification", payload, done=heard)

    def station_status(self) -> None:
        """2.x tells the status of connectors only."""

    def status_word(self, state: ConnectorState) -> str:
        """One of the five words."""
        return _STATUS[state]

    def status(
        self, connector_id: int, word: str, heard: Heard, *, fault: str | None = None
    ) -> None:
        """StatusNotification of the one connector of an EVSE, which has no room for a fault."""
        payload = {
            "timestamp": self._now(),
            "connectorStatus": word,
            "evseId": connector_id,
            "connectorId": 1,
        }
        self._device.say("StatusNotification", payload, done=heard)

    def authorize(self, token: Token, heard: Callable[[bool], None]) -> None:
        """Authorize."""
        self._device.say(
            "Authorize",
            {"idToken": token_shape(token)},
            done=lambda answer: heard(answer is not None and _accepts(answer)),
        )

    def started(self, tx: Transaction, heard: Callable[[bool | None], None]) -> None:
        """The event that starts it; whatever becomes of that, the station goes on."""
        assert tx.charge is not None
        tx.id = str(uuid.UUID(int=self._device.random.getrandbits(128), version=4))
        content: JsonObject = {
            "evse": {"id": tx.connector_id, "connectorId": 1},
            "idToken": token_shape(tx.token),
        }
        if tx.reservation_id is not None:
            content["reservationId"] = tx.reservation_id
        self._add_values(content, tx.charge.last, "Transaction.Begin", STARTED_MEASURANDS)
        self._tell(
            tx,
            "Started",
            "Authorized" if tx.remote_start_id is None else "RemoteStart",
            content,
            info={"chargingState": _CONNECTED},
            done=lambda answer: heard(answer is None or _accepts(answer)),
        )

    def state_changed(self, tx: Transaction, state: ConnectorState) -> None:
        """An event with the new charging state."""
        info = {"chargingState": _CHARGING_STATE.get(state, _CONNECTED)}
        self._tell(tx, "Updated", "ChargingStateChanged", {}, info=info)

    def limit_changed(self, tx: Transaction, state: ConnectorState) -> None:
        """An event that says so (2.0.1 K01)."""
        info = {"chargingState": _CHARGING_STATE.get(state, _CONNECTED)}
        self._tell(tx, "Updated", "ChargingRateChanged", {}, info=info)

    def metered(
        self, tx: Transaction, reading: Reading, state: ConnectorState, context: str
    ) -> None:
        """An event with the reading."""
        content: JsonObject = {}
        self._add_values(content, reading, context, SAMPLED_MEASURANDS)
        info = {"chargingState": _CHARGING_STATE.get(state, _CONNECTED)}
        self._tell(tx, "Updated", _TRIGGERS[context], content, info=info)

    def metered_idle(self, connector_id: int, reading: Reading, context: str) -> None:
        """MeterValues of an EVSE."""
        content: JsonObject = {"evseId": connector_id}
        self._add_values(content, reading, context, SAMPLED_MEASURANDS)
        if "meterValue" in content:
            self._device.say("MeterValues", content)

    def ended(self, tx: Transaction, reading: Reading, cause: StopCause) -> None:
        """The event that ends it."""
        trigger, reason = _ENDS[cause]
        content: JsonObject = {}
        self._add_values(content, reading, "Transaction.End", ENDED_MEASURANDS)
        info = {"chargingState": _CONNECTED, "stoppedReason": reason}
        self._tell(tx, "Ended", trigger, content, info=info)

    def reservation_gone(self, reservation_id: int, word: str) -> None:
        """ReservationStatusUpdate."""
        payload = {"reservationId": reservation_id, "reservationUpdateStatus": word}
        self._device.say("ReservationStatusUpdate", payload)

    def firmware_status(self, word: str, request_id: int | None) -> None:
        """FirmwareStatusNotification."""
        self._device.say("FirmwareStatusNotification", _of_request(word, request_id))

    def log_status(self, word: str, request_id: int | None) -> None:
        """LogStatusNotification."""
        self._device.say("LogStatusNotification", _of_request(word, request_id))

    def _tell(
        self,
        tx: Transaction,
        event: str,
        trigger: str,
        content: JsonObject,
        *,
        info: JsonObject,
        done: Heard | None = None,
    ) -> None:
        """One TransactionEvent, numbered from 0 in each transaction (2.0.1 E01.FR.07)."""
        device = self._device
        if tx.remote_start_id is not None and event == "Started":
            info["remoteStartId"] = tx.remote_start_id
        payload = {
            "eventType": event,
            "timestamp": self._now(),
            "triggerReason": trigger,
            "seqNo": tx.events,
            "transactionInfo": {"transactionId": tx.id, **info},
            **content,
        }
        if not device.online:
            payload["offline"] = True
        tx.events += 1
        if done is None:
            device.say("TransactionEvent", payload, about=tx)
        else:
            device.say("TransactionEvent", payload, done=done, about=tx)

    def _add_values(
        self, content: JsonObject, reading: Reading, context: str, measurands: Knob
    ) -> None:
        """Put a meterValue in, if there is anything to say."""
        device = self._device

        def render(
            measurand: str, value: float, decimals: int, unit: str, phase: str | None
        ) -> JsonObject:
            sample: JsonObject = {
                "value": round(value, decimals),
                "measurand": measurand,
                "context": context,
                "unitOfMeasure": {"unit": unit},
            }
            if phase is not None:
                sample["phase"] = phase
            return sample

        sampled = samples(
            reading,
            measurands=device.configuration.text(measurands).split(","),
            current_type=device.spec.supply.current_type,
            render=render,
        )
        if sampled:
            content["meterValue"] = [{"timestamp": self._now(), "sampledValue": sampled}]

    def _now(self) -> str:
        return format_timestamp(self._device.clock.now())


def _accepts(answer: JsonObject) -> bool:
    """Without an idTokenInfo there is no objection."""
    info = answer.get("idTokenInfo")
    return info is None or info["status"] == "Accepted"


def _of_request(word: str, request_id: int | None) -> JsonObject:
    # 2.0.1 L01.FR.20, N01.FR.12: the number belongs to everything but Idle.
    return {"status": word} if word == "Idle" else {"status": word, "requestId": request_id}
