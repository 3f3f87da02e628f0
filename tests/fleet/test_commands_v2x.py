"""How a virtual station speaks OCPP 2.0.1 and 2.1, and obeys their core commands."""

from __future__ import annotations

from typing import Any

import pytest

from csms.domain.versions import OcppVersion
from csms.fleet.faults import Faults
from csms.fleet.physics import CurrentType, Supply
from csms.fleet.speech import StopCause
from tests.fleet import words
from tests.fleet.conftest import Bench

VERSIONS = (OcppVersion.V201, OcppVersion.V21)
REQUEST = {"idToken": words.token("ABC"), "remoteStartId": 7, "evseId": 1}


@pytest.fixture(params=VERSIONS, ids=lambda version: version.value)
def bench(request, clock) -> Bench:
    """A station of two EVSEs, booted."""
    bench = Bench(
        clock,
        request.param,
        connectors=2,
        vendor="ACME",
        configuration={"MeterValueSampleInterval": "10"},
    )
    bench.connect()
    return bench


def events(bench: Bench) -> list[tuple[str, str]]:
    sent = bench.said("TransactionEvent")
    return [(one["eventType"], one["triggerReason"]) for one in sent]


def infos(bench: Bench, name: str) -> list[Any]:
    return [one["transactionInfo"].get(name) for one in bench.said("TransactionEvent")]


# ---- boot ----------------------------------------------------------------------------------------


def test_boots_with_a_reason_and_reports_every_connector(bench):
    assert bench.calls[0] == (
        "BootNotification",
        {
            "reason": "PowerUp",
            "chargingStation": {
                "model": "Virtual AC",
                "vendorName": "ACME",
                "firmwareVersion": "1.0.0",
                "serialNumber": "CS1",
            },
        },
    )
    reports = bench.said("StatusNotification")
    assert [(one["evseId"], one["connectorId"]) for one in reports] == [(1, 1), (2, 1)]
    assert {one["connectorStatus"] for one in reports} == {"Available"}


def test_a_rejected_station_answers_that_it_must_not(clock, bench):
    rejected = Bench(clock, bench.version)
    rejected.answers["BootNotification"] = {
        **rejected.answers["BootNotification"],
        "status": "Rejected",
    }
    rejected.connect()
    assert rejected.send("ClearCache")[:3:2] == [4, "SecurityError"]


def test_a_broken_call_is_refused(bench):
    bench.device.received(b'[2,"x","Reset",{"type":')
    bench.settle()
    assert bench.replies["x"][2] == "RpcFrameworkError"


def test_an_action_that_is_not_for_it_is_not_supported(bench):
    assert bench.send("GetMonitoringReport", {"requestId": 1})[:3:2] == [4, "NotSupported"]
    assert bench.send("SelfDestruct")[:3:2] == [4, "NotImplemented"]


@pytest.mark.parametrize(("away_s", "told"), [(50, 0), (70, 2)])
def test_after_a_long_time_away_it_tells_every_status_again(bench, away_s, told):
    bench.disconnect()
    bench.clock.advance(away_s)
    bench.calls.clear()
    bench.connect()
    assert len(bench.said("StatusNotification")) == told


# ---- transactions --------------------------------------------------------------------------------


def test_the_events_of_a_transaction_are_numbered_from_zero(bench):
    for _ in range(2):
        bench.calls.clear()
        words.start(bench)
        bench.wait(25)
        words.stop(bench)
        bench.wait(3)
        assert events(bench) == [
            ("Started", "RemoteStart"),
            ("Updated", "ChargingStateChanged"),
            ("Updated", "MeterValuePeriodic"),
            ("Updated", "MeterValuePeriodic"),
            ("Ended", "RemoteStop"),
        ]
        sent = bench.said("TransactionEvent")
        assert [one["seqNo"] for one in sent] == [0, 1, 2, 3, 4]
        assert len(set(infos(bench, "transactionId"))) == 1


def test_the_first_event_tells_where_who_and_why(bench):
    words.start(bench)
    first = words.starts(bench)[0]
    assert first["evse"] == {"id": 1, "connectorId": 1}
    assert first["idToken"] == words.token("ABC")
    assert first["transactionInfo"]["remoteStartId"] == 7
    (sample,) = first["meterValue"][0]["sampledValue"]
    assert sample["context"] == "Transaction.Begin"
    assert sample["unitOfMeasure"] == {"unit": "Wh"}
    assert "offline" not in first


