"""How a virtual station obeys each core command of OCPP 1.6."""

from __future__ import annotations

import pytest

from csms.fleet.speech import StopCause
from tests.fleet.conftest import Bench

START = {"idTag": "ABC", "connectorId": 1}


def keys(bench: Bench, *names: str) -> dict:
    answer = bench.send("GetConfiguration", {"key": list(names)} if names else {})
    return answer[2]


# ---- configuration -------------------------------------------------------------------------


def test_lists_every_key_but_never_shows_the_password(bench):
    bench.status("ChangeConfiguration", {"key": "AuthorizationKey", "value": "s" * 20})
    shown = {one["key"]: one for one in keys(bench)["configurationKey"]}
    assert shown["NumberOfConnectors"] == {
        "key": "NumberOfConnectors",
        "readonly": True,
        "value": "2",
    }
    assert "value" not in shown["AuthorizationKey"]


def test_names_the_keys_it_does_not_know(bench):
    answer = keys(bench, "heartbeatinterval", "Colour")
    assert [one["key"] for one in answer["configurationKey"]] == ["HeartbeatInterval"]
    assert answer["unknownKey"] == ["Colour"]


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("HeartbeatInterval", "60", "Accepted"),
        ("heartbeatinterval", "60", "Accepted"),
        ("HeartbeatInterval", "soon", "Rejected"),
        ("HeartbeatInterval", "-1", "Rejected"),
        ("AuthorizeRemoteTxRequests", "maybe", "Rejected"),
        ("MeterValuesSampledData", "Voltage,Temperature", "Rejected"),
        ("MeterValuesSampledData", "Voltage, SoC", "Accepted"),
        ("NumberOfConnectors", "3", "Rejected"),
        ("WebSocketPingInterval", "20", "RebootRequired"),
        ("AuthorizationKey", "short", "Rejected"),
        ("Colour", "red", "NotSupported"),
    ],
)
def test_changes_a_key_or_says_why_not(bench, key, value, expected):
    assert bench.status("ChangeConfiguration", {"key": key, "value": value}) == expected


def test_a_changed_value_is_shown(bench):
    bench.send("ChangeConfiguration", {"key": "connectiontimeout", "value": "90"})
    assert keys(bench, "ConnectionTimeOut")["configurationKey"][0]["value"] == "90"


def test_a_new_heartbeat_interval_holds_at_once(bench):
    bench.send("ChangeConfiguration", {"key": "HeartbeatInterval", "value": "10"})
    bench.wait(10)
    assert len(bench.said("Heartbeat")) == 1


@pytest.mark.parametrize("value", ["abcdefghij0123456789", b"abcdefghij0123456789".hex()])
def test_a_new_password_is_used_for_a_new_connection(bench, value):
    assert bench.status("ChangeConfiguration", {"key": "AuthorizationKey", "value": value}) == (
        "Accepted"
    )
    bench.wait(1)
    assert bench.device.password == b"abcdefghij0123456789"
    assert bench.device.hangup is not None


# ---- transactions --------------------------------------------------------------------------


def test_a_remote_start_authorizes_starts_and_sends_meter_values(bench):
    assert bench.status("RemoteStartTransaction", START) == "Accepted"
    bench.wait(30)
    assert [action for action, _ in bench.calls[4:]] == [
        "StatusNotification",
        "Authorize",
        "StartTransaction",
        "StatusNotification",
        "MeterValues",
        "MeterValues",
        "MeterValues",
    ]
    assert bench.statuses(1)[1:] == ["Preparing", "Charging"]
    assert {one["transactionId"] for one in bench.said("MeterValues")} == {77}


def test_a_remote_start_without_authorization_starts_at_once(bench):
    bench.send("ChangeConfiguration", {"key": "AuthorizeRemoteTxRequests", "value": "false"})
    bench.send("RemoteStartTransaction", START)
    assert bench.said("Authorize") == []
    assert len(bench.said("StartTransaction")) == 1


def test_a_token_that_is_not_authorized_starts_nothing(bench):
    bench.answers["Authorize"] = {"idTagInfo": {"status": "Invalid"}}
    bench.send("RemoteStartTransaction", START)
    assert bench.said("StartTransaction") == []
    assert bench.statuses(1)[-1] == "Available"


def test_a_start_that_the_csms_does_not_authorize_is_ended(bench):
    bench.answers["StartTransaction"] = {"transactionId": 5, "idTagInfo": {"status": "Blocked"}}
    bench.send("RemoteStartTransaction", START)
    (stop,) = bench.said("StopTransaction")
    assert (stop["transactionId"], stop["reason"]) == (5, "DeAuthorized")


@pytest.mark.parametrize("connector", [1, 9])
def test_a_remote_start_on_a_busy_or_unknown_connector_is_rejected(bench, connector):
    bench.send("RemoteStartTransaction", START)
    answer = bench.status("RemoteStartTransaction", {"idTag": "B", "connectorId": connector})
    assert answer == "Rejected"


def test_a_remote_start_without_a_connector_takes_a_free_one(bench):
    bench.send("RemoteStartTransaction", START)
    assert bench.status("RemoteStartTransaction", {"idTag": "B"}) == "Accepted"
    assert bench.said("StartTransaction")[-1]["connectorId"] == 2


def test_a_remote_stop_ends_the_transaction_and_frees_the_connector(bench):
    bench.send("RemoteStartTransaction", START)
    bench.wait(60)
    assert bench.status("RemoteStopTransaction", {"transactionId": 77}) == "Accepted"
    bench.wait(3)
    (stop,) = bench.said("StopTransaction")
    assert stop["reason"] == "Remote"
    assert stop["meterStop"] > bench.said("StartTransaction")[0]["meterStart"]
    assert bench.statuses(1)[-2:] == ["Finishing", "Available"]


