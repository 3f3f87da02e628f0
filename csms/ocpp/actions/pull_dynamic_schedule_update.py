"""PullDynamicScheduleUpdate: the station asks for the present values of a dynamic profile."""

from __future__ import annotations

from csms.ocpp.context import StationContext
from csms.ocpp.fields import integer
from csms.ocpp.frames import JsonObject
from csms.store import dynamic_schedules


async def on_v21(station: StationContext, payload: JsonObject) -> JsonObject:
    """What update_dynamic_schedule said last; what nobody ever said is Rejected."""
    profile_id = integer(payload, "chargingProfileId")
    found = None
    if profile_id is not None:
        found = await station.db.read(
            lambda tx: dynamic_schedules.find(tx, station.station_id, profile_id)
        )
    if found is None:
        info = {"reasonCode": "NotFound", "additionalInfo": "there is no update for the profile"}
        return {"status": "Rejected", "statusInfo": info}
    return {"status": "Accepted", "scheduleUpdate": found}
