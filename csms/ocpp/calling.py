"""CALLs of ours to one station, sent in the way it needs: withheld, patiently, or once more."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from csms.clock import Clock
from csms.errors import CallRefused, CallWithheld
from csms.ocpp import schemas
from csms.ocpp.breaker import Breaker
from csms.ocpp.commands import reserve_now
from csms.ocpp.connection import Connection
from csms.ocpp.context import StationContext
from csms.ocpp.deafness import Deafness
from csms.ocpp.frames import Call, CallError, CallResult, JsonObject
from csms.ocpp.our_calls import OurCall
from csms.ocpp.quirks import orders
from csms.ocpp.quirks.observed import Observed
from csms.ocpp.settings import OcppSettings

GOING_AWAY = 1001


class Caller:
    """Everything we send on one connection goes through here."""

    __slots__ = ("_breaker", "_clock", "_connection", "_context", "_deafness", "_settings")

    def __init__(
        self,
        context: StationContext,
        connection: Connection,
        *,
        settings: OcppSettings,
        clock: Clock,
        breaker: Breaker,
    ) -> None:
        self._context = context
        self._connection = connection
        self._settings = settings
        self._clock = clock
        self._breaker = breaker
        self._deafness: Deafness | None = None  # most connections never need it

    async def call(
        self, call: Call, timeout_s: float, on_sent: Callable[[], None] | None
    ) -> JsonObject:
        """Send one CALL, return the payload of its CALLRESULT; raises as Hub.call says."""
        context = self._context
        objection = orders.objection(context.quirks, call.action, call.payload)
        if objection is not None:
            context.fire(objection.quirk, orders.subject(call.action, call.payload))
            raise CallWithheld(objection.reason)
        end = reserve_now.ends_at(call.action, call.payload)
        if end is not None and end <= self._clock.now():  # it may have waited for the station
            raise CallWithheld("the reservation would be over already")
        payload = await self._answered(call, timeout_s, on_sent)
        if payload.get("status") == "RebootRequired":
            self._breaker.excuse(context.station_id)
        other = orders.for_other_connector(context.quirks, call.action, call.payload)
        if other is None or payload.get("status") != "Rejected" or context.connectors > 1:
            return payload
        context.fire(context.quirks.origin("connector_fallback"), call.action)
        return await self._answered(Call(str(uuid.uuid4()), call.action, other), timeout_s, None)

    async def send(
        self, call: Call, timeout_s: float, on_sent: Callable[[], None] | None = None
    ) -> CallResult | CallError:
        """Send one CALL and return its answer, whatever it is; raises as Connection.call says."""
        context = self._context

        def sent() -> None:
            subject = orders.subject(call.action, call.payload)
            now = self._clock.monotonic()
            self._breaker.sent(context.station_id, subject, context.generation, now)
            if call.payload.get("requestedMessage") == "BootNotification":
                context.triggered = True
            if on_sent is not None:
                on_sent()

        return await self._connection.call(call, timeout_s, sent)

    def heard(self) -> None:
        """The station answered something, in time or late."""
        if self._deafness is not None:
            self._deafness.heard()

    def gave_up(self, ours: OurCall) -> None:
        """A CALL got no answer in its time; several in a row end the connection."""
        if ours.timeout_s < self._settings.call_timeout_s:
            return  # a caller in a hurry proves nothing
        if self._deafness is None:
            self._deafness = Deafness()
        connection, context = self._connection, self._context
        if self._deafness.unheard(connection.frames_in) and not connection.closing:
            context.log.warning("station is deaf to calls; closing so that it reconnects")
            context.fire(Observed.DEAF.value, ours.call.action)
            connection.spawn(connection.close(GOING_AWAY, "no answer to our calls"))

    async def _answered(
        self, call: Call, timeout_s: float, on_sent: Callable[[], None] | None
    ) -> JsonObject:
        quirks, began = self._context.quirks, self._clock.monotonic()
        patience_s = max(timeout_s, quirks.settings.call_timeout_s or 0)
        answer = await self.send(call, patience_s, on_sent)
        if self._clock.monotonic() - began > timeout_s:
            self._context.fire(quirks.origin("call_timeout_s"), call.action)
        if isinstance(answer, CallError):
            raise CallRefused(answer.error_code, answer.description)
        violation = self._unusable(call.action, answer.payload)
        if violation is not None:
            raise CallRefused("InvalidAnswer", violation.message)
        return answer.payload

    def _unusable(self, action: str, answer: JsonObject) -> schemas.Violation | None:
        """What makes a CALLRESULT unusable; what it only says too much is let pass."""
        found = schemas.violation(self._context.version, action, "response", answer)
        if found is not None and found.is_surplus and not self._context.strict:
            return None
        return found