def test_a_remote_stop_of_an_unknown_transaction_is_rejected(bench):
    assert bench.status("RemoteStopTransaction", {"transactionId": 1}) == "Rejected"


def test_the_register_never_falls_over_transactions_and_lost_sockets(bench):
    for _ in range(3):
        bench.send("RemoteStartTransaction", START)
        bench.wait(25)
        bench.disconnect()
        bench.clock.advance(17)
        bench.connect()
        bench.wait(8)
        bench.send("RemoteStopTransaction", {"transactionId": 77})
        bench.wait(5)
    readings = [float(value) for value in registers(bench)]
    assert len(readings) > 12
    assert readings == sorted(readings)


def registers(bench: Bench):
    for action, payload in bench.calls:
        if action == "StartTransaction":
            yield payload["meterStart"]
        elif action == "StopTransaction":
            yield payload["meterStop"]
        elif action == "MeterValues":
            for sample in payload["meterValue"][0]["sampledValue"]:
                if sample["measurand"] == "Energy.Active.Import.Register":
                    yield sample["value"]


def test_the_samples_of_one_meter_value_agree_with_each_other(bench):
    bench.send("RemoteStartTransaction", START)
    bench.wait(60)
    for value in bench.said("MeterValues"):
        samples = value["meterValue"][0]["sampledValue"]
        by_measurand: dict[str, list[float]] = {}
        for sample in samples:
            by_measurand.setdefault(sample["measurand"], []).append(float(sample["value"]))
        (power,) = by_measurand["Power.Active.Import"]
        pairs = zip(by_measurand["Voltage"], by_measurand["Current.Import"], strict=True)
        assert power == pytest.approx(sum(u * i for u, i in pairs), rel=0.01)
        assert "SoC" not in by_measurand


def test_messages_about_a_transaction_survive_a_lost_socket(bench):
    bench.send("RemoteStartTransaction", START)
    bench.disconnect()
    bench.device.connectors[0].stop(StopCause.LOCAL)
    bench.calls.clear()
    bench.connect()
    assert [stop["reason"] for stop in bench.said("StopTransaction")] == ["Local"]


def test_an_unanswered_start_is_repeated_with_the_same_content(bench):
    bench.answers["StartTransaction"] = None
    bench.send("RemoteStartTransaction", START)
    bench.disconnect()
    bench.answers["StartTransaction"] = {"transactionId": 8, "idTagInfo": {"status": "Accepted"}}
    bench.connect()
    first, second = bench.said("StartTransaction")
    assert first == second
    assert bench.device.connectors[0].tx.id == 8


# ---- availability, unlock, trigger, data ---------------------------------------------------


def test_an_idle_connector_becomes_unavailable_at_once(bench):
    answer = bench.status("ChangeAvailability", {"connectorId": 1, "type": "Inoperative"})
    assert answer == "Accepted"
    assert bench.statuses(1)[-1] == "Unavailable"
    assert bench.status("RemoteStartTransaction", START) == "Rejected"


def test_a_charging_connector_becomes_unavailable_when_the_car_has_left(bench):
    bench.send("RemoteStartTransaction", START)
    answer = bench.status("ChangeAvailability", {"connectorId": 0, "type": "Inoperative"})
    assert answer == "Scheduled"
    assert bench.statuses(2)[-1] == "Unavailable"
    bench.send("RemoteStopTransaction", {"transactionId": 77})
    bench.wait(3)
    assert bench.statuses(1)[-1] == "Unavailable"


def test_availability_outlives_a_reset(bench):
    bench.send("ChangeAvailability", {"connectorId": 1, "type": "Inoperative"})
    bench.send("Reset", {"type": "Soft"})
    bench.disconnect()
    bench.connect()
    assert bench.statuses(1)[-1] == "Unavailable"


def test_an_unknown_connector_cannot_change(bench):
    answer = bench.status("ChangeAvailability", {"connectorId": 3, "type": "Operative"})
    assert answer == "Rejected"


def test_unlocking_ends_the_transaction(bench):
    bench.send("RemoteStartTransaction", START)
    assert bench.status("UnlockConnector", {"connectorId": 1}) == "Unlocked"
    assert [stop["reason"] for stop in bench.said("StopTransaction")] == ["UnlockCommand"]
    assert bench.status("UnlockConnector", {"connectorId": 3}) == "NotSupported"


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("BootNotification", ["BootNotification"]),
        ("Heartbeat", ["Heartbeat"]),
        ("StatusNotification", ["StatusNotification"] * 3),
        ("MeterValues", ["MeterValues"] * 2),
        ("DiagnosticsStatusNotification", ["DiagnosticsStatusNotification"]),
        ("FirmwareStatusNotification", ["FirmwareStatusNotification"]),
    ],
)
def test_sends_the_message_it_is_asked_for(bench, wanted, expected):
    bench.calls.clear()
    assert bench.status("TriggerMessage", {"requestedMessage": wanted}) == "Accepted"
    assert [action for action, _ in bench.calls] == expected


def test_sends_the_message_about_the_connector_it_is_asked_for(bench):
    bench.calls.clear()
    bench.send("TriggerMessage", {"requestedMessage": "StatusNotification", "connectorId": 2})
    assert bench.statuses(2) == ["Available"]
    assert len(bench.calls) == 1
    answer = bench.status("TriggerMessage", {"requestedMessage": "MeterValues", "connectorId": 7})
    assert answer == "Rejected"


def test_knows_the_messages_of_its_own_vendor_only(bench):
    assert bench.status("DataTransfer", {"vendorId": "ACME", "data": "x"}) == "Accepted"
    assert bench.status("DataTransfer", {"vendorId": "other"}) == "UnknownVendorId"
