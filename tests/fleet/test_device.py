"""The life of a virtual station: boot, heartbeats, resets, lost sockets, faults."""

from __future__ import annotations

import orjson
import pytest

from csms.domain.stations import Registration
from csms.fleet.faults import Faults
from csms.fleet.speech import StopCause
from tests.fleet.conftest import ANSWERS, BOOT_ACCEPTED, Bench


def test_boots_and_reports_the_status_of_itself_and_each_connector(bench):
    assert [action for action, _ in bench.calls] == [
        "BootNotification",
        "StatusNotification",
        "StatusNotification",
        "StatusNotification",
    ]
    assert [one["connectorId"] for one in bench.said("StatusNotification")] == [0, 1, 2]
    assert bench.said("BootNotification")[0]["chargePointVendor"] == "ACME"


@pytest.mark.parametrize("word", ["Pending", "Rejected"])
def test_boots_again_after_the_interval_until_it_is_accepted(clock, word):
    bench = Bench(clock)
    bench.answers["BootNotification"] = {**BOOT_ACCEPTED, "status": word, "interval": 20}
    bench.connect()
    bench.wait(19)
    assert [action for action, _ in bench.calls] == ["BootNotification"]
    bench.answers["BootNotification"] = BOOT_ACCEPTED
    bench.wait(1)
    assert len(bench.said("BootNotification")) == 2
    assert bench.device.registration is Registration.ACCEPTED


def test_an_unusable_answer_to_the_boot_is_no_answer(clock):
    bench = Bench(clock)
    bench.answers["BootNotification"] = {"status": "Perhaps"}
    bench.connect()
    assert bench.device.registration is None
    bench.answers["BootNotification"] = BOOT_ACCEPTED
    bench.wait(30)
    assert bench.device.registration is Registration.ACCEPTED


def test_beats_at_the_interval_it_was_given(bench):
    bench.wait(300)
    first = len(bench.said("Heartbeat"))
    assert first == 1
    bench.wait(600, step_s=5)
    assert len(bench.said("Heartbeat")) == first + 2


def test_a_rejected_station_does_not_answer_commands(clock):
    bench = Bench(clock)
    bench.answers["BootNotification"] = {**BOOT_ACCEPTED, "status": "Rejected"}
    bench.connect()
    assert bench.send("ClearCache") is None


def test_an_accepted_station_does_not_boot_on_a_new_socket(bench):
    bench.disconnect()
    bench.calls.clear()
    bench.connect()
    assert [action for action, _ in bench.calls] == ["Heartbeat"]


def test_a_status_that_changed_offline_is_told_on_the_new_socket(bench):
    bench.send("RemoteStartTransaction", {"idTag": "A", "connectorId": 1})
    bench.disconnect()
    bench.device.connectors[0].stop(StopCause.LOCAL)
    bench.calls.clear()
    bench.connect()
    assert bench.statuses(1) == ["Finishing"]


def test_a_station_that_the_csms_no_longer_knows_boots_again(bench):
    bench.answers["Heartbeat"] = None
    bench.calls.clear()
    bench.device.heartbeat()
    bench.device.tick()
    (heartbeat,) = bench.device.take()
    error = [4, orjson.loads(heartbeat)[1], "SecurityError", "", {}]
    bench.device.received(orjson.dumps(error))
    bench.settle()
    assert bench.said("BootNotification")


@pytest.mark.parametrize("kind", ["Soft", "Hard"])
def test_a_reset_is_answered_then_the_socket_drops_and_it_boots_again(bench, kind):
    assert bench.status("Reset", {"type": kind}) == "Accepted"
    bench.wait(1)
    assert bench.device.hangup is not None
    bench.disconnect()
    bench.calls.clear()
    bench.connect()
    assert bench.calls[0][0] == "BootNotification"


def test_the_answer_to_a_reset_leaves_before_the_socket_drops(bench):
    bench.device.received(b'[2,"r","Reset",{"type":"Soft"}]')
    assert bench.device.hangup is not None
    assert orjson.loads(bench.device.take()[-1]) == [3, "r", {"status": "Accepted"}]


def test_a_soft_reset_ends_the_transaction_before_the_socket_drops(bench):
    bench.send("RemoteStartTransaction", {"idTag": "A", "connectorId": 1})
    bench.send("Reset", {"type": "Soft"})
    assert [stop["reason"] for stop in bench.said("StopTransaction")] == ["SoftReset"]


def test_a_transaction_cut_by_a_hard_reset_is_told_after_the_boot(bench):
    bench.send("RemoteStartTransaction", {"idTag": "A", "connectorId": 1})
    bench.answers["StopTransaction"] = None
    bench.send("Reset", {"type": "Hard"})
    bench.wait(1)
    bench.disconnect()
    bench.calls.clear()
    bench.answers = dict(ANSWERS[bench.version])
    bench.connect()
    actions = [action for action, _ in bench.calls]
    assert actions[0] == "BootNotification"
    assert [stop["reason"] for stop in bench.said("StopTransaction")] == ["HardReset"]


def test_an_unanswered_heartbeat_makes_it_dial_again(bench):
    bench.answers["Heartbeat"] = None
    bench.send("TriggerMessage", {"requestedMessage": "Heartbeat"})
    bench.wait(30)
    assert bench.device.hangup is not None


def test_an_unknown_action_is_not_implemented(bench):
    assert bench.send("SelfDestruct")[:3:2] == [4, "NotImplemented"]


def test_a_payload_that_breaks_the_schema_is_refused(bench):
    assert bench.send("Reset", {"type": "Medium"})[:3:2] == [4, "PropertyConstraintViolation"]


def test_a_broken_call_is_refused_and_the_conversation_goes_on(bench):
    bench.device.received(b'[2,"x","Reset",{"type":')
    bench.settle()
    assert bench.replies["x"][2] == "FormationViolation"
    assert bench.status("ClearCache") == "Accepted"


def test_a_repeated_command_is_answered_again_but_obeyed_once(bench):
    frame = b'[2,"r","RemoteStartTransaction",{"idTag":"A"}]'
    for _ in range(2):
        bench.device.received(frame)
        assert orjson.loads(bench.device.take()[0]) == [3, "r", {"status": "Accepted"}]
    assert sum(one.tx is not None for one in bench.device.connectors) == 1


def test_a_rejecting_station_refuses_with_the_word_of_the_command(clock):
    bench = Bench(clock, faults=Faults(reject_percent=100))
    bench.connect()
    assert bench.status("Reset", {"type": "Soft"}) == "Rejected"
    assert bench.status("UnlockConnector", {"connectorId": 1}) == "UnlockFailed"
    assert bench.device.hangup is None


def test_a_silent_station_neither_answers_nor_obeys(clock):
    bench = Bench(clock, faults=Faults(silent_percent=100))
    bench.connect()
    assert bench.send("Reset", {"type": "Soft"}) is None
    assert bench.device.hangup is None


def test_a_flapping_station_loses_its_socket_and_keeps_its_registration(clock):
    bench = Bench(clock, faults=Faults(drop_every_s=5))
    bench.connect()
    bench.wait(60)
    assert bench.device.hangup is not None
    bench.disconnect()
    assert bench.device.registration is Registration.ACCEPTED


def test_rates_of_faults_hold_over_many_commands(clock):
    bench = Bench(clock, faults=Faults(reject_percent=10, silent_percent=5))
    bench.connect()
    answers = [bench.send("ClearCache") for _ in range(2000)]
    silent = sum(answer is None for answer in answers)
    refused = sum(answer is not None and answer[2]["status"] == "Rejected" for answer in answers)
    assert 60 < silent < 145
    assert 140 < refused < 265
