"""GET /api/v1/transactions.csv: transactions as a file for a spreadsheet."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from aiohttp import web

from csms.api import personal, spreadsheets
from csms.api.routing import Call
from csms.api.spreadsheets import Cell
from csms.api.v1.transaction_shapes import TransactionShape
from csms.api.v1.transactions import TransactionsFilter, wanted_by
from csms.domain.permissions import Principal
from csms.store import transaction_pages as store
from csms.store.database import ReadTx
from csms.store.transaction_pages import ListedTransaction, Place

COLUMNS = (
    "id",
    "identity",
    "station_id",
    "location_id",
    "evse_id",
    "connector_id",
    "station_transaction_id",
    "open",
    "id_token",
    "id_token_type",
    "started_at",
    "ended_at",
    "duration_s",
    "start_register_wh",
    "end_register_wh",
    "energy_wh",
    "cost",
    "currency",
    "stop_reason",
    "flags",
)
_PAGE = 500


async def export(call: Call[None, TransactionsFilter]) -> web.StreamResponse:
    """All that the list would show, in its order."""
    return await spreadsheets.stream(call.request, "transactions.csv", COLUMNS, _pages(call))


async def _pages(call: Call[None, TransactionsFilter]) -> AsyncIterator[Sequence[Sequence[Cell]]]:
    after: Place | None = None
    while True:

        def look(tx: ReadTx, after: Place | None = after) -> list[ListedTransaction]:
            wanted = wanted_by(tx, call.query, call.principal)
            return store.list_page(tx, wanted, limit=_PAGE, after=after)

        found = await call.deps.db.read(look)
        yield [_row(one, call.principal) for one in found]
        if len(found) < _PAGE:
            return
        after = found[-1].place


def _row(listed: ListedTransaction, caller: Principal) -> list[Cell]:
    shown = personal.shown(caller, TransactionShape.of(listed).model_dump(mode="json"))
    shown["flags"] = " ".join(shown["flags"])
    return [shown[name] for name in COLUMNS]
