"""NotifyChargingLimit: another system than ours limits the station."""

from __future__ import annotations

from csms.domain.installed_profiles import ChargingLimit
from csms.ocpp.charging_profiles import read_schedules
from csms.ocpp.context import StationContext, Stored
from csms.ocpp.fields import flag, integer, objects, raw, text
from csms.ocpp.frames import JsonObject
from csms.services import charging_limits


def on_v2x(station: StationContext, payload: JsonObject) -> Stored:
    """Store it in the place of the source's former limit."""
    (about, *_) = objects(payload.get("chargingLimit")) or [{}]
    limit = ChargingLimit(
        evse_id=integer(payload, "evseId") or 0,
        source=text(about, "chargingLimitSource") or "",
        grid_critical=flag(about, "isGridCritical"),
        local_generation=flag(about, "isLocalGeneration"),
        schedules=read_schedules(payload.get("chargingSchedule")),
        raw=raw(payload),
    )
    return Stored(
        station.db, lambda tx: charging_limits.impose(tx, station.station_id, limit), lambda _: {}
    )
