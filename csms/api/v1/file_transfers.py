"""Firmware updates and log uploads natively: order one, and see how far each is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import Field

from csms.api import cursors, times
from csms.api.models import Page, Shape
from csms.api.routing import Call, Reply
from csms.api.v1 import commands, file_orders, stations
from csms.api.v1.file_orders import FirmwareUpdateSpec, LogUploadSpec
from csms.api.v1.log_files import LogFileShape
from csms.api.v1.orders import TIMEOUT
from csms.api.v1.shapes import Instant, cursor_page
from csms.domain.file_transfers import Fetch, Transfer, TransferKind, TransferState
from csms.domain.jobs import ItemState, Lane, NewItem
from csms.domain.permissions import Principal
from csms.domain.stations import Station
from csms.errors import NotFound
from csms.store import file_transfers as store
from csms.store import firmware_images, log_files
from csms.store import stations as station_store
from csms.store.database import ReadTx
from csms.store.file_transfers import TransferFilter


class FetchShape(Shape):
    """One request for a file of ours."""

    at: Instant
    address: str | None
    user_agent: str | None
    first_byte: int
    bytes_sent: int
    complete: bool = Field(description="It went on to the file's last byte.")


class LinkShape(Shape):
    """The link that only the station was told."""

    expires_at: Instant
    usable: bool
    fetches: int
    bytes_sent: int


class FileTransferShape(Shape):
    """One file on its way between us and a station."""

    id: str
    kind: TransferKind
    station_id: str
    identity: str
    state: TransferState = Field(
        description="`requested` (not answered yet, or nobody knows), `running`, `succeeded`,"
        " `failed`; it follows what the station reports, and for a log whether it came."
    )
    station_status: str | None = Field(description="The station's last word, as OCPP spells it.")
    reason: str | None = Field(description="Why it failed, where that word does not say it.")
    request_id: int | None
    image_id: str | None = Field(description="Null for a log, and when the image was deleted.")
    link: LinkShape
    log_files: list[LogFileShape]
    created_at: Instant
    updated_at: Instant


class FileTransferDetail(FileTransferShape):
    """As in the list, and who fetched."""

    fetched: list[FetchShape] = Field(description="The first hundred.")


class FileTransferPage(Shape):
    """Newest first."""

    items: list[FileTransferShape]
    next_cursor: str | None


class FileTransferQuery(Page):
    """Which transfers."""

    station_id: str | None = Field(default=None, max_length=60)
    kind: TransferKind | None = None
    state: TransferState | None = None
    image_id: str | None = Field(default=None, max_length=60)


class NewFirmwareUpdate(FirmwareUpdateSpec):
    """What one station shall install, and when."""

    timeout_s: float | None = TIMEOUT


class NewLogRequest(LogUploadSpec):
    """Which log one station shall send."""

    timeout_s: float | None = TIMEOUT


async def update_firmware(call: Call[NewFirmwareUpdate, None]) -> Reply:
    """Order it, and wait for the station's answer; the rest is to be watched."""
    return await _order(call)


async def ask_for_log(call: Call[NewLogRequest, None]) -> Reply:
    """Ask for it, and wait for the station's answer; the file is to be waited for."""
    return await _order(call)


async def list_transfers(call: Call[None, FileTransferQuery]) -> Reply:
    """Those of stations that the token reaches."""
    query, deps = call.query, call.deps
    before_id = cursors.read(query.cursor)

    def look(tx: ReadTx) -> tuple[list[FileTransferShape], int | None]:
        station_id = image_id = None
        if query.station_id is not None:
            station_id = stations.find(tx, query.station_id, call.principal).id
        if query.image_id is not None:
            image = firmware_images.find_by_uuid(tx, query.image_id)
            if image is None:
                raise NotFound("Firmware image not found")
            image_id = image.id
        wanted = TransferFilter(
            station_id=station_id,
            location_ids=call.principal.location_ids,
            kind=query.kind,
            state=query.state,
            image_id=image_id,
        )
        found = store.list_page(tx, wanted, limit=query.limit + 1, before_id=before_id)
        shown = found[: query.limit]
        more = shown[-1].id if len(found) > query.limit else None
        return _shapes(tx, shown, deps.clock.now()), more

    shown, more = await deps.db.read(look)
    return Reply(cursor_page(shown, None if more is None else cursors.write(more)))


