"""Log files natively: what stations sent, to list, fetch and delete."""

from __future__ import annotations

from aiohttp import web
from pydantic import Field

from csms.api import cursors, file_sending, times
from csms.api.file_sending import Sent
from csms.api.models import Page, Shape
from csms.api.routing import Call, Reply
from csms.api.v1 import stations
from csms.api.v1.shapes import Instant, cursor_page
from csms.domain.file_transfers import LogFile, Transfer
from csms.domain.stations import Station
from csms.errors import NotFound
from csms.services.file_drop import LOGS
from csms.store import file_transfers
from csms.store import log_files as store
from csms.store import stations as station_store
from csms.store.database import ReadTx, Tx


class LogFileShape(Shape):
    """A file that a station sent."""

    id: str
    transfer_id: str
    station_id: str
    identity: str
    name: str = Field(description="As the station called it, made harmless.")
    media_type: str | None = Field(description="As the station said; nobody has looked.")
    size_bytes: int
    sha256: str
    address: str | None = Field(description="Where it came from.")
    received_at: Instant

    @classmethod
    def of(cls, log_file: LogFile, station: Station, transfer: Transfer) -> LogFileShape:
        """The file as it is shown."""
        return cls(
            id=log_file.file.uuid,
            transfer_id=transfer.uuid,
            station_id=station.uuid,
            identity=station.identity,
            name=log_file.name,
            media_type=log_file.media_type,
            size_bytes=log_file.file.size_bytes,
            sha256=log_file.file.sha256,
            address=log_file.address,
            received_at=times.micros(log_file.received_at),
        )


class LogFilePage(Shape):
    """Newest first."""

    items: list[LogFileShape]
    next_cursor: str | None


class LogFileQuery(Page):
    """Whose files."""

    station_id: str | None = Field(default=None, max_length=60)


async def list_files(call: Call[None, LogFileQuery]) -> Reply:
    """Those of stations that the token reaches."""
    query = call.query
    before_id = cursors.read(query.cursor)

    def look(tx: ReadTx) -> tuple[list[LogFileShape], int | None]:
        station_id = None
        if query.station_id is not None:
            station_id = stations.find(tx, query.station_id, call.principal).id
        found = store.list_page(
            tx,
            station_id=station_id,
            location_ids=call.principal.location_ids,
            limit=query.limit + 1,
            before_id=before_id,
        )
        shown = found[: query.limit]
        more = shown[-1].id if len(found) > query.limit else None
        return [_shape(tx, one) for one in shown], more

    shown, more = await call.deps.db.read(look)
    return Reply(cursor_page(shown, None if more is None else cursors.write(more)))


async def show(call: Call[None, None]) -> Reply:
    """What is known of one."""
    return Reply(await call.deps.db.read(lambda tx: _shape(tx, _find(tx, call))))


async def download(call: Call[None, None]) -> web.StreamResponse:
    """Its content, whole or a part; never as something to be shown."""
    found = await call.deps.db.read(lambda tx: _find(tx, call))
    path = call.deps.files.store.path(LOGS, found.file.uuid)
    return await file_sending.send(call.request, path, found.file, name=found.name, sent=Sent())


async def delete(call: Call[None, None]) -> Reply:
    """The transfer stays, with nothing to show for it."""

    def forget(tx: Tx) -> LogFile:
        found = _find(tx, call)
        store.delete(tx, found.id)
        return found

    await call.deps.files.delete_log(forget)
    return Reply(None, status=204)


def _find(tx: ReadTx, call: Call[None, None]) -> LogFile:
    found = store.get_by_uuid(tx, call.path["log_file_id"])
    station = station_store.find(tx, found.station_id)
    if station is None or not call.principal.reaches(station.location_id):
        raise NotFound("Log file not found")
    return found


def _shape(tx: ReadTx, found: LogFile) -> LogFileShape:
    station = station_store.get(tx, found.station_id)
    return LogFileShape.of(found, station, file_transfers.get(tx, found.transfer_id))
