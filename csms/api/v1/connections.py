"""Connections of a station natively: when it was there, and how much of a time that was."""

from __future__ import annotations

from datetime import datetime, timedelta

from pydantic import AwareDatetime, Field

from csms.api import times
from csms.api.errors import Issue, ValidationFailed
from csms.api.models import Page, Query, Shape
from csms.api.routing import Call, Reply
from csms.api.v1 import paging, stations
from csms.api.v1.paging import Wanted
from csms.api.v1.shapes import Instant
from csms.domain.uptime import Stretch, Uptime, uptime
from csms.domain.versions import OcppVersion
from csms.store import connections
from csms.store.connections import StoredConnection
from csms.store.database import ReadTx

DEFAULT_SPAN = timedelta(days=30)


class ConnectionShape(Shape):
    """One connection."""

    ocpp_version: OcppVersion
    address: str
    connected_at: Instant
    disconnected_at: Instant | None = Field(description="Null: it goes on.")
    close_code: int | None = Field(
        description="Of the websocket; null: it was replaced, or the server did not see its end."
    )
    unobserved_until: Instant | None = Field(
        description="The server did not run from the end of this connection until then; that end"
        " is when it was last known to run."
    )

    @classmethod
    def of(cls, one: StoredConnection) -> ConnectionShape:
        """The connection as it is shown."""
        return cls(
            ocpp_version=one.version,
            address=one.address,
            connected_at=times.micros(one.connected_at),
            disconnected_at=times.micros(one.disconnected_at),
            close_code=one.close_code,
            unobserved_until=times.micros(one.unobserved_until),
        )


class ConnectionPage(Shape):
    """The newest first."""

    items: list[ConnectionShape]
    next_cursor: str | None


class UptimeShape(Shape):
    """The parts of a time, which together are all of it."""

    from_: Instant = Field(alias="from")
    to: Instant
    connected_s: float
    disconnected_s: float
    unobserved_s: float = Field(
        description="The server did not run, or it is before the first connection on record."
    )
    uptime_percent: float | None = Field(
        description="Connected, of the time that was observed; null when none was."
    )
    outages: int = Field(description="How often the connection went away while the server ran.")

    @classmethod
    def of(cls, found: Uptime, since: datetime, until: datetime) -> UptimeShape:
        """The parts as they are shown."""
        percent = found.percent
        return cls(
            **{"from": times.micros(since)},
            to=times.micros(until),
            connected_s=found.connected.total_seconds(),
            disconnected_s=found.disconnected.total_seconds(),
            unobserved_s=found.unobserved.total_seconds(),
            uptime_percent=None if percent is None else round(percent, 3),
            outages=found.outages,
        )


class UptimeQuery(Query):
    """Of which time; the last 30 days by default, and what is to come does not count."""

    from_: AwareDatetime | None = Field(default=None, alias="from")
    to: AwareDatetime | None = None


async def list_of_station(call: Call[None, Page]) -> Reply:
    """When it came and went."""

    def fetch(tx: ReadTx, wanted: Wanted) -> list[StoredConnection]:
        return connections.list_page(
            tx, wanted.station_id, limit=wanted.limit, before_id=wanted.before_id
        )

    return await paging.of_station(call, fetch, ConnectionShape.of, place=lambda one: one.id)


async def show_uptime(call: Call[None, UptimeQuery]) -> Reply:
    """How much of a time it was connected."""
    now = call.deps.clock.now()
    until = min(call.query.to or now, now)
    since = call.query.from_ or until - DEFAULT_SPAN
    if since >= until:
        issue = Issue(("query", "from"), "is not before the end or lies ahead", "value_error", None)
        raise ValidationFailed([issue])

    def look(tx: ReadTx) -> Uptime:
        station = stations.find(tx, call.path["station_id"], call.principal)
        found = connections.list_within(tx, station.id, since, until)
        known_since = connections.first_known_at(tx, station.id) or until
        return uptime(
            [Stretch(one.connected_at, one.disconnected_at, one.unobserved_until) for one in found],
            since,
            until,
            known_since=known_since,
        )

    return Reply(UptimeShape.of(await call.deps.db.read(look), since, until))
