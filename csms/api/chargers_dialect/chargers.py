"""Single chargers: list, create, show, change, delete, and how their provisioning stands."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from csms.api import catalog
from csms.api.chargers_dialect.bulk_create import MOST_CONNECTORS, POLL_EVERY_S, Slug, limits
from csms.api.chargers_dialect.bulk_job import (
    ChargerProvisioningStatus,
    ProvisioningErrorDetail,
    provisioning_status,
)
from csms.api.chargers_dialect.charger_shape import (
    ChargerChanges,
    OcppVersionText,
    ShortText,
    WsUrl,
    charger_bodies,
    charger_body,
)
from csms.api.chargers_dialect.pages import ChargersPage, page_body
from csms.api.chargers_dialect.places import columns_of, location_in_body
from csms.api.models import Lenient, Shape
from csms.api.routing import Call, Dialect, Reply
from csms.api.times import seconds
from csms.domain.identity import MAX_LENGTH, check_identity
from csms.domain.jobs import Job, JobItem, Lane, Submission
from csms.domain.stations import Station
from csms.domain.versions import OcppVersion, parse_version
from csms.jobs import provisioning, reports
from csms.services import locations, stations

# A virtual station boots within a second; one that does not is still being provisioned.
_PATIENCE_S = 5.0


class NewCharger(Lenient):
    """One charger to create."""

    identity: Annotated[
        str, StringConstraints(min_length=1), Field(description=f"At most {MAX_LENGTH} characters.")
    ]
    brand_slug: Slug
    model_slug: Slug
    connector_type: Slug
    ws_url: WsUrl
    ocpp_version: OcppVersionText | None = Field(default=None, description="OCPP1.6 by default.")
    charge_point_name: ShortText | None = None
    location_id: str | None = None
    location_name: ShortText | None = Field(
        default=None, description="Accepted and ignored: the location has its own name."
    )
    virtual: bool | None = None
    connectors: int | None = Field(default=None, ge=1, le=MOST_CONNECTORS)
    security_profile: int | None = Field(default=None, ge=0, le=3)


class ChargersAt(ChargersPage):
    """Which chargers."""

    location_id: str | None = None


class ChargerAccepted(Shape):
    """The charger's row is on disk; poll `status_url`."""

    charger_id: str
    identity: str
    status: ChargerProvisioningStatus
    workflow_run_id: str | None
    status_url: str


class ChargerStatus(Shape):
    """How the provisioning of a charger stands."""

    charger_id: str
    status: ChargerProvisioningStatus
    workflow_run_id: str | None
    error: ProvisioningErrorDetail | None
    provisioned_at: str | None


async def list_all(call: Call[None, ChargersAt]) -> Reply:
    """GET /ocpp/chargers."""
    db, query = call.deps.db, call.query
    location = None
    if query.location_id is not None:
        location = await locations.show_location(db, query.location_id, call.principal)
    found = await stations.list_stations(
        db, call.principal, limit=query.limit, offset=query.offset, location=location
    )
    data = charger_bodies(found.items, found.locations)
    return Reply(page_body(data, found.total, query))


async def create(call: Call[NewCharger, None]) -> Reply:
    """POST /ocpp/chargers: a job of one item, so that a crash leaves no half of it."""
    deps = call.deps
    job = await reports.replayed(deps.db, call.idempotency, deps.clock.now())
    if job is None:
        job = (await deps.engine.submit(await _submission(call), call.idempotency)).job
    item = await deps.engine.settled(job.id, timeout_s=_PATIENCE_S)
    made = await provisioning.registered(deps.db, job, item)
    status_url = f"/ocpp/chargers/{made.uuid}/status"
    body = {
        "charger_id": made.uuid,
        "identity": made.identity,
        "status": _status(job, item).value,
        "workflow_run_id": job.workflow_run_id,
        "status_url": status_url,
    }
    headers = {"Location": status_url, "Retry-After": str(POLL_EVERY_S)}
    return Reply(body, status=202, headers=headers)


async def show(call: Call[None, None]) -> Reply:
    """GET /ocpp/chargers/{charger_id}."""
    found = await stations.show_station(call.deps.db, call.path["charger_id"], call.principal)
    return Reply(charger_body(found.station, found.location))


async def update(call: Call[ChargerChanges, None]) -> Reply:
    """PUT /ocpp/chargers/{charger_id}; partial."""
    columns = await columns_of(call, call.body)
    changed = await stations.update_station(
        call.deps.db, call.path["charger_id"], call.principal, columns
    )
    return Reply(charger_body(changed.station, changed.location))


async def delete(call: Call[None, None]) -> Reply:
    """DELETE /ocpp/chargers/{charger_id}."""
    await stations.delete_station(call.deps.db, call.path["charger_id"], call.principal)
    return Reply(status=204)


async def show_status(call: Call[None, None]) -> Reply:
    """GET /ocpp/chargers/{charger_id}/status."""
    db = call.deps.db
    found = await stations.show_station(db, call.path["charger_id"], call.principal)
    return Reply(status_body(found.station, await reports.maker_of(db, found.station)))


def status_body(station: Station, maker: tuple[Job, JobItem] | None) -> dict[str, Any]:
    """A charger that exists is provisioned, unless its job is not through with it yet."""
    if maker is None:
        status, run_id, at = ChargerProvisioningStatus.READY, None, station.created_at
    else:
        job, item = maker
        status, run_id = _status(job, item), job.workflow_run_id
        at = item.executed_at or station.created_at
    return {
        "charger_id": station.uuid,
        "status": status.value,
        "workflow_run_id": run_id,
        "error": None,
        "provisioned_at": seconds(at) if status is ChargerProvisioningStatus.READY else None,
    }


def _status(job: Job, item: JobItem) -> ChargerProvisioningStatus:
    if item.final:
        return ChargerProvisioningStatus.READY
    running = provisioning_status(job.state)
    if running is ChargerProvisioningStatus.PENDING:
        return running
    return ChargerProvisioningStatus.PROVISIONING


async def _submission(call: Call[NewCharger, None]) -> Submission:
    body, settings = call.body, call.deps.settings
    location = await location_in_body(call, body.location_id)
    check_identity(body.identity)
    template = provisioning.template(
        brand_slug=body.brand_slug,
        model_slug=body.model_slug,
        connector_type=body.connector_type,
        ws_url=body.ws_url,
        ocpp_version=parse_version(body.ocpp_version) if body.ocpp_version else OcppVersion.V16,
        connectors=body.connectors or catalog.connectors_of(body.brand_slug, body.model_slug),
        virtual=settings.virtual_by_default if body.virtual is None else body.virtual,
        allowed_targets=settings.allowed_targets,
        security_profile=body.security_profile or 0,
    )
    planned = await provisioning.plan_one(
        call.deps.db,
        template,
        identity=body.identity,
        name=body.charge_point_name or body.identity,
        limits=limits(settings),
    )
    submission = provisioning.submission(
        planned,
        principal=call.principal,
        dialect=Dialect.CHARGERS.value,
        location_id=None if location is None else location.id,
        policy=settings.policy,
    )
    return replace(submission, lane=Lane.INTERACTIVE, hidden=True)
