"""The commands of smart charging: their encodings, what they refuse, how they are read."""

from __future__ import annotations

import pytest

from csms.domain.jobs import CommandClass
from csms.domain.versions import OcppVersion
from csms.errors import Invalid, NotSupportedByVersion
from csms.ocpp import commands, schemas
from csms.ocpp.commands import (
    clear_charging_profile,
    get_charging_profiles,
    get_composite_schedule,
    parameters,
    set_charging_profile,
)
from csms.ocpp.commands.command import Order

V16, V201, V21 = OcppVersion

PROFILE = {
    "id": 7,
    "stack_level": 1,
    "purpose": "TxProfile",
    "kind": "Absolute",
    "transaction_id": "42",
    "schedules": [
        {
            "rate_unit": "A",
            "start_schedule": "2026-05-01T12:00:00Z",
            "duration_s": 7200,
            "min_charging_rate": 6,
            "periods": [
                {"start_period_s": 0, "limit": 16, "number_phases": 3},
                {"start_period_s": 3600, "limit": 7.7},
            ],
        }
    ],
}
WIRE_SCHEDULE = {
    "startSchedule": "2026-05-01T12:00:00.000Z",
    "duration": 7200,
    "chargingRateUnit": "A",
    "minChargingRate": 6.0,
    "chargingSchedulePeriod": [
        {"startPeriod": 0, "limit": 16.0, "numberPhases": 3},
        {"startPeriod": 3600, "limit": 7.7},
    ],
}
WIRE_V16 = {
    "connectorId": 1,
    "csChargingProfiles": {
        "chargingProfileId": 7,
        "stackLevel": 1,
        "chargingProfilePurpose": "TxProfile",
        "chargingProfileKind": "Absolute",
        "transactionId": 42,
        "chargingSchedule": WIRE_SCHEDULE,
    },
}
WIRE_V2X = {
    "evseId": 1,
    "chargingProfile": {
        "id": 7,
        "stackLevel": 1,
        "chargingProfilePurpose": "TxProfile",
        "chargingProfileKind": "Absolute",
        "transactionId": "42",
        "chargingSchedule": [{"id": 1, **WIRE_SCHEDULE}],
    },
}


def order(command, version, values):
    found = command.order(version, parameters.parse(command.params, values))
    commands.check(version, found.action, found.payload)
    return found


def changed(period=None, schedule=None, **profile):
    (before,) = PROFILE["schedules"]
    periods = [{**before["periods"][0], **(period or {})}]
    return {**PROFILE, "schedules": [{**before, "periods": periods, **(schedule or {})}], **profile}


@pytest.mark.parametrize(
    ("version", "payload"), [(V16, WIRE_V16), (V201, WIRE_V2X), (V21, WIRE_V2X)]
)
def test_one_profile_goes_out_in_every_version(version, payload):
    values = {"charging_profile": PROFILE, "evse_id": 1}
    assert order(set_charging_profile.COMMAND, version, values) == Order(
        "SetChargingProfile", payload
    )


def test_the_station_is_connector_and_evse_0_and_its_purpose_has_two_names():
    profile = changed(purpose="ChargingStationMaxProfile")
    del profile["transaction_id"]
    values = {"charging_profile": profile}
    v16 = order(set_charging_profile.COMMAND, V16, values).payload
    v201 = order(set_charging_profile.COMMAND, V201, values).payload
    assert v16["connectorId"] == v201["evseId"] == 0
    assert v16["csChargingProfiles"]["chargingProfilePurpose"] == "ChargePointMaxProfile"
    assert v201["chargingProfile"]["chargingProfilePurpose"] == "ChargingStationMaxProfile"


@pytest.mark.parametrize(
    ("profile", "lacking"),
    [
        (changed({"phase_to_use": 1, "number_phases": 1}), {V16}),
        ({**PROFILE, "schedules": PROFILE["schedules"] * 2}, {V16}),
        (changed(transaction_id="a-uuid"), {V16}),
        (changed({"limit": 7.75}), {V16}),
        (changed(schedule={"min_charging_rate": 6.05}), {V16}),
        (changed({"limit": None}), {V16, V201}),
        (changed({"setpoint": -3000.0}), {V16, V201}),
        (changed({"operation_mode": "CentralSetpoint"}), {V16, V201}),
        (changed(schedule={"use_local_time": True}), {V16, V201}),
        (changed(max_offline_duration_s=60), {V16, V201}),
        (
            changed(purpose="PriorityCharging", transaction_id=None, schedule={"duration_s": None}),
            {V16, V201},
        ),
        (changed(kind="Dynamic", dyn_update_interval_s=5), {V16, V201}),
    ],
)
def test_a_version_that_cannot_say_it_is_not_asked_to(profile, lacking):
    for version in OcppVersion:
        if version in lacking:
            with pytest.raises(NotSupportedByVersion, match=f"OCPP {version.value}"):
                order(
                    set_charging_profile.COMMAND,
                    version,
                    {"charging_profile": profile, "evse_id": 1},
                )
        else:
            order(
                set_charging_profile.COMMAND, version, {"charging_profile": profile, "evse_id": 1}
            )


