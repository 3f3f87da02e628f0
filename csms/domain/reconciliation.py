"""Which transaction a message means whose id leads nowhere: by token, time and register."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum

from csms.domain.id_tokens import id_token_key
from csms.domain.transactions import MAX_V16_ID, StartReport, StopReport, Transaction

# The first sample of a transaction is not taken in the very instant of its start.
_SAMPLED_WITHIN = timedelta(seconds=60)


class Resolution(str, Enum):
    """What became of a message that could not be applied."""

    PAIRED = "paired"
    """We took it for the only transaction that it could mean."""
    APPLIED = "applied"
    """A person did as suggested."""
    DISMISSED = "dismissed"
    """A person found that nothing follows from it."""
    EXPIRED = "expired"
    """Too many of its station came after it."""


class Fix(str, Enum):
    """What can be done with a message that could not be applied."""

    END = "end"
    """It ends a transaction that is open."""
    REPLACE_END = "replace_end"
    """It takes the place of the end that a transaction has."""
    KEEP = "keep"
    """The transaction that was made of it stays."""
    JOIN = "join"
    """Samples of the EVSE become those of the transaction that went on there."""
    ADD = "add"
    """An event that names none becomes one of the transaction that went on at its EVSE."""
    SPLIT = "split"
    """Events of an ended transaction that are numbered anew become one of their own."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What a message probably means; `fitting` is how many transactions it could mean."""

    fix: Fix
    transaction: Transaction
    fitting: int


def fits(stop: StopReport, transaction: Transaction) -> bool:
    """Whether nothing that is known speaks against the stop being the transaction's."""
    begun, register = transaction.started_at, transaction.start_register_mwh
    return (
        (stop.id_token is None or id_token_key(stop.id_token) == transaction.id_token_key)
        and (stop.reported_at is None or begun is None or begun <= stop.reported_at)
        and (stop.register_mwh is None or register is None or register <= stop.register_mwh)
    )


def same_start(start: StartReport, made: Transaction) -> bool:
    """Whether a late start is that of a transaction that was made of its stop alone."""
    known = start.reported_at, start.register_mwh, made.started_at, made.ended_at
    if None in known or not may_be_of(start, made):
        return False
    assert start.reported_at is not None
    assert made.started_at is not None
    apart = abs(start.reported_at - made.started_at)
    return start.register_mwh == made.start_register_mwh and apart <= _SAMPLED_WITHIN


def may_be_of(start: StartReport, made: Transaction) -> bool:
    """Whether nothing that is known speaks against it being so."""
    at, over, end = start.reported_at, made.ended_at, made.end_register_mwh
    return (
        made.id_token_key in (None, id_token_key(start.id_token))
        and at is not None
        and (over is None or at <= over)
        and (start.register_mwh is None or end is None or start.register_mwh <= end)
    )


def pair(stop: StopReport, running: Sequence[Transaction]) -> Transaction | None:
    """The one of a station's open transactions that the stop can only mean, if there is one.

    Time and register must be known. An id that some central system may have given out must
    have the transaction's token with it: perhaps the station came from another system in the
    middle of a transaction.
    """
    fitting = [transaction for transaction in running if fits(stop, transaction)]
    if len(fitting) != 1:
        return None
    found = fitting[0]
    known = (stop.reported_at, found.started_at, stop.register_mwh, found.start_register_mwh)
    if None in known or (_may_be_issued(stop.station_transaction_id) and stop.id_token is None):
        return None
    return found


def suggest(
    stop: StopReport, named: Transaction | None, candidates: Sequence[Transaction]
) -> Suggestion | None:
    """What to do with a stop: `named` has its id, `candidates` are the station's others.

    Open ones come before those whose end nobody told; of several the one that began last.
    """
    if named is not None:
        return Suggestion(Fix.REPLACE_END, named, 1) if fits(stop, named) else None
    fitting = [each for each in candidates if each.awaits_stop and fits(stop, each)]
    if not fitting:
        return None
    best = max(fitting, key=lambda each: (each.is_open, each.start_order))
    return Suggestion(Fix.END if best.is_open else Fix.REPLACE_END, best, len(fitting))


def _may_be_issued(station_transaction_id: str) -> bool:
    digits = station_transaction_id
    return (
        digits.isascii()
        and digits.isdigit()
        and len(digits) < 19
        and (1 <= int(digits) <= MAX_V16_ID)
    )
