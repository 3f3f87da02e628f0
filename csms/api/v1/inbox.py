"""The inbox natively: stations that knocked and were not let in, and accepting one."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from csms.api import cursors, times
from csms.api.models import Page, Shape, Strict
from csms.api.once import once
from csms.api.routing import Call, Reply
from csms.api.v1.shapes import Instant, cursor_page
from csms.clock import from_micros, to_micros
from csms.domain.permissions import Principal
from csms.domain.stations import Station
from csms.domain.versions import OcppVersion
from csms.errors import Forbidden, Invalid
from csms.services import inbox
from csms.store import locations as location_store
from csms.store import stations as station_store
from csms.store.database import ReadTx, Tx
from csms.store.inbox import InboxEntry

Text = Annotated[str, StringConstraints(max_length=255)]


class InboxEntryShape(Shape):
    """One identity from one address, refused or held for one reason."""

    id: str
    identity: str
    cause: str
    address: str
    detail: str | None
    ocpp_version: OcppVersion | None
    vendor: str | None
    model: str | None
    serial_number: str | None
    firmware_version: str | None
    attempts: int
    first_seen_at: Instant
    last_seen_at: Instant


class InboxPage(Shape):
    """The newest attempts first."""

    items: list[InboxEntryShape]
    next_cursor: str | None


class InboxQuery(Page):
    """Which entries to list."""

    cause: str | None = Field(default=None, max_length=100)


class Acceptance(Strict):
    """Where the station belongs and what it is called."""

    location_id: str | None = None
    name: Text | None = None


class AcceptedStation(Shape):
    """The station that was made of the entry."""

    station_id: str
    identity: str
    password: str | None = Field(
        description="Shown this once; null in a replay, or where stations need none."
    )


async def list_entries(call: Call[None, InboxQuery]) -> Reply:
    """For tokens that are not bound: a stranger stands at no location."""
    _require_unbound(call.principal)
    query = call.query
    position = cursors.read(query.cursor)
    found = await call.deps.db.read(
        lambda tx: inbox.list_entries(
            tx,
            limit=query.limit + 1,
            before=None if position is None else from_micros(position),
            cause=query.cause,
        )
    )
    shown = found[: query.limit]
    more = None
    if len(found) > len(shown):
        more = cursors.write(to_micros(shown[-1].last_seen_at))
    return Reply(cursor_page([_shape(entry) for entry in shown], more))


async def accept(call: Call[Acceptance | None, None]) -> Reply:
    """201: the station exists now and may connect."""
    _require_unbound(call.principal)
    wanted, deps = call.body or Acceptance(), call.deps

    def make(tx: Tx) -> tuple[str, AcceptedStation]:
        location_id = _location_id(tx, wanted.location_id)
        entry_id = call.path["entry_id"]
        if deps.hub.settings.allow_no_password:
            station = inbox.accept_without_password(tx, entry_id, location_id, wanted.name)
            return station.uuid, _accepted(station, None)
        station, password = inbox.accept(tx, entry_id, location_id, wanted.name)
        return station.uuid, _accepted(station, password)

    def again(tx: Tx, uuid: str) -> AcceptedStation:
        return _accepted(station_store.get_by_uuid(tx, uuid), None)

    accepted, headers = await once(call, "station", make, again=again)
    deps.hub.accept_held(accepted.identity)
    headers["Location"] = f"/api/v1/stations/{accepted.station_id}"
    return Reply(accepted, status=201, headers=headers)


def _require_unbound(principal: Principal) -> None:
    if principal.location_ids is not None:
        raise Forbidden("A token bound to locations does not see the inbox")


def _location_id(tx: ReadTx, uuid: str | None) -> int | None:
    if uuid is None:
        return None
    found = location_store.find_by_uuid(tx, uuid)
    if found is None:
        raise Invalid("location not found", loc=("location_id",), given=uuid)
    return found.id


def _accepted(station: Station, password: str | None) -> AcceptedStation:
    return AcceptedStation(station_id=station.uuid, identity=station.identity, password=password)


def _shape(entry: InboxEntry) -> InboxEntryShape:
    return InboxEntryShape(
        id=entry.uuid,
        identity=entry.identity,
        cause=entry.cause,
        address=entry.address,
        detail=entry.detail,
        ocpp_version=entry.ocpp_version,
        vendor=entry.vendor,
        model=entry.model,
        serial_number=entry.serial_number,
        firmware_version=entry.firmware_version,
        attempts=entry.attempts,
        first_seen_at=times.micros(entry.first_seen_at),
        last_seen_at=times.micros(entry.last_seen_at),
    )
