"""The device model of a station natively: what is known of it, asking for it, and setting it."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from csms.api import cursors, times
from csms.api.models import Page, Shape, Strict
from csms.api.routing import Call, Reply
from csms.api.v1 import commands, stations
from csms.api.v1.commands import LONGEST_WAIT_S, CommandResult, SendCommand
from csms.api.v1.job_shapes import JobShape
from csms.api.v1.shapes import Instant, cursor_page
from csms.domain.jobs import Lane, NewItem
from csms.domain.versions import OcppVersion
from csms.errors import StationOffline
from csms.jobs.kinds import command
from csms.jobs.kinds.command import Wanted
from csms.ocpp.commands.device_variables import Attribute
from csms.ocpp.commands.variable_results import statuses
from csms.ocpp.variables import V16_COMPONENT, keys_v16
from csms.store import variables as store
from csms.store.database import ReadTx
from csms.store.variables import StoredVariable

Name = Annotated[str, StringConstraints(min_length=1, max_length=50)]


class AttributeShape(Shape):
    """One value of a variable."""

    type: str
    value: str | None = Field(description="Null: none, not told, or a secret.")
    mutability: str | None
    persistent: bool | None
    constant: bool | None
    heard_at: Instant


class VariableShape(Shape):
    """One variable; what no report has told is null."""

    component: str = Field(description="`v16` holds the configuration keys of OCPP 1.6.")
    component_instance: str | None
    evse_id: int | None
    connector_id: int | None
    variable: str
    variable_instance: str | None
    attributes: list[AttributeShape]
    unit: str | None
    data_type: str | None
    min_limit: float | None
    max_limit: float | None
    max_elements: int | None
    values_list: str | None
    supports_monitoring: bool | None

    @classmethod
    def of(cls, stored: StoredVariable) -> VariableShape:
        """The variable as it is shown."""
        key, told = stored.variable.key, stored.variable.characteristics
        return cls(
            component=key.component,
            component_instance=key.component_instance,
            evse_id=key.evse_id,
            connector_id=key.connector_id,
            variable=key.variable,
            variable_instance=key.variable_instance,
            attributes=[
                AttributeShape(
                    type=one.type,
                    value=one.value,
                    mutability=one.mutability,
                    persistent=one.persistent,
                    constant=one.constant,
                    heard_at=times.micros(stored.heard_at[one.type]),
                )
                for one in stored.variable.attributes
            ],
            unit=told and told.unit,
            data_type=told and told.data_type,
            min_limit=told and told.min_limit,
            max_limit=told and told.max_limit,
            max_elements=told and told.max_elements,
            values_list=told and told.values_list,
            supports_monitoring=told and told.supports_monitoring,
        )


class VariablePage(Shape):
    """In the order in which the station first told of them."""

    items: list[VariableShape]
    next_cursor: str | None


class VariableQuery(Page):
    """Which variables to list; names are compared without case.

    By its name of 2.x a configuration key of 1.6 is found too, if it means the same.
    """

    component: Name | None = None
    variable: Name | None = None
    evse_id: int | None = Field(default=None, ge=1, le=2**31 - 1)


async def list_of_station(call: Call[None, VariableQuery]) -> Reply:
    """As the station last told them, or accepted them from us."""
    query = call.query
    after_id = cursors.read(query.cursor) or 0
    keys = keys_v16(query.component, query.variable) if query.evse_id is None else ()

    def look(tx: ReadTx) -> list[StoredVariable]:
        return store.list_page(
            tx,
            stations.find(tx, call.path["station_id"], call.principal).id,
            limit=query.limit + 1,
            after_id=after_id,
            component=query.component,
            variable=query.variable,
            evse_id=query.evse_id,
            or_keys=keys,
        )

    found = await call.deps.db.read(look)
    shown = found[: query.limit]
    more = cursors.write(shown[-1].id) if len(found) > len(shown) else None
    return Reply(cursor_page([VariableShape.of(one) for one in shown], more))


async def refresh(call: Call[None, None]) -> Reply:
    """202 and a job: it reads all of a 1.6 station, or asks a 2.x station for its whole report."""
    deps = call.deps
    station = await deps.db.read(
        lambda tx: stations.find(tx, call.path["station_id"], call.principal)
    )
    version = deps.hub.version(station.id)
    if version is None:
        raise StationOffline("The station is offline; nothing was sent.")
    name = "get_variables" if version is OcppVersion.V16 else "get_base_report"
    submission = command.submission(
        principal=call.principal,
        wanted=Wanted(command=name, params={}),
        targets=[NewItem(key=station.uuid, target=station.id)],
        dialect="native",
        policy=deps.settings.policy,
        lane=Lane.INTERACTIVE,
    )
    submitted = await deps.engine.submit(submission, call.idempotency)
    headers = {"Location": f"/api/v1/jobs/{submitted.job.uuid}"}
    if submitted.replayed:
        headers["Idempotency-Replayed"] = "true"
    return Reply(JobShape.of(submitted.job), status=202, headers=headers)


class VariableValueBody(Strict):
    """One variable and what it shall be."""

    component: Name = V16_COMPONENT
    component_instance: Name | None = None
    evse_id: int | None = Field(default=None, ge=1, le=2**31 - 1)
    connector_id: int | None = Field(default=None, ge=1, le=2**31 - 1)
    variable: Name
    variable_instance: Name | None = None
    attribute: Annotated[Attribute, Field(strict=False)] = Attribute.ACTUAL
    value: Annotated[str, StringConstraints(max_length=2500)]


class VariableChanges(Strict):
    """What to set, one after the other; a refused one stops none of the rest."""

    variables: list[VariableValueBody] = Field(min_length=1, max_length=100)
    timeout_s: float | None = Field(default=None, ge=1, le=LONGEST_WAIT_S)


class VariableResult(Shape):
    """What the station answered about one of them."""

    component: str
    component_instance: str | None
    evse_id: int | None
    connector_id: int | None
    variable: str
    variable_instance: str | None
    attribute: str
    status: str | None = Field(
        description="`Accepted`, `RebootRequired`, `Rejected`, …; null: it said nothing of it."
    )


class VariablesSet(Shape):
    """The station answered."""

    id: str = Field(description="Of the hidden job that carried the order.")
    reboot_required: bool
    results: list[VariableResult] = Field(description="In the order of the request.")


async def change(call: Call[VariableChanges, None]) -> Reply:
    """200 with a result for each; else as for a command."""
    body = call.body
    order = SendCommand(
        command="set_variables",
        params={"variables": [one.model_dump(mode="json") for one in body.variables]},
        timeout_s=body.timeout_s,
    )
    sending: Call[Any, None] = call
    reply = await commands.send(replace(sending, body=order))
    if not isinstance(reply.body, CommandResult):
        return reply
    told = statuses(body.variables, reply.body.response or {}, reply.body.response_status)
    results = [_result(one, word) for one, word in zip(body.variables, told, strict=True)]
    shown = VariablesSet(
        id=reply.body.id,
        reboot_required=any(one.status == "RebootRequired" for one in results),
        results=results,
    )
    return Reply(shown, headers=reply.headers)


def _result(wanted: VariableValueBody, status: str | None) -> VariableResult:
    return VariableResult(
        component=wanted.component,
        component_instance=wanted.component_instance,
        evse_id=wanted.evse_id,
        connector_id=wanted.connector_id,
        variable=wanted.variable,
        variable_instance=wanted.variable_instance,
        attribute=wanted.attribute.value,
        status=status,
    )
