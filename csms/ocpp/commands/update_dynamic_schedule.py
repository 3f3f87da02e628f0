"""UpdateDynamicSchedule: new values for a charging profile of the kind Dynamic."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from annotated_types import Ge, Le

from csms.domain.charging_profiles import PowerLimits
from csms.domain.jobs import CommandClass
from csms.domain.versions import OcppVersion
from csms.errors import Invalid
from csms.ocpp.commands import wire
from csms.ocpp.commands.command import Answer, Command, doc
from csms.ocpp.frames import JsonObject
from csms.store import dynamic_schedules
from csms.store.database import Tx


@dataclass(frozen=True, slots=True)
class UpdateDynamicSchedule:
    """Parameters of update_dynamic_schedule."""

    charging_profile_id: Annotated[int, Ge(-(2**31)), Le(2**31 - 1)] = field(
        metadata=doc("the id of the profile")
    )
    schedule_update: PowerLimits = field(metadata=doc("its new values"))

    def __post_init__(self) -> None:
        if self.schedule_update == PowerLimits():
            raise Invalid("changes nothing", loc=("schedule_update",))


def settled(tx: Tx, station_id: int, payload: JsonObject, answer: Answer) -> None:
    """Kept for a station that asks again by PullDynamicScheduleUpdate."""
    if answer.accepted:
        dynamic_schedules.upsert(
            tx, station_id, payload["chargingProfileId"], payload["scheduleUpdate"]
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
