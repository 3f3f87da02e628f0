"""What happens at virtual chargers on demand: cars, cards, faults, and any message at all.

It happens at once and is not written down: a real charger would not ask us either.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from math import inf
from typing import Annotated, Any, TypeVar

from pydantic import Field, StringConstraints

from csms.api.chargers_dialect.charger_shape import OcppVersionText
from csms.api.chargers_dialect.queued import OFFLINE, Queued, listed, queued_body
from csms.api.chargers_dialect.targets import (
    Failure,
    OneCharger,
    Target,
    Targets,
    absences,
    one_charger,
    targets_of,
    version_of,
)
from csms.api.chargers_dialect.texts import Number, Word
from csms.api.models import Lenient, Shape
from csms.api.routing import Call, Reply
from csms.domain.stations import Station
from csms.domain.versions import OcppVersion, parse_version
from csms.errors import CsmsError, Invalid, StationOffline
from csms.fleet import happenings
from csms.fleet.client import VirtualStation
from csms.fleet.connector import Connector
from csms.fleet.device import Device
from csms.fleet.speech import Token

T = TypeVar("T")

_MOST_POWER_W = 10_000_000


class AtConnector(Lenient):
    """At which connector; a virtual charger of OCPP 2.x has one for each EVSE."""

    evse_id: Number | None = None
    connector_id: Number | None = None

    def of(self, device: Device) -> int | None:
        """The connector as the charger counts; OCPP 1.6 has no EVSEs."""
        if device.spec.version is OcppVersion.V16:
            return self.connector_id or self.evse_id
        return self.evse_id or self.connector_id


class AuthorizeIdTag(Lenient):
    """Whose card is shown."""

    id_tag: Word


class PowerUpdate(AtConnector):
    """How much the cars ask for from now on."""

    power_w: float = Field(
        ge=0, le=_MOST_POWER_W, description="No more flows than the car and the connector bear."
    )


class InjectFault(AtConnector):
    """What breaks."""

    fault_type: Annotated[Word, StringConstraints(max_length=50)] = Field(
        description="Told as it is on OCPP 1.6 where it is one of its error codes, else in words.",
        examples=["GroundFailure"],
    )


class ProxyMessage(Lenient):
    """What the charger shall say, as it is."""

    action: Annotated[Word, StringConstraints(max_length=50)]
    ocpp_version: OcppVersionText | None = Field(
        default=None, description="Must be what it speaks."
    )
    payload: dict[str, Any] = Field(default_factory=dict)


class ConnectorCommand(Lenient):
    """Something that happens at a connector."""

    target: Target
    event: AtConnector = Field(default_factory=AtConnector)


class AuthorizeIdTagCommand(Lenient):
    """Somebody shows a card."""

    target: Target
    event: AuthorizeIdTag


class PowerUpdateCommand(Lenient):
    """The cars ask for more or less."""

    target: Target
    event: PowerUpdate


class InjectFaultCommand(Lenient):
    """Something breaks."""

    target: OneCharger
    event: InjectFault


class ClearFaultCommand(Lenient):
    """All is well again."""

    target: OneCharger
    event: AtConnector = Field(default_factory=AtConnector)


class ProxyMessageCommand(Lenient):
    """Have the charger say something."""

    target: OneCharger
    event: ProxyMessage


class FaultAnswer(Shape):
    """What is wrong at a connector, or was."""

    msg: str
    fault_type: str | None
    evse_id: int
    connector_id: int
    status: str


async def plug_connector(call: Call[ConnectorCommand, None]) -> Reply:
    """POST /ocpp/commands/plug-connector: a car comes and waits."""
    at = call.body.event.of
    return await _happen(call, "plug-connector", lambda it: happenings.plug_in(it, at(it)))


async def authorize_id_tag(call: Call[AuthorizeIdTagCommand, None]) -> Reply:
    """POST /ocpp/commands/authorize-id-tag: the charger asks what a card is worth."""
    card = Token(call.body.event.id_tag)
    return await _happen(call, "authorize-id-tag", lambda it: happenings.present(it, card))


async def ev_requests_energy(call: Call[ConnectorCommand, None]) -> Reply:
    """POST /ocpp/commands/ev-requests-energy: the cars take all they can."""
    at = call.body.event.of
    return await _happen(call, "ev-requests-energy", lambda it: happenings.demand(it, at(it), inf))


async def ev_stops_energy(call: Call[ConnectorCommand, None]) -> Reply:
    """POST /ocpp/commands/ev-stops-energy: the cars take nothing, and stay."""
    at = call.body.event.of
    return await _happen(call, "ev-stops-energy", lambda it: happenings.demand(it, at(it), 0.0))


async def power_update(call: Call[PowerUpdateCommand, None]) -> Reply:
    """POST /ocpp/commands/power-update."""
    at, power_w = call.body.event.of, call.body.event.power_w
    return await _happen(call, "power-update", lambda it: happenings.demand(it, at(it), power_w))


async def inject_fault(call: Call[InjectFaultCommand, None]) -> Reply:
    """POST /ocpp/commands/inject-fault; what goes on at the connector ends."""
    at, fault = call.body.event.of, call.body.event.fault_type
    station = await _one(call, call.body.target)
    connector = _let(call, station, lambda it: happenings.break_down(it, at(it), fault))
    return _fault_reply(call, station, "The connector is faulted.", fault, connector)


async def clear_fault(call: Call[ClearFaultCommand, None]) -> Reply:
    """POST /ocpp/commands/clear-fault."""
    at = call.body.event.of
    station = await _one(call, call.body.target)
    connector, fault = _let(call, station, lambda it: happenings.repair(it, at(it)))
    msg = "There was no fault." if fault is None else "The fault is cleared."
    return _fault_reply(call, station, msg, fault, connector)


async def proxy_message(call: Call[ProxyMessageCommand, None]) -> Reply:
    """POST /ocpp/commands/proxy-message: the charger sends a CALL, right or wrong."""
    event = call.body.event
    station = await _one(call, call.body.target)
    version = version_of(call, station)
    if event.ocpp_version is not None and parse_version(event.ocpp_version) is not version:
        raise Invalid(
            f"The charger speaks {version.label}",
            loc=("event", "ocpp_version"),
            given=event.ocpp_version,
        )
    _let(call, station, lambda it: happenings.say(it, event.action, event.payload))
    body = queued_body("proxy-message", Queued(station, _new_id(), version, event.payload))
    return Reply(body, status=202)


def happen_at(
    call: Call[Any, None],
    targets: Targets,
    event_type: str,
    happen: Callable[[Device], None],
) -> Reply:
    """Let it happen at each of the chargers; raises Invalid for a single one that is physical."""
    done: list[Queued] = []
    failed = absences(targets)
    payload = call.body.event.model_dump(mode="json", exclude_none=True)
    for station in targets.stations:
        try:
            _let(call, station, happen)
        except CsmsError as error:
            if targets.single and isinstance(error, Invalid):
                raise
            failed.append(Failure(station.identity, error))
        else:
            done.append(Queued(station, _new_id(), version_of(call, station), payload))
    return listed(event_type, targets, done, failed)


async def _happen(
    call: Call[Any, None], event_type: str, happen: Callable[[Device], None]
) -> Reply:
    return happen_at(call, await targets_of(call, call.body.target), event_type, happen)


def _let(call: Call[Any, None], station: Station, happen: Callable[[Device], T]) -> T:
    return _virtual(call, station).let(happen)


def _virtual(call: Call[Any, None], station: Station) -> VirtualStation:
    """The station that runs here; raises Invalid for a physical one, StationOffline."""
    if not station.virtual:
        raise Invalid(
            "Only a virtual charger can do this, and this one is physical",
            loc=("target", "charger_id"),
            given=station.uuid,
        )
    found = call.deps.fleet.find(station.identity)
    if found is None or not found.connected:
        raise StationOffline(OFFLINE)
    return found


async def _one(call: Call[Any, None], target: OneCharger) -> Station:
    return (await one_charger(call, target.charger_id)).stations[0]


def _fault_reply(
    call: Call[Any, None], station: Station, msg: str, fault: str | None, connector: Connector
) -> Reply:
    # On OCPP 2.x every connector of ours is the first of an EVSE of its own.
    v16 = version_of(call, station) is OcppVersion.V16
    return Reply(
        {
            "msg": msg,
            "fault_type": fault,
            "evse_id": connector.id,
            "connector_id": connector.id if v16 else 1,
            "status": connector.state.value,
        },
        status=202,
    )


def _new_id() -> str:
    return str(uuid.uuid4())
