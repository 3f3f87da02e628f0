"""Transactions natively: list, show, stop from here, close."""

from __future__ import annotations

from enum import Enum
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, StringConstraints

from csms.api import cursors, personal
from csms.api.models import CountedPage, Query, Strict
from csms.api.routing import Call, Reply
from csms.api.v1 import orders, stations
from csms.api.v1.shapes import cursor_page
from csms.api.v1.transaction_shapes import TransactionShape
from csms.domain.id_tokens import id_token_key
from csms.domain.permissions import Principal
from csms.domain.stations import Station
from csms.errors import Conflict, NotFound
from csms.services import locations, transaction_closing
from csms.store import stations as station_store
from csms.store import transaction_pages as store
from csms.store.database import ReadTx, Tx
from csms.store.transaction_pages import ListedTransaction, Place, Wanted


class TransactionState(str, Enum):
    """Whether it goes on."""

    OPEN = "open"
    ENDED = "ended"


class TransactionsFilter(Query):
    """Which transactions are meant."""

    station_id: str | None = Field(
        default=None, max_length=255, description="An id or `identity:<x>`."
    )
    location_id: str | None = Field(default=None, max_length=255)
    id_token: str | None = Field(default=None, max_length=255, description="In any case.")
    state: TransactionState | None = None
    from_: AwareDatetime | None = Field(
        default=None, alias="from", description="Those that began then or later."
    )
    to: AwareDatetime | None = Field(default=None, description="Not itself included.")


class TransactionsQuery(TransactionsFilter, CountedPage):
    """Which transactions to list."""

    sort: Literal["-started_at", "started_at"] = Field(
        default="-started_at", description="Where a beginning is not known: when we heard of it."
    )


class Stop(Strict):
    """How to stop it."""

    timeout_s: float | None = orders.TIMEOUT


class Close(Strict):
    """Why it is over, and since when."""

    reason: Annotated[str, StringConstraints(min_length=1, max_length=255, strip_whitespace=True)]
    ended_at: AwareDatetime | None = Field(
        default=None, description="Left out: nobody knows; it then has no duration."
    )


async def list_transactions(call: Call[None, TransactionsQuery]) -> Reply:
    """Of the stations that the token reaches, deleted ones too."""
    query, principal = call.query, call.principal
    place = cursors.read_pair(query.cursor)
    after = None if place is None else Place(*place)

    def look(tx: ReadTx) -> tuple[list[ListedTransaction], int | None]:
        wanted = wanted_by(tx, query, principal)
        oldest_first = query.sort == "started_at"
        found = store.list_page(
            tx, wanted, limit=query.limit + 1, after=after, oldest_first=oldest_first
        )
        return found, store.count(tx, wanted) if query.count else None

    found, total = await call.deps.db.read(look)
    shown = found[: query.limit]
    more = cursors.write(*shown[-1].place) if len(found) > len(shown) else None
    return Reply(cursor_page([TransactionShape.of(one) for one in shown], more, total))


async def show(call: Call[None, None]) -> Reply:
    """One transaction."""
    found = await call.deps.db.read(
        lambda tx: find(tx, call.path["transaction_id"], call.principal)
    )
    return Reply(TransactionShape.of(found))


async def stop(call: Call[Stop | None, None]) -> Reply:
    """200 with the station's answer; the transaction ends when the station says so."""

    def look(tx: ReadTx) -> tuple[Station, str]:
        found = find(tx, call.path["transaction_id"], call.principal).transaction
        if not found.is_open:
            raise Conflict("The transaction has ended", code="already_ended")
        return station_store.get(tx, found.station_id), found.station_transaction_id

    station, name = await call.deps.db.read(look)
    timeout_s = None if call.body is None else call.body.timeout_s
    params = {"transaction_id": name}
    return await orders.send(call, station, "request_stop_transaction", params, timeout_s=timeout_s)


async def close(call: Call[Close, None]) -> Reply:
    """200 with the closed transaction; 409 when it is over."""
    wanted, principal = call.body, call.principal

    def make(tx: Tx) -> TransactionShape:
        found = find(tx, call.path["transaction_id"], principal)
        transaction_closing.close(
            tx,
            found.transaction,
            reason=wanted.reason,
            ended_at=wanted.ended_at,
            by=principal.id,
        )
        return TransactionShape.of(store.get_by_uuid(tx, found.transaction.uuid))

    return Reply(await call.deps.db.write(make))


def find(tx: ReadTx, uuid: str, principal: Principal) -> ListedTransaction:
    """The transaction named in a path; raises NotFound, also when out of reach."""
    found = store.get_by_uuid(tx, uuid)
    if not principal.reaches(found.location_id):
        raise NotFound("Transaction not found")
    return found


def wanted_by(tx: ReadTx, query: TransactionsFilter, principal: Principal) -> Wanted:
    """What a query asks for; raises NotFound for a station or location out of reach."""
    station_id, reach = None, principal.location_ids
    if query.id_token is not None:
        personal.require_sight(principal)
    if query.station_id is not None:
        station_id = stations.find(tx, query.station_id, principal).id
        reach = None
    if query.location_id is not None:
        reach = frozenset({locations.get(tx, query.location_id, principal).id})
    return Wanted(
        station_id=station_id,
        location_ids=reach,
        id_token_key=None if query.id_token is None else id_token_key(query.id_token),
        is_open=None if query.state is None else query.state is TransactionState.OPEN,
        since=query.from_,
        before=query.to,
    )