@pytest.mark.parametrize(
    ("profile", "loc"),
    [
        (changed({"limit": -1}), ("schedules", 0, "periods", 0, "limit")),
        (changed({"limit": True}), ("schedules", 0, "periods", 0, "limit")),
        (changed({"start_period_s": 5}), ("schedules", 0, "periods", 0, "start_period_s")),
        (changed(schedule={"periods": []}), ("schedules", 0, "periods")),
        (changed(schedule={"duration_s": 0}), ("schedules", 0, "duration_s")),
        (changed(schedule={"start_schedule": "noon"}), ("schedules", 0, "start_schedule")),
        (
            changed(schedule={"start_schedule": "2026-05-01T12:00:00"}),
            ("schedules", 0, "start_schedule"),
        ),
        (changed(stack_level=-1), ("stack_level",)),
        (changed(purpose="ChargePointMaxProfile"), ("purpose",)),
        (changed(transaction_id=None), ("transaction_id",)),
        ({**PROFILE, "schedules": PROFILE["schedules"] * 4}, ("schedules",)),
    ],
)
def test_what_is_wrong_in_every_version_is_refused_with_its_place(profile, loc):
    with pytest.raises(Invalid) as refusal:
        order(set_charging_profile.COMMAND, V16, {"charging_profile": profile, "evse_id": 1})
    assert refusal.value.loc == ("charging_profile", *loc)


def test_a_profile_in_the_words_of_1_6_reaches_a_2x_station():
    params = set_charging_profile.decode_v16(WIRE_V16)
    assert set_charging_profile.COMMAND.order(V201, params).payload == WIRE_V2X


def test_a_profile_that_only_1_6_allows_reaches_no_other():
    loose = {**WIRE_V16["csChargingProfiles"], "chargingProfilePurpose": "TxDefaultProfile"}
    with pytest.raises(NotSupportedByVersion, match="transaction_id"):
        set_charging_profile.decode_v16({"connectorId": 1, "csChargingProfiles": loose})


@pytest.mark.parametrize(
    ("values", "v16", "v2x"),
    [
        ({"charging_profile_id": 7}, {"id": 7}, {"chargingProfileId": 7}),
        (
            {"evse_id": 0, "purpose": "ChargingStationMaxProfile", "stack_level": 2},
            {
                "connectorId": 0,
                "chargingProfilePurpose": "ChargePointMaxProfile",
                "stackLevel": 2,
            },
            {
                "chargingProfileCriteria": {
                    "evseId": 0,
                    "chargingProfilePurpose": "ChargingStationMaxProfile",
                    "stackLevel": 2,
                }
            },
        ),
    ],
)
def test_clears_by_id_or_by_criteria(values, v16, v2x):
    assert order(clear_charging_profile.COMMAND, V16, values).payload == v16
    for version in (V201, V21):
        assert order(clear_charging_profile.COMMAND, version, values).payload == v2x
    decoded = clear_charging_profile.decode_v16(v16)
    assert clear_charging_profile.COMMAND.order(V201, decoded).payload == v2x


def test_only_1_6_clears_everything_at_once():
    assert order(clear_charging_profile.COMMAND, V16, {}).payload == {}
    with pytest.raises(NotSupportedByVersion):
        order(clear_charging_profile.COMMAND, V201, {})


@pytest.mark.parametrize(
    ("values", "loc"),
    [
        ({"charging_profile_id": 1, "stack_level": 1}, ("charging_profile_id",)),
        ({"purpose": "ChargingStationExternalConstraints"}, ("purpose",)),
        ({"evse_id": -1}, ("evse_id",)),
    ],
)
def test_refuses_to_clear_what_the_specification_keeps(values, loc):
    with pytest.raises(Invalid) as refusal:
        order(clear_charging_profile.COMMAND, V16, values)
    assert refusal.value.loc == loc


