"""Charging profiles natively: what limits a station by our doing, and what it makes of them."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from csms.api import times
from csms.api.models import Shape, Strict
from csms.api.routing import Call, Reply
from csms.api.v1 import commands, orders, stations
from csms.api.v1.shapes import Instant, cursor_page
from csms.domain.charging_profiles import MAX_INTEGER, ChargingRateUnit
from csms.domain.installed_profiles import CompositeSchedule, InstalledProfile
from csms.domain.jobs import ItemState
from csms.domain.stations import Station
from csms.errors import NotFound
from csms.store import charging_profiles as store
from csms.store.database import ReadTx


class ChargingProfileShape(Shape):
    """A profile that a station has, as it accepted or reported it."""

    profile_id: int
    evse_id: int = Field(description="0: the whole station.")
    purpose: str
    kind: str | None
    stack_level: int | None
    recurrency_kind: str | None
    valid_from: Instant | None
    valid_to: Instant | None
    station_transaction_id: str | None = Field(description="Of a TxProfile.")
    source: str = Field(description="Who set it; `CSO`: we did.")
    schedules: list[dict[str, Any]]
    updated_at: Instant | None = Field(description="When it was set or last reported.")

    @classmethod
    def of(cls, profile: InstalledProfile) -> ChargingProfileShape:
        """The profile as it is shown."""
        return cls(
            profile_id=profile.profile_id,
            evse_id=profile.evse_id,
            purpose=profile.purpose,
            kind=profile.kind,
            stack_level=profile.stack_level,
            recurrency_kind=profile.recurrency_kind,
            valid_from=times.micros(profile.valid_from),
            valid_to=times.micros(profile.valid_to),
            station_transaction_id=profile.station_transaction_id,
            source=profile.source,
            schedules=profile.schedules,
            updated_at=times.micros(profile.updated_at),
        )


class ChargingProfilePage(Shape):
    """By EVSE, purpose and stack level; all that the station has."""

    items: list[ChargingProfileShape]
    next_cursor: str | None


class CompositeScheduleShape(Shape):
    """All profiles and limits together, as the station worked them out."""

    evse_id: int = Field(description="0: the whole station.")
    rate_unit: str | None
    starts_at: Instant | None
    duration_s: int | None
    periods: list[dict[str, Any]]

    @classmethod
    def of(cls, schedule: CompositeSchedule) -> CompositeScheduleShape:
        """The schedule as it is shown."""
        return cls(
            evse_id=schedule.evse_id,
            rate_unit=schedule.rate_unit,
            starts_at=times.micros(schedule.starts_at),
            duration_s=schedule.duration_s,
            periods=schedule.periods,
        )


class CompositeSchedulePage(Shape):
    """The last one of each EVSE, the whole station first."""

    items: list[CompositeScheduleShape]
    next_cursor: str | None


class NewChargingProfile(Strict):
    """A profile to set."""

    charging_profile: dict[str, Any] = Field(
        description="As in the command `set_charging_profile`; one with the same id is replaced."
    )
    evse_id: int | None = Field(
        default=None, ge=1, le=MAX_INTEGER, description="Left out: the station or all its EVSEs."
    )
    timeout_s: float | None = orders.TIMEOUT


class AskForSchedule(Strict):
    """Which schedule to work out."""

    duration_s: int = Field(ge=1, le=MAX_INTEGER, description="How far to look ahead.")
    evse_id: int | None = Field(
        default=None, ge=1, le=MAX_INTEGER, description="Left out: the connection to the grid."
    )
    rate_unit: ChargingRateUnit | None = None
    timeout_s: float | None = orders.TIMEOUT


async def list_of_station(call: Call[None, None]) -> Reply:
    """Those it accepted, and those it reported when asked by `get_charging_profiles`."""

    def look(tx: ReadTx) -> list[InstalledProfile]:
        station = stations.find(tx, call.path["station_id"], call.principal)
        return store.list_of_station(tx, station.id)

    found = await call.deps.db.read(look)
    return Reply(cursor_page([ChargingProfileShape.of(one) for one in found], None))


async def create(call: Call[NewChargingProfile, None]) -> Reply:
    """201 once the station has accepted it, 409 `rejected` with its answer when it has not."""
    body = call.body
    params = body.model_dump(mode="json", exclude_none=True, exclude={"timeout_s"})
    params["charging_profile"] = body.charging_profile
    station = await _station(call)
    carried = await orders.carry(
        call, station, "set_charging_profile", params, timeout_s=body.timeout_s
    )
    if carried.item.state is not ItemState.SUCCEEDED:
        return commands.failure(carried)
    profile_id = body.charging_profile["id"]  # the command has checked it
    made = await call.deps.db.read(lambda tx: _get(tx, station, profile_id))
    return Reply(ChargingProfileShape.of(made), status=201, headers=carried.headers)


async def clear(call: Call[None, None]) -> Reply:
    """204 once the station has cleared it; 409 `rejected` when it has none such any more."""

    def look(tx: ReadTx) -> tuple[Station, InstalledProfile]:
        station = stations.find(tx, call.path["station_id"], call.principal)
        return station, _get(tx, station, orders.number(call.path["profile_id"]))

    station, found = await call.deps.db.read(look)
    params = {"charging_profile_id": found.profile_id}
    carried = await orders.carry(call, station, "clear_charging_profile", params)
    if carried.item.state is not ItemState.SUCCEEDED:
        return commands.failure(carried)
    return Reply(status=204, headers=carried.headers)


async def list_schedules(call: Call[None, None]) -> Reply:
    """What the station said last, for each EVSE that it was asked about."""

    def look(tx: ReadTx) -> list[CompositeSchedule]:
        station = stations.find(tx, call.path["station_id"], call.principal)
        return store.list_composite(tx, station.id)

    found = await call.deps.db.read(look)
    return Reply(cursor_page([CompositeScheduleShape.of(one) for one in found], None))


async def ask_for_schedule(call: Call[AskForSchedule, None]) -> Reply:
    """200 with the schedule; 409 `rejected` when the station works none out."""
    body, station = call.body, await _station(call)
    params = body.model_dump(mode="json", exclude_none=True, exclude={"timeout_s"})
    carried = await orders.carry(
        call, station, "get_composite_schedule", params, timeout_s=body.timeout_s
    )
    if carried.item.state is not ItemState.SUCCEEDED:
        return commands.failure(carried)
    found = await call.deps.db.read(lambda tx: store.list_composite(tx, station.id))
    for schedule in found:
        if schedule.evse_id == (body.evse_id or 0):
            return Reply(CompositeScheduleShape.of(schedule), headers=carried.headers)
    raise NotFound("The station accepted, but told no schedule")


async def _station(call: Call[Any, None]) -> Station:
    return await call.deps.db.read(
        lambda tx: stations.find(tx, call.path["station_id"], call.principal)
    )


def _get(tx: ReadTx, station: Station, profile_id: int | None) -> InstalledProfile:
    for profile in store.list_of_station(tx, station.id):
        if profile.profile_id == profile_id:
            return profile
    raise NotFound("Charging profile not found")
