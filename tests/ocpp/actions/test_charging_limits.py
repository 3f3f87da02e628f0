"""NotifyChargingLimit, ClearedChargingLimit, and what EVs and drivers want."""

from __future__ import annotations

import json

import pytest

from csms.domain.installed_profiles import InstalledProfile
from csms.domain.versions import OcppVersion
from csms.ocpp import schemas
from csms.ocpp.actions import (
    cleared_charging_limit,
    notify_charging_limit,
    notify_ev_charging_needs,
    notify_ev_charging_schedule,
    notify_priority_charging,
)
from csms.store import charging_limits, charging_profiles

V201, V21 = OcppVersion.V201, OcppVersion.V21
FLAWED = [{}, {"evseId": "x", "chargingLimit": 5, "chargingNeeds": [], "chargingSchedule": "no"}]


def schedule(limit):
    return {
        "id": 1,
        "chargingRateUnit": "A",
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": limit}],
    }


def limit(source="EMS", **more):
    return {"chargingLimit": {"chargingLimitSource": source, "isGridCritical": True}, **more}


async def limits(station):
    found = await station.db.read(lambda tx: charging_limits.list_limits(tx, station.station_id))
    return [(one.evse_id, one.source) for one in found]


async def told(rows):
    return [row["type"] for row in await rows("SELECT type FROM events ORDER BY id")]


async def test_a_limit_is_in_force_until_it_is_cleared(station, rows):
    payload = limit(chargingSchedule=[schedule(10)])
    answer = await notify_charging_limit.on_v2x(station, payload)
    for version in (V201, V21):
        assert schemas.is_valid(version, "NotifyChargingLimit", "response", answer)
        assert schemas.is_valid(version, "ClearedChargingLimit", "response", answer)
    (stored,) = await station.db.read(
        lambda tx: charging_limits.list_limits(tx, station.station_id)
    )
    assert stored.grid_critical is True
    assert stored.schedules[0]["periods"] == [{"start_period_s": 0, "limit": 10}]
    await cleared_charging_limit.on_v2x(station, {"chargingLimitSource": "EMS"})
    assert await limits(station) == []
    assert await told(rows) == ["charging_limit.imposed", "charging_limit.lifted"]


async def test_a_source_lifts_its_own_limits_only(station):
    for payload in (limit(), limit(evseId=1), limit(evseId=2), limit("SO", evseId=1)):
        await notify_charging_limit.on_v2x(station, payload)
    await cleared_charging_limit.on_v2x(station, {"chargingLimitSource": "EMS", "evseId": 1})
    assert await limits(station) == [(0, "EMS"), (1, "SO"), (2, "EMS")]
    await cleared_charging_limit.on_v2x(station, {"chargingLimitSource": "EMS"})
    assert await limits(station) == [(1, "SO")]


async def test_a_repeated_limit_is_no_news(station, rows):
    for _ in range(2):
        await notify_charging_limit.on_v2x(station, limit())
    for _ in range(2):
        await cleared_charging_limit.on_v2x(station, {"chargingLimitSource": "EMS"})
    assert await told(rows) == ["charging_limit.imposed", "charging_limit.lifted"]


async def test_a_limit_of_one_station_is_none_of_another(station, neighbour):
    await notify_charging_limit.on_v2x(neighbour, limit())
    await cleared_charging_limit.on_v2x(station, {"chargingLimitSource": "EMS"})
    assert await limits(neighbour) == [(0, "EMS")]


NEEDS = {
    "evseId": 1,
    "chargingNeeds": {
        "requestedEnergyTransfer": "AC_three_phase",
        "departureTime": "2026-05-02T07:00:00Z",
        "acChargingParameters": {
            "energyAmount": 20000,
            "evMinCurrent": 6,
            "evMaxCurrent": 16,
            "evMaxVoltage": 230,
        },
    },
}
NEEDS_15118_20 = {
    "evseId": 1,
    "chargingNeeds": {
        "requestedEnergyTransfer": "DC_BPT",
        "controlMode": "DynamicControl",
        "v2xChargingParameters": {"maxChargePower": 50000},
    },
}


