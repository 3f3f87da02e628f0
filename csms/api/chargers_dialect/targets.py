"""Whom a command is for: one charger, a location, or some chargers of one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from csms.api.chargers_dialect.texts import ChargerId
from csms.api.models import Lenient
from csms.api.routing import Call
from csms.domain.stations import Station
from csms.domain.versions import OcppVersion
from csms.errors import CsmsError, NotFound
from csms.services import locations, stations

MOST_CHARGERS = 10_000


class OneCharger(Lenient):
    """One charger."""

    charger_id: ChargerId


class Target(Lenient):
    """Either one charger or a location."""

    charger_id: ChargerId | None = None
    location_id: ChargerId | None = None
    charger_ids: list[ChargerId] | None = Field(
        default=None,
        min_length=1,
        max_length=MOST_CHARGERS,
        description="Only these chargers of the location, by their internal ids.",
    )

    @model_validator(mode="after")
    def _either(self) -> Self:
        if (self.charger_id is None) == (self.location_id is None):
            raise PydanticCustomError("target", "give either charger_id or location_id")
        if self.location_id is None and self.charger_ids is not None:
            raise PydanticCustomError("target", "charger_ids belong to a location_id")
        return self


class SomeChargers(Lenient):
    """Which chargers of the location; all of them when nothing is said."""

    charger_ids: list[ChargerId] | None = Field(
        default=None, min_length=1, max_length=MOST_CHARGERS
    )


@dataclass(frozen=True, slots=True)
class Targets:
    """Those that were found, and the ids that were not."""

    stations: list[Station]
    absent: list[str]
    single: bool
    """One charger was named, so what is wrong with it is wrong with the request."""

    @property
    def count(self) -> int:
        """How many were meant."""
        return len(self.stations) + len(self.absent)


@dataclass(frozen=True, slots=True)
class Failure:
    """A charger to which it was not sent."""

    identity: str | None
    error: CsmsError


async def targets_of(call: Call[Any, Any], target: Target) -> Targets:
    """Raises NotFound for a charger or a location that is absent or out of reach."""
    if target.charger_id is not None:
        return await one_charger(call, target.charger_id)
    assert target.location_id is not None
    return await at_location(call, target.location_id, target.charger_ids)


async def one_charger(call: Call[Any, Any], charger_id: str) -> Targets:
    """One charger as the target; raises NotFound."""
    found = await stations.show_station(call.deps.db, charger_id, call.principal)
    return Targets([found.station], [], single=True)


async def at_location(
    call: Call[Any, Any], location_id: str, charger_ids: list[str] | None
) -> Targets:
    """The chargers of a location, each once; raises NotFound for the location."""
    db = call.deps.db
    location = await locations.show_location(db, location_id, call.principal)
    wanted = None if charger_ids is None else list(dict.fromkeys(charger_ids))
    found = await stations.list_stations(
        db,
        call.principal,
        limit=call.deps.settings.max_items,
        location=location,
        uuids=wanted,
    )
    known = {station.uuid for station in found.items}
    absent = [one for one in wanted or () if one not in known]
    return Targets(found.items, absent, single=False)


def absences(targets: Targets) -> list[Failure]:
    """A failure for every id that was not found."""
    return [Failure(None, NotFound(f"Charger {one} not found")) for one in targets.absent]


def version_of(call: Call[Any, Any], station: Station) -> OcppVersion:
    """What it speaks now, or would."""
    return (
        call.deps.hub.version(station.id)
        or station.ocpp_version
        or station.connected_version
        or OcppVersion.V16
    )
