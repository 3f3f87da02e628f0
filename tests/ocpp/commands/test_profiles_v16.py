"""Profiles that are given as payloads of 1.6 are judged before a station gets them."""

from __future__ import annotations

import pytest

from csms.domain.versions import OcppVersion
from csms.errors import Invalid
from csms.ocpp import commands

PROFILE = {
    "chargingProfileId": 7,
    "stackLevel": 1,
    "chargingProfilePurpose": "TxDefaultProfile",
    "chargingProfileKind": "Absolute",
    "chargingSchedule": {
        "duration": 7200,
        "startSchedule": "2026-05-01T12:00:00Z",
        "chargingRateUnit": "A",
        "chargingSchedulePeriod": [
            {"startPeriod": 0, "limit": 16.0},
            {"startPeriod": 3600, "limit": 7.7},
        ],
    },
}
PERIODS = ("chargingSchedule", "chargingSchedulePeriod")


def profile(schedule=None, **changes):
    before = PROFILE["chargingSchedule"]
    return {**PROFILE, "chargingSchedule": {**before, **(schedule or {})}, **changes}


def periods(*starts):
    return profile({"chargingSchedulePeriod": [{"startPeriod": one, "limit": 6} for one in starts]})


def set_profile(given, connector=1):
    payload = {"connectorId": connector, "csChargingProfiles": given}
    commands.raw(OcppVersion.V16, "SetChargingProfile", payload)


def start_with(given):
    payload = {"idTag": "A", "chargingProfile": given}
    commands.raw(OcppVersion.V16, "RemoteStartTransaction", payload)


@pytest.mark.parametrize("connector", [0, -1])
def test_a_start_names_a_connector_or_none(connector):
    with pytest.raises(Invalid) as refused:
        commands.raw(
            OcppVersion.V16, "RemoteStartTransaction", {"idTag": "A", "connectorId": connector}
        )
    assert refused.value.loc == ("connectorId",)


TX = profile(chargingProfilePurpose="TxProfile")
RELATIVE = profile(chargingProfileKind="Relative")


@pytest.mark.parametrize(
    ("given", "connector"),
    [
        (PROFILE, 0),
        (PROFILE, 1),
        (TX, 1),  # of the transaction that runs there
        ({**TX, "transactionId": 42}, 1),
        (RELATIVE, 1),
        (profile(chargingProfilePurpose="ChargePointMaxProfile"), 0),
        (profile(chargingProfileKind="Recurring", recurrencyKind="Daily"), 1),
        (periods(0, 7199), 1),
    ],
)
def test_what_1_6_allows_goes_out(given, connector):
    set_profile(given, connector)


def test_a_schedule_of_1_6_needs_no_beginning():
    given = profile()
    del given["chargingSchedule"]["startSchedule"]
    set_profile(given)


@pytest.mark.parametrize(
    ("given", "connector", "path"),
    [
        (periods(10), 1, (*PERIODS, 0, "startPeriod")),
        (periods(0, 60, 60), 1, (*PERIODS, 2, "startPeriod")),
        (periods(0, 7200), 1, (*PERIODS, 1, "startPeriod")),
        (profile({"duration": 0}), 1, ("chargingSchedule", "duration")),
        (profile({"chargingSchedulePeriod": []}), 1, PERIODS),
        (profile({"startSchedule": "noon"}), 1, ("chargingSchedule", "startSchedule")),
        (profile(stackLevel=-1), 1, ("stackLevel",)),
        (profile(chargingProfileId=2**31), 1, ("chargingProfileId",)),
        (profile(chargingProfileKind="Recurring"), 1, ("recurrencyKind",)),
        (
            profile(validFrom="2026-05-02T00:00:00Z", validTo="2026-05-01T00:00:00Z"),
            1,
            ("validTo",),
        ),
        (profile(transactionId=42), 1, ("transactionId",)),
    ],
)
def test_a_wrong_profile_is_refused_at_its_place(given, connector, path):
    with pytest.raises(Invalid) as caught:
        set_profile(given, connector)
    assert caught.value.loc == ("csChargingProfiles", *path)


@pytest.mark.parametrize(
    ("given", "connector"),
    [(TX, 0), (profile(chargingProfilePurpose="ChargePointMaxProfile"), 1), (PROFILE, -1)],
)
def test_a_profile_at_the_wrong_connector_is_refused(given, connector):
    with pytest.raises(Invalid) as caught:
        set_profile(given, connector)
    assert caught.value.loc == ("connectorId",)


def test_a_start_takes_a_profile_of_its_own_only():
    start_with(TX)
    with pytest.raises(Invalid) as caught:
        start_with(PROFILE)
    assert caught.value.loc == ("chargingProfile", "chargingProfilePurpose")
    with pytest.raises(Invalid) as caught:
        start_with({**TX, "transactionId": 1})
    assert caught.value.loc == ("chargingProfile", "transactionId")
