"""What came of a job's items, as a file: CSV for spreadsheets, NDJSON for programs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Annotated, Any

import orjson
from aiohttp import web
from pydantic import Field

from csms.api import downloads, personal, spreadsheets
from csms.api.models import Query
from csms.api.routing import Call
from csms.api.spreadsheets import Cell
from csms.api.v1.job_shapes import ItemShape
from csms.domain.jobs import ItemState
from csms.domain.permissions import Principal
from csms.jobs import views

NDJSON = "application/x-ndjson"
COLUMNS = (
    "seq",
    "key",
    "station_id",
    "identity",
    "state",
    "attempts",
    "error_code",
    "error_message",
    "retryable",
    "response_status",
    "response",
    "executed_at",
    "effect",
)
_PAGE = 500


class ItemFilter(Query):
    """Which items are meant."""

    state: list[ItemState] | None = Field(default=None, description="May be repeated.")
    code: Annotated[str, Field(min_length=1, max_length=100)] | None = Field(
        default=None, description="The `code` of their error."
    )


async def csv(call: Call[None, ItemFilter]) -> web.StreamResponse:
    """In the order of submission; each page is as it is when it is read."""

    async def pages() -> AsyncIterator[Sequence[Sequence[Cell]]]:
        async for page in _pages(call):
            yield [_row(item, call.principal) for item in page]

    return await spreadsheets.stream(call.request, f"{_name(call)}.csv", COLUMNS, pages())


async def ndjson(call: Call[None, ItemFilter]) -> web.StreamResponse:
    """The same, each item as the list shows it on a line of its own."""

    async def pages() -> AsyncIterator[str]:
        async for page in _pages(call):
            texts = [personal.shown_text(call.principal, one.model_dump_json()) for one in page]
            yield "".join(f"{text}\n" for text in texts)

    return await downloads.send(call.request, f"{_name(call)}.ndjson", NDJSON, pages())


async def _pages(call: Call[None, ItemFilter]) -> AsyncIterator[list[ItemShape]]:
    deps = call.deps
    job = await views.get_job(deps.db, call.path["job_id"], call.principal)
    after_seq = -1
    while True:
        rows = await views.list_items(
            deps.db,
            job,
            after_seq=after_seq,
            limit=_PAGE,
            states=call.query.state,
            code=call.query.code,
            now=deps.clock.micros(),
        )
        yield [ItemShape.of(row) for row in rows]
        if len(rows) < _PAGE:
            return
        after_seq = rows[-1].item.seq


def _row(item: ItemShape, caller: Principal) -> list[Cell]:
    shown: dict[str, Any] = item.model_dump(mode="json", include=set(COLUMNS))
    error = item.error
    response = (
        None
        if item.response is None
        else orjson.dumps(personal.shown(caller, item.response)).decode()
    )
    told = {
        "error_code": None if error is None else error.code,
        "error_message": None if error is None else error.message,
        "retryable": None if error is None else error.retryable,
        "response": response,
    }
    return [(shown | told)[name] for name in COLUMNS]


def _name(call: Call[None, ItemFilter]) -> str:
    # It is found by this, so it is the id of a job: nothing else gets into the header.
    return f"job-{call.path['job_id']}"
