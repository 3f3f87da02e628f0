"""Transactions: what a start and a stop say, and what follows from them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum

from csms.domain.id_tokens import id_token_key
from csms.domain.metering import ROUNDING_MWH, Reading

MAX_V16_ID = 2**31 - 1
# Stations send their closing samples a moment after the stop; what comes later is not of it.
CLOSING_GRACE = timedelta(seconds=60)


class TransactionFlag(str, Enum):
    """What is odd about a transaction."""

    CLOCK_SUSPECT = "clock_suspect"
    REGISTER_SUSPECT = "register_suspect"
    """A register that no meter shows was reported."""
    NEGATIVE_ENERGY = "negative_energy"
    """The end register is below the start register, so the energy is not known."""
    INFERRED_END = "inferred_end"
    """No end came; the next start, a boot or the free connector showed it. A late one counts."""
    CLOSED = "closed"
    """Beside `inferred_end`: a person ended it, so samples and updates do not reopen it."""
    REGISTER_FELL = "register_fell"
    """The register went down on the way (reset, rollover, exchange): the energy is not known."""
    PHASES_VARY = "phases_vary"
    """There are registers of some phases only, and not always of the same."""
    PAIRED = "paired"
    """Its stop had an id that leads nowhere and could mean no other. A named one still counts."""
    START_MISSING = "start_missing"
    """Made of a stop that could mean no other transaction; when it began is not known."""
    RECONCILED = "reconciled"
    """A person decided which messages are its own."""
    SEQUENCE_GAP = "sequence_gap"
    """Events of it have not arrived, as their sequence numbers show."""
    SEQUENCE_RESTARTED = "sequence_restarted"
    """The station began to count its events anew in the middle of it."""


class ConflictCause(str, Enum):
    """Why a message about a transaction could not be applied."""

    UNKNOWN = "unknown_transaction"
    FOREIGN = "foreign_transaction"
    """The id belongs to another station."""
    ENDED = "already_ended"


@dataclass(frozen=True, slots=True)
class Transaction:
    """One charging transaction. `ended_at` may be unknown for an ended one; see `is_open`."""

    id: int
    uuid: str
    station_id: int
    evse_id: int | None
    connector_id: int | None
    station_transaction_id: str
    id_token: str | None
    id_token_key: str | None
    id_token_type: str | None
    id_token_status: str | None
    start_register_mwh: int | None
    last_register_mwh: int | None
    end_register_mwh: int | None
    register_phases: str | None
    """Which phases the registers count, as in "L1+L2"; None: all."""
    lowest_sample_mwh: int | None
    """Of OCPP 1.6; `last_register_mwh` is the highest."""
    sample_below: bool = field(compare=False)
    """Of OCPP 1.6: whether a sample came, while it was open, that is below one before it. A hint,
    which depends on the order of arrival."""
    started_at: datetime | None
    start_received_at: datetime
    ended_at: datetime | None
    end_received_at: datetime | None
    stop_reason: str | None
    charging_state: str | None
    reservation_id: int | None
    remote_start_id: int | None
    sequence_run: int
    """How often the station began to count its events anew."""
    last_seq_no: int | None
    """The highest of that run; None in OCPP 1.6."""
    cost_micros: int | None
    """In all, in millionths of the currency; None: not known, or it has no price."""
    currency: str | None
    flags: frozenset[TransactionFlag]

    @property
    def is_open(self) -> bool:
        """Whether no stop has ended it."""
        return self.end_received_at is None

    @property
    def is_end_inferred(self) -> bool:
        """Whether it is over without a word of the station about its end."""
        return TransactionFlag.INFERRED_END in self.flags

    @property
    def awaits_stop(self) -> bool:
        """Whether a stop of the station would be the first one."""
        return self.is_open or self.is_end_inferred or TransactionFlag.PAIRED in self.flags

    @property
    def start_order(self) -> tuple[datetime, int]:
        """Sorts transactions by their beginning, ours where the station's clock is no good."""
        return self.started_at or self.start_received_at, self.id

    def with_flag(self, flag: TransactionFlag) -> Transaction:
        """The same, flagged."""
        return replace(self, flags=self.flags | {flag})

    @property
    def energy_mwh(self) -> int | None:
        """Energy so far or in all; None when it cannot be known, never negative."""
        if TransactionFlag.REGISTER_FELL in self.flags:
            return None
        start, lowest = self.start_register_mwh, self.lowest_sample_mwh
        end = self.last_register_mwh if self.is_open else self.end_register_mwh
        if start is None or lowest is None or not (self.is_open or self.is_end_inferred):
            return energy_mwh(start, end)
        return sampled_energy_mwh(start, lowest, end)


