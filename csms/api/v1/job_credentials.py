"""POST /api/v1/jobs/{job_id}/credentials: passwords for the stations that a job made, once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from urllib.parse import quote

from aiohttp import web
from pydantic import Field

from csms.api import spreadsheets
from csms.api.models import Shape, Strict
from csms.api.routing import Call, Reply
from csms.api.spreadsheets import MEDIA_TYPE, Cell
from csms.api.v1.stations import base_url
from csms.domain.jobs import ItemState, Job, JobItem
from csms.domain.stations import Station
from csms.errors import Conflict, NotFound
from csms.jobs import views
from csms.jobs.kinds import station_create
from csms.services.password_rotation import rotated_by_hand
from csms.store import credentials, job_items, stations
from csms.store.database import Tx

COLUMNS = ("station_id", "identity", "name", "connection_url", "password")
_PAGE = 200


class NewSheet(Strict):
    """Which stations get a password."""

    replace: bool = Field(
        default=False,
        description="Also those that have one, which is then refused and their connection closed.",
    )


class SheetRow(Shape):
    """What is entered into one station."""

    station_id: str
    identity: str
    name: str | None
    connection_url: str
    password: str | None = Field(
        description="The only valid one from now on, shown this once; null: it has one already."
    )


class CredentialsSheet(Shape):
    """Stations in the order of submission; virtual and deleted ones are left out."""

    items: list[SheetRow]


async def issue(call: Call[NewSheet | None, None]) -> Reply | web.StreamResponse:
    """200, as CSV when `Accept` asks for that; 409 while the job runs, or makes no stations."""
    job = await views.get_job(call.deps.db, call.path["job_id"], call.principal)
    if job.kind != station_create.KIND:
        raise NotFound("The job makes no stations")
    if job.finished_at is None:
        raise Conflict("the job is still running", code="job_running")
    if MEDIA_TYPE in call.request.headers.get("Accept", ""):
        name = f"credentials-{job.uuid}.csv"
        return await spreadsheets.stream(call.request, name, COLUMNS, _cells(call, job))
    rows = [row async for page in _pages(call, job) for row in page]
    return Reply(CredentialsSheet(items=rows), headers={"Cache-Control": "no-store"})


async def _cells(
    call: Call[NewSheet | None, None], job: Job
) -> AsyncIterator[Sequence[Sequence[Cell]]]:
    async for page in _pages(call, job):
        yield [[getattr(row, name) for name in COLUMNS] for row in page]


async def _pages(call: Call[NewSheet | None, None], job: Job) -> AsyncIterator[list[SheetRow]]:
    """Each page is a transaction of its own: stations do not wait while thousands are made."""
    after_seq = -1
    while True:

        def make(tx: Tx, after_seq: int = after_seq) -> tuple[list[SheetRow], list[JobItem]]:
            items = job_items.list_page(
                tx, job.id, after_seq=after_seq, limit=_PAGE, states=[ItemState.SUCCEEDED]
            )
            known = stations.find_many(tx, [one.target for one in items if one.target is not None])
            reached = call.principal.reaches
            shown = [
                _row(call, tx, station)
                for station in known.values()
                if not station.virtual and reached(station.location_id)
            ]
            return shown, items

        rows, items = await call.deps.db.write(make)
        yield rows
        if len(items) < _PAGE:
            return
        after_seq = items[-1].seq


def _row(call: Call[NewSheet | None, None], tx: Tx, station: Station) -> SheetRow:
    has_one = any(one.offered_at is None for one in credentials.list_of_station(tx, station.id))
    password = None
    if not has_one or (call.body is not None and call.body.replace):
        password = call.deps.passwords.rotate(tx, station.id)
        rotated_by_hand(tx, station.id)
    return SheetRow(
        station_id=station.uuid,
        identity=station.identity,
        name=station.name,
        connection_url=f"{base_url(call)}/{quote(station.identity, safe='')}",
        password=password,
    )
