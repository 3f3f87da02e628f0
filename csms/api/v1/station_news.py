"""What a station tells of its own accord, natively: events, notices, reports, what it shows."""

from __future__ import annotations

from typing import Annotated, Any

import orjson
from pydantic import Field

from csms.api import times
from csms.api.models import OneOf, Page, Shape
from csms.api.routing import Call, Reply
from csms.api.v1 import paging, stations
from csms.api.v1.paging import Wanted
from csms.api.v1.shapes import Instant
from csms.clock import to_micros
from csms.domain.display_messages import DisplayMessage
from csms.domain.multipart import Report, ReportKind, ReportState, state_of
from csms.domain.notices import ACTIONS
from csms.services.redaction import redacted
from csms.store import display_messages, monitoring_events, notices, reports, security_events
from csms.store.database import ReadTx
from csms.store.monitoring_events import StoredMonitoringEvent
from csms.store.notices import StoredNotice
from csms.store.security_events import StoredSecurityEvent

Text = Field(default=None, max_length=255)


class SecurityEventShape(Shape):
    """One SecurityEventNotification."""

    type: str
    tech_info: str | None
    critical: bool
    reported_at: Instant | None = Field(description="By the station's clock.")
    received_at: Instant

    @classmethod
    def of(cls, event: StoredSecurityEvent) -> SecurityEventShape:
        """The event as it is shown."""
        return cls(
            type=event.type,
            tech_info=event.tech_info,
            critical=event.critical,
            reported_at=times.micros(event.reported_at),
            received_at=times.micros(event.received_at),
        )


class SecurityEventPage(Shape):
    """The newest first."""

    items: list[SecurityEventShape]
    next_cursor: str | None


class SecurityEventQuery(Page):
    """Which security events to list."""

    type: str | None = Text
    critical: bool | None = None


async def list_security_events(call: Call[None, SecurityEventQuery]) -> Reply:
    """What it reported about its security."""
    query = call.query

    def fetch(tx: ReadTx, wanted: Wanted) -> list[StoredSecurityEvent]:
        return security_events.list_page(
            tx,
            wanted.station_id,
            limit=wanted.limit,
            before_id=wanted.before_id,
            type_=query.type,
            critical=query.critical,
        )

    return await paging.of_station(call, fetch, SecurityEventShape.of, place=lambda one: one.id)


class MonitoringEventShape(Shape):
    """One event of NotifyEvent."""

    event_id: int | None = Field(description="The station's; it may begin anew with a boot.")
    component: str | None
    component_instance: str | None
    evse_id: int | None
    connector_id: int | None
    variable: str | None
    variable_instance: str | None
    monitor_id: int | None
    severity: int | None = Field(description="0 is danger, 9 is debug.")
    trigger: str | None
    origin: str | None
    actual_value: str | None
    cleared: bool
    cause: int | None = Field(description="The `event_id` of the one that led to this one.")
    station_transaction_id: str | None
    tech_code: str | None
    tech_info: str | None
    reported_at: Instant | None = Field(description="By the station's clock.")
    received_at: Instant

    @classmethod
    def of(cls, stored: StoredMonitoringEvent) -> MonitoringEventShape:
        """The event as it is shown."""
        event, key = stored.event, stored.event.key
        return cls(
            event_id=event.event_id,
            component=key and key.component,
            component_instance=key and key.component_instance,
            evse_id=key and key.evse_id,
            connector_id=key and key.connector_id,
            variable=key and key.variable,
            variable_instance=key and key.variable_instance,
            monitor_id=event.monitor_id,
            severity=event.severity,
            trigger=event.trigger,
            origin=event.origin,
            actual_value=event.actual_value,
            cleared=event.cleared,
            cause=event.cause,
            station_transaction_id=event.station_transaction_id,
            tech_code=event.tech_code,
            tech_info=event.tech_info,
            reported_at=times.micros(event.reported_at),
            received_at=times.micros(stored.received_at),
        )


class MonitoringEventPage(Shape):
    """The newest first."""

    items: list[MonitoringEventShape]
    next_cursor: str | None


class MonitoringEventQuery(Page):
    """Which events to list."""

    component: str | None = Text
    variable: str | None = Text
    severity: int | None = Field(default=None, ge=0, le=9, description="So bad, or worse.")


async def list_monitoring_events(call: Call[None, MonitoringEventQuery]) -> Reply:
    """What its monitors saw."""
    query = call.query

    def fetch(tx: ReadTx, wanted: Wanted) -> list[StoredMonitoringEvent]:
        return monitoring_events.list_page(
            tx,
            wanted.station_id,
            limit=wanted.limit,
            before_id=wanted.before_id,
            component=query.component,
            variable=query.variable,
            severity=query.severity,
        )

    return await paging.of_station(call, fetch, MonitoringEventShape.of, place=lambda one: one.id)


