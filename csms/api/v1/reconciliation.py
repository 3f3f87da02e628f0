"""The reconciliation inbox natively: messages about transactions that could not be applied."""

from __future__ import annotations

from enum import Enum
from typing import Any

import orjson
from pydantic import Field

from csms.api import cursors, times
from csms.api.models import Page, Shape, Strict
from csms.api.routing import Call, Reply
from csms.api.v1 import stations
from csms.api.v1.shapes import Instant, cursor_page
from csms.domain.permissions import Principal
from csms.domain.reconciliation import Fix, Resolution, Suggestion
from csms.domain.transactions import ConflictCause, Transaction
from csms.errors import NotFound
from csms.services import resolutions
from csms.store import transaction_conflicts as store
from csms.store.database import ReadTx, Tx
from csms.store.transaction_conflicts import ConflictFilter, TransactionConflict


class EntryState(str, Enum):
    """Whether an entry waits for a person."""

    OPEN = "open"
    RESOLVED = "resolved"


class Decision(str, Enum):
    """What to do with an entry."""

    APPLY = "apply"
    DISMISS = "dismiss"


class ReconciliationEntry(Shape):
    """One message, however often it came."""

    id: str
    station_id: str
    identity: str
    action: str
    cause: ConflictCause
    station_transaction_id: str = Field(description="As the station said it; empty: it did not.")
    received_at: Instant
    last_received_at: Instant
    repeats: int = Field(description="How often the same came again.")
    resolution: Resolution | None = Field(
        description="Null: it waits. `paired`: taken at once for the stop of the only open"
        " transaction it could mean. `expired`: too many of its station came after it."
    )
    resolved_at: Instant | None
    resolved_by: str | None = Field(description="The id of the token that decided.")
    transaction_id: str | None = Field(
        description="The transaction that it was taken for; while it waits, the one that was made"
        " of it, which goes when it is dismissed."
    )

    @classmethod
    def of(cls, entry: TransactionConflict) -> ReconciliationEntry:
        """The entry as a list shows it."""
        return cls(**_fields(entry))


class SuggestedTransaction(Shape):
    """The transaction that a message probably means."""

    id: str
    station_transaction_id: str
    evse_id: int | None
    id_token: str | None
    started_at: Instant | None
    start_register_wh: float | None
    ended_at: Instant | None
    end_register_wh: float | None
    open: bool

    @classmethod
    def of(cls, transaction: Transaction) -> SuggestedTransaction:
        """As much of it as helps to decide."""
        return cls(
            id=transaction.uuid,
            station_transaction_id=transaction.station_transaction_id,
            evse_id=transaction.evse_id,
            id_token=transaction.id_token,
            started_at=times.micros(transaction.started_at),
            start_register_wh=_wh(transaction.start_register_mwh),
            ended_at=times.micros(transaction.ended_at),
            end_register_wh=_wh(transaction.end_register_mwh),
            open=transaction.is_open,
        )


class SuggestionShape(Shape):
    """What `apply` does."""

    fix: Fix = Field(
        description="`end`: the stop ends the transaction; `replace_end`: its time and register"
        " take the place of those that the transaction has; `keep`: the transaction that was"
        " made of it stays; `join`: samples that have no transaction, of this EVSE and in the time"
        " of the transaction, become its own; `add`: the event becomes one of the transaction that"
        " went on at its EVSE; `split`: the events that are numbered anew after"
        " its end become a transaction of their own."
    )
    transaction: SuggestedTransaction
    fitting: int = Field(description="How many transactions fit by token, time and register.")


