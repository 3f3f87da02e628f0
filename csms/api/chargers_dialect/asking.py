"""One order to one charger, and its answer within the time."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from csms.api.chargers_dialect.queued import OFFLINE, Order, in_event
from csms.api.chargers_dialect.targets import version_of
from csms.api.outcomes import why_unanswered
from csms.api.routing import Call, Dialect
from csms.api.v1.commands import carry, once_within
from csms.domain.jobs import ItemState, JobItem, Lane, NewItem, Submission
from csms.domain.stations import Station
from csms.errors import Invalid, StationOffline
from csms.jobs.kinds import command
from csms.jobs.kinds.command import Wanted


async def ask(call: Call[Any, Any], station: Station, order: Order) -> JobItem:
    """The answered item, accepted or not; raises what kept the answer away."""
    deps = call.deps
    if not deps.hub.is_connected(station.id):
        raise StationOffline(OFFLINE)
    wanted = Wanted(command=order.command, params=order.params)
    version = version_of(call, station)
    timeout_s = deps.settings.command_timeout_s

    def make(wanted: Wanted) -> Submission:
        return command.submission(
            principal=call.principal,
            wanted=wanted,
            targets=[NewItem(key=station.uuid, target=station.id)],
            dialect=Dialect.CHARGERS.value,
            lane=Lane.INTERACTIVE,
            hidden=True,
            policy=once_within(deps.settings.policy, timeout_s),
        )

    profiles = deps.hub.settings.security_profiles
    try:
        if command.is_prepared(wanted):
            carried = await carry(
                call,
                lambda tx: make(
                    command.prepare(tx, station.id, version, wanted, served_profiles=profiles)
                ),
                timeout_s,
            )
        else:
            carried = await carry(call, make(wanted), timeout_s)
    except Invalid as error:
        raise in_event(error) from error
    if carried.item.state not in {ItemState.SUCCEEDED, ItemState.REJECTED}:
        raise why_unanswered(carried.item)
    return carried.item


def unkeyed(call: Call[Any, Any]) -> Call[Any, Any]:
    """The call for one of several orders: a key names a single one."""
    return replace(call, idempotency=None)
