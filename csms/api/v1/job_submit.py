"""POST /api/v1/jobs: a request becomes a job, and all of it is fixed before the 202."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from csms.api import catalog
from csms.api.auth import require
from csms.api.routing import Call, Dialect, Reply
from csms.api.v1 import file_orders
from csms.api.v1.commands import placed
from csms.api.v1.given_templates import require_unbound as require_template
from csms.api.v1.id_tokens import NewIdToken, require_unbound, settings_of
from csms.api.v1.job_options import policy_of
from csms.api.v1.job_requests import (
    SCOPES,
    AnyJob,
    ChargingProfileTemplateJob,
    CommandJob,
    ConfigTemplateJob,
    FirmwareUpdateJob,
    IdTokenImportJob,
    JobTarget,
    LogUploadJob,
    PasswordRotationJob,
    StationCreateJob,
    StationDeleteJob,
    StationGroup,
    StationsMatching,
    StationUpdateJob,
)
from csms.api.v1.job_shapes import JobShape
from csms.api.v1.stations import base_url
from csms.domain.id_tokens import ShownToken
from csms.domain.jobs import NewItem, Policy, Submission
from csms.domain.templates import Template, TemplateKind
from csms.domain.versions import OcppVersion
from csms.errors import CsmsError, Invalid
from csms.jobs import provisioning, reports, targets
from csms.jobs.expansion import Group
from csms.jobs.kinds import (
    charging_profile_template,
    command,
    config_template,
    password_rotation,
    station_delete,
    station_update,
)
from csms.jobs.kinds import id_token_import as import_kind
from csms.jobs.provisioning import Limits, Order, Plan
from csms.services import locations
from csms.services.id_tokens import Settings
from csms.store import templates
from csms.store.database import ReadTx

NATIVE = Dialect.NATIVE.value


async def create(call: Call[AnyJob, None]) -> Reply:
    """202: the job and all of its items are on disk."""
    require(call.principal, SCOPES[call.body.kind])
    return await accept(call, lambda: submission(call))


async def accept(call: Call[Any, Any], make: Callable[[], Awaitable[Submission]]) -> Reply:
    """202 with the job that `make` describes, or with the one that the same request made before."""
    deps = call.deps
    job = await reports.replayed(deps.db, call.idempotency, deps.clock.now())
    replayed = job is not None
    if job is None:
        submitted = await deps.engine.submit(await make(), call.idempotency)
        job, replayed = submitted.job, submitted.replayed
    headers = {"Location": f"/api/v1/jobs/{job.uuid}"}
    if replayed:
        headers["Idempotency-Replayed"] = "true"
    return Reply(JobShape.of(job), status=202, headers=headers)


async def submission(call: Call[AnyJob, Any]) -> Submission:
    """The job that is asked for; raises what is wrong with it."""
    body, deps = call.body, call.deps
    policy = policy_of(body.options, deps.settings.policy, deps.clock.now())
    made = await _of_kind(call, policy)
    not_before = None if body.options is None else body.options.not_before
    return replace(made, not_before=not_before)


async def _of_kind(call: Call[AnyJob, Any], policy: Policy) -> Submission:
    body = call.body
    if isinstance(body, CommandJob):
        return await _command(call, body, policy)
    if isinstance(body, StationCreateJob):
        plan = await plan_of(call, body)
        return plan_submission(call, plan, await _location_id(call, body), policy)
    if isinstance(body, IdTokenImportJob):
        spec = body.spec
        with _at("spec"):
            made = id_token_import(call, spec.id_tokens, overwrite=spec.overwrite)
        return replace(made, policy=policy)
    if isinstance(body, ConfigTemplateJob | ChargingProfileTemplateJob):
        return await _of_template(call, body, policy)
    items = await _items(call, body.target)
    if isinstance(body, FirmwareUpdateJob | LogUploadJob):
        with _at("spec"):
            return await file_orders.submission(call, body.spec, items, policy)
    if isinstance(body, PasswordRotationJob):
        made = password_rotation.submission(principal=call.principal, targets=(), policy=policy)
        return replace(made, items=[password_rotation.numbered(item) for item in items])
    if isinstance(body, StationDeleteJob):
        made = station_delete.submission(
            principal=call.principal, items=items, force=body.spec.force
        )
    else:
        changes = await _changes(call, body)
        made = station_update.submission(principal=call.principal, items=items, changes=changes)
    return replace(made, policy=policy)


async def _command(call: Call[AnyJob, Any], body: CommandJob, policy: Policy) -> Submission:
    spec = body.spec
    wanted = spec.wanted(spec.ocpp_version or OcppVersion.V16)
    with placed(spec, "spec"):
        command.check(wanted)
    if command.is_prepared(wanted):
        raise Invalid(
            f"{wanted.command} is made for each station by what we know of it: send it to one"
            " station at a time",
            loc=("spec", "command"),
            code="single_target",
        )
    items = await _items(call, body.target)
    with _at("target"):
        return command.submission(
            principal=call.principal, wanted=wanted, targets=items, dialect=NATIVE, policy=policy
        )


async def _of_template(
    call: Call[AnyJob, Any], body: ConfigTemplateJob | ChargingProfileTemplateJob, policy: Policy
) -> Submission:
    if isinstance(body, ConfigTemplateJob):
        template = await _template(call, TemplateKind.CONFIG, body.spec.config_template_id)
        items = await _items(call, body.target)
        return config_template.submission(
            principal=call.principal, targets=items, template=template, policy=policy
        )
    spec = body.spec
    template = await _template(
        call, TemplateKind.CHARGING_PROFILE, spec.charging_profile_template_id
    )
    items = await _items(call, body.target)
    with _at("spec"):
        return charging_profile_template.submission(
            principal=call.principal,
            targets=items,
            template=template,
            evse_id=spec.evse_id,
            policy=policy,
        )


async def _template(call: Call[Any, Any], kind: TemplateKind, uuid: str) -> Template:
    require_template(call.principal)
    found = await call.deps.db.read(lambda tx: templates.find_by_uuid(tx, kind, uuid))
    if found is None:
        raise Invalid("there is no such template", loc=("spec", f"{kind.value}_template_id"))
    return found


async def _items(call: Call[Any, Any], target: JobTarget) -> list[NewItem]:
    """An item per station; raises Invalid when there is none, or too many."""
    at_most = call.deps.settings.max_items
    wanted = target.filter or StationsMatching(location_id=target.location_id)
    if wanted.last_seen_before is not None:
        await call.deps.heartbeats.flush()

    def look(tx: ReadTx) -> list[NewItem]:
        if target.station_ids is not None:
            return targets.named(tx, call.principal, target.station_ids)
        reach = call.principal.location_ids
        if wanted.location_id is not None:
            reach = frozenset({locations.get(tx, wanted.location_id, call.principal).id})
        return targets.matching(tx, wanted.narrowed(reach), at_most=at_most)

    if len(target.station_ids or ()) > at_most:
        raise Invalid(f"at most {at_most} stations", loc=("target", "station_ids"), kind="too_long")
    items = await call.deps.db.read(look)
    if not items:
        raise Invalid("there is no such station", loc=("target",), code="no_targets")
    return items


async def _changes(call: Call[Any, Any], body: StationUpdateJob) -> dict[str, Any]:
    changes = body.spec.model_dump(exclude_unset=True)
    if "location_id" in changes:
        changes["location_id"] = await _location_id(call, body)
    return changes


async def _location_id(
    call: Call[Any, Any], body: StationCreateJob | StationUpdateJob
) -> int | None:
    uuid = body.spec.location_id
    if uuid is not None:
        return (await locations.show_location(call.deps.db, uuid, call.principal)).id
    if call.principal.location_ids is not None:
        raise Invalid(
            "is required for a token bound to locations",
            loc=("spec", "location_id"),
            kind="missing",
        )
    return None


async def plan_of(call: Call[Any, Any], body: StationCreateJob) -> Plan:
    """Every station to make, its identity drawn and judged."""
    settings = call.deps.settings
    limits = Limits(max_items=settings.max_items, max_virtual=settings.max_in_process)
    orders = [_order(call, group) for group in body.spec.groups]
    with _at("spec", "groups"):
        return await provisioning.plan(call.deps.db, orders, limits)


def plan_submission(
    call: Call[Any, Any], plan: Plan, location_id: int | None, policy: Policy
) -> Submission:
    """The job that makes the planned stations."""
    return provisioning.submission(
        plan, principal=call.principal, dialect=NATIVE, location_id=location_id, policy=policy
    )


def _order(call: Call[Any, Any], group: StationGroup) -> Order:
    settings = call.deps.settings
    virtual = settings.virtual_by_default if group.virtual is None else group.virtual
    version = group.ocpp_version or (OcppVersion.V16 if virtual else None)
    suffixes = None if group.suffixes is None else tuple(group.suffixes)
    return Order(
        Group(
            identity_prefix=group.identity_prefix,
            display_name=group.name or "",
            suffixes=suffixes,
            number=group.number,
        ),
        provisioning.template(
            brand_slug=group.brand_slug,
            model_slug=group.model_slug,
            connector_type=group.connector_type,
            ws_url=group.ws_url or base_url(call),
            ocpp_version=version,
            connectors=group.connectors
            or catalog.connectors_of(group.brand_slug, group.model_slug),
            virtual=virtual,
            allowed_targets=settings.allowed_targets,
            security_profile=group.security_profile,
        ),
    )


def id_token_import(
    call: Call[Any, Any],
    wanted: Sequence[NewIdToken | CsmsError],
    *,
    overwrite: bool,
    is_table: bool = False,
) -> Submission:
    """The job that decides about these; raises Invalid with the place in `id_tokens`.

    A flawed row of a table does not keep the others out: it is an item that has failed.
    """
    require_unbound(call.principal)
    at_most = call.deps.settings.max_items
    if len(wanted) > at_most:
        raise Invalid(f"at most {at_most} rows", loc=("id_tokens",), kind="too_long")
    rows: list[tuple[ShownToken, Settings] | CsmsError] = []
    for place, row in enumerate(wanted):
        try:
            with _at("id_tokens", place):
                rows.append(_decided(row))
        except Invalid as error:
            if not is_table:
                raise
            rows.append(error)
    return import_kind.submission(principal=call.principal, rows=rows, overwrite=overwrite)


def _decided(row: NewIdToken | CsmsError) -> tuple[ShownToken, Settings] | CsmsError:
    if isinstance(row, CsmsError):
        return row
    return ShownToken(row.value, row.type or ""), settings_of(row)


@contextmanager
def _at(*where: str | int) -> Iterator[None]:
    """What is wrong is told at its place in the body."""
    try:
        yield
    except Invalid as error:
        inner = () if error.code == "single_target" else error.loc
        raise Invalid(
            error.message,
            loc=(*where, *inner),
            kind=error.kind,
            given=error.given,
            code=error.code,
        ) from error
