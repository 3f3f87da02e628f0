"""What a station has: by what it accepted, by what it reports, and by what it leaves out."""

from __future__ import annotations

import pytest

from csms.domain.versions import OcppVersion
from csms.ocpp import schemas
from csms.ocpp.actions import report_charging_profiles
from csms.ocpp.commands import (
    clear_charging_profile,
    get_charging_profiles,
    get_composite_schedule,
    set_charging_profile,
)
from csms.store import charging_profiles

V201, V21 = OcppVersion.V201, OcppVersion.V21
SCHEDULE = {
    "id": 1,
    "startSchedule": "2026-05-01T12:00:00Z",
    "chargingRateUnit": "A",
    "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 16}],
}


def wire(profile_id, *, purpose="TxDefaultProfile", stack_level=0, **more):
    return {
        "id": profile_id,
        "stackLevel": stack_level,
        "chargingProfilePurpose": purpose,
        "chargingProfileKind": "Absolute",
        "chargingSchedule": [SCHEDULE],
        **more,
    }


def part(*profiles, request_id=5, source="CSO", evse_id=1, tbc=False):
    return {
        "requestId": request_id,
        "chargingLimitSource": source,
        "evseId": evse_id,
        "tbc": tbc,
        "chargingProfile": list(profiles),
    }


async def settle(station, command, payload, answer):
    def settled(tx):
        command.settled(tx, station.station_id, payload, command.read(answer))

    await station.db.write(settled)


async def ask(station, criteria, status="Accepted", evse_id=None):
    payload = {"requestId": 5, "chargingProfile": criteria}
    if evse_id is not None:
        payload["evseId"] = evse_id
    await settle(station, get_charging_profiles.COMMAND, payload, {"status": status})


async def accept(station, profile, evse_id=1):
    await settle(
        station,
        set_charging_profile.COMMAND,
        {"evseId": evse_id, "chargingProfile": profile},
        {"status": "Accepted"},
    )


async def accept_v16(station, profile_id, *, connector=1, stack_level=0, **more):
    profile = {
        "chargingProfileId": profile_id,
        "stackLevel": stack_level,
        "chargingProfilePurpose": "TxDefaultProfile",
        "chargingProfileKind": "Relative",
        "chargingSchedule": {"chargingRateUnit": "A", "chargingSchedulePeriod": []},
        **more,
    }
    await settle(
        station,
        set_charging_profile.COMMAND,
        {"connectorId": connector, "csChargingProfiles": profile},
        {"status": "Accepted"},
    )


async def installed(station):
    found = await station.db.read(
        lambda tx: charging_profiles.list_of_station(tx, station.station_id)
    )
    return {profile.profile_id: profile for profile in found}


async def told(rows):
    return [row["type"] for row in await rows("SELECT type FROM events ORDER BY id")]


async def test_an_accepted_profile_is_there_and_a_refused_one_is_not(station, rows):
    await accept(station, wire(7))
    await settle(
        station,
        set_charging_profile.COMMAND,
        {"evseId": 1, "chargingProfile": wire(8)},
        {"status": "Rejected"},
    )
    (profile,) = (await installed(station)).values()
    assert (profile.profile_id, profile.evse_id, profile.source) == (7, 1, "CSO")
    assert profile.schedules == [
        {
            "id": 1,
            "start_schedule": "2026-05-01T12:00:00Z",
            "rate_unit": "A",
            "periods": [{"start_period_s": 0, "limit": 16}],
        }
    ]
    assert await told(rows) == ["charging_profile.installed"]


async def test_a_profile_of_1_6_takes_the_place_of_the_one_at_its_level(station):
    await accept_v16(station, 1)
    await accept_v16(station, 2, stack_level=1)
    await accept_v16(station, 3, connector=2)
    await accept_v16(station, 4)
    found = await installed(station)
    assert sorted(found) == [2, 3, 4]
    assert found[4].purpose == "TxDefaultProfile"


async def test_a_profile_of_2x_replaces_its_own_id_only(station):
    await accept(station, wire(1))
    await accept(station, wire(2))
    await accept(station, wire(1, stack_level=3))
    assert {number: p.stack_level for number, p in (await installed(station)).items()} == {
        1: 3,
        2: 0,
    }


async def test_the_profile_of_a_transaction_goes_with_it(station):
    await accept(station, wire(1, purpose="TxProfile", transactionId="T1"))

    def ended(tx):
        tx.insert(
            "INSERT INTO transactions (uuid, station_id, station_transaction_id,"
            " start_received_at, end_received_at) VALUES ('u', ?, 'T1', 1, 2)",
            (station.station_id,),
        )

    await station.db.write(ended)
    assert await installed(station) == {}


@pytest.mark.parametrize(
    ("payload", "left"),
    [
        ({"chargingProfileId": 1}, [2, 3, 9]),
        ({"id": 1}, [2, 3, 9]),
        ({"chargingProfileCriteria": {"stackLevel": 1}}, [1, 3, 9]),
        ({"chargingProfileCriteria": {"evseId": 2}}, [1, 2, 9]),
        ({"chargingProfilePurpose": "TxDefaultProfile"}, [9]),
        ({"connectorId": 1}, [3, 9]),
        ({}, [9]),
    ],
)
@pytest.mark.parametrize("status", ["Accepted", "Unknown"])
async def test_what_was_cleared_is_gone(station, payload, left, status):
    await accept(station, wire(1))
    await accept(station, wire(2, stack_level=1))
    await accept(station, wire(3), evse_id=2)
    await report_charging_profiles.on_v2x(
        station,
        part(wire(9, purpose="ChargingStationExternalConstraints"), source="EMS", evse_id=0),
    )
    await settle(station, clear_charging_profile.COMMAND, payload, {"status": status})
    assert sorted(await installed(station)) == left


