"""One order to a mixed fleet: each station gets it in its own version, or is told that it cannot."""

from __future__ import annotations

import pytest

from csms.domain.jobs import ItemState, Lane, NewItem
from csms.domain.versions import OcppVersion
from csms.errors import Invalid
from csms.events import Event
from csms.jobs import views
from csms.jobs.kinds import command
from csms.jobs.kinds.command import Wanted

from .conftest import PRINCIPAL, Bench

V16, V201, V21 = OcppVersion
ACCEPTED = {"status": "Accepted"}


def order(made, wanted):
    return command.submission(
        principal=PRINCIPAL,
        wanted=wanted,
        targets=[NewItem(station.uuid, station.id) for station in made],
        dialect="commands",
        lane=Lane.INTERACTIVE,  # nothing waits for the test's clock
    )


async def fleet(bench: Bench, *versions):
    made = []
    for version in versions:
        station = await bench.station(f"S{version.value}", connect=False)
        bench.stations.versions[station.id] = version
        bench.stations.connect(station.id)
        made.append(station)
    return made


async def sent(bench: Bench, wanted, *versions):
    """By version: what its station got, or the error of its item."""
    bench.stations.automatic = lambda call: ACCEPTED
    made = await fleet(bench, *versions)
    submitted = await bench.engine.submit(order(made, wanted))
    await bench.log.wait_for("job.done")
    found = await views.snapshot(bench.db, submitted.job.uuid, PRINCIPAL)
    calls = {call.station_id: (call.action, call.payload) for call in bench.stations.calls}
    return {
        version: calls.get(station.id) or (row.item.code, row.item.message)
        for version, station, row in zip(versions, made, found.rows, strict=True)
    }


def raw(action, payload):
    return Wanted(version=V16, action=action, payload=payload)


async def test_an_order_in_1_6_words_reaches_every_station_that_means_the_same(bench: Bench):
    found = await sent(
        bench, raw("ChangeAvailability", {"connectorId": 1, "type": "Operative"}), V16, V201, V21
    )
    v2x = ("ChangeAvailability", {"operationalStatus": "Operative", "evse": {"id": 1}})
    assert {
        V16: ("ChangeAvailability", {"connectorId": 1, "type": "Operative"}),
        V201: v2x,
        V21: v2x,
    } == found


async def test_what_has_no_counterpart_is_an_error_of_the_item_that_says_so(bench: Bench):
    found = await sent(
        bench, raw("ChangeConfiguration", {"key": "BlinkRepeat", "value": "1"}), V16, V201
    )
    assert ("ChangeConfiguration", {"key": "BlinkRepeat", "value": "1"}) == found[V16]
    code, message = found[V201]
    assert "not_supported_by_version" == code
    assert message.startswith("ChangeConfiguration is not supported by OCPP 2.0.1: ")
    assert "BlinkRepeat" in message


async def test_words_of_2_0_1_stay_among_its_stations(bench: Bench):
    wanted = Wanted(version=V201, action="Reset", payload={"type": "OnIdle"})
    found = await sent(bench, wanted, V201, V16)
    assert ("Reset", {"type": "OnIdle"}) == found[V201]
    assert found[V16][1].startswith("Reset is not supported by OCPP 1.6: ")


async def test_an_action_that_1_6_does_not_have_passes_through_to_2x(bench: Bench):
    wanted = Wanted(version=V21, action="GetCRL", payload={"requestId": 1})
    with pytest.raises(Invalid):
        command.check(wanted)
    payload = {"operationalStatus": "Operative", "customData": {"vendorId": "v", "x": 1}}
    wanted = Wanted(version=V21, action="ChangeAvailability", payload=payload)
    found = await sent(bench, wanted, V21)
    assert {V21: ("ChangeAvailability", payload)} == found


async def test_a_command_in_our_words_is_judged_for_each_station(bench: Bench):
    wanted = Wanted(command="reset", params={"type": "on_idle"})
    made = await fleet(bench, V16, V201)
    bench.stations.automatic = lambda call: {"status": "Scheduled"}
    submitted = await bench.engine.submit(order(made, wanted))
    await bench.log.wait_for("job.done")
    found = await views.snapshot(bench.db, submitted.job.uuid, PRINCIPAL)
    assert [ItemState.ERROR, ItemState.SUCCEEDED] == [row.item.state for row in found.rows]


def test_a_limit_of_one_version_is_none_of_the_order():
    long = {"variables": [{"component": "X", "variable": "Y", "value": "v" * 2000}]}
    command.check(Wanted(command="set_variables", params=long))  # 2.1 takes it


@pytest.mark.parametrize(
    "variables",
    [
        [{"component": "SecurityCtrlr", "variable": "BasicAuthPassword", "value": "x"}],
        [
            {"component": "X", "variable": "Y", "value": "1"},
            {"component": "SecurityCtrlr", "variable": "BasicAuthPassword", "value": "x"},
        ],
    ],
)
def test_a_password_is_refused_in_every_version(variables):
    with pytest.raises(Invalid) as refusal:
        command.check(Wanted(command="set_variables", params={"variables": variables}))
    assert "use_credentials_rotate" == refusal.value.code


@pytest.mark.parametrize(
    "wanted",
    [
        raw("RemoteStartTransaction", {"idTag": "A"}),
        Wanted(command="request_start_transaction", params={"id_token": "A"}),
    ],
)
async def test_a_transaction_that_names_the_remote_start_settles_it(bench: Bench, wanted):
    (station,) = await fleet(bench, V201)
    submitted = await bench.engine.submit(order([station], wanted))
    (call,) = await bench.stations.delivered(1)
    bench.stations.time_out(call)
    await bench.until_window(submitted.job)
    bench.stations.versions[station.id] = V16  # as after an update of its firmware

    def begin(tx):
        transaction_id = tx.insert(
            "INSERT INTO transactions (uuid, station_id, station_transaction_id,"
            " start_received_at) VALUES ('t', ?, 'a-1', ?)",
            (station.id, tx.now),
        )
        start_id = call.payload["remoteStartId"]
        tx.run(
            "INSERT INTO transaction_events (transaction_id, type, received_at, remote_start_id,"
            " raw) VALUES (?, 'Started', ?, ?, '{}')",
            (transaction_id, tx.now, start_id),
        )
        tx.emit(Event("transaction.started", {}, station_id=station.id))

    await bench.db.write(begin)
    item = await bench.engine.settled(submitted.job.id, timeout_s=10)
    assert (ItemState.SUCCEEDED, "evidence") == (item.state, item.code)
    assert {"evidence": "transaction", "inferred": False} == item.response


async def test_the_remote_start_id_is_drawn_once(bench: Bench):
    wanted = raw("RemoteStartTransaction", {"idTag": "A"})
    found = await sent(bench, wanted, V201, V21)
    ids = {payload["remoteStartId"] for _, payload in found.values()}
    assert 1 == len(ids)


async def test_a_late_answer_is_read_in_the_version_of_its_attempt(bench: Bench):
    (station,) = await fleet(bench, V201)
    submitted = await bench.engine.submit(
        order([station], raw("UnlockConnector", {"connectorId": 1}))
    )
    (call,) = await bench.stations.delivered(1)
    bench.stations.time_out(call)
    await bench.until_window(submitted.job)
    bench.stations.late(call, {"status": "Unlocked"})
    item = await bench.engine.settled(submitted.job.id, timeout_s=10)
    assert (ItemState.SUCCEEDED, "Unlocked") == (item.state, item.response_status)