class NoticeShape(Shape):
    """One message that asks for nothing but to be kept."""

    action: str
    reference: str | None = Field(description="What it is about: a request, a payment, a control.")
    status: str | None
    payload: Any
    reported_at: Instant | None = Field(description="By the station's clock.")
    received_at: Instant

    @classmethod
    def of(cls, stored: StoredNotice) -> NoticeShape:
        """The notice as it is shown."""
        notice = stored.notice
        return cls(
            action=notice.action,
            reference=notice.reference,
            status=notice.status,
            payload=_content(notice.raw),
            reported_at=times.micros(notice.reported_at),
            received_at=times.micros(stored.received_at),
        )


class NoticePage(Shape):
    """The newest first."""

    items: list[NoticeShape]
    next_cursor: str | None


class NoticeQuery(Page):
    """Which notices to list."""

    action: Annotated[str, OneOf(ACTIONS)] | None = None
    reference: str | None = Text


async def list_notices(call: Call[None, NoticeQuery]) -> Reply:
    """Swapped batteries, settled payments, alarms and controls of energy resources."""
    query = call.query

    def fetch(tx: ReadTx, wanted: Wanted) -> list[StoredNotice]:
        return notices.list_page(
            tx,
            wanted.station_id,
            limit=wanted.limit,
            before_id=wanted.before_id,
            action=query.action,
            reference=query.reference,
        )

    return await paging.of_station(call, fetch, NoticeShape.of, place=lambda one: one.id)


class ReportShape(Shape):
    """What came, or is to come, for one request."""

    kind: ReportKind
    request_id: int
    state: ReportState = Field(
        description="`partial`: parts are missing and none has come for a while."
    )
    parts: int = Field(description="How many have come.")
    request: Any = Field(description="The payload that asked for it; null: it came unasked.")
    requested_at: Instant | None
    last_activity_at: Instant


class ReportPage(Shape):
    """The newest first."""

    items: list[ReportShape]
    next_cursor: str | None


class ReportQuery(Page):
    """Which reports to list."""

    kind: ReportKind | None = None


async def list_reports(call: Call[None, ReportQuery]) -> Reply:
    """What it reports in parts, whole or not."""
    kind, now = call.query.kind, call.deps.clock.now()

    def fetch(tx: ReadTx, wanted: Wanted) -> list[tuple[Report, int]]:
        return reports.list_page(
            tx, wanted.station_id, limit=wanted.limit, before_id=wanted.before_id, kind=kind
        )

    def show(found: tuple[Report, int]) -> ReportShape:
        report, parts = found
        return ReportShape(
            kind=report.kind,
            request_id=report.request_id,
            state=state_of(report, now),
            parts=parts,
            request=None if report.request is None else _content(report.request),
            requested_at=times.micros(report.requested_at),
            last_activity_at=times.micros(report.last_activity_at),
        )

    return await paging.of_station(call, fetch, show, place=lambda one: one[0].id)


class DisplayMessageShape(Shape):
    """A message that a station has to show."""

    message_id: int
    priority: str | None
    state: str | None = Field(description="Shown in this state only; null: in every state.")
    starts_at: Instant | None
    ends_at: Instant | None
    station_transaction_id: str | None
    format: str | None
    language: str | None
    content: str | None
    updated_at: Instant | None = Field(description="When it was set, or last reported.")

    @classmethod
    def of(cls, message: DisplayMessage) -> DisplayMessageShape:
        """The message as it is shown."""
        return cls(
            message_id=message.message_id,
            priority=message.priority,
            state=message.state,
            starts_at=times.micros(message.starts_at),
            ends_at=times.micros(message.ends_at),
            station_transaction_id=message.station_transaction_id,
            format=message.format,
            language=message.language,
            content=message.content,
            updated_at=times.micros(message.updated_at),
        )


class DisplayMessagesShape(Shape):
    """All of a station, by id."""

    items: list[DisplayMessageShape]


async def list_display_messages(call: Call[None, None]) -> Reply:
    """What it has to show that is not over."""
    now = to_micros(call.deps.clock.now())

    def look(tx: ReadTx) -> DisplayMessagesShape:
        station = stations.find(tx, call.path["station_id"], call.principal)
        found = display_messages.list_of_station(tx, station.id, now)
        return DisplayMessagesShape(items=[DisplayMessageShape.of(one) for one in found])

    return Reply(await call.deps.db.read(look))


def _content(text: str) -> Any:
    try:
        return redacted(orjson.loads(text))
    except orjson.JSONDecodeError:
        return redacted(text)