async def test_a_report_in_parts_says_what_the_station_has_and_what_it_has_no_more(station, rows):
    await accept(station, wire(1))
    await accept(station, wire(2))
    await ask(station, {"chargingLimitSource": ["CSO", "EMS"]})
    answer = await report_charging_profiles.on_v2x(station, part(wire(1), tbc=True))
    assert answer == {}
    for version in (V201, V21):
        assert schemas.is_valid(version, "ReportChargingProfiles", "response", answer)
    assert sorted(await installed(station)) == [1, 2]
    external = wire(-4, purpose="ChargingStationExternalConstraints")
    await report_charging_profiles.on_v2x(station, part(external, source="EMS", evse_id=0))
    found = await installed(station)
    assert sorted(found) == [-4, 1]
    assert (found[-4].source, found[-4].evse_id) == ("EMS", 0)
    assert "charging_profile.cleared" in await told(rows)


async def test_a_report_forgets_only_what_was_asked_for(station):
    await accept(station, wire(1))
    await accept(station, wire(2, stack_level=5))
    await accept(station, wire(3, stack_level=5), evse_id=2)
    await ask(station, {"stackLevel": 5}, evse_id=1)
    await report_charging_profiles.on_v2x(station, part(wire(4, stack_level=5)))
    assert sorted(await installed(station)) == [1, 3, 4]


async def test_a_profile_set_after_the_question_outlives_the_report(station, clock):
    await ask(station, {"chargingLimitSource": ["CSO"]})
    clock.advance(1)
    await accept(station, wire(2))
    await report_charging_profiles.on_v2x(station, part(wire(1)))
    assert sorted(await installed(station)) == [1, 2]


async def test_parts_that_come_before_the_answer_count_as_well(station):
    await accept(station, wire(2))
    await report_charging_profiles.on_v2x(station, part(wire(1)))
    assert sorted(await installed(station)) == [1, 2]
    await ask(station, {"chargingLimitSource": ["CSO"]})
    assert sorted(await installed(station)) == [1]


async def test_a_report_that_never_ends_forgets_nothing(station):
    await accept(station, wire(2))
    await ask(station, {"chargingLimitSource": ["CSO"]})
    await report_charging_profiles.on_v2x(station, part(wire(1), tbc=True))
    assert sorted(await installed(station)) == [1, 2]


async def test_a_repeated_part_changes_nothing(station, rows):
    await ask(station, {"chargingLimitSource": ["CSO"]})
    for _ in range(3):
        await report_charging_profiles.on_v2x(station, part(wire(1)))
    assert len(await rows("SELECT * FROM report_parts")) == 1
    assert sorted(await installed(station)) == [1]


async def test_a_station_that_has_none_has_none(station):
    await accept(station, wire(1))
    await accept(station, wire(2, stack_level=1))
    await ask(station, {"stackLevel": 1}, status="NoProfiles")
    assert sorted(await installed(station)) == [1]


async def test_what_cannot_be_read_is_kept_in_its_part_and_answered(station, rows):
    flawed = [
        part(wire("x"), {"stackLevel": 1}),
        part(wire(1, stackLevel="high", chargingSchedule=[None, {"chargingSchedulePeriod": 3}])),
        part(wire(2, chargingProfileKind="Odd", validTo="9999-12-31T23:59:59Z", validFrom=7)),
        {"requestId": [], "chargingProfile": 5, "tbc": "maybe"},
        {},
    ]
    for payload in flawed:
        assert await report_charging_profiles.on_v2x(station, payload) == {}
    found = await installed(station)
    assert sorted(found) == [1, 2]
    assert found[1].schedules == [{"periods": []}]
    assert found[2].kind == "Odd"
    assert len(await rows("SELECT * FROM report_parts")) == len(flawed)


async def test_a_neighbour_with_the_same_ids_is_not_touched(station, neighbour):
    await accept(neighbour, wire(1))
    await ask(station, {"chargingLimitSource": ["CSO"]})
    await report_charging_profiles.on_v2x(station, part(wire(2)))
    await settle(
        station,
        clear_charging_profile.COMMAND,
        {"chargingProfileId": 1},
        {"status": "Accepted"},
    )
    assert sorted(await installed(neighbour)) == [1]


async def test_the_last_composite_schedule_of_an_evse_is_kept(station):
    for limit in (16, 10):
        answer = {
            "status": "Accepted",
            "connectorId": 1,
            "scheduleStart": "2026-05-01T12:00:00Z",
            "chargingSchedule": {
                "chargingRateUnit": "A",
                "chargingSchedulePeriod": [{"startPeriod": 0, "limit": limit}],
            },
        }
        await settle(
            station, get_composite_schedule.COMMAND, {"connectorId": 1, "duration": 60}, answer
        )
    await settle(
        station,
        get_composite_schedule.COMMAND,
        {"evseId": 2, "duration": 60},
        {"status": "Rejected"},
    )
    (found,) = await station.db.read(
        lambda tx: charging_profiles.list_composite(tx, station.station_id)
    )
    assert found.evse_id == 1
    assert found.periods == [{"start_period_s": 0, "limit": 10}]