def test_the_status_is_occupied_from_plugging_in_to_leaving(bench):
    words.start(bench)
    bench.wait(20)
    words.stop(bench)
    bench.wait(3)
    assert bench.statuses(1) == ["Available", "Occupied", "Available"]
    states = infos(bench, "chargingState")
    assert states == ["EVConnected", "Charging", "Charging", "Charging", "EVConnected"]


def test_the_register_of_the_end_is_the_last_word(bench):
    words.start(bench)
    bench.wait(120)
    words.stop(bench)
    registers = [
        sample["value"]
        for one in bench.said("TransactionEvent")
        for value in one.get("meterValue", [])
        for sample in value["sampledValue"]
        if sample["measurand"] == "Energy.Active.Import.Register"
    ]
    assert registers == sorted(registers)
    assert registers[-1] > registers[0]


def test_events_of_offline_times_say_so_and_arrive_in_order(bench):
    words.start(bench)
    bench.disconnect()
    bench.wait(25)
    bench.device.connectors[0].stop(StopCause.LOCAL)
    bench.calls.clear()
    bench.connect()
    sent = bench.said("TransactionEvent")
    assert [one["seqNo"] for one in sent] == [2, 3, 4]
    assert {one["offline"] for one in sent} == {True}
    assert [one["timestamp"] for one in sent] == sorted(one["timestamp"] for one in sent)
    assert sent[-1]["transactionInfo"]["stoppedReason"] == "Local"


def test_an_unanswered_event_is_repeated_as_it_was(bench):
    bench.answers["TransactionEvent"] = None
    words.start(bench)
    bench.disconnect()
    bench.answers["TransactionEvent"] = {}
    bench.connect()
    first, second = words.starts(bench)
    assert first == second


def test_a_token_that_the_csms_does_not_accept_ends_the_transaction(bench):
    bench.answers["TransactionEvent"] = {"idTokenInfo": {"status": "Blocked"}}
    words.start(bench)
    (end,) = words.ends(bench)
    assert end["triggerReason"] == "Deauthorized"
    assert end["transactionInfo"]["stoppedReason"] == "DeAuthorized"


def test_a_token_that_is_not_accepted_may_stay_without_energy(bench):
    words.configure(bench, "", ("TxCtrlr", "StopTxOnInvalidId"), "false")
    bench.answers["TransactionEvent"] = {"idTokenInfo": {"status": "Blocked"}}
    words.start(bench)
    assert infos(bench, "chargingState")[-1] == "SuspendedEVSE"
    register_wh = bench.device.connectors[0].meter.register_wh
    bench.wait(60)
    words.stop(bench)
    assert bench.device.connectors[0].meter.register_wh == register_wh


def test_a_start_that_the_csms_refuses_for_good_is_given_up_and_charging_goes_on(bench):
    bench.answers["TransactionEvent"] = "InternalError"
    words.start(bench)
    bench.wait(30)
    attempts = len(words.starts(bench))
    bench.answers["TransactionEvent"] = {}
    bench.wait(60)
    assert attempts == len(words.starts(bench)) == 3
    assert infos(bench, "chargingState")[-1] == "Charging"


def test_a_direct_current_station_tells_the_state_of_charge(clock, bench):
    fast = Bench(
        clock,
        bench.version,
        supply=Supply(CurrentType.DC, 150_000),
        configuration={"MeterValueSampleInterval": "10"},
    )
    fast.connect()
    words.start(fast)
    fast.wait(10)
    (samples,) = words.readings(fast)
    assert [one["location"] for one in samples if one["measurand"] == "SoC"] == ["EV"]


def test_a_changed_limit_is_told(bench):
    words.start(bench)
    words.install(bench, 1, words.profile(bench, 1, "TxProfile", (0, 2000), (15, 0)))
    assert events(bench)[-1] == ("Updated", "ChargingRateChanged")
    bench.wait(16)
    assert events(bench)[-1] == ("Updated", "ChargingStateChanged")
    assert infos(bench, "chargingState")[-1] == "SuspendedEVSE"


