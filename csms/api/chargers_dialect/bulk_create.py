"""POST of the bulk create: groups of chargers become one durable job."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from csms.api import catalog
from csms.api.chargers_dialect.bulk_job import ChargerProvisioningStatus, provisioning_status
from csms.api.chargers_dialect.charger_shape import OcppVersionText, ShortText, WsUrl
from csms.api.deps import ApiSettings
from csms.api.models import Lenient, LenientQuery, Shape
from csms.api.routing import Call, Dialect, Reply
from csms.api.wording import of_chargers
from csms.domain.jobs import Job
from csms.domain.versions import OcppVersion, parse_version
from csms.jobs import provisioning, reports
from csms.jobs.expansion import Group, Planned
from csms.jobs.provisioning import Limits, Order
from csms.services import locations

POLL_EVERY_S = 1
# Nothing real has more; a virtual station would report each of them at its boot.
MOST_CONNECTORS = 64

Slug = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=255)]


class ChargerTemplate(Lenient):
    """What the chargers of a group have in common."""

    brand_slug: Slug
    model_slug: Slug
    connector_type: Slug
    ws_url: WsUrl
    ocpp_version: OcppVersionText | None = Field(default=None, description="OCPP1.6 by default.")
    identity_prefix: ShortText | None = None
    template_name: ShortText | None = Field(
        default=None, description="Display name; the suffix is appended."
    )
    virtual: bool | None = Field(
        default=None, description="Run it as a virtual station; the server has a default."
    )
    connectors: int | None = Field(default=None, ge=1, le=MOST_CONNECTORS)
    security_profile: int | None = Field(
        default=None,
        ge=0,
        le=3,
        description="The lowest that a physical station may connect with.",
    )


class ChargerGroup(Lenient):
    """Chargers to create from one template: explicit suffixes, a number, or both."""

    template: ChargerTemplate
    charger_ids: list[str] | None = Field(
        default=None,
        description="Identity suffixes. Cut to `chargers_number` when there are more.",
    )
    chargers_number: int | None = Field(
        default=None,
        ge=0,
        description="How many in all; missing suffixes are random hexadecimal digits.",
    )

    @model_validator(mode="after")
    def _asks_for_something(self) -> ChargerGroup:
        if self.charger_ids is None and self.chargers_number is None:
            raise PydanticCustomError("missing", "charger_ids or chargers_number is required")
        return self


ChargerGroups = Annotated[list[ChargerGroup], Field(min_length=1)]


class DryRun(LenientQuery):
    """Whether to look only."""

    dry_run: bool = False


class BulkCreateAccepted(Shape):
    """The job is on disk; poll `status_url`."""

    job_id: str
    status: ChargerProvisioningStatus
    status_url: str
    workflow_run_id: str


class PlannedCharger(Shape):
    """A charger that would be created."""

    identity: str
    name: str
    step: str


class RefusedCharger(Shape):
    """A charger that would fail."""

    identity: str
    error: str
    code: str


class BulkCreatePreview(Shape):
    """What the request would do now; random suffixes are drawn afresh each time."""

    dry_run: bool
    total: int
    chargers: list[PlannedCharger]
    failed: list[RefusedCharger]


async def create(call: Call[ChargerGroups, DryRun]) -> Reply:
    """POST /ocpp/locations/{location_id}/chargers."""
    deps = call.deps
    known = await reports.replayed(deps.db, call.idempotency, deps.clock.now())
    if known is not None:
        return _accepted(known, call.path["location_id"], replayed=True)
    location = await locations.show_location(deps.db, call.path["location_id"], call.principal)
    orders = [_order(group, deps.settings) for group in call.body]
    planned = await provisioning.plan(deps.db, orders, limits(deps.settings))
    if call.query.dry_run:
        return Reply(_preview_body(await provisioning.preview(deps.db, planned)))
    submission = provisioning.submission(
        planned,
        principal=call.principal,
        dialect=Dialect.CHARGERS.value,
        location_id=location.id,
        policy=deps.settings.policy,
    )
    submitted = await deps.engine.submit(submission, call.idempotency)
    return _accepted(submitted.job, location.uuid, replayed=submitted.replayed)


def limits(settings: ApiSettings) -> Limits:
    """How much one request may ask for."""
    return Limits(max_items=settings.max_items, max_virtual=settings.max_in_process)


def _order(group: ChargerGroup, settings: ApiSettings) -> Order:
    asked = group.template
    version = parse_version(asked.ocpp_version) if asked.ocpp_version else OcppVersion.V16
    suffixes = None if group.charger_ids is None else tuple(group.charger_ids)
    return Order(
        Group(
            identity_prefix=asked.identity_prefix or "",
            display_name=asked.template_name or "",
            suffixes=suffixes,
            number=group.chargers_number,
        ),
        provisioning.template(
            brand_slug=asked.brand_slug,
            model_slug=asked.model_slug,
            connector_type=asked.connector_type,
            ws_url=asked.ws_url,
            ocpp_version=version,
            connectors=asked.connectors
            or catalog.connectors_of(asked.brand_slug, asked.model_slug),
            virtual=settings.virtual_by_default if asked.virtual is None else asked.virtual,
            allowed_targets=settings.allowed_targets,
            security_profile=asked.security_profile or 0,
        ),
    )


def _accepted(job: Job, location_uuid: str, *, replayed: bool) -> Reply:
    status_url = f"/ocpp/locations/{location_uuid}/chargers/jobs/{job.uuid}"
    headers = {"Location": status_url, "Retry-After": str(POLL_EVERY_S)}
    if replayed:
        headers["Idempotency-Replayed"] = "true"
    body = {
        "job_id": job.uuid,
        "status": provisioning_status(job.state).value,
        "status_url": status_url,
        "workflow_run_id": job.workflow_run_id,
    }
    return Reply(body, status=202, headers=headers)


def _preview_body(stations: list[Planned]) -> dict[str, Any]:
    return {
        "dry_run": True,
        "total": len(stations),
        "chargers": [
            {"identity": station.identity, "name": station.name, "step": station.step}
            for station in stations
            if station.code is None
        ],
        "failed": [
            {
                "identity": station.identity,
                "error": of_chargers(station.message or ""),
                "code": station.code,
            }
            for station in stations
            if station.code is not None
        ],
    }
