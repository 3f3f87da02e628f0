"""What csms asks a station by itself, and how long it leaves one alone that refused.

There are two questions, both a TriggerMessage: for a boot, once a connection has been silent for
a while, and, where a quirk says that it is needed, for the status of the connectors. Growatt THOR
refuses them every second for as long as it is asked (lbbrhzn/ocpp#1452).
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass

from csms.clock import Clock
from csms.domain.versions import OcppVersion
from csms.errors import CallFailed, StationOffline
from csms.ocpp.calling import Caller
from csms.ocpp.context import StationContext
from csms.ocpp.frames import Call, CallError, CallResult, JsonObject
from csms.ocpp.quirks import orders
from csms.ocpp.quirks.observed import Observed
from csms.ocpp.quirks.settings import Quirks
from csms.ocpp.settings import OcppSettings

ACTION = "TriggerMessage"
STATUS_SILENCE_S = 10.0
"""So long a station may take to tell its connectors' status before it is asked."""
FIRST_PAUSE_S = 60.0
LONGEST_PAUSE_S = 86_400.0


@dataclass(frozen=True, slots=True)
class _Refused:
    pause_s: float
    until: float


class Patience:
    """Who refused a question, and until when it is left alone; monotonic seconds."""

    def __init__(self) -> None:
        self._refused: dict[int, _Refused] = {}

    def may_ask(self, station_id: int, now: float) -> bool:
        """Whether the station has not refused lately."""
        refused = self._refused.get(station_id)
        return refused is None or now >= refused.until

    def note(self, station_id: int, answer: CallResult | CallError | None, now: float) -> bool:
        """Take the answer, None: there was none; returns whether the station did as asked."""
        if isinstance(answer, CallResult) and answer.payload.get("status") == "Accepted":
            self._refused.pop(station_id, None)
            return True
        last = self._refused.get(station_id)
        pause_s = FIRST_PAUSE_S if last is None else min(2 * last.pause_s, LONGEST_PAUSE_S)
        self._refused[station_id] = _Refused(pause_s, now + pause_s)
        return False


class Asking:
    """The questions on one connection."""

    __slots__ = ("_caller", "_clock", "_context", "_patience", "_timeout_s")

    def __init__(
        self,
        context: StationContext,
        caller: Caller,
        *,
        clock: Clock,
        patience: Patience,
        timeout_s: float,
    ) -> None:
        self._context = context
        self._caller = caller
        self._clock = clock
        self._patience = patience
        self._timeout_s = timeout_s

    def may_ask(self, now: float) -> bool:
        """Whether the station has not refused lately."""
        return self._patience.may_ask(self._context.station_id, now)

    async def for_boot(self) -> None:
        """Ask for a BootNotification, and wait for the answer to the question."""
        await self._ask({"requestedMessage": "BootNotification"})

    async def for_statuses(self, told: set[int]) -> None:
        """Ask for the status of each connector that told none, until one question is refused."""
        context = self._context
        for payload in statuses(context.version, context.connectors, told):
            context.fire(context.quirks.origin("trigger_status"))
            if not await self._ask(payload):
                return

    async def _ask(self, payload: JsonObject) -> bool:
        """Whether the station does as asked."""
        context = self._context
        if orders.objection(context.quirks, ACTION, payload) is not None:
            return False
        answer: CallResult | CallError | None = None
        try:
            answer = await self._caller.send(
                Call(str(uuid.uuid4()), ACTION, payload), self._timeout_s
            )
        except (CallFailed, StationOffline) as error:
            context.log.info("no answer to the trigger", reason=error.code)
        if self._patience.note(context.station_id, answer, self._clock.monotonic()):
            return True
        context.fire(Observed.TRIGGER_REFUSED.value, payload["requestedMessage"])
        return False


def boot_silence_s(settings: OcppSettings, quirks: Quirks) -> float:
    """How long a connection stays silent before it is asked for a boot."""
    return max(settings.ready_silence_s, quirks.boot_trigger_delay_s or 0)


def statuses(version: OcppVersion, connectors: int, told: set[int]) -> Iterator[JsonObject]:
    """The questions for the status of each connector that told none, the whole station last."""
    if version is not OcppVersion.V16:
        for evse_id in range(1, connectors + 1):
            if evse_id not in told:
                evse = {"id": evse_id, "connectorId": 1}
                yield {"requestedMessage": "StatusNotification", "evse": evse}
        return
    for connector_id in (*range(1, connectors + 1), 0):
        if connector_id not in told:
            yield {"requestedMessage": "StatusNotification", "connectorId": connector_id}
