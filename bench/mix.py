"""What one station says: heartbeat 40, meter values 35, status 15, start and stop 10 %."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import orjson

# Twenty messages, one charging session. Stations start at different places of it, so that the
# server meets the mix at every moment and not a thousand times the same message.
CYCLE = (
    ("preparing", "heartbeat", "start", "charging")
    + ("meter", "heartbeat") * 7
    + ("stop", "available")
)
_OPENED_AT = CYCLE.index("start")
_CLOSED_AT = CYCLE.index("stop")

_BOOT = (
    b'[2,"%d","BootNotification",{"chargePointVendor":"Bench","chargePointModel":"One",'
    b'"chargePointSerialNumber":"%s","firmwareVersion":"1.0.0"}]'
)
_HEARTBEAT = b'[2,"%d","Heartbeat",{}]'
_STATUS = (
    b'[2,"%d","StatusNotification",{"connectorId":1,"errorCode":"NoError","status":"%s",'
    b'"timestamp":"%s"}]'
)
_START = (
    b'[2,"%d","StartTransaction",{"connectorId":1,"idTag":"CARD-%s","meterStart":%d,'
    b'"timestamp":"%s"}]'
)
_STOP = (
    b'[2,"%d","StopTransaction",{"transactionId":%d,"idTag":"CARD-%s","meterStop":%d,'
    b'"timestamp":"%s","reason":"EVDisconnected"}]'
)
_METER = (
    b'[2,"%d","MeterValues",{"connectorId":1,"transactionId":%d,"meterValue":[{"timestamp":"%s",'
    b'"sampledValue":[{"value":"%d","measurand":"Energy.Active.Import.Register","unit":"Wh"},'
    b'{"value":"11040","measurand":"Power.Active.Import","unit":"W"},'
    b'{"value":"16.0","measurand":"Current.Import","unit":"A","phase":"L1"},'
    b'{"value":"230.0","measurand":"Voltage","unit":"V","phase":"L1-N"}]}]}]'
)
_STATUS_WORDS = {"preparing": b"Preparing", "charging": b"Charging", "available": b"Available"}


class Timestamps:
    """One millisecond a message: distinct readings, never in the server's future."""

    def __init__(self) -> None:
        self._first = datetime.now(UTC) - timedelta(minutes=30)
        self._made: list[bytes] = []

    def __getitem__(self, number: int) -> bytes:
        while len(self._made) <= number:
            at = self._first + timedelta(milliseconds=len(self._made))
            self._made.append(at.isoformat(timespec="milliseconds")[:-6].encode() + b"Z")
        return self._made[number]


class Script:
    """The messages of one station, in order, and what it learns from the answers."""

    __slots__ = (
        "_card",
        "_identity",
        "_number",
        "_phase",
        "_register",
        "_stamps",
        "_transaction",
        "kind",
    )

    def __init__(self, identity: str, phase: int, stamps: Timestamps) -> None:
        self._identity = identity.encode()
        self._card = self._identity[-5:]
        self._phase = phase % len(CYCLE)
        self._stamps = stamps
        self._number = 0
        self._register = 1000
        self._transaction = 0
        self.kind = ""
        """What was sent last."""

    @property
    def starts_inside_a_transaction(self) -> bool:
        """Whether the first message of the mix needs a transaction opened before it."""
        return _OPENED_AT < self._phase <= _CLOSED_AT

    def boot(self) -> bytes:
        """The boot, outside the mix."""
        self.kind = "boot"
        return _BOOT % (self._next(), self._identity)

    def start(self) -> bytes:
        """A start of a transaction, outside the mix."""
        self.kind = "start"
        number = self._next()
        return _START % (number, self._card, self._register, self._stamps[number])

    def advance(self) -> bytes:
        """The next message of the mix."""
        kind = CYCLE[self._phase]
        self._phase = (self._phase + 1) % len(CYCLE)
        if kind == "start":
            return self.start()
        self.kind = kind
        number = self._next()
        if kind == "heartbeat":
            return _HEARTBEAT % number
        if kind == "meter":
            self._register += 31
            return _METER % (number, self._transaction, self._stamps[number], self._register)
        if kind == "stop":
            return _STOP % (
                number,
                self._transaction,
                self._card,
                self._register,
                self._stamps[number],
            )
        return _STATUS % (number, _STATUS_WORDS[kind], self._stamps[number])

    def accept(self, answer: bytes) -> str | None:
        """Take the answer to the last message; returns what is wrong with it, if anything."""
        if not answer.startswith(b'[3,"%d",' % self._number):
            return self._explain(answer)
        if self.kind == "start":
            payload = orjson.loads(answer)[2]
            self._transaction = payload["transactionId"]
            if payload["idTagInfo"]["status"] != "Accepted":
                return f"transaction refused: {payload}"
        elif self.kind == "boot" and b'"Accepted"' not in answer:
            return f"boot not accepted: {answer!r}"
        return None

    def _explain(self, answer: bytes) -> str:
        return f"{self.kind} {self._number} was answered by {answer[:300]!r}"

    def _next(self) -> int:
        self._number += 1
        return self._number
