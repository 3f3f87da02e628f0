"""GetCompositeSchedule: what a station will do, all profiles and limits together."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from annotated_types import Ge, Le

from csms.domain.charging_profiles import ChargingRateUnit
from csms.domain.installed_profiles import CompositeSchedule
from csms.domain.jobs import CommandClass
from csms.domain.versions import OcppVersion
from csms.ocpp.charging_profiles import read_instant, read_periods
from csms.ocpp.commands.command import Answer, Command, EvseId, Order, doc, evse_of_v16
from csms.ocpp.fields import integer, objects, text
from csms.ocpp.frames import JsonObject
from csms.services import charging_profiles
from csms.store.database import Tx


@dataclass(frozen=True, slots=True)
class GetCompositeSchedule:
    """Parameters of get_composite_schedule."""

    duration_s: Annotated[int, Ge(1), Le(2**31 - 1)] = field(metadata=doc("how far to look ahead"))
    evse_id: EvseId | None = field(
        default=None, metadata=doc("for which EVSE; left out: the connection to the grid")
    )
    rate_unit: ChargingRateUnit | None = field(
        default=None, metadata=doc("A or W; left out: the station chooses")
    )


def encode_v16(params: GetCompositeSchedule) -> Order:
    """Connector 0 is the whole station."""
    return _order(params, "connectorId")


def encode_v2x(params: GetCompositeSchedule) -> Order:
    """EVSE 0 is the whole station."""
    return _order(params, "evseId")


def _order(params: GetCompositeSchedule, evse: str) -> Order:
    payload: JsonObject = {evse: params.evse_id or 0, "duration": params.duration_s}
    if params.rate_unit is not None:
        payload["chargingRateUnit"] = params.rate_unit.value
    return Order("GetCompositeSchedule", payload)


def decode_v16(payload: JsonObject) -> GetCompositeSchedule:
    """The same in all versions."""
    unit = payload.get("chargingRateUnit")
    return GetCompositeSchedule(
        payload["duration"],
        evse_of_v16(payload),
        None if unit is None else ChargingRateUnit(unit),
    )


def composite_schedule(payload: JsonObject, answer: JsonObject) -> CompositeSchedule | None:
    """The schedule in the answer of any version; None when there is none."""
    found = objects(answer.get("schedule")) or objects(answer.get("chargingSchedule"))
    if not found:
        return None
    (schedule,) = found[:1]
    starts_at = (
        read_instant(answer.get("scheduleStart"))
        or read_instant(schedule.get("scheduleStart"))
        or read_instant(schedule.get("startSchedule"))
    )
    return CompositeSchedule(
        evse_id=integer(payload, "evseId") or integer(payload, "connectorId") or 0,
        rate_unit=text(schedule, "chargingRateUnit"),
        starts_at=starts_at,
        duration_s=integer(schedule, "duration"),
        periods=read_periods(schedule.get("chargingSchedulePeriod")),
    )


def settled(tx: Tx, station_id: int, payload: JsonObject, answer: Answer) -> None:
    """Keep it, in the same words for all versions."""
    schedule = composite_schedule(payload, answer.payload)
    if answer.accepted and schedule is not None:
        charging_profiles.record_composite(tx, station_id, schedule)


COMMAND = Command(
    name="get_composite_schedule",
    summary="Ask for the schedule that the station works out of all profiles and limits",
    command_class=CommandClass.A,
    params=GetCompositeSchedule,
    actions=dict.fromkeys(OcppVersion, "GetCompositeSchedule"),
    encode={
        OcppVersion.V16: encode_v16,
        OcppVersion.V201: encode_v2x,
        OcppVersion.V21: encode_v2x,
    },
    decode_v16={"GetCompositeSchedule": decode_v16},
    settled=settled,
)
