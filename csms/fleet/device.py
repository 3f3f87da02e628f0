"""A virtual 1.6 charging station without its socket: frames in, frames out, and a clock.

The shell calls `opened`, `received`, `tick` and `closed`, sends what `take` returns, and closes
the socket when `hangup` is set. Nothing here waits or reads a clock of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random

from csms.clock import Clock
from csms.domain.stations import Registration
from csms.fleet.configuration import Configuration
from csms.fleet.connector import Connector
from csms.fleet.faults import Verdict, judge, next_drop_s
from csms.fleet.line import Errand, Line
from csms.fleet.samples import timestamp
from csms.fleet.spec import StationSpec
from csms.ocpp import schemas
from csms.ocpp.frames import Call, CallError, CallResult, JsonObject

BOOT_RETRY_S = 30.0
# How long a soft reset waits for its StopTransactions to be answered.
RESET_PATIENCE_S = 5.0


@dataclass(frozen=True, slots=True)
class Hangup:
    """The station drops its socket and dials again after `redial_s`."""

    redial_s: float


@dataclass(frozen=True, slots=True)
class Manners:
    """How the station treats commands; one per OCPP version."""

    answers: Mapping[str, Callable[[Device, JsonObject], JsonObject]]
    """Obey the command of that action and say so."""
    refusals: Mapping[str, str]
    """The word that refuses each command; the others have none."""


def _nothing(answer: JsonObject | None) -> None:
    """For answers without a consequence."""


class Device:
    """One charging station."""

    def __init__(
        self, spec: StationSpec, manners: Manners, *, clock: Clock, random: Random
    ) -> None:
        self.spec = spec
        self._manners = manners
        self.clock = clock
        self.random = random
        self.configuration = Configuration(
            {"NumberOfConnectors": str(spec.connectors), **spec.configuration}
        )
        self.password = None if spec.password is None else spec.password.encode()
        self.operative = True
        """Of the whole station; connector 0."""
        self.registration: Registration | None = None
        """What the last boot was answered with; None since power came on."""
        self.on_booted: Callable[[], None] = lambda: None
        """Told when the first boot since power came on was accepted."""
        self.hangup: Hangup | None = None
        self._restarting = False
        self._due: dict[tuple[str, int], float] = {}
        self._line = Line(clock=clock, random=random)
        self._line.on_refused = self._refused
        self._line.on_unanswered = self._unanswered
        self.connectors = [Connector(self, number + 1) for number in range(spec.connectors)]

    # ---- the shell's side --------------------------------------------------------------------

    def opened(self) -> None:
        """The socket stands."""
        self._line.opened()
        self._line.attempts = self.configuration.number("TransactionMessageAttempts")
        self._line.retry_s = float(self.configuration.number("TransactionMessageRetryInterval"))
        self.hangup = None
        drop_s = next_drop_s(self.spec.faults, self.random)
        if drop_s is not None:
            self._wake_after("drop", drop_s)
        if self.registration is Registration.ACCEPTED:
            self._resume()
        else:
            self.boot()
        self._pump()

    def received(self, data: bytes) -> None:
        """A frame came in."""
        call = self._line.receive(data)
        if call is not None:
            self._command(call)
        self._pump()

    def tick(self) -> None:
        """Do what is due."""
        now = self.clock.monotonic()
        for key in [key for key, at in self._due.items() if at <= now]:
            # An earlier one of this round may have taken it back.
            if self._due.pop(key, None) is not None:
                self._fire(*key)
        self._line.expire()
        self._pump()

    @property
    def next_due(self) -> float:
        """When `tick` has something to do."""
        due = min(self._due.values(), default=float("inf"))
        for at in (self._line.answer_due, self._line.retry_at):
            if at is not None and at < due:
                due = at
        return due

    def take(self) -> list[bytes]:
        """The frames to send now, oldest first."""
        taken, self._line.out = self._line.out, []
        return taken

    def closed(self) -> None:
        """The socket is gone."""
        self._line.closed()
        for name in ("drop", "boot", "heartbeat", "reset"):
            self._due.pop((name, 0), None)
        if self._restarting:
            self._power_up()

    # ---- what the answers and the connectors use ---------------------------------------------

    def say(
        self,
        action: str,
        payload: JsonObject | Callable[[], JsonObject | None],
        *,
        done: Callable[[JsonObject | None], None] = _nothing,
        kept: bool = False,
    ) -> None:
        """Send a CALL when its turn comes; what is not `kept` needs a connection."""
        if not kept and not self._line.is_open:
            done(None)
            return
        build = payload if callable(payload) else lambda: payload
        self._line.add(Errand(action, build, done, kept))

    def wake(self, connector: Connector, what: str, delay_s: float | None) -> None:
        """Call the connector's `what` after the delay; None takes the order back."""
        if delay_s is None:
            self._due.pop((what, connector.id), None)
        else:
            self._due[what, connector.id] = self.clock.monotonic() + delay_s

    def connector(self, connector_id: int) -> Connector | None:
        """Connector 1 and up."""
        if 1 <= connector_id <= len(self.connectors):
            return self.connectors[connector_id - 1]
        return None

    def boot(self) -> None:
        """Send a BootNotification."""
        spec = self.spec
        payload = {
            "chargePointVendor": spec.vendor[:20],
            "chargePointModel": spec.model[:20],
            "firmwareVersion": spec.firmware[:50],
            "chargePointSerialNumber": (spec.serial_number or spec.identity)[:25],
        }
        self.say("BootNotification", payload, done=self._booted)

    def report_station(self) -> None:
        """Send the status of connector 0."""
        self.say(
            "StatusNotification",
            {
                "connectorId": 0,
                "errorCode": "NoError",
                "status": "Available" if self.operative else "Unavailable",
                "timestamp": timestamp(self.clock.now()),
            },
        )

    def heartbeat(self) -> None:
        """Send a Heartbeat now."""
        self.say("Heartbeat", {})

    def reset(self, *, hard: bool) -> None:
        """End transactions, drop the socket, boot again. Hard does not wait for answers."""
        for connector in self.connectors:
            connector.stop("HardReset" if hard else "SoftReset")
        self._restarting = True
        self._wake_after("reset", 0.0 if hard else RESET_PATIENCE_S)

    def reconnect(self) -> None:
        """Drop the socket and dial again, as after a new password."""
        self._wake_after("drop", 0.0)

    def retime_heartbeat(self) -> None:
        """The interval was changed."""
        interval_s = self.configuration.number("HeartbeatInterval")
        if interval_s:
            self._wake_after("heartbeat", interval_s)
        else:
            self._due.pop(("heartbeat", 0), None)

    # ---- inside ------------------------------------------------------------------------------

    def _command(self, call: Call) -> None:
        verdict = judge(self.spec.faults, self.random)
        # OCPP 1.6 4.2: a rejected station does not respond to the CSMS.
        if verdict is Verdict.IGNORE or self.registration is Registration.REJECTED:
            self._line.ignore(call)
            return
        self._line.answer(call, self._answer(call, verdict))

    def _answer(self, call: Call, verdict: Verdict) -> CallResult | CallError:
        obey = self._manners.answers.get(call.action)
        if obey is None:
            return CallError(call.message_id, "NotImplemented", "", {})
        wrong = schemas.violation(self.spec.version, call.action, "request", call.payload)
        if wrong is not None:
            return CallError(call.message_id, wrong.code, wrong.message, {})
        refusal = self._manners.refusals.get(call.action)
        if refusal is not None and (verdict is Verdict.REJECT or self._restarting):
            return CallResult(call.message_id, {"status": refusal})
        return CallResult(call.message_id, obey(self, call.payload))

    def _booted(self, answer: JsonObject | None) -> None:
        if answer is None:
            self._wake_after("boot", BOOT_RETRY_S)
            return
        first = self.registration is not Registration.ACCEPTED
        self.registration = Registration(answer["status"])
        interval_s = answer["interval"]
        if self.registration is not Registration.ACCEPTED:
            self._wake_after("boot", interval_s if interval_s > 0 else BOOT_RETRY_S)
            return
        if interval_s > 0:
            self.configuration.put("HeartbeatInterval", str(interval_s))
        self._start_heartbeats()
        if first:
            self.report_station()
            for connector in self.connectors:
                connector.report()
            self.on_booted()

    def _resume(self) -> None:
        """Back on a new socket: an accepted station need not boot again."""
        self.heartbeat()
        self._start_heartbeats()
        for connector in self.connectors:
            if connector.status != connector.reported:
                connector.report()

    def _start_heartbeats(self) -> None:
        # The first is early by a random part, so that a fleet does not beat as one.
        interval_s = self.configuration.number("HeartbeatInterval")
        if interval_s:
            self._wake_after("heartbeat", interval_s * self.random.uniform(0.5, 1.0))

    def _power_up(self) -> None:
        self._restarting = False
        self.registration = None
        self._due.clear()
        for connector in self.connectors:
            connector.power_up()

    def _refused(self, error: CallError) -> None:
        # The CSMS no longer takes us for registered (its database was replaced, say).
        if error.error_code == "SecurityError" and self.registration is Registration.ACCEPTED:
            self.registration = None
            self.boot()

    def _unanswered(self, action: str) -> None:
        if action in {"BootNotification", "Heartbeat"}:  # nobody is there any more
            self._hang_up(self.random.uniform(0.0, 1.0))

    def _fire(self, what: str, connector_id: int) -> None:
        if connector_id:
            connector = self.connectors[connector_id - 1]
            if what == "sample":
                connector.sample()
            else:
                connector.unplug()
        elif what == "boot":
            self.boot()
        elif what == "heartbeat":
            self.heartbeat()
            self.retime_heartbeat()
        elif what == "drop":
            self._hang_up(self.random.uniform(0.0, 1.0))
        elif what == "reset":
            self._hang_up(self.spec.reboot_s * self.random.uniform(0.5, 1.5))

    def _pump(self) -> None:
        self._line.pump(self._may_say)
        if self._restarting and self._line.all_told and self.hangup is None:
            self._hang_up(self.spec.reboot_s * self.random.uniform(0.5, 1.5))

    def _may_say(self, action: str) -> bool:
        # OCPP 1.6 4.2: until the boot is accepted, nothing else is sent.
        return self.registration is Registration.ACCEPTED or action == "BootNotification"

    def _hang_up(self, redial_s: float) -> None:
        if self._line.is_open and self.hangup is None:
            self.hangup = Hangup(redial_s)

    def _wake_after(self, what: str, delay_s: float) -> None:
        self._due[what, 0] = self.clock.monotonic() + delay_s
