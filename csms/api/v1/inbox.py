"""The inbox natively: stations that knocked and were not let in, and accepting one."""

from __future__ import annotations

import hmac
from enum import Enum
from typing import Annotated, NamedTuple

from pydantic import Field, StringConstraints

from csms.api import cursors, times
from csms.api.models import Page, Shape, Strict
from csms.api.once import once
from csms.api.routing import Call, Reply
from csms.api.v1 import given_templates
from csms.api.v1.given_templates import TemplateId
from csms.api.v1.shapes import Instant, cursor_page
from csms.clock import to_micros
from csms.domain.credentials import LONGEST, SHORTEST
from csms.domain.onboarding import NEXT_STEPS, Cause
from csms.domain.permissions import Principal
from csms.domain.stations import Station
from csms.domain.versions import OcppVersion
from csms.errors import Forbidden, Invalid, NotFound
from csms.ocpp.hub import Hub
from csms.services import inbox
from csms.services.credentials import Hashed
from csms.services.inbox import Place
from csms.store import inbox as store
from csms.store import locations as location_store
from csms.store import stations as station_store
from csms.store.database import ReadTx, Tx
from csms.store.inbox import InboxEntry

Text = Annotated[str, StringConstraints(max_length=255)]


class InboxEntryShape(Shape):
    """One identity from one address, refused or held for one reason."""

    id: str
    identity: str
    cause: Cause
    next_step: str = Field(description="What a person can do about it.")
    address: str
    detail: str | None
    sent: str | None = Field(description="What came with the last attempt, without secrets.")
    ocpp_version: OcppVersion | None
    vendor: str | None
    model: str | None
    serial_number: str | None
    firmware_version: str | None
    attempts: int = Field(description="Those within one second count as one.")
    held: bool = Field(description="It is connected, and waits for a person.")
    first_seen_at: Instant
    last_seen_at: Instant


class InboxPage(Shape):
    """The newest attempts first."""

    items: list[InboxEntryShape]
    next_cursor: str | None


class InboxQuery(Page):
    """Which entries to list."""

    cause: Cause | None = None


class PasswordFrom(str, Enum):
    """Where the password of an accepted station comes from."""

    NEW = "new"
    """Made here and shown this once; enter it in the station."""
    GIVEN = "given"
    """Yours, as you sent it."""
    STATION = "station"
    """It keeps the one that it has shown: there is nothing to enter."""
    TOLD = "told"
    """It has none to keep, and is told one over OCPP after its next boot; until it has taken one
    it may come again without, from the same address, within a day."""
    CERTIFICATE = "certificate"
    """It shows a certificate, and needs none."""
    NONE = "none"
    """This server lets stations in without."""


class Acceptance(Strict):
    """Where the station belongs, what it is called, and its password."""

    location_id: str | None = None
    name: Text | None = None
    password: Annotated[str, StringConstraints(max_length=64)] | None = Field(
        default=None, description="16 to 64 bytes; stations of OCPP 1.6 take 20 at most."
    )
    new_password: bool = Field(
        default=False,
        description="Make a new password and show it, also when the station has one that it could"
        " keep, or could be told one over OCPP.",
    )
    config_template: TemplateId | None = Field(
        default=None, description="The template that it is told after its next accepted boot."
    )


class AcceptedStation(Shape):
    """The station that was made of the entry."""

    station_id: str
    identity: str
    password: str | None = Field(
        description="A new one, shown this once; null in a replay, and when there is no new one."
    )
    password_from: PasswordFrom
    admitted: bool = Field(
        description="It stays connected, and its next boot is accepted; else it has to connect"
        " again, with the password."
    )


async def list_entries(call: Call[None, InboxQuery]) -> Reply:
    """For tokens that are not bound: a stranger stands at no location."""
    require_unbound(call.principal)
    query = call.query
    position = cursors.read_pair(query.cursor)
    found = await call.deps.db.read(
        lambda tx: inbox.list_entries(tx, limit=query.limit + 1, before=position, cause=query.cause)
    )
    shown = found[: query.limit]
    more = None
    if len(found) > len(shown):
        more = cursors.write(to_micros(shown[-1].last_seen_at), shown[-1].id)
    return Reply(cursor_page([_shape(entry, call.deps.hub) for entry in shown], more))


async def forget(call: Call[None, None]) -> Reply:
    """204; the next attempt makes a new entry."""
    require_unbound(call.principal)
    await call.deps.db.write(lambda tx: inbox.forget(tx, call.path["entry_id"]))
    return Reply(status=204)