@dataclass(frozen=True, slots=True)
class StartReport:
    """The content of a start, version-neutral."""

    evse_id: int
    id_token: str
    register_mwh: int | None
    reported_at: datetime | None
    reservation_id: int | None
    natural_key: str
    flags: frozenset[TransactionFlag]
    raw: str


@dataclass(frozen=True, slots=True)
class StopReport:
    """The content of a stop, version-neutral."""

    station_transaction_id: str
    id_token: str | None
    register_mwh: int | None
    reported_at: datetime | None
    reason: str | None
    readings: tuple[Reading, ...]
    flags: frozenset[TransactionFlag]
    raw: str


def energy_mwh(start_mwh: int | None, end_mwh: int | None) -> int | None:
    """The difference of two registers; None when one is missing or it would be negative."""
    if start_mwh is None or end_mwh is None or end_mwh < start_mwh:
        return None
    return end_mwh - start_mwh


def sampled_energy_mwh(start_mwh: int, lowest_mwh: int, highest_mwh: int | None) -> int | None:
    """As far as samples show it, until a stop of OCPP 1.6 tells its register.

    Grizzl-E counts from ever in start and stop and from zero in its samples: those are compared
    with each other, unless they fell so low on the way.
    """
    if highest_mwh is None:
        return None
    floor_mwh = start_mwh - ROUNDING_MWH
    if lowest_mwh >= floor_mwh:
        return max(0, highest_mwh - start_mwh)
    if highest_mwh >= floor_mwh or highest_mwh == lowest_mwh:
        return None
    return highest_mwh - lowest_mwh


def natural_key_v16(evse_id: int, id_token: str, meter_start: str, timestamp: str) -> str:
    """What makes a repeated StartTransaction the same one; `timestamp` as canonical as it gets."""
    return f"{evse_id}|{meter_start}|{timestamp}|{id_token_key(id_token)}"


def supersedes(started_at: datetime | None, earlier: Transaction) -> bool:
    """Whether a start on the same EVSE shows that `earlier` is over, its stop being lost."""
    if started_at is None or earlier.started_at is None:
        return True  # no clock to go by: the order of arrival decides
    return earlier.started_at <= started_at


def over_by(transaction: Transaction) -> datetime | None:
    """Until when its samples may be taken; None while it is open."""
    over_at = transaction.ended_at or transaction.end_received_at
    return None if over_at is None else over_at + CLOSING_GRACE


def belongs(reported_at: datetime, ended_at: datetime) -> bool:
    """Whether a sample with an ended transaction's id is still one of its own."""
    return reported_at <= ended_at + CLOSING_GRACE


def covers(transaction: Transaction, at: datetime) -> bool:
    """Whether a sample of an instant after its start was taken while the transaction went on."""
    until = over_by(transaction)
    return until is None or at <= until


def stop_key_v16(report: StopReport) -> str:
    """What makes a repeated stop without a start the same one."""
    at = None if report.reported_at is None else report.reported_at.timestamp()
    return f"stop|{report.station_transaction_id}|{report.register_mwh}|{at}"


def same_stop(report: StopReport, transaction: Transaction) -> bool:
    """Whether this stop only repeats the one that ended the transaction."""
    return (
        report.register_mwh == transaction.end_register_mwh
        and report.reported_at == transaction.ended_at
        and report.reason == transaction.stop_reason
    )
