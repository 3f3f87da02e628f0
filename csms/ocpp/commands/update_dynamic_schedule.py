"""UpdateDynamicSchedule: new values for a charging profile of the kind Dynamic."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from annotated_types import Ge, Le

from csms.domain.jobs import CommandClass
from csms.domain.stations import Station
from csms.domain.versions import OcppVersion
from csms.errors import Invalid
from csms.ocpp.commands import wire
from csms.ocpp.commands.command import Answer, Command, doc
from csms.ocpp.frames import JsonObject
from csms.store import dynamic_schedules
from csms.store.database import Tx

_AtMostZero = Annotated[float, Le(0)]


@dataclass(frozen=True, slots=True)
class ScheduleUpdate:
    """ChargingScheduleUpdateType, in the unit of the profile."""

    limit: float | None = None
    limit_l2: float | None = None
    limit_l3: float | None = None
    discharge_limit: _AtMostZero | None = None
    discharge_limit_l2: _AtMostZero | None = None
    discharge_limit_l3: _AtMostZero | None = None
    setpoint: float | None = None
    setpoint_l2: float | None = None
    setpoint_l3: float | None = None
    setpoint_reactive: float | None = None
    setpoint_reactive_l2: float | None = None
    setpoint_reactive_l3: float | None = None


@dataclass(frozen=True, slots=True)
class UpdateDynamicSchedule:
    """Parameters of update_dynamic_schedule."""

    charging_profile_id: Annotated[int, Ge(-(2**31)), Le(2**31 - 1)] = field(
        metadata=doc("the id of the profile")
    )
    schedule_update: ScheduleUpdate = field(metadata=doc("its new values"))

    def __post_init__(self) -> None:
        if self.schedule_update == ScheduleUpdate():
            raise Invalid("changes nothing", loc=("schedule_update",))


def settled(tx: Tx, station: Station, payload: JsonObject, answer: Answer) -> None:
    """Kept for a station that asks again by PullDynamicScheduleUpdate."""
    if answer.accepted:
        dynamic_schedules.upsert(
            tx, station.id, payload["chargingProfileId"], payload["scheduleUpdate"]
        )


COMMAND = Command(
    name="update_dynamic_schedule",
    summary="Give a dynamic charging profile new values",
    command_class=CommandClass.A,
    params=UpdateDynamicSchedule,
    actions={OcppVersion.V21: "UpdateDynamicSchedule"},
    encode={OcppVersion.V21: wire.encoder("UpdateDynamicSchedule")},
    settled=settled,
)
