"""Commands about charging sessions: start, stop, release the cable."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from pydantic import Field

from csms.api.chargers_dialect import happenings
from csms.api.chargers_dialect.asking import unkeyed
from csms.api.chargers_dialect.queued import (
    OFFLINE,
    Order,
    Queued,
    listed,
    queue,
    send,
)
from csms.api.chargers_dialect.targets import Failure, Target, Targets, absences, targets_of
from csms.api.chargers_dialect.texts import Number, Word
from csms.api.models import Lenient
from csms.api.routing import Call, Reply
from csms.domain.stations import Station
from csms.domain.transactions import Transaction
from csms.errors import Conflict, StationOffline
from csms.fleet import happenings as at_station
from csms.fleet.device import Device
from csms.fleet.speech import Token
from csms.services import transaction_views

_LONGEST_SESSION_S = 7 * 24 * 3600
_MOST_ENERGY_KWH = 1000.0
_WH_PER_KWH = 1000
# Jobs that share a commit.
_AT_ONCE = 100


class StartSession(Lenient):
    """Who charges, and where."""

    id_tag: Word
    connector_id: Number | None = Field(
        default=None, description="Left out: the charger chooses. On OCPP 2.x this is the EVSE."
    )
    duration_seconds: int | None = Field(
        default=None,
        ge=1,
        le=_LONGEST_SESSION_S,
        description="It ends by itself after so long; only a virtual charger can do that.",
    )
    target_energy_kwh: float | None = Field(
        default=None,
        gt=0,
        le=_MOST_ENERGY_KWH,
        description="It ends by itself with so much; only a virtual charger can do that.",
    )


class StopSession(Lenient):
    """Which sessions."""

    connector_id: Number | None = Field(
        default=None, description="Left out: every one that goes on."
    )


class UnlockConnector(Lenient):
    """Which cable."""

    connector_id: Number = 1
    evse_id: Number | None = Field(
        default=None, description="Left out: the number of the connector."
    )


class StartSessionCommand(Lenient):
    """Start a session."""

    target: Target
    event: StartSession


class StopSessionCommand(Lenient):
    """Stop sessions."""

    target: Target
    event: StopSession = Field(default_factory=StopSession)


class UnlockConnectorCommand(Lenient):
    """Release a cable."""

    target: Target
    event: UnlockConnector = Field(default_factory=UnlockConnector)


async def start_session(call: Call[StartSessionCommand, None]) -> Reply:
    """POST /ocpp/commands/start-session: a remote start, or a driver who knows when to leave."""
    event = call.body.event
    targets = await targets_of(call, call.body.target)
    if event.duration_seconds is not None or event.target_energy_kwh is not None:
        return happenings.happen_at(call, targets, "start-session", _driven(event))
    params: dict[str, Any] = {"id_token": event.id_tag}
    if event.connector_id is not None:
        params["evse_id"] = event.connector_id
    return await send(call, targets, Order("start-session", "request_start_transaction", params))


def _driven(event: StartSession) -> Callable[[Device], None]:
    """A driver plugs in, shows a card, and leaves after a time or with an amount of energy."""
    energy_kwh = event.target_energy_kwh

    def happen(device: Device) -> None:
        at_station.start(
            device,
            event.connector_id,
            Token(event.id_tag),
            ends_after_s=event.duration_seconds,
            ends_with_wh=None if energy_kwh is None else energy_kwh * _WH_PER_KWH,
        )

    return happen


async def unlock_connector(call: Call[UnlockConnectorCommand, None]) -> Reply:
    """POST /ocpp/commands/unlock-connector."""
    event = call.body.event
    targets = await targets_of(call, call.body.target)
    params = {"evse_id": event.evse_id or event.connector_id}
    if event.evse_id is not None:
        params["connector_id"] = event.connector_id
    return await send(call, targets, Order("unlock-connector", "unlock_connector", params))


async def stop_session(call: Call[StopSessionCommand, None]) -> Reply:
    """POST /ocpp/commands/stop-session; every session is a command of its own."""
    targets = await targets_of(call, call.body.target)
    queued: list[Queued] = []
    failed = absences(targets)
    for start in range(0, len(targets.stations), _AT_ONCE):
        chunk = targets.stations[start : start + _AT_ONCE]
        stops = (_stop_at(call, station) for station in chunk)
        for stopped in await asyncio.gather(*stops, return_exceptions=True):
            if isinstance(stopped, BaseException):
                raise stopped
            done, not_done = stopped
            queued += done
            failed += not_done
    return listed("stop-session", targets, queued, failed)


async def _stop_at(
    call: Call[StopSessionCommand, None], station: Station
) -> tuple[list[Queued], list[Failure]]:
    if not call.deps.hub.is_connected(station.id):
        return [], [Failure(station.identity, StationOffline(OFFLINE))]
    wanted = call.body.event.connector_id
    going_on = [
        one
        for one in await transaction_views.list_open(call.deps.db, station.id)
        if wanted in {None, one.evse_id}
    ]
    if not going_on:
        return [], [Failure(station.identity, Conflict("No session is active"))]
    queued: list[Queued] = []
    failed: list[Failure] = []
    for transaction in going_on:
        # To stop twice what stops is harmless, and a key would name one of several.
        done, not_done = await queue(unkeyed(call), _alone(station), _stop(transaction))
        queued += done
        failed += not_done
    return queued, failed


def _alone(station: Station) -> Targets:
    return Targets([station], [], single=True)


def _stop(transaction: Transaction) -> Order:
    params = {"transaction_id": transaction.station_transaction_id}
    return Order("stop-session", "request_stop_transaction", params)
