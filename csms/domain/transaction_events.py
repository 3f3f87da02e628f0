"""A transaction of OCPP 2.x as the sum of its events, whatever order they arrive in.

The station numbers the events of a transaction. `follow` tells what one more event changes, given
that it is the next in that order; `retell` tells the whole story anew and serves an event that
arrives late. So the outcome depends on the events alone, not on their arrival.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from csms.domain.id_tokens import id_token_key
from csms.domain.metering import ROUNDING_MWH, Reading
from csms.domain.transactions import Transaction, TransactionFlag

STARTED, UPDATED, ENDED = "Started", "Updated", "Ended"
_STOP_AUTHORIZED = "StopAuthorized"
_OF_THE_END = frozenset({TransactionFlag.INFERRED_END, TransactionFlag.CLOSED})


@dataclass(frozen=True, slots=True)
class TransactionEvent:
    """What one message said about its transaction; words beyond the specification are kept."""

    type: str
    seq_no: int | None
    trigger_reason: str | None
    offline: bool
    """It happened while the station had no connection: news of the past."""
    reported_at: datetime | None
    evse_id: int | None
    connector_id: int | None
    charging_state: str | None
    stopped_reason: str | None
    reservation_id: int | None
    remote_start_id: int | None
    id_token: str | None
    id_token_type: str | None
    first_register_mwh: int | None
    last_register_mwh: int | None
    """None when it brought one register only."""
    register_phases: str | None
    """Which phases its registers count, as in "L1+L2"; None: all."""
    flags: frozenset[TransactionFlag]
    received_at: datetime
    id_token_status: str | None = None
    """What we answered about the token."""
    run: int = 0
    """+1 whenever the station began to count anew within the transaction."""

    @property
    def stops(self) -> bool:
        """Whether its token, if any, is of somebody who ends the charging."""
        return self.type == ENDED or self.trigger_reason == _STOP_AUTHORIZED


@dataclass(frozen=True, slots=True)
class TransactionReport:
    """A TransactionEvent message: the event, and what is stored beside it."""

    station_transaction_id: str | None
    event: TransactionEvent
    readings: tuple[Reading, ...]
    raw: str


def repeats(event: TransactionEvent, earlier: TransactionEvent) -> bool:
    """Whether it is the same event once more, its sequence number being the same.

    `offline` may differ: the first attempt was perhaps made before the connection broke.
    """
    return event.type == earlier.type and event.reported_at == earlier.reported_at


def is_next(event: TransactionEvent, transaction: Transaction) -> bool:
    """Whether nothing of the transaction that is numbered higher is known."""
    if event.run != transaction.sequence_run:
        return event.run > transaction.sequence_run
    if event.seq_no is None or transaction.last_seq_no is None:
        return True
    return event.seq_no > transaction.last_seq_no


def follow(transaction: Transaction, event: TransactionEvent) -> Transaction:
    """The transaction after its next event."""
    story = _Story.so_far(transaction)
    story.tell(event)
    return story.onto(transaction)


def retell(transaction: Transaction, events: Iterable[TransactionEvent]) -> Transaction:
    """The transaction that all of its events, in the order of their numbers, make."""
    story = _Story()
    for event in events:
        story.tell(event)
    return story.onto(transaction)


def reopened(transaction: Transaction) -> Transaction:
    """The transaction without its end."""
    return replace(
        transaction,
        cost_micros=None,
        currency=None,
        end_register_mwh=None,
        ended_at=None,
        end_received_at=None,
        stop_reason=None,
        flags=transaction.flags - _OF_THE_END,
    )


def inferred_end_stands(
    transaction: Transaction, told: Transaction, event: TransactionEvent
) -> bool:
    """Whether a transaction that was taken for over still is after `event` made it `told`.

    Only a message from now shows that the charging goes on; a replayed one says how it was. What
    a person closed stays so.
    """
    if not told.is_open:
        return False
    if TransactionFlag.CLOSED in transaction.flags:
        return True
    if event.offline or not is_next(event, transaction):
        return True
    if event.reported_at is None or transaction.ended_at is None:
        return False
    return event.reported_at <= transaction.ended_at


def keep_inferred_end(transaction: Transaction, told: Transaction) -> Transaction:
    """`told`, over as `transaction` was."""
    return replace(
        told,
        end_register_mwh=told.last_register_mwh,
        ended_at=transaction.ended_at,
        end_received_at=transaction.end_received_at,
        charging_state=None,
        flags=told.flags | (transaction.flags & _OF_THE_END),
    )


@dataclass(slots=True)
class _Story:
    """What events tell of a transaction, one after the other; its fields are those."""

    evse_id: int | None = None
    connector_id: int | None = None
    id_token: str | None = None
    id_token_key: str | None = None
    id_token_type: str | None = None
    id_token_status: str | None = None
    start_register_mwh: int | None = None
    last_register_mwh: int | None = None
    end_register_mwh: int | None = None
    register_phases: str | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    end_received_at: datetime | None = None
    stop_reason: str | None = None
    charging_state: str | None = None
    reservation_id: int | None = None
    remote_start_id: int | None = None
    sequence_run: int = 0
    last_seq_no: int | None = None
    flags: frozenset[TransactionFlag] = frozenset()

    @classmethod
    def so_far(cls, transaction: Transaction) -> _Story:
        """What is known already."""
        return cls(*[getattr(transaction, name) for name in cls.__slots__])

    def onto(self, transaction: Transaction) -> Transaction:
        """The transaction of which this is the story."""
        return replace(transaction, **{name: getattr(self, name) for name in self.__slots__})

    def tell(self, event: TransactionEvent) -> None:
        """One more event. After the end only the numbers go on."""
        self._count(event)
        if self.end_received_at is not None:
            return
        self._name(event)
        self._measure(event)
        if event.type == STARTED and self.started_at is None:
            self.started_at = event.reported_at
        if event.type == ENDED:
            self._end(event)

    def _count(self, event: TransactionEvent) -> None:
        last = self.last_seq_no
        if event.run > self.sequence_run:
            self.sequence_run = event.run
            self.flags |= {TransactionFlag.SEQUENCE_RESTARTED}
        elif (
            event.seq_no is None
            # OCPP 2.0.1 E01.FR.07: numbers should begin at 0, but may count on from anywhere.
            or (last is None and event.type != STARTED)
            or (last is not None and event.seq_no > last + 1)
        ):
            self.flags |= {TransactionFlag.SEQUENCE_GAP}
        if event.seq_no is not None:
            self.last_seq_no = event.seq_no

    def _name(self, event: TransactionEvent) -> None:
        """EVSE, state, token and ids, each from the last event that says it."""
        # OCPP 2.0.1 E01.FR.16: what does not change is sent once only.
        if event.evse_id is not None:
            self.evse_id = event.evse_id
        if event.connector_id is not None:
            self.connector_id = event.connector_id
        if event.charging_state is not None:
            self.charging_state = event.charging_state
        if event.reservation_id is not None:
            self.reservation_id = event.reservation_id
        if event.remote_start_id is not None:
            self.remote_start_id = event.remote_start_id
        if event.flags:
            self.flags |= event.flags
        if event.id_token is not None and not event.stops:
            self.id_token = event.id_token
            self.id_token_key = id_token_key(event.id_token)
            self.id_token_type = event.id_token_type
            self.id_token_status = event.id_token_status

    def _measure(self, event: TransactionEvent) -> None:
        """A single register is no energy: it stands for the start or for the last alone."""
        first, last = event.first_register_mwh, event.last_register_mwh
        if first is None or not self._compares(event):
            return
        known = [r for r in (self.start_register_mwh, self.last_register_mwh) if r is not None]
        if last is None and not known:
            if event.type == STARTED:
                self.start_register_mwh = first
            else:
                self.last_register_mwh = first
            return
        last = first if last is None else last
        # An Ended event may bring along the register of the beginning.
        self.start_register_mwh = min([first, *known])
        self.last_register_mwh = max([last, *known])
        if last < self.last_register_mwh - ROUNDING_MWH:
            self.flags |= {TransactionFlag.REGISTER_FELL}

    def _compares(self, event: TransactionEvent) -> bool:
        """Whether its registers count; those of all phases go before those of some."""
        varied = TransactionFlag.PHASES_VARY in self.flags
        if event.register_phases == self.register_phases:
            return not varied
        is_first = self.start_register_mwh is None and self.last_register_mwh is None
        if self.register_phases is None and not is_first:
            return False
        self.start_register_mwh = self.last_register_mwh = None
        self.register_phases = event.register_phases
        if event.register_phases is None:
            self.flags -= {TransactionFlag.PHASES_VARY}
        elif varied or not is_first:
            self.flags |= {TransactionFlag.PHASES_VARY}
            return False
        return True

    def _end(self, event: TransactionEvent) -> None:
        self.end_register_mwh = self.last_register_mwh
        self.ended_at = event.reported_at
        self.end_received_at = event.received_at
        # TransactionType: left out when it is Local.
        self.stop_reason = event.stopped_reason or "Local"
        self.charging_state = None