async def accept(call: Call[Acceptance | None, None]) -> Reply:
    """201: the station exists now and may connect."""
    require_unbound(call.principal)
    wanted, deps = call.body or Acceptance(), call.deps
    given_templates.require_commands(call.principal, gives=wanted.config_template is not None)
    chosen = await _choose_password(call, wanted)

    def make(tx: Tx) -> tuple[str, _Made]:
        place = Place(location_id_of(tx, wanted.location_id), wanted.name)
        entry_id, password = call.path["entry_id"], None
        if chosen.hashed is not None:
            station = inbox.accept_with_password(tx, entry_id, place, chosen.hashed)
        elif chosen.source is PasswordFrom.TOLD:
            station = inbox.accept_untold(tx, entry_id, place)
        elif chosen.source in {PasswordFrom.NONE, PasswordFrom.CERTIFICATE}:
            station = inbox.accept_without_password(tx, entry_id, place)
        else:
            station, password = inbox.accept(tx, entry_id, place)
        if wanted.config_template is not None:
            given_templates.give(tx, station, wanted.config_template)
        return station.uuid, _Made(station, password)

    def again(tx: Tx, uuid: str) -> _Made:
        return _Made(station_store.get_by_uuid(tx, uuid))

    made, headers = await once(call, "station", make, again=again)
    station, admitted = made.station, False
    if chosen.address is not None:
        admitted = deps.hub.admit_held(station, chosen.address, chosen.shown)
    if not admitted:
        deps.hub.accept_held(station.identity)
    accepted = AcceptedStation(
        station_id=station.uuid,
        identity=station.identity,
        password=made.password,
        password_from=chosen.source,
        admitted=admitted,
    )
    headers["Location"] = f"/api/v1/stations/{accepted.station_id}"
    return Reply(accepted, status=201, headers=headers)


class _Made(NamedTuple):
    station: Station
    password: str | None = None


class _Chosen(NamedTuple):
    """The password that a station is to have."""

    source: PasswordFrom
    hashed: Hashed | None = None
    address: str | None = None
    """From where the station that is held has shown that very password."""
    shown: bytes | None = None


async def _choose_password(call: Call[Acceptance | None, None], wanted: Acceptance) -> _Chosen:
    deps = call.deps
    given = None if wanted.password is None else wanted.password.encode()
    entry = await deps.db.read(lambda tx: store.find(tx, call.path["entry_id"]))
    shown = None
    if entry is not None:
        shown = deps.hub.password_of_held(entry.identity, entry.address)
    address = None if entry is None else entry.address
    if given is not None:
        if wanted.new_password:
            raise Invalid("either a password or a new one", loc=("new_password",))
        hashed = await deps.passwords.hashed(given)
        is_shown = shown is not None and hmac.compare_digest(shown, given)
        return _Chosen(PasswordFrom.GIVEN, hashed, address if is_shown else None, shown)
    if wanted.new_password:
        return _Chosen(PasswordFrom.NEW)
    if shown is not None and SHORTEST <= len(shown) <= LONGEST:
        return _Chosen(PasswordFrom.STATION, await deps.passwords.hashed(shown), address, shown)
    if deps.hub.settings.allow_no_password:
        return _Chosen(PasswordFrom.NONE, address=address, shown=shown)
    if entry is not None and deps.hub.is_held(entry.identity, entry.address):
        if entry.cause is Cause.UNKNOWN_IDENTITY:
            return _Chosen(PasswordFrom.TOLD, address=address, shown=shown)
        if entry.cause is Cause.UNKNOWN_WITH_CERTIFICATE:
            return _Chosen(PasswordFrom.CERTIFICATE)
    return _Chosen(PasswordFrom.NEW)


def require_unbound(principal: Principal) -> None:
    """Who is unknown stands at no location; raises Forbidden."""
    if principal.location_ids is not None:
        raise Forbidden("A token bound to locations does not see the inbox")


def location_id_of(tx: ReadTx, uuid: str | None) -> int | None:
    """The location that a body names; raises NotFound."""
    if uuid is None:
        return None
    found = location_store.find_by_uuid(tx, uuid)
    if found is None:
        raise NotFound("Location not found")
    return found.id


def _shape(entry: InboxEntry, hub: Hub) -> InboxEntryShape:
    is_unknown = entry.cause in {Cause.UNKNOWN_IDENTITY, Cause.UNKNOWN_WITH_CERTIFICATE}
    return InboxEntryShape(
        id=entry.uuid,
        identity=entry.identity,
        cause=entry.cause,
        next_step=NEXT_STEPS[entry.cause],
        address=entry.address,
        detail=entry.detail,
        sent=entry.sent,
        ocpp_version=entry.ocpp_version,
        vendor=entry.vendor,
        model=entry.model,
        serial_number=entry.serial_number,
        firmware_version=entry.firmware_version,
        attempts=entry.attempts,
        held=is_unknown and hub.is_held(entry.identity, entry.address),
        first_seen_at=times.micros(entry.first_seen_at),
        last_seen_at=times.micros(entry.last_seen_at),
    )
