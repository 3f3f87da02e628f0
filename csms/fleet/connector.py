"""One connector of a virtual station: its state, its meter, its transaction, its reservation."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from random import Random
from types import MappingProxyType
from typing import Protocol

from csms.clock import Clock
from csms.fleet.configuration import SAMPLE_INTERVAL, STOP_ON_INVALID_TOKEN, Configuration
from csms.fleet.physics import Charge, Meter, Reading, draw_vehicle
from csms.fleet.spec import StationSpec
from csms.fleet.speech import ConnectorState, Speech, StopCause, Token, Transaction
from csms.ocpp.frames import JsonObject

UNPLUG_S = 2.0
# How often a transaction that shall end with an amount of energy looks at the meter.
GOAL_S = 1.0
_REFUSALS = MappingProxyType(
    {ConnectorState.UNAVAILABLE: "Unavailable", ConnectorState.FAULTED: "Faulted"}
)


class Host(Protocol):
    """The station around the connector."""

    spec: StationSpec
    clock: Clock
    random: Random
    configuration: Configuration

    @property
    def speech(self) -> Speech:
        """How it speaks."""
        ...

    def wake(self, connector: Connector, what: str, delay_s: float | None) -> None:
        """Ring the connector's `what` after the delay; None takes the order back."""
        ...

    def trusts(self, token: Token) -> bool:
        """Whether the token may charge without asking the CSMS."""
        ...

    def limit_w(self, connector: Connector) -> tuple[float, float | None]:
        """The power its charging profiles allow now, and in how many seconds that changes."""
        ...

    def began(self, tx: Transaction) -> None:
        """A transaction runs."""
        ...

    def ended(self, tx: Transaction) -> None:
        """A transaction is over, or came to nothing."""
        ...


@dataclass(frozen=True, slots=True)
class Reservation:
    """A connector kept free for somebody."""

    id: int
    token: Token
    expires_at: datetime


