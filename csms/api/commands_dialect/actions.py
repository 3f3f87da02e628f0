"""POST /api/v3/chargers/{uuid}/actions/…: one order to one charger, and its answer."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from csms.api.models import PLAIN, Lenient, Shape
from csms.api.outcomes import why_unanswered
from csms.api.routing import Call, Dialect, Reply
from csms.api.v1.commands import carry, once_within
from csms.domain.jobs import ItemState, Lane, NewItem
from csms.domain.stations import Station
from csms.domain.timestamps import format_timestamp
from csms.domain.transactions import Transaction
from csms.errors import Conflict, Invalid
from csms.jobs.kinds import command
from csms.jobs.kinds.command import Wanted
from csms.services import stations, transaction_views

# Profiles of our making, one for each connector and stack level: a new limit replaces the old one.
_FIRST_LIMIT_ID = 1_000_000
_MOST_STACK_LEVELS = 1000
# A station whose clock is behind must not wait for the limit to begin.
_LIMIT_BEGAN = timedelta(days=1)


class StartAction(Lenient):
    """On whose account, and where."""

    id_token: Annotated[str, StringConstraints(min_length=1, max_length=20, pattern=PLAIN)]
    connector_id: int | None = Field(
        default=None, ge=1, le=1000, description="Left out: the charger chooses."
    )


class StopAction(Lenient):
    """Which transaction."""

    transaction_id: int | Annotated[str, StringConstraints(min_length=1, max_length=36)] | None = (
        Field(
            default=None,
            description="The `id` of one that goes on, or the charger's own id of it;"
            " left out: the active one.",
        )
    )


class ChargeLimitAction(Lenient):
    """How much may be drawn from now on."""

    connector_id: int = Field(ge=0, le=1000, description="0 for the whole charger.")
    limit: float = Field(ge=0, le=10_000, multiple_of=0.1, description="Ampere per phase.")
    stack_level: int = Field(
        default=0,
        ge=0,
        lt=_MOST_STACK_LEVELS,
        description="A higher one wins over limits of a lower one.",
    )


class ActionAnswer(Shape):
    """What the charger answered, `Accepted` or `Rejected` for most."""

    status: str


async def start(call: Call[StartAction, None]) -> Reply:
    """POST /api/v3/chargers/{uuid}/actions/start."""
    params: dict[str, Any] = {"id_token": call.body.id_token}
    if call.body.connector_id is not None:
        params["evse_id"] = call.body.connector_id
    return await _order(call, await _station(call), "request_start_transaction", params)


async def stop(call: Call[StopAction | None, None]) -> Reply:
    """POST /api/v3/chargers/{uuid}/actions/stop."""
    station = await _station(call)
    going_on = await transaction_views.list_open(call.deps.db, station.id)
    wanted = None if call.body is None else call.body.transaction_id
    chosen = _active(going_on) if wanted is None else _named(going_on, wanted)
    params = {"transaction_id": chosen.station_transaction_id}
    return await _order(call, station, "request_stop_transaction", params)


async def restart(call: Call[None, None]) -> Reply:
    """POST /api/v3/chargers/{uuid}/actions/restart; transactions are ended first."""
    return await _order(call, await _station(call), "reset", {"type": "immediate"})


async def charge_limit(call: Call[ChargeLimitAction, None]) -> Reply:
    """POST /api/v3/chargers/{uuid}/actions/charge-limit."""
    body = call.body
    params: dict[str, Any] = {"charging_profile": _limit_profile(call)}
    if body.connector_id:
        params["evse_id"] = body.connector_id
    return await _order(call, await _station(call), "set_charging_profile", params)


def _limit_profile(call: Call[ChargeLimitAction, None]) -> dict[str, Any]:
    """For the whole charger its maximum, for a connector what each transaction starts with."""
    body = call.body
    schedule: dict[str, Any] = {
        "rate_unit": "A",
        "periods": [{"start_period_s": 0, "limit": body.limit}],
    }
    if not body.connector_id:
        began_at = (call.deps.clock.now() - _LIMIT_BEGAN).replace(microsecond=0)
        schedule["start_schedule"] = format_timestamp(began_at)
    return {
        "id": _FIRST_LIMIT_ID + body.connector_id * _MOST_STACK_LEVELS + body.stack_level,
        "stack_level": body.stack_level,
        "purpose": "TxDefaultProfile" if body.connector_id else "ChargingStationMaxProfile",
        "kind": "Relative" if body.connector_id else "Absolute",
        "schedules": [schedule],
    }


def _active(going_on: list[Transaction]) -> Transaction:
    if not going_on:
        raise Conflict("The charger has no active transaction.")
    if len(going_on) > 1:
        raise Conflict("The charger has several active transactions; name one.")
    return going_on[0]


def _named(going_on: list[Transaction], wanted: int | str) -> Transaction:
    by_id = [one for one in going_on if wanted == one.id]
    by_own_id = [one for one in going_on if str(wanted) == one.station_transaction_id]
    found = by_id or by_own_id
    if not found:
        message = "The selected transaction id is invalid."
        raise Invalid(message, loc=("transaction_id",), given=wanted)
    return found[0]


async def _station(call: Call[Any, None]) -> Station:
    return (await stations.show_station(call.deps.db, call.path["uuid"], call.principal)).station


async def _order(
    call: Call[Any, None], station: Station, name: str, params: dict[str, Any]
) -> Reply:
    timeout_s = call.deps.settings.command_timeout_s
    submission = command.submission(
        principal=call.principal,
        wanted=Wanted(command=name, params=params),
        targets=[NewItem(key=station.uuid, target=station.id)],
        dialect=Dialect.COMMANDS.value,
        lane=Lane.INTERACTIVE,
        hidden=True,
        policy=once_within(call.deps.settings.policy, timeout_s),
    )
    carried = await carry(call, submission, timeout_s)
    item = carried.item
    if item.state not in {ItemState.SUCCEEDED, ItemState.REJECTED}:
        raise why_unanswered(item)
    return Reply({"status": item.response_status or "Accepted"}, headers=carried.headers)
