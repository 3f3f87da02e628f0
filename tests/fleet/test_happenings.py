"""What happens at a virtual station without an order of the CSMS."""

from __future__ import annotations

from functools import partial

import pytest

from csms.domain.versions import OcppVersion
from csms.errors import Conflict
from csms.fleet import happenings
from csms.fleet.speech import ConnectorState, Token
from tests.fleet.conftest import Bench

CARD = Token("CARD")
WHOLE_STATION = {"connectorId": 0, "errorCode": "NoError", "status": "Available"}


def let(bench: Bench, happen, *given, **more):
    done = bench.device.let(partial(happen, **more) if not given else lambda d: happen(d, *given))
    bench.settle()
    return done


def charging(bench: Bench, version: OcppVersion = OcppVersion.V16) -> None:
    bench.device.let(lambda device: happenings.start(device, 1, CARD))
    bench.settle()
    assert bench.device.connectors[0].state is ConnectorState.CHARGING


@pytest.fixture(params=list(OcppVersion))
def any_bench(clock, request):
    bench = Bench(clock, request.param, connectors=2)
    bench.connect()
    bench.calls.clear()
    return bench


def test_a_car_that_is_plugged_in_waits_until_somebody_starts_or_unlocks(any_bench):
    bench, v16 = any_bench, any_bench.version is OcppVersion.V16
    let(bench, happenings.plug_in, 1)
    occupied = "Preparing" if v16 else "Occupied"
    assert bench.statuses(1) == [occupied]
    unlock = {"connectorId": 1} if v16 else {"evseId": 1, "connectorId": 1}
    assert bench.status("UnlockConnector", unlock) == "Unlocked"
    assert bench.statuses(1) == [occupied, "Available"]
    let(bench, happenings.plug_in, 1)
    charging(bench)
    with pytest.raises(Conflict, match="No connector is free"):
        bench.device.let(lambda device: happenings.plug_in(device, 1))
    with pytest.raises(Conflict, match="no connector 3"):
        bench.device.let(lambda device: happenings.plug_in(device, 3))
    let(bench, happenings.plug_in, None)
    assert bench.device.connectors[1].state is ConnectorState.PREPARING


def test_a_card_is_asked_about(any_bench):
    let(any_bench, happenings.present, CARD)
    asked = any_bench.said("Authorize")
    tag = asked[0].get("idTag") or asked[0]["idToken"]["idToken"]
    assert (len(asked), tag) == (1, "CARD")


def test_a_session_ends_after_its_time(bench):
    let(bench, lambda device: happenings.start(device, 1, CARD, ends_after_s=30))
    bench.wait(29)
    assert bench.said("StopTransaction") == []
    bench.wait(1)
    assert [one["reason"] for one in bench.said("StopTransaction")] == ["Local"]


def test_a_session_ends_with_its_energy(bench):
    let(bench, lambda device: happenings.start(device, 1, CARD, ends_with_wh=500))
    bench.wait(1200)
    start, stop = bench.said("StartTransaction")[0], bench.said("StopTransaction")[0]
    assert 500 <= stop["meterStop"] - start["meterStart"] < 520


def test_a_session_that_ended_before_takes_its_end_along(bench):
    let(bench, lambda device: happenings.start(device, 1, CARD, ends_after_s=30, ends_with_wh=9e9))
    bench.send("RemoteStopTransaction", {"transactionId": 77})
    bench.wait(5)
    charging(bench)
    bench.wait(60)
    assert len(bench.said("StopTransaction")) == 1


def test_the_car_asks_for_less_and_for_more(bench):
    charging(bench)
    connector = bench.device.connectors[0]
    let(bench, happenings.demand, None, 1000.0)
    bench.wait(60)
    assert connector.state is ConnectorState.CHARGING
    assert connector.read().power_w <= 1001
    let(bench, happenings.demand, 1, 0.0)
    assert connector.state is ConnectorState.SUSPENDED_EV
    bench.wait(10)
    assert connector.read().power_w == 0
    let(bench, happenings.demand, 1, float("inf"))
    assert connector.state is ConnectorState.CHARGING
    with pytest.raises(Conflict, match="No car is charging"):
        bench.device.let(lambda device: happenings.demand(device, 2, 0.0))


def test_a_fault_ends_what_goes_on_and_lasts_until_it_is_repaired(any_bench):
    bench = any_bench
    charging(bench)
    connector = bench.device.let(lambda device: happenings.break_down(device, 1, "GroundFailure"))
    bench.settle()
    bench.wait(10)
    assert connector.tx is None
    assert bench.statuses(1)[-1] == "Faulted"
    with pytest.raises(Conflict, match="No connector is free"):
        bench.device.let(lambda device: happenings.start(device, 1, CARD))
    told = bench.device.let(lambda device: happenings.repair(device, None))
    bench.settle()
    assert told == (connector, "GroundFailure")
    assert bench.statuses(1)[-1] == "Available"


@pytest.mark.parametrize(
    ("fault", "code", "info"),
    [("GroundFailure", "GroundFailure", None), ("burnt " * 20, "OtherError", ("burnt " * 20)[:50])],
)
def test_a_fault_of_1_6_is_told_by_its_code_or_in_words(bench, fault, code, info):
    let(bench, happenings.break_down, 1, fault)
    status = bench.said("StatusNotification")[-1]
    assert (status["status"], status["errorCode"], status.get("info")) == ("Faulted", code, info)
    let(bench, happenings.break_down, 1, "HighTemperature")
    assert bench.said("StatusNotification")[-1]["errorCode"] == "HighTemperature"
    let(bench, happenings.repair, 1)
    assert bench.said("StatusNotification")[-1]["errorCode"] == "NoError"


def test_a_fault_outlives_a_restart(bench):
    let(bench, happenings.break_down, 1, "GroundFailure")
    bench.send("Reset", {"type": "Hard"})
    bench.wait(1)
    bench.restart()
    assert bench.statuses(1) == ["Faulted"]


def test_it_says_what_it_is_told_to(bench):
    let(bench, happenings.say, "DataTransfer", {"vendorId": "ACME", "data": "x"})
    assert bench.said("DataTransfer") == [{"vendorId": "ACME", "data": "x"}]