async def show(call: Call[None, None]) -> Reply:
    """One of them."""
    return Reply(await call.deps.db.read(lambda tx: _detail(tx, call, _find(tx, call))))


async def _order(call: Call[Any, None]) -> Reply:
    deps, settings = call.deps, call.deps.settings
    station = await deps.db.read(
        lambda tx: stations.find(tx, call.path["station_id"], call.principal)
    )
    wait_s = call.body.timeout_s or settings.command_timeout_s
    order = await file_orders.submission(
        call,
        call.body,
        [NewItem(key=station.uuid, target=station.id)],
        commands.once_within(settings.policy, wait_s),
        lane=Lane.INTERACTIVE,
    )
    carried = await commands.carry(call, order, wait_s)
    if carried.item.state is not ItemState.SUCCEEDED:
        return commands.failure(carried)

    def look(tx: ReadTx) -> FileTransferDetail:
        found = store.find_of_item(tx, carried.job.id, carried.item.seq)
        if found is None:  # an old key, and the transfer is forgotten
            raise NotFound("Transfer not found")
        return _detail(tx, call, found)

    made = await deps.db.read(look)
    place = f"/api/v1/file-transfers/{made.id}"
    return Reply(made, status=202, headers={**carried.headers, "Location": place})


def _find(tx: ReadTx, call: Call[Any, Any]) -> Transfer:
    found = store.get_by_uuid(tx, call.path["transfer_id"])
    check_reach(tx, found.station_id, call.principal, "Transfer not found")
    return found


def check_reach(tx: ReadTx, station_id: int, principal: Principal, refusal: str) -> Station:
    """The live station, when the caller sees it; raises NotFound."""
    station = station_store.find(tx, station_id)
    if station is None or not principal.reaches(station.location_id):
        raise NotFound(refusal)
    return station


def _detail(tx: ReadTx, call: Call[Any, Any], found: Transfer) -> FileTransferDetail:
    (shape,) = _shapes(tx, [found], call.deps.clock.now())
    fetched = [_fetch(one) for one in store.list_fetches(tx, found.id)]
    return FileTransferDetail(**shape.model_dump(), fetched=fetched)


def _shapes(tx: ReadTx, found: Sequence[Transfer], now: datetime) -> list[FileTransferShape]:
    named = station_store.find_many(tx, [one.station_id for one in found])
    images = firmware_images.find_many(tx, {one.image_id for one in found if one.image_id})
    files = log_files.list_of_transfers(tx, [one.id for one in found])
    return [
        FileTransferShape(
            id=one.uuid,
            kind=one.kind,
            station_id=named[one.station_id].uuid,
            identity=named[one.station_id].identity,
            state=one.state,
            station_status=one.station_status,
            reason=one.reason,
            request_id=one.request_id,
            image_id=images[one.image_id].file.uuid if one.image_id in images else None,
            link=LinkShape(
                expires_at=times.micros(one.expires_at),
                usable=one.is_open(now),
                fetches=one.fetches,
                bytes_sent=one.bytes_sent,
            ),
            log_files=[
                LogFileShape.of(file, named[one.station_id], one) for file in files.get(one.id, [])
            ],
            created_at=times.micros(one.created_at),
            updated_at=times.micros(one.updated_at),
        )
        for one in found
    ]


def _fetch(fetch: Fetch) -> FetchShape:
    return FetchShape(
        at=times.micros(fetch.at),
        address=fetch.address,
        user_agent=fetch.user_agent,
        first_byte=fetch.first_byte,
        bytes_sent=fetch.bytes_sent,
        complete=fetch.complete,
    )