# ---- commands ------------------------------------------------------------------------------------


def test_a_request_on_a_busy_or_unknown_evse_is_rejected(bench):
    words.start(bench)
    assert words.start(bench, "B", 1) == "Rejected"
    assert words.start(bench, "B", 9) == "Rejected"


def test_a_start_that_needs_no_authorization_answers_with_its_transaction(bench):
    words.configure(bench, "", ("AuthCtrlr", "AuthorizeRemoteStart"), "false")
    answer = bench.send("RequestStartTransaction", REQUEST)
    assert answer[2]["transactionId"] == words.starts(bench)[0]["transactionInfo"]["transactionId"]
    assert bench.said("Authorize") == []


def test_an_unknown_transaction_cannot_be_stopped(bench):
    assert bench.status("RequestStopTransaction", {"transactionId": "none"}) == "Rejected"


def test_an_immediate_reset_ends_the_transaction_and_boots(bench):
    words.start(bench)
    assert bench.status("Reset", {"type": "Immediate"}) == "Accepted"
    (end,) = words.ends(bench)
    assert end["triggerReason"] == "ResetCommand"
    assert end["transactionInfo"]["stoppedReason"] == "ImmediateReset"
    bench.restart()
    assert bench.said("BootNotification")[0]["reason"] == "RemoteReset"


def test_a_reset_on_idle_waits_for_the_transaction(bench):
    words.start(bench)
    assert bench.status("Reset", {"type": "OnIdle"}) == "Scheduled"
    assert bench.statuses(2)[-1] == "Unavailable"
    bench.wait(30)
    assert bench.device.hangup is None
    words.stop(bench)
    bench.wait(1)
    bench.restart()
    assert bench.said("BootNotification")[0]["reason"] == "ScheduledReset"
    assert [bench.statuses(number) for number in (1, 2)] == [["Available"]] * 2


def test_a_reset_on_idle_of_an_idle_station_is_at_once(bench):
    assert bench.status("Reset", {"type": "OnIdle"}) == "Accepted"
    assert bench.device.hangup is not None


def test_a_single_evse_cannot_be_reset(bench):
    assert bench.status("Reset", {"type": "Immediate", "evseId": 1}) == "Rejected"


def test_the_whole_station_goes_out_of_service(bench):
    words.start(bench)
    answer = bench.status("ChangeAvailability", {"operationalStatus": "Inoperative"})
    assert answer == "Scheduled"
    assert bench.statuses(2)[-1] == "Unavailable"
    words.stop(bench)
    bench.wait(3)
    assert bench.statuses(1)[-1] == "Unavailable"


@pytest.mark.parametrize(
    ("evse", "expected"),
    [({"id": 1}, "Accepted"), ({"id": 1, "connectorId": 2}, "Rejected"), ({"id": 9}, "Rejected")],
)
def test_one_evse_goes_out_of_service(bench, evse, expected):
    payload = {"evse": evse, "operationalStatus": "Inoperative"}
    assert bench.status("ChangeAvailability", payload) == expected


def test_a_connector_in_use_is_not_unlocked(bench):
    unlock = {"evseId": 1, "connectorId": 1}
    assert bench.status("UnlockConnector", unlock) == "Unlocked"
    words.start(bench)
    assert bench.status("UnlockConnector", unlock) == "OngoingAuthorizedTransaction"
    assert bench.status("UnlockConnector", {**unlock, "connectorId": 2}) == "UnknownConnector"


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("BootNotification", ["BootNotification"]),
        ("Heartbeat", ["Heartbeat"]),
        ("StatusNotification", ["StatusNotification"] * 2),
        ("MeterValues", ["MeterValues"] * 2),
        ("LogStatusNotification", ["LogStatusNotification"]),
        ("FirmwareStatusNotification", ["FirmwareStatusNotification"]),
    ],
)
def test_sends_the_message_it_is_asked_for(bench, wanted, expected):
    bench.calls.clear()
    assert bench.status("TriggerMessage", {"requestedMessage": wanted}) == "Accepted"
    assert [action for action, _ in bench.calls] == expected


def test_a_triggered_boot_says_that_it_was(bench):
    bench.send("TriggerMessage", {"requestedMessage": "BootNotification"})
    assert bench.said("BootNotification")[-1]["reason"] == "Triggered"


