from __future__ import annotations

import pytest

from csms.domain.versions import OcppVersion
from csms.ocpp import schemas
from csms.ocpp.actions import pull_dynamic_schedule_update
from csms.store import dynamic_schedules

V21 = OcppVersion.V21
ACTION = "PullDynamicScheduleUpdate"


async def pull(station, payload):
    station.version = V21
    answer = await pull_dynamic_schedule_update.on_v21(station, payload)
    assert schemas.is_valid(V21, ACTION, "response", answer)
    return answer


async def test_the_newest_values_of_the_profile_are_the_answer(station, neighbour, db):
    for values in ({"limit": 10}, {"setpoint": -2000.5, "limit_L2": 4}):
        await db.write(
            lambda tx, values=values: dynamic_schedules.upsert(tx, station.station_id, 3, values)
        )
    assert await pull(station, {"chargingProfileId": 3}) == {
        "status": "Accepted",
        "scheduleUpdate": {"setpoint": -2000.5, "limit_L2": 4},
    }
    assert (await pull(neighbour, {"chargingProfileId": 3}))["status"] == "Rejected"


@pytest.mark.parametrize("payload", [{"chargingProfileId": 4}, {}, {"chargingProfileId": "x"}])
async def test_a_profile_that_nobody_updated_is_rejected(station, payload):
    answer = await pull(station, payload)
    assert answer["status"] == "Rejected"
    assert answer["statusInfo"]["reasonCode"] == "NotFound"