def test_a_repeated_clear_that_finds_nothing_has_worked_before():
    assert clear_charging_profile.COMMAND.command_class is CommandClass.B
    assert not clear_charging_profile.COMMAND.read({"status": "Unknown"}).accepted
    assert clear_charging_profile.COMMAND.read_repeat({"status": "Unknown"}).accepted


@pytest.mark.parametrize(
    ("values", "payload"),
    [
        (
            {"charging_profile_ids": [1, 2], "request_id": 5},
            {"requestId": 5, "chargingProfile": {"chargingProfileId": [1, 2]}},
        ),
        (
            {
                "sources": ["CSO"],
                "stack_level": 0,
                "purpose": "TxProfile",
                "evse_id": 0,
                "request_id": 5,
            },
            {
                "requestId": 5,
                "evseId": 0,
                "chargingProfile": {
                    "chargingLimitSource": ["CSO"],
                    "stackLevel": 0,
                    "chargingProfilePurpose": "TxProfile",
                },
            },
        ),
    ],
)
def test_asks_for_a_report_of_profiles(values, payload):
    for version in (V201, V21):
        assert order(get_charging_profiles.COMMAND, version, values).payload == payload
    with pytest.raises(NotSupportedByVersion, match=r"OCPP 1\.6"):
        order(get_charging_profiles.COMMAND, V16, values)


@pytest.mark.parametrize("values", [{}, {"charging_profile_ids": [1], "stack_level": 1}])
def test_a_report_needs_either_ids_or_another_criterion(values):
    with pytest.raises(Invalid) as refusal:
        order(get_charging_profiles.COMMAND, V201, values)
    assert refusal.value.loc == ("charging_profile_ids",)


@pytest.mark.parametrize("values", [{"sources": ["Grid"]}, {"purpose": "LocalGeneration"}])
def test_new_sources_and_purposes_are_for_2_1(values):
    order(get_charging_profiles.COMMAND, V21, values)
    with pytest.raises(NotSupportedByVersion, match=r"OCPP 2\.0\.1"):
        order(get_charging_profiles.COMMAND, V201, values)


def test_a_station_without_profiles_has_answered():
    assert get_charging_profiles.COMMAND.read({"status": "NoProfiles"}).accepted


def test_asks_for_the_composite_schedule_of_the_station_or_an_evse():
    values = {"duration_s": 600}
    assert order(get_composite_schedule.COMMAND, V16, values).payload == {
        "connectorId": 0,
        "duration": 600,
    }
    values = {"duration_s": 600, "evse_id": 2, "rate_unit": "W"}
    for version in (V201, V21):
        assert order(get_composite_schedule.COMMAND, version, values).payload == {
            "evseId": 2,
            "duration": 600,
            "chargingRateUnit": "W",
        }
    decoded = get_composite_schedule.decode_v16(
        order(get_composite_schedule.COMMAND, V16, values).payload
    )
    assert get_composite_schedule.COMMAND.order(V201, decoded).payload["evseId"] == 2


def test_the_composite_schedule_reads_the_same_from_every_version():
    periods = [{"startPeriod": 0, "limit": 10.5, "numberPhases": 3}]
    v16 = {
        "status": "Accepted",
        "connectorId": 1,
        "scheduleStart": "2026-05-01T12:00:00Z",
        "chargingSchedule": {
            "duration": 600,
            "chargingRateUnit": "A",
            "chargingSchedulePeriod": periods,
        },
    }
    v2x = {
        "status": "Accepted",
        "schedule": {
            "evseId": 1,
            "duration": 600,
            "scheduleStart": "2026-05-01T12:00:00Z",
            "chargingRateUnit": "A",
            "chargingSchedulePeriod": periods,
        },
    }
    assert schemas.is_valid(V16, "GetCompositeSchedule", "response", v16)
    assert schemas.is_valid(V201, "GetCompositeSchedule", "response", v2x)
    read = get_composite_schedule.composite_schedule
    found = read({"connectorId": 1}, v16)
    assert found == read({"evseId": 1}, v2x)
    assert found.periods == [{"start_period_s": 0, "limit": 10.5, "number_phases": 3}]
    assert read({"evseId": 1}, {"status": "Rejected"}) is None