async def test_an_ev_is_told_that_no_schedule_will_come(station, rows):
    assert schemas.is_valid(V201, "NotifyEVChargingNeeds", "request", NEEDS)
    assert schemas.is_valid(V21, "NotifyEVChargingNeeds", "request", NEEDS_15118_20)
    for handler, version in (
        (notify_ev_charging_needs.on_v2x, V201),
        (notify_ev_charging_needs.on_v21, V21),
    ):
        answer = await handler(station, NEEDS)
        assert answer == {"status": "Rejected"}
        assert schemas.is_valid(version, "NotifyEVChargingNeeds", "response", answer)
    (stored,) = await station.db.read(lambda tx: charging_limits.list_needs(tx, station.station_id))
    assert (stored.energy_transfer, stored.departure_at.hour) == ("AC_three_phase", 7)
    assert await told(rows) == ["ev.needs_told"]


async def test_an_ev_of_iso_15118_20_may_charge_without_a_schedule(station):
    answer = await notify_ev_charging_needs.on_v21(station, NEEDS_15118_20)
    assert answer == {"status": "NoChargingProfile"}
    assert schemas.is_valid(V21, "NotifyEVChargingNeeds", "response", answer)


@pytest.fixture
async def transaction(station):
    """One that is under way at EVSE 1, limited to 16 A."""
    profile = InstalledProfile(
        profile_id=7,
        evse_id=1,
        purpose="TxProfile",
        kind="Relative",
        stack_level=0,
        recurrency_kind=None,
        valid_from=None,
        valid_to=None,
        station_transaction_id="T1",
        source="CSO",
        schedules=[{"rate_unit": "A", "periods": [{"start_period_s": 0, "limit": 16}]}],
        raw="{}",
    )

    def begin(tx):
        tx.insert(
            "INSERT INTO transactions (uuid, station_id, evse_id, station_transaction_id,"
            " start_received_at) VALUES ('u', ?, 1, 'T1', 1)",
            (station.station_id,),
        )
        charging_profiles.upsert(tx, station.station_id, profile)

    await station.db.write(begin)


def intends(limit, evse_id=1):
    return {
        "evseId": evse_id,
        "timeBase": "2026-05-01T12:00:00Z",
        "chargingSchedule": schedule(limit),
    }


async def test_an_ev_may_intend_what_its_profile_allows(station, transaction):
    for wanted, status in ((16, "Accepted"), (17, "Rejected"), (17, "Rejected")):
        answer = await notify_ev_charging_schedule.on_v2x(station, intends(wanted))
        assert answer == {"status": status}
        for version in (V201, V21):
            assert schemas.is_valid(version, "NotifyEVChargingSchedule", "response", answer)
    stored = await station.db.read(
        lambda tx: tx.all("SELECT station_id, schedules FROM ev_charging_schedules")
    )
    ((station_id, schedules),) = stored
    assert station_id == station.station_id
    assert json.loads(schedules)[0]["periods"] == [{"start_period_s": 0, "limit": 17}]


async def test_an_ev_without_a_profile_may_intend_anything(station, neighbour, transaction):
    for who, evse_id in ((station, 2), (neighbour, 1)):
        answer = await notify_ev_charging_schedule.on_v2x(who, intends(99, evse_id))
        assert answer == {"status": "Accepted"}


async def test_priority_is_kept_with_the_transaction(station, neighbour, rows):
    for activated in (True, True, False):
        answer = await notify_priority_charging.on_v21(
            station, {"transactionId": "T1", "activated": activated}
        )
        assert schemas.is_valid(V21, "NotifyPriorityCharging", "response", answer)

    def found(tx):
        return [
            charging_limits.find_priority(tx, one.station_id, "T1") for one in (station, neighbour)
        ]

    assert await station.db.read(found) == [False, None]
    assert await told(rows) == ["priority_charging.changed"] * 2


@pytest.mark.parametrize("payload", FLAWED)
async def test_a_message_of_any_shape_is_answered(station, payload):
    assert await notify_charging_limit.on_v2x(station, payload) == {}
    assert await cleared_charging_limit.on_v2x(station, payload) == {}
    assert await notify_priority_charging.on_v21(station, payload) == {}
    assert await notify_ev_charging_needs.on_v21(station, payload) == {"status": "Rejected"}
    assert await notify_ev_charging_schedule.on_v2x(station, payload) == {"status": "Accepted"}
    for read in (charging_limits.list_limits, charging_limits.list_needs):
        await station.db.read(lambda tx, read=read: read(tx, station.station_id))
