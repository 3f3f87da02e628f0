"""Findings natively: what stations' messages do wrong, by station and across all of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pydantic import Field

from csms.api import cursors, times
from csms.api.models import Page, Shape
from csms.api.routing import Call, Reply
from csms.api.v1 import stations
from csms.api.v1.shapes import Instant, cursor_page
from csms.domain.lint import Direction, Rule
from csms.domain.versions import OcppVersion
from csms.store import lint_findings as store
from csms.store.lint_findings import LintFilter, LintFinding


class FindingShape(Shape):
    """One kind of breach of one station under one firmware, and how often it came."""

    station_id: str
    identity: str
    vendor: str | None
    model: str | None
    firmware_version: str | None = Field(description="What the station had when it did this.")
    ocpp_version: OcppVersion
    direction: Direction = Field(
        description="`in`: a message of the station; `out`: its answer to a call of ours."
    )
    action: str = Field(description="Empty where the frame could not be read that far.")
    rule: str
    path: str = Field(description="Where in the payload; empty: the message itself.")
    clause: str | None = Field(description="Where the specification says how it should be.")
    example: str | None = Field(description="What the first one had there, cut to 200 characters.")
    count: int
    first_seen_at: Instant
    last_seen_at: Instant

    @classmethod
    def of(cls, finding: LintFinding) -> FindingShape:
        """The finding as it is shown."""
        return cls(
            station_id=finding.station_uuid,
            identity=finding.identity,
            vendor=finding.vendor,
            model=finding.model,
            firmware_version=finding.firmware_version,
            ocpp_version=finding.version,
            direction=finding.direction,
            action=finding.action,
            rule=finding.rule,
            path=finding.path,
            clause=finding.clause,
            example=finding.example,
            count=finding.count,
            first_seen_at=times.micros(finding.first_seen_at),
            last_seen_at=times.micros(finding.last_seen_at),
        )


class FindingPage(Shape):
    """The kind that appeared last comes first."""

    items: list[FindingShape]
    next_cursor: str | None


Text = Field(default=None, max_length=255)


class StationLintQuery(Page):
    """Which findings of a station to list."""

    action: str | None = Text
    rule: Rule | None = None
    firmware: str | None = Text
    ocpp_version: OcppVersion | None = None


class LintQuery(StationLintQuery):
    """Which findings to list."""

    vendor: str | None = Text
    model: str | None = Text


async def list_findings(call: Call[None, LintQuery]) -> Reply:
    """Of every station the token reaches."""
    query = call.query
    return await _page(call, replace(_narrowed(call), vendor=query.vendor, model=query.model))


async def list_of_station(call: Call[None, StationLintQuery]) -> Reply:
    """Of one station, by id or `identity:<x>`."""
    station = await call.deps.db.read(
        lambda tx: stations.find(tx, call.path["station_id"], call.principal)
    )
    return await _page(call, replace(_narrowed(call), station_id=station.id))


def _narrowed(call: Call[None, Any]) -> LintFilter:
    query: StationLintQuery = call.query
    return LintFilter(
        location_ids=call.principal.location_ids,
        firmware=query.firmware,
        version=query.ocpp_version,
        action=query.action,
        rule=query.rule and query.rule.value,
    )


async def _page(call: Call[None, Any], wanted: LintFilter) -> Reply:
    limit, before_id = call.query.limit, cursors.read(call.query.cursor)
    found = await call.deps.db.read(
        lambda tx: store.list_page(tx, wanted, limit=limit + 1, before_id=before_id)
    )
    shown = found[:limit]
    more = cursors.write(shown[-1].id) if len(found) > limit else None
    return Reply(cursor_page([FindingShape.of(one) for one in shown], more))
