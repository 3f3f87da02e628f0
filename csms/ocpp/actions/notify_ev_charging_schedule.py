"""NotifyEVChargingSchedule: the schedule that the EV intends to follow."""

from __future__ import annotations

from csms.domain.installed_profiles import EvSchedule
from csms.ocpp.charging_profiles import read_instant, read_schedules
from csms.ocpp.context import StationContext, Stored
from csms.ocpp.fields import integer, raw
from csms.ocpp.frames import JsonObject
from csms.services import charging_limits


def on_v2x(station: StationContext, payload: JsonObject) -> Stored:
    """Store it and say whether it is within the profile of its transaction."""
    schedule = EvSchedule(
        evse_id=integer(payload, "evseId") or 0,
        time_base=read_instant(payload.get("timeBase")),
        schedules=read_schedules(payload.get("chargingSchedule")),
        raw=raw(payload),
    )
    return Stored(
        station.db,
        lambda tx: charging_limits.judge_ev_schedule(tx, station.station_id, schedule),
        lambda status: {"status": status},
    )
