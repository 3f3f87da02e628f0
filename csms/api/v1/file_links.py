"""/files: where stations fetch and send the one file that their link is for.

A link is all that is asked for. One that is wrong, used up, expired, for the other direction or
of a station that is gone or blocked is the same 404.
"""

from __future__ import annotations

from functools import partial

from aiohttp import web

from csms.api import file_sending, peers, uploads
from csms.api.file_sending import Sent
from csms.api.models import Shape
from csms.api.routing import Call, Reply
from csms.domain.file_transfers import (
    Fetch,
    FirmwareImage,
    Transfer,
    TransferKind,
    safe_name,
)
from csms.domain.stations import Station
from csms.errors import Conflict, NotFound
from csms.services.file_drop import FIRMWARE, LOG_NAME
from csms.store import firmware_images, stations
from csms.store.database import ReadTx

_LONGEST_AGENT = 200


class ReceivedFile(Shape):
    """What arrived."""

    size_bytes: int
    sha256: str


async def fetch(call: Call[None, None]) -> web.StreamResponse:
    """Firmware, whole or a part; each request is recorded."""
    deps, request = call.deps, call.request

    def look(tx: ReadTx) -> tuple[Transfer, FirmwareImage]:
        found = deps.files.find(tx, call.path["link"], TransferKind.FIRMWARE)
        if found.image_id is None:
            raise NotFound("Not found")
        return found, firmware_images.get(tx, found.image_id)

    transfer, image = await deps.db.read(look)
    path, sent = deps.files.store.path(FIRMWARE, image.file.uuid), Sent()
    at = deps.clock.now()
    try:
        return await file_sending.send(
            request,
            path,
            image.file,
            name=image.name,
            sent=sent,
            before_the_end=partial(deps.files.deliver, transfer),
        )
    except Conflict as error:  # two at once; a status was sent long ago
        raise ConnectionResetError(error.message) from error
    finally:
        if sent.bytes_sent or sent.delivers:
            agent = request.headers.get("User-Agent", "")
            fetched = Fetch(
                at=at,
                address=peers.address_of(request),
                user_agent=_printable(agent) or None,
                first_byte=sent.first_byte,
                bytes_sent=sent.bytes_sent,
                complete=sent.complete,
            )
            await deps.files.fetched(transfer, fetched, delivers=sent.delivers)


async def put(call: Call[None, None]) -> Reply:
    """A log, as the body or as the file of a form."""
    return await _take(call)


async def post(call: Call[None, None]) -> Reply:
    """As `put`: stations do the one or the other."""
    return await _take(call)


async def _take(call: Call[None, None]) -> Reply:
    deps, request = call.deps, call.request

    def look(tx: ReadTx) -> tuple[Transfer, Station]:
        found = deps.files.find(tx, call.path["link"], TransferKind.LOG)
        return found, stations.get(tx, found.station_id)

    transfer, station = await deps.db.read(look)
    async with deps.files.store.receive(
        limit_bytes=deps.files.settings.log_limit_bytes,
        announced_bytes=request.content_length or 0,
    ) as incoming:
        described = await uploads.receive(request, incoming)
        tail = call.path["name"].strip("/")
        given = described.name or (tail if tail != LOG_NAME else None)
        made = await deps.files.take_log(
            transfer,
            incoming,
            name=safe_name(given, safe_name(f"{station.identity}.log", "station.log")),
            media_type=_printable(described.media_type or "") or None,
            address=peers.address_of(request),
        )
    return Reply(ReceivedFile(size_bytes=made.file.size_bytes, sha256=made.file.sha256), status=201)


def _printable(text: str) -> str:
    return "".join(char for char in text if char.isprintable())[:_LONGEST_AGENT]
