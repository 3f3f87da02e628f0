"""A virtual station at a table: no socket, a clock of ours, and the CSMS's side by hand."""

from __future__ import annotations

from random import Random
from typing import Any

import orjson
import pytest

from csms.clock import ManualClock
from csms.domain.versions import OcppVersion
from csms.fleet.device import Device
from csms.fleet.languages import LANGUAGES
from csms.fleet.spec import StationSpec
from csms.ocpp import schemas

BOOT_ACCEPTED = {
    "status": "Accepted",
    "interval": 300,
    "currentTime": "2026-05-01T12:00:00.000Z",
}
_ANY = {
    "BootNotification": BOOT_ACCEPTED,
    "Heartbeat": {"currentTime": "2026-05-01T12:00:00.000Z"},
}
_V2X = {**_ANY, "Authorize": {"idTokenInfo": {"status": "Accepted"}}}
ANSWERS: dict[OcppVersion, dict[str, Any]] = {
    OcppVersion.V16: {
        **_ANY,
        "Authorize": {"idTagInfo": {"status": "Accepted"}},
        "StartTransaction": {"transactionId": 77, "idTagInfo": {"status": "Accepted"}},
    },
    OcppVersion.V201: _V2X,
    OcppVersion.V21: _V2X,
}


class Bench:
    """Plays the CSMS: answers the station's CALLs and checks each against its schema."""

    def __init__(
        self, clock: ManualClock, version: OcppVersion = OcppVersion.V16, **spec: Any
    ) -> None:
        self.clock = clock
        self.version = version
        self.device = Device(
            StationSpec(identity="CS1", url="ws://csms", version=version, **spec),
            LANGUAGES[version],
            clock=clock,
            random=Random(1),
        )
        self.answers: dict[str, Any] = dict(ANSWERS[version])
        """By action: the payload, the code of a CALLERROR, or None to leave it unanswered."""
        self.calls: list[tuple[str, dict[str, Any]]] = []
        """Everything the station said, in order."""
        self.replies: dict[str, list[Any]] = {}
        """Its answers to us, by message id."""
        self._action_of: dict[str, str] = {}

    def connect(self) -> None:
        self.device.opened()
        self.settle()

    def disconnect(self) -> None:
        self.device.closed()

    def settle(self) -> None:
        """Let the conversation run until the station has nothing more to say."""
        while waiting := self.device.take():
            for data in waiting:
                self._hear(orjson.loads(data))

    def _hear(self, frame: list[Any]) -> None:
        if frame[0] != 2:
            self.replies[frame[1]] = frame
            if frame[0] == 3:
                action = self._action_of[frame[1]]
                wrong = schemas.violation(self.version, action, "response", frame[2])
                assert wrong is None, (wrong, frame[2])
            return
        _, message_id, action, payload = frame
        wrong = schemas.violation(self.version, action, "request", payload)
        assert wrong is None, (wrong, payload)
        self.calls.append((action, payload))
        answer = self.answers.get(action, {})
        if isinstance(answer, str):
            self.device.received(orjson.dumps([4, message_id, answer, "", {}]))
        elif answer is not None:
            self.device.received(orjson.dumps([3, message_id, answer]))

    def send(self, action: str, payload: dict[str, Any] | None = None) -> list[Any] | None:
        """Command the station; returns its whole answer frame, or None."""
        message_id = f"m{len(self._action_of)}"
        self._action_of[message_id] = action
        self.device.received(orjson.dumps([2, message_id, action, payload or {}]))
        self.settle()
        return self.replies.get(message_id)

    def status(self, action: str, payload: dict[str, Any] | None = None) -> str:
        """The word it answers a command with."""
        answer = self.send(action, payload)
        assert answer is not None
        return answer[2]["status"]

    def wait(self, seconds: float, step_s: float = 1.0) -> None:
        """Let time pass, with the shell's ticks."""
        for _ in range(round(seconds / step_s)):
            self.clock.advance(step_s)
            self.device.tick()
            self.settle()

    def said(self, action: str) -> list[dict[str, Any]]:
        return [payload for name, payload in self.calls if name == action]

    def statuses(self, connector_id: int) -> list[str]:
        """What the station told about a connector, or the EVSE of that number."""
        reports = self.said("StatusNotification")
        if self.version is OcppVersion.V16:
            return [one["status"] for one in reports if one["connectorId"] == connector_id]
        return [one["connectorStatus"] for one in reports if one["evseId"] == connector_id]

    def restart(self) -> None:
        """The shell's part in a reset: the socket drops, a new one stands."""
        assert self.device.hangup is not None
        self.disconnect()
        self.calls.clear()
        self.connect()


@pytest.fixture
def bench(clock: ManualClock) -> Bench:
    """A station of two connectors, booted."""
    bench = Bench(
        clock, connectors=2, vendor="ACME", configuration={"MeterValueSampleInterval": "10"}
    )
    bench.connect()
    return bench
