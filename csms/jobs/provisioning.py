"""From a request to create stations to its job: limits, expansion, what may be dialled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from csms.domain.identity import identity_key
from csms.domain.jobs import Job, JobItem, Policy, Submission
from csms.domain.permissions import Principal
from csms.domain.stations import Station
from csms.domain.targets import may_dial
from csms.domain.versions import OcppVersion
from csms.errors import Conflict, DuplicateIdentity, Forbidden, Invalid, Unavailable
from csms.jobs import expansion
from csms.jobs.expansion import DUPLICATE_IDENTITY, DUPLICATE_MESSAGE, Group, Planned
from csms.jobs.kinds import station_create
from csms.jobs.kinds.station_create import Template
from csms.store import stations
from csms.store.database import Database, ReadTx

TARGET_NOT_ALLOWED = "target_not_allowed"


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one job may ask for."""

    max_items: int
    max_virtual: int
    """Virtual stations in the server's process, those that exist included."""


@dataclass(frozen=True, slots=True)
class Order:
    """Stations that share a template."""

    group: Group
    template: Template


@dataclass(frozen=True, slots=True)
class Plan:
    """Every station of a request, its identity drawn and judged."""

    orders: Sequence[Order]
    stations: list[Planned]


def template(
    *,
    brand_slug: str | None,
    model_slug: str | None,
    connector_type: str | None,
    ws_url: str,
    ocpp_version: OcppVersion | None,
    connectors: int,
    virtual: bool,
    allowed_targets: Sequence[str],
    security_profile: int,
) -> Template:
    """A template, with the verdict on what its virtual stations would dial."""
    return Template(
        brand_slug=brand_slug,
        model_slug=model_slug,
        connector_type=connector_type,
        ws_url=ws_url,
        ocpp_version=ocpp_version,
        connectors=connectors,
        virtual=virtual,
        target_allowed=may_dial(ws_url, allowed_targets),
        # How a virtual station connects is up to its `ws_url`.
        security_profile=0 if virtual else security_profile,
    )


def check_limits(orders: Sequence[Order], limits: Limits, *, virtual_now: int) -> None:
    """Raise Invalid when the orders ask for nothing or for too much, before any is expanded."""
    total = expansion.total(order.group for order in orders)
    if total == 0:
        raise Invalid("The request asks for no stations", kind="too_short")
    if total > limits.max_items:
        raise Invalid(
            f"The request asks for {total} stations, at most {limits.max_items} are allowed",
            kind="too_long",
        )
    virtual = expansion.total(order.group for order in orders if order.template.virtual)
    if virtual and virtual_now + virtual > limits.max_virtual:
        raise Invalid(
            f"The request asks for {virtual} virtual stations beside {virtual_now},"
            f" at most {limits.max_virtual} are allowed in the server's process",
            kind="too_long",
        )


async def plan(db: Database, orders: Sequence[Order], limits: Limits) -> Plan:
    """Draw and judge every identity once; raises Invalid when a limit is broken."""

    def expand(tx: ReadTx) -> Plan:
        check_limits(orders, limits, virtual_now=stations.count_virtual(tx))
        drawn = expansion.expand(
            [order.group for order in orders],
            draw=expansion.draw_suffix,
            taken=lambda identities: stations.taken_identities(tx, identities),
        )
        return Plan(orders, drawn)

    return await db.read(expand)


async def plan_one(
    db: Database, chosen: Template, *, identity: str, name: str, limits: Limits
) -> Plan:
    """One station under its whole identity; raises Invalid when a limit is broken."""
    orders = [Order(Group(suffixes=(identity,)), chosen)]
    planned = await plan(db, orders, limits)
    return replace(planned, stations=[replace(planned.stations[0], name=name)])


async def registered(db: Database, job: Job, item: JobItem) -> Station:
    """The station of a job of one; raises why there is none."""
    if item.target is not None:
        found = await db.read(lambda tx: stations.find(tx, item.target or 0))
        if found is not None:
            return found
    if not item.final:
        raise Unavailable("The station is not created yet; ask again", code="not_ready")
    message = item.message or "The station could not be created"
    if item.code == DUPLICATE_IDENTITY:
        raise DuplicateIdentity(message)
    if item.code == TARGET_NOT_ALLOWED:
        given = job.params["templates"][0]["ws_url"]
        raise Invalid(message, loc=("ws_url",), given=given, code=TARGET_NOT_ALLOWED)
    if item.retryable:
        raise Unavailable(message, code=item.code)
    raise Conflict(message, code=item.code)


async def preview(db: Database, planned: Plan) -> list[Planned]:
    """The plan as it would end now: what stands in the way of each station, if anything."""
    open_ones = [station.identity for station in planned.stations if station.code is None]
    taken = await db.read(lambda tx: stations.taken_identities(tx, open_ones))
    return [_previewed(station, planned, taken) for station in planned.stations]


def submission(
    planned: Plan,
    *,
    principal: Principal,
    dialect: str,
    location_id: int | None,
    policy: Policy,
) -> Submission:
    """The job that makes the planned stations; raises Forbidden when it could not."""
    if not principal.reaches(location_id):
        raise Forbidden("A token bound to locations creates stations at one of them only")
    return station_create.submission(
        principal=principal,
        dialect=dialect,
        location_id=location_id,
        templates=[order.template for order in planned.orders],
        planned=planned.stations,
        policy=policy,
    )


def _previewed(station: Planned, planned: Plan, taken: set[str]) -> Planned:
    if station.code is not None:
        return station
    chosen = planned.orders[station.group].template
    if chosen.virtual and not chosen.target_allowed:
        return replace(
            station,
            code=TARGET_NOT_ALLOWED,
            message=f"virtual stations may not dial {chosen.ws_url}",
        )
    if identity_key(station.identity) in taken:
        return replace(station, code=DUPLICATE_IDENTITY, message=DUPLICATE_MESSAGE)
    return station