def test_events_of_running_transactions_can_be_asked_for(bench):
    ask = {"requestedMessage": "TransactionEvent"}
    assert bench.status("TriggerMessage", ask) == "Rejected"
    words.start(bench)
    assert bench.status("TriggerMessage", {**ask, "evse": {"id": 1}}) == "Accepted"
    assert events(bench)[-1] == ("Updated", "Trigger")
    assert bench.status("TriggerMessage", {**ask, "evse": {"id": 2}}) == "Rejected"


def test_what_it_does_not_have_it_cannot_be_asked_for(bench):
    ask = {"requestedMessage": "SignChargingStationCertificate"}
    assert bench.status("TriggerMessage", ask) == "NotImplemented"
    ask = {"requestedMessage": "StatusNotification", "evse": {"id": 9}}
    assert bench.status("TriggerMessage", ask) == "Rejected"


def test_tells_whether_messages_about_a_transaction_wait(bench):
    words.start(bench)
    tx = bench.device.connectors[0].tx
    asked = {"transactionId": tx.id}
    answer = bench.send("GetTransactionStatus", asked)[2]
    assert answer == {"messagesInQueue": False, "ongoingIndicator": True}
    bench.answers["TransactionEvent"] = None
    words.stop(bench)
    answer = bench.send("GetTransactionStatus", asked)[2]
    assert answer == {"messagesInQueue": True, "ongoingIndicator": False}
    assert bench.send("GetTransactionStatus")[2] == {"messagesInQueue": True}


def test_knows_the_messages_of_its_own_vendor_only(bench):
    assert bench.status("DataTransfer", {"vendorId": "ACME", "data": {"a": 1}}) == "Accepted"
    assert bench.status("DataTransfer", {"vendorId": "other"}) == "UnknownVendorId"


def test_clears_its_cache(bench):
    assert bench.status("ClearCache") == "Accepted"


def test_a_reserved_connector_type_must_be_its_own(bench):
    wanted = {
        "id": 1,
        "evseId": 1,
        "idToken": words.token("ABC"),
        "expiryDateTime": words.in_s(bench, 60),
        "connectorType": "cCCS2",
    }
    assert bench.status("ReserveNow", wanted) == "Rejected"
    assert bench.status("ReserveNow", {**wanted, "connectorType": "cType2"}) == "Accepted"


def test_a_token_of_the_group_may_use_the_reservation(bench):
    bench.status(
        "ReserveNow",
        {
            "id": 1,
            "evseId": 1,
            "idToken": words.token("PARENT"),
            "groupIdToken": words.token("FAMILY"),
            "expiryDateTime": words.in_s(bench, 60),
        },
    )
    assert words.start(bench, "CHILD") == "Rejected"
    assert words.start(bench, "CHILD", groupIdToken=words.token("family")) == "Accepted"


def test_reports_the_profiles_that_are_asked_for(bench):
    for evse in (0, 1):
        shape = words.profile(bench, evse + 1, "TxDefaultProfile", (0, 2000))
        words.install(bench, evse, shape)
    ask = {"requestId": 4, "chargingProfile": {"chargingProfilePurpose": "TxDefaultProfile"}}
    assert bench.status("GetChargingProfiles", ask) == "Accepted"
    parts = bench.said("ReportChargingProfiles")
    assert [(part["evseId"], part["tbc"]) for part in parts] == [(0, True), (1, False)]
    assert [part["chargingProfile"][0]["id"] for part in parts] == [1, 2]
    ask["chargingProfile"] = {"stackLevel": 5}
    assert bench.status("GetChargingProfiles", ask) == "NoProfiles"


def test_an_update_in_the_place_of_another_says_so(bench):
    words.update_firmware(bench, "https://files.example/1.bin", 1)
    bench.wait(1)
    answer = words.update_firmware(bench, "https://files.example/2.bin", 2)
    assert answer[2]["status"] == "AcceptedCanceled"


def test_a_refusal_of_variables_names_each(clock, bench):
    grumpy = Bench(clock, bench.version, faults=Faults(reject_percent=100))
    grumpy.connect()
    assert words.configure(grumpy, "", ("OCPPCommCtrlr", "HeartbeatInterval"), "9") == "Rejected"
