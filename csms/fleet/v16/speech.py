"""What a virtual station says in OCPP 1.6."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType

from csms.domain.timestamps import format_timestamp
from csms.fleet.configuration import SAMPLED_MEASURANDS
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
    nothing,
)
from csms.ocpp.frames import JsonObject

_REASONS: Mapping[StopCause, str] = MappingProxyType(
    {
        StopCause.LOCAL: "Local",
        StopCause.REMOTE: "Remote",
        StopCause.DEAUTHORIZED: "DeAuthorized",
        StopCause.RESET: "SoftReset",
        StopCause.HARD_RESET: "HardReset",
        StopCause.UNLOCKED: "UnlockCommand",
        StopCause.REFUSED: "Other",
        StopCause.FAULT: "Other",
    }
)
# 1.6 7.6
_ERROR_CODES = frozenset(
    {
        "ConnectorLockFailure",
        "EVCommunicationError",
        "GroundFailure",
        "HighTemperature",
        "InternalError",
        "LocalListConflict",
        "NoError",
        "OtherError",
        "OverCurrentFailure",
        "OverVoltage",
        "PowerMeterFailure",
        "PowerSwitchFailure",
        "ReaderFailure",
        "ResetFailure",
        "UnderVoltage",
        "WeakSignal",
    }
)
# 1.6 7.25; the other words of an update need a request id (security extension).
_PLAIN_FIRMWARE = frozenset(
    {
        "Downloaded",
        "DownloadFailed",
        "Downloading",
        "Idle",
        "InstallationFailed",
        "Installing",
        "Installed",
    }
)
_DIAGNOSTICS: Mapping[str, str] = MappingProxyType(
    {
        "Idle": "Idle",
        "Uploaded": "Uploaded",
        "UploadFailure": "UploadFailed",
        "Uploading": "Uploading",
    }
)


class SpeechV16:
    """Implements Speech."""

    __slots__ = ("_device",)

    def __init__(self, device: Device) -> None:
        self._device = device

    @property
    def forgotten_s(self) -> float:
        """Never: it tells what has changed."""
        return math.inf

    def password(self, text: str) -> bytes:
        """OCPP-J 1.6 6.2.2: it is written as hexadecimal; people also write it as it is."""
        is_hex = re.fullmatch(r"(?:[0-9A-Fa-f]{2}){16,20}", text) is not None
        return bytes.fromhex(text) if is_hex else text.encode()

    def boot(self, reason: BootReason, heard: Heard) -> None:
        """Without the reason, which 1.6 does not tell."""
        spec = self._device.spec
        payload = {
            "chargePointVendor": spec.vendor[:20],
            "chargePointModel": spec.model[:20],
            "firmwareVersion": self._device.firmware[:50],
            "chargePointSerialNumber": (spec.serial_number or spec.identity)[:25],
        }
        self._device.say("BootNotification", payload, done=heard)

    def station_status(self) -> None:
        """The status of connector 0."""
        self.status(0, "Available" if self._device.operative else "Unavailable", nothing)

    def status_word(self, state: ConnectorState) -> str:
        """One of the nine words."""
        return state.value

    def status(
        self, connector_id: int, word: str, heard: Heard, *, fault: str | None = None
    ) -> None:
        """StatusNotification; what has no code of its own is an OtherError."""
        code = "NoError" if fault is None else fault
        payload = {
            "connectorId": connector_id,
            "errorCode": code if code in _ERROR_CODES else "OtherError",
            "status": word,
            "timestamp": self._now(),
        }
        if code not in _ERROR_CODES:
            payload["info"] = code[:50]
        self._device.say("StatusNotification", payload, done=heard)

    def authorize(self, token: Token, heard: Callable[[bool], None]) -> None:
        """Authorize."""
        self._device.say(
            "Authorize",
            {"idTag": token.text},
            done=lambda answer: heard(answer is not None and _accepts(answer)),
        )

    def started(self, tx: Transaction, heard: Callable[[bool | None], None]) -> None:
        """StartTransaction; its answer brings the transaction's number."""
        assert tx.charge is not None
        payload: JsonObject = {
            "connectorId": tx.connector_id,
            "idTag": tx.token.text,
            "meterStart": int(tx.charge.last.register_wh),
            "timestamp": self._now(),
        }
        if tx.reservation_id is not None:
            payload["reservationId"] = tx.reservation_id

        def answered(answer: JsonObject | None) -> None:
            if answer is None:
                heard(None)
                return
            tx.id = answer["transactionId"]
            heard(_accepts(answer))

        self._device.say("StartTransaction", payload, done=answered, about=tx)

    def state_changed(self, tx: Transaction, state: ConnectorState) -> None:
        """The status has told it."""

    def limit_changed(self, tx: Transaction, state: ConnectorState) -> None:
        """1.6 has no message for it."""

    def metered(
        self, tx: Transaction, reading: Reading, state: ConnectorState, context: str
    ) -> None:
        """MeterValues with the transaction's number."""
        content = self._meter_values(tx.connector_id, reading, context)
        if content is not None:
            self._device.say("MeterValues", lambda: _numbered(tx, content), about=tx)

    def metered_idle(self, connector_id: int, reading: Reading, context: str) -> None:
        """MeterValues without one."""
        content = self._meter_values(connector_id, reading, context)
        if content is not None:
            self._device.say("MeterValues", content)

    def ended(self, tx: Transaction, reading: Reading, cause: StopCause) -> None:
        """StopTransaction."""
        content = {
            "idTag": tx.token.text,
            "meterStop": int(reading.register_wh),
            "timestamp": self._now(),
            "reason": _REASONS[cause],
        }
        self._device.say("StopTransaction", lambda: _numbered(tx, content), about=tx)

    def reservation_gone(self, reservation_id: int, word: str) -> None:
        """The status has told it."""

    def firmware_status(self, word: str, request_id: int | None) -> None:
        """FirmwareStatusNotification, or the signed one for a request that has a number."""
        if request_id is not None:
            payload = {"status": word, "requestId": request_id}
            self._device.say("SignedFirmwareStatusNotification", payload)
        elif word in _PLAIN_FIRMWARE:
            self._device.say("FirmwareStatusNotification", {"status": word})

    def log_status(self, word: str, request_id: int | None) -> None:
        """DiagnosticsStatusNotification, or LogStatusNotification for a request with a number."""
        if request_id is not None:
            if word != "AcceptedCanceled":  # of 2.x only
                payload = {"status": word, "requestId": request_id}
                self._device.say("LogStatusNotification", payload)
        elif word in _DIAGNOSTICS:
            self._device.say("DiagnosticsStatusNotification", {"status": _DIAGNOSTICS[word]})

    def _meter_values(self, connector_id: int, reading: Reading, context: str) -> JsonObject | None:
        """Content of a MeterValues; None when there is nothing to say."""
        device = self._device

        def render(
            measurand: str, value: float, decimals: int, unit: str, phase: str | None
        ) -> JsonObject:
            sample = {
                "value": f"{value:.{decimals}f}",
                "measurand": measurand,
                "unit": unit,
                "context": context,
            }
            if phase is not None:
                sample["phase"] = phase
            return sample

        sampled = samples(
            reading,
            measurands=device.configuration.text(SAMPLED_MEASURANDS).split(","),
            current_type=device.spec.supply.current_type,
            render=render,
        )
        if not sampled:
            return None
        value = {"timestamp": self._now(), "sampledValue": sampled}
        return {"connectorId": connector_id, "meterValue": [value]}

    def _now(self) -> str:
        return format_timestamp(self._device.clock.now())


def _accepts(answer: JsonObject) -> bool:
    return bool(answer["idTagInfo"]["status"] == "Accepted")


def _numbered(tx: Transaction, content: JsonObject) -> JsonObject | None:
    """With the number the CSMS gave; a start it refused for good leaves nothing to tell."""
    return None if tx.id is None else {**content, "transactionId": tx.id}
