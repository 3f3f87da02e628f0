"""Commands that were taken: what was queued for which charger, and what could not be."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from pydantic import Field

from csms.api.chargers_dialect.targets import Failure, Targets, absences, version_of
from csms.api.models import Shape
from csms.api.routing import Call, Dialect, Reply
from csms.api.wording import of_chargers
from csms.domain.jobs import Lane, NewItem
from csms.domain.stations import Station
from csms.domain.versions import OcppVersion
from csms.errors import Invalid, NotSupportedByVersion, StationOffline
from csms.jobs.kinds import command
from csms.jobs.kinds.command import Wanted
from csms.ocpp import commands

OFFLINE = "The charger is offline."


class QueuedCommand(Shape):
    """A command on its way to a charger."""

    id: str = Field(
        description="Of the job that carries it; what happens at a virtual one has none."
    )
    event_type: str
    ocpp_version: str
    payload: dict[str, Any]


class QueuedResult(Shape):
    """A charger and its command."""

    charger_id: str
    identity: str
    command: QueuedCommand


class NotQueued(Shape):
    """A charger to which nothing was sent."""

    identity: str | None
    error: str


class QueuedCommands(Shape):
    """What became of every charger that was meant."""

    targeted_count: int
    queued_count: int
    failed_count: int
    results: list[QueuedResult]
    failed: list[NotQueued]


@dataclass(frozen=True, slots=True)
class Queued:
    """A command for one charger."""

    station: Station
    id: str
    version: OcppVersion
    payload: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Order:
    """One of our commands, and what this dialect calls it."""

    event_type: str
    command: str
    params: dict[str, Any]


async def send(call: Call[Any, Any], targets: Targets, order: Order) -> Reply:
    """Queue an order as one job, and say so as a list."""
    queued, failed = await queue(call, targets, order)
    return listed(order.event_type, targets, queued, [*absences(targets), *failed])


async def send_one(call: Call[Any, Any], targets: Targets, order: Order) -> Reply:
    """Queue an order to a single charger; raises what is in its way."""
    queued, failed = await queue(call, targets, order)
    for failure in failed:
        raise failure.error
    return Reply(queued_body(order.event_type, queued[0]), status=202)


async def queue(
    call: Call[Any, Any], targets: Targets, order: Order
) -> tuple[list[Queued], list[Failure]]:
    """One job for all chargers that are connected and whose version can say it."""
    wanted = Wanted(command=order.command, params=order.params)
    # What is drawn for it is drawn once: what is shown is what is sent.
    wanted = replace(wanted, params=wanted.frozen()["params"])
    chosen, failed = _encoded(call, targets, wanted)
    if not chosen:
        return [], failed
    deps = call.deps
    try:
        submission = command.submission(
            principal=call.principal,
            wanted=wanted,
            targets=[NewItem(key=one.station.uuid, target=one.station.id) for one in chosen],
            dialect=Dialect.CHARGERS.value,
            lane=Lane.INTERACTIVE if targets.single else Lane.BULK,
            hidden=targets.single,
            policy=deps.settings.policy,
        )
    except Invalid as error:
        raise in_event(error) from error
    job = (await deps.engine.submit(submission, call.idempotency)).job
    return [replace(one, id=job.uuid) for one in chosen], failed


def listed(event_type: str, targets: Targets, queued: list[Queued], failed: list[Failure]) -> Reply:
    """202 with what became of every charger."""
    return Reply(
        {
            "targeted_count": targets.count,
            "queued_count": len(queued),
            "failed_count": len(failed),
            "results": [
                {
                    "charger_id": one.station.uuid,
                    "identity": one.station.identity,
                    "command": queued_body(event_type, one),
                }
                for one in queued
            ],
            "failed": [
                {"identity": one.identity, "error": of_chargers(one.error.message)}
                for one in failed
            ],
        },
        status=202,
    )


def queued_body(event_type: str, queued: Queued) -> dict[str, Any]:
    """A command on its way."""
    return {
        "id": queued.id,
        "event_type": event_type,
        "ocpp_version": queued.version.label,
        "payload": queued.payload,
    }


def in_event(error: Invalid) -> Invalid:
    """What our command finds wrong, told at the part of the body that it was made from."""
    return Invalid(error.message, loc=("event",), kind=error.kind, code=error.code)


def _encoded(
    call: Call[Any, Any], targets: Targets, wanted: Wanted
) -> tuple[list[Queued], list[Failure]]:
    chosen: list[Queued] = []
    failed: list[Failure] = []
    assert wanted.command is not None
    payloads: dict[OcppVersion, dict[str, Any] | NotSupportedByVersion] = {}
    for station in targets.stations:
        if not call.deps.hub.is_connected(station.id):
            failed.append(Failure(station.identity, StationOffline(OFFLINE)))
            continue
        version = version_of(call, station)
        if version not in payloads:
            payloads[version] = _payload(version, wanted.command, wanted.params or {})
        payload = payloads[version]
        if isinstance(payload, NotSupportedByVersion):
            failed.append(Failure(station.identity, payload))
        else:
            chosen.append(Queued(station, "", version, payload))
    return chosen, failed


def _payload(
    version: OcppVersion, name: str, params: dict[str, Any]
) -> dict[str, Any] | NotSupportedByVersion:
    try:
        return commands.typed(version, name, params).payload
    except NotSupportedByVersion as error:
        return error
    except Invalid as error:
        raise in_event(error) from error
