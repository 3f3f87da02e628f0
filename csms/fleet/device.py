"""A virtual charging station without its socket: frames in, frames out, and a clock.

The shell calls `opened`, `received`, `tick` and `closed`, sends what `take` returns, and closes
the socket when `hangup` is set. Nothing here waits or reads a clock of its own. What is said and
how commands are understood is the business of a `Language`; nothing here depends on the version.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import TypeVar

from csms.clock import Clock
from csms.domain.stations import Registration
from csms.fleet.configuration import (
    CONNECTORS,
    HEARTBEAT_INTERVAL,
    LOCAL_AUTHORIZE_OFFLINE,
    LOCAL_LIST_ENABLED,
    LOCAL_PRE_AUTHORIZE,
    MESSAGE_ATTEMPT_INTERVAL,
    MESSAGE_ATTEMPTS,
    Configuration,
)
from csms.fleet.connector import Connector
from csms.fleet.faults import Verdict, judge, next_drop_s
from csms.fleet.line import Errand, Line
from csms.fleet.local_list import LocalList
from csms.fleet.profiles import ProfileStore
from csms.fleet.spec import StationSpec
from csms.fleet.speech import (
    BootReason,
    Heard,
    Speech,
    StopCause,
    Token,
    Transaction,
    nothing,
)
from csms.fleet.upkeep import Carry, FirmwareUpdate, LogUpload
from csms.ocpp import schemas
from csms.ocpp.frames import Call, CallError, CallResult, JsonObject

T = TypeVar("T")

BOOT_RETRY_S = 30.0
# How long a reset waits for the ends of transactions to be answered.
RESET_PATIENCE_S = 5.0
# What a station that is not accepted yet may say, because it was asked (OCPP 2.0.1 B02.FR.02).
PROMPTS = frozenset({"ExtendedTriggerMessage", "GetBaseReport", "GetReport", "TriggerMessage"})


@dataclass(frozen=True, slots=True)
class Hangup:
    """The station drops its socket and dials again after `redial_s`."""

    redial_s: float


@dataclass(frozen=True, slots=True)
class Language:
    """One version of OCPP."""

    speech: Callable[[Device], Speech]
    answers: Mapping[str, Callable[[Device, JsonObject], JsonObject]]
    """Obey the command of that action and say so."""
    refuse: Callable[[str, JsonObject], JsonObject | None]
    """The answer that turns a command down; None: that command has none."""
    rejected_error: str | None
    """What a rejected station answers every command with; None: nothing."""


class Device:
    """One charging station."""

    __slots__ = (
        "_closed_at",
        "_due",
        "_language",
        "_line",
        "_once_idle",
        "_prompted",
        "_restarting",
        "boot_reason",
        "carry",
        "clock",
        "configuration",
        "connectors",
        "firmware",
        "firmware_update",
        "hangup",
        "local_list",
        "log_upload",
        "on_booted",
        "on_password",
        "operative",
        "password",
        "profiles",
        "random",
        "registration",
        "spec",
        "speech",
    )

    def __init__(
        self, spec: StationSpec, language: Language, *, clock: Clock, random: Random
    ) -> None:
        self.spec = spec
        self.clock = clock
        self.random = random
        self.configuration = Configuration(
            {CONNECTORS.name: str(spec.connectors), **spec.configuration}
        )
        self.password = spec.password
        self.firmware = spec.firmware
        self.operative = True
        """Of the whole station."""
        self.registration: Registration | None = None
        """What the last boot was answered with; None since power came on."""
        self.on_booted: Callable[[], None] = lambda: None
        """Told when the first boot since power came on was accepted."""
        self.on_password: Callable[[bytes], None] = lambda _: None
        """Told of a new password before its command is answered."""
        self.carry: Carry = lambda *_: False
        """Takes files from and to the CSMS."""
        self.hangup: Hangup | None = None
        self.boot_reason = BootReason.POWER_UP
        self.profiles = ProfileStore()
        self.local_list = LocalList()
        self.firmware_update = FirmwareUpdate(self)
        self.log_upload = LogUpload(self)
        self._language = language
        self.speech = language.speech(self)
        self._restarting = False
        self._once_idle: tuple[Callable[[], None], ...] = ()
        self._prompted = False
        self._closed_at = 0.0
        self._due: dict[tuple[str, int], float] = {}
        self._line = Line(version=spec.version, clock=clock, random=random)
        self._line.on_refused = self._refused
        self._line.on_unanswered = self._unanswered
        self.connectors = [Connector(self, number + 1) for number in range(spec.connectors)]

    # ---- the shell's side --------------------------------------------------------------------

    def opened(self) -> None:
        """The socket stands."""
        self._line.opened()
        self._line.attempts = self.configuration.number(MESSAGE_ATTEMPTS)
        self._line.retry_s = float(self.configuration.number(MESSAGE_ATTEMPT_INTERVAL))
        self.hangup = None
        drop_s = next_drop_s(self.spec.faults, self.random)
        if drop_s is not None:
            self.wake_after("drop", drop_s)
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

    def let(self, happen: Callable[[Device], T]) -> T:
        """Something happens at the station, outside of OCPP."""
        try:
            return happen(self)
        finally:
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
        self._closed_at = self.clock.monotonic()
        self._line.closed()
        for name in ("drop", "boot", "heartbeat", "reset"):
            self._due.pop((name, 0), None)
        if self._restarting:
            self._power_up()

    # ---- what the language and the connectors use --------------------------------------------

    @property
    def online(self) -> bool:
        """Whether there is a connection."""
        return self._line.is_open

    def say(
        self,
        action: str,
        payload: JsonObject | Callable[[], JsonObject | None],
        *,
        done: Heard = nothing,
        about: Transaction | None = None,
    ) -> None:
        """Send a CALL when its turn comes.

        What is `about` a transaction is kept until it was answered; all else needs a connection.
        """
        if about is None and not self._line.is_open:
            done(None)
            return
        build = payload if callable(payload) else lambda: payload
        self._line.add(Errand(action, build, done, about, prompted=self._prompted))

    def has_kept(self, transaction_id: str | None) -> bool:
        """Whether messages about the transaction, or about any, have not been answered."""
        return self._line.has_kept(transaction_id)

    def wake(self, connector: Connector, what: str, delay_s: float | None) -> None:
        """Ring the connector's `what` after the delay; None takes the order back."""
        if delay_s is None:
            self._due.pop((what, connector.id), None)
        else:
            self._due[what, connector.id] = self.clock.monotonic() + delay_s

    def wake_after(self, what: str, delay_s: float) -> None:
        """Do what `_fire` knows by that name after the delay."""
        self._due[what, 0] = self.clock.monotonic() + delay_s

    def connector(self, connector_id: int) -> Connector | None:
        """Connector 1 and up."""
        if 1 <= connector_id <= len(self.connectors):
            return self.connectors[connector_id - 1]
        return None

    def find_transaction(self, transaction_id: object) -> Connector | None:
        """Where the transaction runs."""
        for connector in self.connectors:
            tx = connector.tx
            if tx is not None and tx.id is not None and tx.id == transaction_id:
                return connector
        return None

    def trusts(self, token: Token) -> bool:
        """Whether the local list answers for the token now (1.6 3.5.3, 2.x C13 and C14)."""
        knob = LOCAL_PRE_AUTHORIZE if self._line.is_open else LOCAL_AUTHORIZE_OFFLINE
        settings = self.configuration
        if not settings.is_on(knob) or not settings.is_on(LOCAL_LIST_ENABLED):
            return False
        return self.local_list.accepts(token, self.clock.now())

    def limit_w(self, connector: Connector) -> tuple[float, float | None]:
        """The power the charging profiles allow a connector now, and when that changes."""
        if not self.profiles:
            return float("inf"), None
        return self.profiles.limit_w(
            connector.id,
            connector.tx,
            supply=self.spec.supply,
            sharing=sum(one.tx is not None for one in self.connectors),
            now=self.clock.now(),
        )

    def profiles_changed(self) -> None:
        """Let every connector look at what it may draw now."""
        for connector in self.connectors:
            connector.relimit()

    def began(self, tx: Transaction) -> None:
        """A transaction runs: connectors may have to share."""
        if self.profiles:
            self.profiles_changed()

    def ended(self, tx: Transaction) -> None:
        """A transaction is over: its profiles go, and the others may draw more."""
        if self.profiles:
            self.profiles.forget_transaction(tx)
            self.profiles_changed()

    def boot(self, reason: BootReason | None = None) -> None:
        """Send a BootNotification."""
        self.speech.boot(reason or self.boot_reason, self._booted)

    def heartbeat(self) -> None:
        """Send a Heartbeat now."""
        self.say("Heartbeat", {})

    def reset(self, cause: StopCause, reason: BootReason) -> None:
        """End transactions, drop the socket, boot again. A hard one does not wait for answers."""
        for connector in self.connectors:
            connector.stop(cause)
        self._restarting = True
        self.boot_reason = reason
        self.wake_after("reset", 0.0 if cause is StopCause.HARD_RESET else RESET_PATIENCE_S)

    @property
    def busy(self) -> bool:
        """Whether a transaction runs."""
        return any(connector.tx is not None for connector in self.connectors)

    def once_idle(self, then: Callable[[], None]) -> None:
        """Let nobody start any more, and act when the last transaction is over."""
        for connector in self.connectors:
            connector.withdraw()
        self._once_idle = (*self._once_idle, then)

    def readmit(self) -> None:
        """Let transactions start again, unless somebody still waits for their end."""
        if not self._once_idle:
            for connector in self.connectors:
                connector.readmit()

    def take_password(self, password: bytes) -> None:
        """Drop the socket and dial again with the new password (OCPP 2.0.1 A01)."""
        self.on_password(password)
        self.password = password
        self.wake_after("drop", 0.0)

    def retime_heartbeat(self) -> None:
        """The interval was changed."""
        interval_s = self.configuration.number(HEARTBEAT_INTERVAL)
        if interval_s:
            self.wake_after("heartbeat", interval_s)
        else:
            self._due.pop(("heartbeat", 0), None)

    # ---- inside ------------------------------------------------------------------------------

    def _command(self, call: Call) -> None:
        verdict = judge(self.spec.faults, self.random)
        if self.registration is Registration.REJECTED:
            error = self._language.rejected_error
            if error is not None:
                self._line.answer(call, CallError(call.message_id, error, "", {}))
                return
            verdict = Verdict.IGNORE
        if verdict is Verdict.IGNORE:
            self._line.ignore(call)
            return
        self._line.answer(call, self._answer(call, verdict))

    def _answer(self, call: Call, verdict: Verdict) -> CallResult | CallError:
        obey = self._language.answers.get(call.action)
        if obey is None:
            known = schemas.knows(self.spec.version, call.action)
            code = "NotSupported" if known else "NotImplemented"
            return CallError(call.message_id, code, "", {})
        wrong = schemas.violation(self.spec.version, call.action, "request", call.payload)
        if wrong is not None:
            return CallError(call.message_id, wrong.code, wrong.message, {})
        if verdict is Verdict.REJECT or self._restarting:
            refusal = self._language.refuse(call.action, call.payload)
            if refusal is not None:
                return CallResult(call.message_id, refusal)
        self._prompted = call.action in PROMPTS
        try:
            return CallResult(call.message_id, obey(self, call.payload))
        finally:
            self._prompted = False

    def _booted(self, answer: JsonObject | None) -> None:
        if answer is None:
            self.wake_after("boot", BOOT_RETRY_S)
            return
        first = self.registration is not Registration.ACCEPTED
        self.registration = Registration(answer["status"])
        interval_s = answer["interval"]
        if self.registration is not Registration.ACCEPTED:
            self.wake_after("boot", interval_s if interval_s > 0 else BOOT_RETRY_S)
            return
        if interval_s > 0:
            self.configuration.put(HEARTBEAT_INTERVAL, str(interval_s))
        self._start_heartbeats()
        if first:
            self.speech.station_status()
            for connector in self.connectors:
                connector.report()
            self.firmware_update.booted()
            self.on_booted()

    def _resume(self) -> None:
        """Back on a new socket: an accepted station need not boot again."""
        self.heartbeat()
        self._start_heartbeats()
        away_s = self.clock.monotonic() - self._closed_at
        for connector in self.connectors:
            if away_s > self.speech.forgotten_s or not connector.is_told:
                connector.report()

    def _start_heartbeats(self) -> None:
        # The first is early by a random part, so that a fleet does not beat as one.
        interval_s = self.configuration.number(HEARTBEAT_INTERVAL)
        if interval_s:
            self.wake_after("heartbeat", interval_s * self.random.uniform(0.5, 1.0))

    def _power_up(self) -> None:
        self._restarting = False
        self._once_idle = ()
        self.registration = None
        self._due.clear()
        for connector in self.connectors:
            connector.power_up()

    def _refused(self, error: CallError) -> None:
        # The CSMS no longer takes us for registered (its database was replaced, say).
        if error.error_code == "SecurityError" and self.registration is Registration.ACCEPTED:
            self.registration = None
            self.boot(BootReason.UNKNOWN)

    def _unanswered(self, action: str) -> None:
        if action in {"BootNotification", "Heartbeat"}:  # nobody is there any more
            self._drop()

    def _fire(self, what: str, connector_id: int) -> None:
        if connector_id:
            self.connectors[connector_id - 1].ring(what)
        elif what == "heartbeat":
            self.heartbeat()
            self.retime_heartbeat()
        elif what == "boot":
            self.boot()
        elif what == "drop":
            self._drop()
        elif what == "reset":
            self._restart()
        elif what == "firmware":
            self.firmware_update.go_on()
        elif what == "log":
            self.log_upload.go_on()

    def _drop(self) -> None:
        self._hang_up(self.random.uniform(0.0, 1.0))

    def _restart(self) -> None:
        self._hang_up(self.spec.reboot_s * self.random.uniform(0.5, 1.5))

    def _pump(self) -> None:
        self._line.pump(self._may_say)
        if self._once_idle and not self.busy and self._line.all_told:
            waiting, self._once_idle = self._once_idle, ()
            for then in waiting:
                then()
            self._line.pump(self._may_say)
        if self._restarting and self._line.all_told and self.hangup is None:
            self._restart()

    def _may_say(self, errand: Errand) -> bool:
        # OCPP 1.6 4.2, 2.0.1 B02.FR.02: until the boot is accepted, nothing else is sent unasked.
        return (
            self.registration is Registration.ACCEPTED
            or errand.action == "BootNotification"
            or errand.prompted
        )

    def _hang_up(self, redial_s: float) -> None:
        if self._line.is_open and self.hangup is None:
            self.hangup = Hangup(redial_s)