class ReconciliationDetail(ReconciliationEntry):
    """An entry with its message, and what can be done."""

    message: Any = Field(description="The payload of the first one, as it was received.")
    suggestion: SuggestionShape | None = Field(description="Null: nothing fits, or it is resolved.")

    @classmethod
    def explained(
        cls, entry: TransactionConflict, suggestion: Suggestion | None
    ) -> ReconciliationDetail:
        """The entry as it is shown alone."""
        shown = None
        if suggestion is not None:
            shown = SuggestionShape(
                fix=suggestion.fix,
                transaction=SuggestedTransaction.of(suggestion.transaction),
                fitting=suggestion.fitting,
            )
        return cls(**_fields(entry), message=_message(entry.raw), suggestion=shown)


class ReconciliationPage(Shape):
    """The newest first."""

    items: list[ReconciliationEntry]
    next_cursor: str | None


class ReconciliationQuery(Page):
    """Which entries to list."""

    station_id: str | None = Field(
        default=None, max_length=255, description="An id or `identity:<x>`."
    )
    state: EntryState | None = None


class Resolve(Strict):
    """What a person decides about an entry."""

    action: Decision
    transaction_id: str | None = Field(
        default=None,
        description="What was seen suggested; 409 when another one is suggested by now.",
    )


async def list_entries(call: Call[None, ReconciliationQuery]) -> Reply:
    """Of the stations that the token reaches."""
    query, principal = call.query, call.principal
    before_id = cursors.read(query.cursor)

    def look(tx: ReadTx) -> list[TransactionConflict]:
        station_id = None
        if query.station_id is not None:
            station_id = stations.find(tx, query.station_id, principal).id
        wanted = ConflictFilter(
            station_id=station_id,
            location_ids=principal.location_ids,
            is_open=None if query.state is None else query.state is EntryState.OPEN,
        )
        return store.list_page(tx, wanted, limit=query.limit + 1, before_id=before_id)

    found = await call.deps.db.read(look)
    shown = found[: query.limit]
    more = cursors.write(shown[-1].id) if len(found) > len(shown) else None
    return Reply(cursor_page([ReconciliationEntry.of(entry) for entry in shown], more))


async def show(call: Call[None, None]) -> Reply:
    """One entry, with its message and a suggestion."""
    return Reply(await call.deps.db.read(lambda tx: _detail(tx, call.path, call.principal)))


async def resolve(call: Call[Resolve, None]) -> Reply:
    """200 with the resolved entry; 409 when somebody was faster or nothing is suggested."""
    wanted, principal = call.body, call.principal

    def decide(tx: Tx) -> ReconciliationDetail:
        entry = _get(tx, call.path, principal)
        if wanted.action is Decision.APPLY:
            resolutions.apply(tx, entry, wanted.transaction_id, principal.id)
        else:
            resolutions.dismiss(tx, entry, principal.id)
        return _detail(tx, call.path, principal)

    return Reply(await call.deps.db.write(decide))


def _detail(tx: ReadTx, path: Any, principal: Principal) -> ReconciliationDetail:
    entry = _get(tx, path, principal)
    return ReconciliationDetail.explained(entry, resolutions.suggestion(tx, entry))


def _get(tx: ReadTx, path: Any, principal: Principal) -> TransactionConflict:
    entry = store.get_by_uuid(tx, path["entry_id"])
    if not principal.reaches(entry.location_id):
        raise NotFound("Entry not found")
    return entry


def _fields(entry: TransactionConflict) -> dict[str, Any]:
    return {
        "id": entry.uuid,
        "station_id": entry.station_uuid,
        "identity": entry.identity,
        "action": entry.action,
        "cause": entry.cause,
        "station_transaction_id": entry.station_transaction_id,
        "received_at": times.micros(entry.received_at),
        "last_received_at": times.micros(entry.last_received_at),
        "repeats": entry.repeats,
        "resolution": entry.resolution,
        "resolved_at": times.micros(entry.resolved_at),
        "resolved_by": entry.resolved_by,
        "transaction_id": entry.transaction_uuid,
    }


def _message(raw: str) -> Any:
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        return raw


def _wh(register_mwh: int | None) -> float | None:
    return None if register_mwh is None else register_mwh / 1000