class Connector:
    """Number `id`, from 1; in 2.x the only connector of the EVSE of that number."""

    __slots__ = (
        "_host",
        "_scheduled",
        "fault",
        "id",
        "meter",
        "operative",
        "reported",
        "reservation",
        "state",
        "tx",
    )

    def __init__(self, host: Host, connector_id: int) -> None:
        self._host = host
        self.id = connector_id
        self.state = ConnectorState.AVAILABLE
        self.reported: str | None = None
        """The status that the CSMS was told."""
        self.operative = True
        self._scheduled: bool | None = None
        self.meter = Meter(float(host.random.randrange(10_000, 5_000_000)))
        self.tx: Transaction | None = None
        self.reservation: Reservation | None = None
        self.fault: str | None = None
        """What is wrong with it."""

    @property
    def free(self) -> bool:
        """Whether anybody could start a transaction."""
        return self.tx is None and self.state in {
            ConnectorState.AVAILABLE,
            ConnectorState.PREPARING,
        }

    def is_free_for(self, token: Token) -> bool:
        """Whether the token could start a transaction, as far as the connector is concerned."""
        held = self.reservation
        if held is None or self.tx is not None:
            return self.free
        return held.token.is_same(token) or held.token.is_of_group(token)

    @property
    def is_told(self) -> bool:
        """Whether the CSMS knows its state."""
        return self._host.speech.status_word(self.state) == self.reported

    def report(self) -> None:
        """Tell the status."""
        speech = self._host.speech
        word = speech.status_word(self.state)

        def heard(answer: JsonObject | None) -> None:
            self.reported = None if answer is None else word

        fault = self.fault if self.state is ConnectorState.FAULTED else None
        speech.status(self.id, word, heard, fault=fault)

    def ring(self, what: str) -> None:
        """Do what was to be done at this time."""
        if what == "sample":
            self.sample()
        elif what == "unplug":
            self.unplug()
        elif what == "limit":
            self.relimit()
        elif what == "end":
            self.stop(StopCause.LOCAL)
        elif what == "goal":
            self._look_at_goal()
        else:
            self.drop_reservation("Expired")

    def _go(self, state: ConnectorState) -> None:
        before, self.state = self.state, state
        if state is before:
            return
        speech = self._host.speech
        if speech.status_word(state) != speech.status_word(before):
            self.report()
        if self.tx is not None and self.tx.charge is not None:
            speech.state_changed(self.tx, state)

    def _rest(self) -> None:
        """Back to the state that it has without a car."""
        self._go(self._resting)

    @property
    def _resting(self) -> ConnectorState:
        if self.fault is not None:
            return ConnectorState.FAULTED
        if not self.operative:
            return ConnectorState.UNAVAILABLE
        held = self.reservation is not None
        return ConnectorState.RESERVED if held else ConnectorState.AVAILABLE

    # ---- availability ------------------------------------------------------------------------

    def set_operative(self, operative: bool) -> str:
        """Obey ChangeAvailability; returns the word to answer with."""
        if self.tx is not None and operative != self.operative:
            self._scheduled = operative
            return "Scheduled"
        self._scheduled = None
        self.operative = operative
        if not operative:
            self.drop_reservation("Removed")
        if self.tx is None:
            self._rest()
        return "Accepted"

    def withdraw(self) -> None:
        """Let nobody start any more until the restart that is to come."""
        if self.free:
            self._go(ConnectorState.UNAVAILABLE)

    def readmit(self) -> None:
        """Take `withdraw` back."""
        if self.state is ConnectorState.UNAVAILABLE:
            self._rest()

    def unplug(self) -> None:
        """The car has left."""
        self._settle_availability()
        self._rest()

    def power_up(self) -> None:
        """Begin anew after a restart, without saying so yet."""
        self._settle_availability()
        if self.reservation is not None:  # OCPP 2.0.1 B01.FR.13
            self._await_expiry(self.reservation)
        self.state = self._resting
        self.reported = None

    def _settle_availability(self) -> None:
        if self._scheduled is not None:
            self.operative, self._scheduled = self._scheduled, None

    # ---- reservation -------------------------------------------------------------------------

    def reserve(self, reservation: Reservation) -> str:
        """Keep the connector free for somebody; returns the word to answer with."""
        held = self.reservation
        is_mine = held is not None and held.id == reservation.id
        if self.tx is not None or (self.state is not ConnectorState.AVAILABLE and not is_mine):
            return _REFUSALS.get(self.state, "Occupied")
        self.reservation = reservation
        self._await_expiry(reservation)
        self._rest()
        return "Accepted"

    def cancel_reservation(self) -> None:
        """Forget the reservation: the CSMS asked for it."""
        self._host.wake(self, "expiry", None)
        self.reservation = None
        if self.state is ConnectorState.RESERVED:
            self._rest()

    def drop_reservation(self, word: str) -> None:
        """Forget the reservation without being asked to, and say so."""
        held = self.reservation
        if held is not None:
            self.cancel_reservation()
            self._host.speech.reservation_gone(held.id, word)

    def _await_expiry(self, reservation: Reservation) -> None:
        left_s = (reservation.expires_at - self._host.clock.now()).total_seconds()
        self._host.wake(self, "expiry", max(0.0, left_s))

    # ---- transactions ------------------------------------------------------------------------

    def plug(self) -> None:
        """A car comes, and waits."""
        if self.free:
            self._go(ConnectorState.PREPARING)

    def unlock(self) -> None:
        """Let the car go, whatever it does."""
        if self.tx is None and self.state is ConnectorState.PREPARING:
            self.unplug()
        self.stop(StopCause.UNLOCKED)

    def start(
        self,
        token: Token,
        *,
        remote_start_id: int | None = None,
        wanted_s: float | None = None,
        wanted_wh: float | None = None,
    ) -> Transaction:
        """Plug a car in and start, asking the CSMS about the token first."""
        tx = self._plug_in(token, remote_start_id)
        tx.wanted_s, tx.wanted_wh = wanted_s, wanted_wh
        if self._host.trusts(token):
            self._begin(tx)
            return tx

        def authorized(accepted: bool) -> None:
            if self.tx is not tx:
                return
            if accepted:
                self._begin(tx)
            else:
                self._come_to_nothing(tx)

        self._host.speech.authorize(token, authorized)
        return tx

    def start_unasked(self, token: Token, *, remote_start_id: int | None = None) -> Transaction:
        """Plug a car in and start at once."""
        tx = self._plug_in(token, remote_start_id)
        self._begin(tx)
        return tx

    def _plug_in(self, token: Token, remote_start_id: int | None) -> Transaction:
        self.tx = Transaction(self.id, token, remote_start_id)
        self._go(ConnectorState.PREPARING)
        return self.tx

    def _come_to_nothing(self, tx: Transaction) -> None:
        self.tx = None
        self._host.ended(tx)
        self.unplug()

    def _begin(self, tx: Transaction) -> None:
        host = self._host
        supply = host.spec.supply
        if self.reservation is not None:
            tx.reservation_id = self.reservation.id
            self.cancel_reservation()
        self.meter.whole_wh()
        tx.charge = Charge(draw_vehicle(host.random, supply), supply, self.meter, host.random)
        tx.read_at = host.clock.monotonic()
        tx.started_at = host.clock.now()
        self._sample_later()
        self._set_goal(tx)
        host.speech.started(tx, lambda content: self._started(tx, content))
        host.began(tx)

    def _started(self, tx: Transaction, content: bool | None) -> None:
        if self.tx is not tx:
            return
        if content is None:  # refused for good: there is nothing the CSMS could be told about
            self.stop(StopCause.REFUSED)
        elif content:
            self._flow(tx)
        elif self._host.configuration.is_on(STOP_ON_INVALID_TOKEN):
            self.stop(StopCause.DEAUTHORIZED)
        else:
            tx.denied = True
            self.relimit()
            self._host.wake(self, "sample", None)
            self._go(ConnectorState.SUSPENDED_EVSE)

    def _flow(self, tx: Transaction) -> None:
        """To the state that the energy is in."""
        assert tx.charge is not None
        if tx.charge.full or tx.charge.demand_w <= 0:
            self._go(ConnectorState.SUSPENDED_EV)
        elif tx.charge.limit_w <= 0:
            self._go(ConnectorState.SUSPENDED_EVSE)
        else:
            self._go(ConnectorState.CHARGING)

    def stop(self, cause: StopCause) -> None:
        """End the transaction, if there is one, and let the car go."""
        tx, self.tx = self.tx, None
        if tx is None:
            return
        host = self._host
        for what in ("sample", "limit", "end", "goal"):
            host.wake(self, what, None)
        if tx.charge is None:  # still being authorized: nothing began
            self._come_to_nothing(tx)
            return
        reading = self._read(tx, tx.charge)
        reading = replace(reading, register_wh=float(self.meter.whole_wh()))
        host.speech.ended(tx, reading, cause)
        host.ended(tx)
        self._go(ConnectorState.FINISHING)
        host.wake(self, "unplug", UNPLUG_S)

    def _set_goal(self, tx: Transaction) -> None:
        self._host.wake(self, "end", tx.wanted_s)
        if tx.wanted_wh is not None:
            tx.ends_at_wh = self.meter.register_wh + tx.wanted_wh
            self._host.wake(self, "goal", GOAL_S)

    def _look_at_goal(self) -> None:
        tx = self.tx
        if tx is None or tx.charge is None or tx.ends_at_wh is None:
            return
        if self._read(tx, tx.charge).register_wh >= tx.ends_at_wh:
            self.stop(StopCause.LOCAL)
        else:
            self._host.wake(self, "goal", GOAL_S)

    def break_down(self, fault: str) -> None:
        """Something is wrong from now on: what goes on ends."""
        was_faulted, self.fault = self.fault is not None, fault
        self.stop(StopCause.FAULT)
        self.drop_reservation("Removed")
        self._rest()
        if was_faulted:
            self.report()

    def repair(self) -> None:
        """All is well again."""
        self.fault = None
        if self.state is ConnectorState.FAULTED:
            self._rest()

    # ---- power -------------------------------------------------------------------------------

    def demand(self, power_w: float) -> bool:
        """The car asks for so much from now on; False when none charges."""
        tx = self.tx
        if tx is None or tx.charge is None:
            return False
        self._read(tx, tx.charge)
        tx.charge.demand_w = power_w
        if self.state in {ConnectorState.CHARGING, ConnectorState.SUSPENDED_EV}:
            self._flow(tx)
        return True

    def relimit(self) -> None:
        """What the charging profiles allow has changed."""
        tx = self.tx
        if tx is None or tx.charge is None:
            return
        self._read(tx, tx.charge)
        before_w = tx.charge.limit_w
        limit_w, changes_s = (0.0, None) if tx.denied else self._host.limit_w(self)
        self._host.wake(self, "limit", changes_s)
        tx.charge.limit_w = limit_w
        if limit_w == before_w:
            return
        if self.state in {ConnectorState.CHARGING, ConnectorState.SUSPENDED_EVSE}:
            before = self.state
            self._flow(tx)
            if self.state is before:
                self._host.speech.limit_changed(tx, before)

    # ---- meter values ------------------------------------------------------------------------

    def sample(self) -> None:
        """Send the periodic reading."""
        self.send_reading("Sample.Periodic")
        self._sample_later()

    def retime(self) -> None:
        """The interval was changed."""
        if self.tx is not None and self.tx.charge is not None:
            self._sample_later()

    def _sample_later(self) -> None:
        interval_s = self._host.configuration.number(SAMPLE_INTERVAL)
        self._host.wake(self, "sample", interval_s or None)

    def send_reading(self, context: str) -> None:
        """Send the meter as it is now."""
        tx = self.tx
        if tx is None or tx.charge is None:
            self._host.speech.metered_idle(self.id, self.read(), context)
            return
        self._host.speech.metered(tx, self._read(tx, tx.charge), self.state, context)
        if tx.charge.full and self.state is ConnectorState.CHARGING:
            self._go(ConnectorState.SUSPENDED_EV)

    def read(self) -> Reading:
        """The meter as it is now; the rest is known while a transaction runs only."""
        tx = self.tx
        if tx is None or tx.charge is None:
            return Reading(self.meter.register_wh, 0.0, (), (), 0.0)
        return self._read(tx, tx.charge)

    def _read(self, tx: Transaction, charge: Charge) -> Reading:
        now = self._host.clock.monotonic()
        reading = charge.advance(now - tx.read_at)
        tx.read_at = now
        return reading
