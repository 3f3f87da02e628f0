"""A list that is too long for one CALL: parts go out one after the other, one answer comes back."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from csms.domain.device_model import VariableKey
from csms.domain.jobs import (
    CommandClass,
    ItemState,
    Lane,
    NewItem,
    OfflinePolicy,
    Policy,
)
from csms.domain.versions import OcppVersion
from csms.errors import CallRefused, Unavailable
from csms.jobs.kinds import command
from csms.jobs.kinds.command import Wanted
from csms.ocpp import commands
from csms.ocpp.commands.device_variables import ITEMS_PER_MESSAGE, items_per_message
from csms.services import device_model
from csms.store import job_items, jobs, local_lists

from .conftest import PRINCIPAL, Bench

V16, V201 = OcppVersion.V16, OcppVersion.V201
MAX_KEYS = VariableKey(component="v16", variable="GetConfigurationMaxKeys")


def get(number):
    names = [{"component": "X", "variable": f"V{n}"} for n in range(number)]
    return Wanted(command="get_variables", params={"variables": names})


def keys(number):
    names = [{"variable": f"K{n}"} for n in range(number)]
    return Wanted(command="get_variables", params={"variables": names})


def write(*values):
    variables = [{"variable": f"K{n}", "value": value} for n, value in enumerate(values)]
    return Wanted(command="set_variables", params={"variables": variables})


def values_of(call):
    """Answers a GetVariables: every value is the variable's name."""
    return {
        "getVariableResult": [
            {**one, "attributeStatus": "Accepted", "attributeValue": one["variable"]["name"]}
            for one in call.payload["getVariableData"]
        ]
    }


def names(payload, field="getVariableData"):
    return [one["variable"]["name"] for one in payload[field]]


async def station(bench: Bench, version, limit=None):
    made = await bench.station("one", connect=False)
    bench.stations.versions[made.id] = version
    if limit is not None:
        key = MAX_KEYS if version is V16 else items_per_message("GetVariables")
        await bench.db.write(lambda tx: device_model.record_value(tx, made.id, key, limit))
    bench.stations.connect(made.id)
    return made


async def submit(bench: Bench, made, wanted, **more):
    submitted = await bench.engine.submit(
        command.submission(
            principal=PRINCIPAL,
            wanted=wanted,
            targets=[NewItem(made.uuid, made.id)],
            dialect="native",
            lane=Lane.INTERACTIVE,
            **more,
        )
    )
    return submitted.job


async def settled(bench: Bench, job):
    return await bench.engine.settled(job.id, timeout_s=10)


async def test_parts_are_as_long_as_the_station_takes_and_make_one_answer(bench: Bench):
    made = await station(bench, V201, "2")
    bench.stations.automatic = values_of
    item = await settled(bench, await submit(bench, made, get(5)))
    sent = [names(call.payload) for call in bench.stations.calls]
    assert [["V0", "V1"], ["V2", "V3"], ["V4"]] == sent
    assert (ItemState.SUCCEEDED, "Accepted") == (item.state, item.response_status)
    assert ["V0", "V1", "V2", "V3", "V4"] == names(item.response, "getVariableResult")
    assert 3 == len({call.message_id for call in bench.stations.calls})


@pytest.mark.parametrize("told", [None, "0", "many", ""])
async def test_a_station_that_has_not_told_gets_ten_at_once(bench: Bench, told):
    made = await station(bench, V201, told)
    bench.stations.automatic = values_of
    await settled(bench, await submit(bench, made, get(ITEMS_PER_MESSAGE + 1)))
    assert [10, 1] == [len(call.payload["getVariableData"]) for call in bench.stations.calls]


async def test_what_fits_is_one_call(bench: Bench):
    made = await station(bench, V201, "5")
    bench.stations.automatic = values_of
    await settled(bench, await submit(bench, made, get(5)))
    assert 1 == len(bench.stations.calls)


async def test_keys_of_1_6_are_counted_by_its_own_limit(bench: Bench):
    made = await station(bench, V16, "2")
    bench.stations.automatic = lambda call: {
        "configurationKey": [{"key": call.payload["key"][0], "readonly": True, "value": "1"}],
        "unknownKey": call.payload["key"][1:],
    }
    item = await settled(bench, await submit(bench, made, keys(3)))
    assert [["K0", "K1"], ["K2"]] == [call.payload["key"] for call in bench.stations.calls]
    assert ["K0", "K2"] == [one["key"] for one in item.response["configurationKey"]]
    assert ["K1"] == item.response["unknownKey"]


async def test_a_local_list_is_cut_by_the_limit_that_1_6_has_for_it(bench: Bench):
    made = await station(bench, V16)
    key = VariableKey(component="v16", variable="SendLocalListMaxLength")
    await bench.db.write(lambda tx: device_model.record_value(tx, made.id, key, "2"))
    bench.stations.automatic = lambda call: {"status": "Accepted"}
    entries = [{"id_token": f"T{n}", "status": "Accepted"} for n in range(3)]
    params = {"version_number": 5, "update_type": "Full", "entries": entries}
    item = await settled(
        bench, await submit(bench, made, Wanted(command="send_local_list", params=params))
    )
    sent = [call.payload for call in bench.stations.calls]
    assert [2, 1] == [len(payload["localAuthorizationList"]) for payload in sent]
    assert ["Full", "Differential"] == [payload["updateType"] for payload in sent]
    assert ItemState.SUCCEEDED == item.state


async def test_a_raw_action_goes_out_as_it_was_given(bench: Bench):
    made = await station(bench, V16, "2")
    bench.stations.automatic = lambda call: {}
    payload = {"key": ["A", "B", "C"]}
    wanted = Wanted(version=V16, action="GetConfiguration", payload=payload)
    await settled(bench, await submit(bench, made, wanted))
    assert [payload] == [call.payload for call in bench.stations.calls]


async def test_a_refused_variable_stops_none_of_the_rest_and_is_named(bench: Bench):
    made = await station(bench, V201, "1")

    def answer(call):
        answered = values_of(call)
        if names(call.payload) == ["V0"]:
            answered["getVariableResult"][0]["attributeStatus"] = "UnknownVariable"
        return answered

    bench.stations.automatic = answer
    item = await settled(bench, await submit(bench, made, get(2)))
    assert 2 == len(bench.stations.calls)
    assert (ItemState.REJECTED, "UnknownVariable") == (item.state, item.response_status)
    assert "the station answered UnknownVariable for X.V0" == item.message


async def test_1_6_takes_one_key_at_a_time(bench: Bench):
    made = await station(bench, V16)
    words = {"1": "Accepted", "2": "RebootRequired", "3": "Accepted"}
    bench.stations.automatic = lambda call: {"status": words[call.payload["value"]]}
    item = await settled(bench, await submit(bench, made, write("1", "2", "3")))
    assert ["K0", "K1", "K2"] == [call.payload["key"] for call in bench.stations.calls]
    assert (ItemState.SUCCEEDED, "RebootRequired") == (item.state, item.response_status)


async def test_the_call_that_was_refused_is_told(bench: Bench):
    made = await station(bench, V16)
    bench.stations.automatic = lambda call: {
        "status": "Rejected" if call.payload["value"] == "2" else "Accepted"
    }
    item = await settled(bench, await submit(bench, made, write("1", "2", "3")))
    assert 3 == len(bench.stations.calls)
    assert (ItemState.REJECTED, "Rejected") == (item.state, item.response_status)
    assert "the station answered Rejected for K1" == item.message


async def test_a_list_that_builds_on_itself_stops_at_a_refusal(bench: Bench, monkeypatch):
    strict = replace(commands.COMMANDS["set_variables"], stops_when_refused=True)
    monkeypatch.setitem(commands.COMMANDS, "set_variables", strict)
    made = await station(bench, V16)
    bench.stations.automatic = lambda call: {"status": "Rejected"}
    item = await settled(bench, await submit(bench, made, write("1", "2")))
    assert 1 == len(bench.stations.calls)
    assert ItemState.REJECTED == item.state


async def test_an_error_stops_none_of_the_rest_and_names_its_key(bench: Bench):
    made = await station(bench, V16)
    words = {
        "1": {"status": "Accepted"},
        "2": CallRefused("FormationViolation", "no"),
        "3": {"status": "Rejected"},
        "4": {"status": "Accepted"},
    }
    bench.stations.automatic = lambda call: words[call.payload["value"]]
    item = await settled(bench, await submit(bench, made, write("1", "2", "3", "4")))
    assert 4 == len(bench.stations.calls)
    assert (ItemState.ERROR, "call_error") == (item.state, item.code)
    assert "FormationViolation: no for K1; the station answered Rejected for K2" == item.message
    assert "FormationViolation" == item.response["error_code"]


async def test_an_error_that_may_pass_is_tried_again_before_the_rest_goes_on(bench: Bench):
    made = await station(bench, V16)
    bench.stations.automatic = lambda call: (
        CallRefused("InternalError") if call.payload["value"] == "1" else {"status": "Accepted"}
    )
    job = await submit(bench, made, write("1", "2"), policy=Policy(max_attempts=2))
    await bench.stations.delivered(1)
    await bench.until(
        lambda tx: tx.value("SELECT attempts_used FROM job_items WHERE job_id = ?", (job.id,)) == 1
    )
    bench.advance(300)
    item = await settled(bench, job)
    assert ["1", "1", "2"] == [call.payload["value"] for call in bench.stations.calls]
    assert (ItemState.ERROR, "InternalError for K0") == (item.state, item.message)


async def test_an_error_ends_a_list_that_builds_on_itself(bench: Bench):
    made = await station_that_takes_one_entry(bench)
    bench.stations.automatic = lambda call: CallRefused("NotSupported", "no")
    item = await settled(bench, await submit(bench, made, full_list("A1", "A2")))
    assert 1 == len(bench.stations.calls)
    assert (ItemState.ERROR, "call_error") == (item.state, item.code)
    assert "NotSupported: no to CALL 1 of 2; of 2 CALLs 0 were accepted" == item.message


async def test_each_answer_is_kept_as_it_comes(bench: Bench):
    made = await station(bench, V16)
    job = await submit(bench, made, write("1", "2"))
    (first,) = await bench.stations.delivered(1)
    first.answer.set_result({"status": "Accepted"})
    _, second = await bench.stations.delivered(2)
    second.answer.set_exception(CallRefused("FormationViolation", "no"))
    await settled(bench, job)
    values = await bench.db.read(
        lambda tx: [tuple(row) for row in tx.all("SELECT value FROM variable_attributes")]
    )
    assert [("1",)] == values


async def test_after_a_crash_only_the_open_call_goes_out_again(bench: Bench):
    made = await station(bench, V201, "1")
    job = await submit(bench, made, get(3), policy=Policy(offline=OfflinePolicy.WAIT))
    (first,) = await bench.stations.delivered(1)
    first.answer.set_result(values_of(first))
    await bench.stations.delivered(2)
    await bench.crash()
    # What the station says of itself meanwhile does not move the cuts.
    key = items_per_message("GetVariables")
    await bench.db.write(lambda tx: device_model.record_value(tx, made.id, key, "9"))
    bench.stations.automatic = values_of
    bench.stations.connect(made.id)
    item = await settled(bench, job)
    sent = [names(call.payload) for call in bench.stations.calls]
    assert [["V0"], ["V1"], ["V1"], ["V2"]] == sent
    assert ["V0", "V1", "V2"] == names(item.response, "getVariableResult")


async def test_after_a_crash_a_one_shot_course_goes_no_further(bench: Bench, monkeypatch):
    once = replace(commands.COMMANDS["set_variables"], command_class=CommandClass.C)
    monkeypatch.setitem(commands.COMMANDS, "set_variables", once)
    made = await station(bench, V16)
    job = await submit(bench, made, write("1", "2", "3"))
    (first,) = await bench.stations.delivered(1)
    first.answer.set_result({"status": "Accepted"})
    await bench.stations.delivered(2)
    await bench.crash()
    bench.stations.connect(made.id)
    await bench.until_window(job)
    bench.advance(121)
    item = await settled(bench, job)
    assert ItemState.UNKNOWN == item.state
    assert 2 == len(bench.stations.calls)


async def test_a_late_answer_to_a_part_settles_nothing(bench: Bench):
    made = await station(bench, V201, "1")
    job = await submit(bench, made, get(2))
    (first,) = await bench.stations.delivered(1)
    bench.stations.time_out(first)
    await bench.until(
        lambda tx: tx.value("SELECT attempts_used FROM job_items WHERE job_id = ?", (job.id,)) == 1
    )
    bench.stations.late(first, values_of(first))
    await bench.until(lambda tx: tx.value("SELECT late_response FROM job_attempts") is not None)
    bench.stations.automatic = values_of
    bench.advance(300)
    item = await settled(bench, job)
    assert [["V0"], ["V0"], ["V1"]] == [names(call.payload) for call in bench.stations.calls]
    assert ItemState.SUCCEEDED == item.state


async def test_a_station_that_goes_away_in_between_was_not_merely_offline(bench: Bench):
    made = await station(bench, V16)
    job = await submit(bench, made, write("1", "2"))
    (first,) = await bench.stations.delivered(1)
    bench.stations.online.pop(made.id)
    bench.stations.ready.discard(made.id)
    first.answer.set_result({"status": "Accepted"})
    item = await settled(bench, job)
    assert (ItemState.ERROR, "partly_done") == (item.state, item.code)
    assert "a part was done before" in item.message


async def test_a_station_that_comes_back_with_another_version_is_not_sent_the_rest(bench: Bench):
    made = await station(bench, V16)
    names_of_both = ("HeartbeatInterval", "ConnectionTimeOut")
    variables = [{"variable": name, "value": "60"} for name in names_of_both]
    wanted = Wanted(command="set_variables", params={"variables": variables})
    job = await submit(bench, made, wanted)
    (first,) = await bench.stations.delivered(1)
    bench.stations.versions[made.id] = V201
    first.answer.set_result({"status": "Accepted"})
    item = await settled(bench, job)
    assert (ItemState.ERROR, "partly_done") == (item.state, item.code)
    assert 1 == len(bench.stations.calls)


async def test_a_course_that_is_cancelled_was_not_merely_cancelled(bench: Bench):
    made = await station(bench, V16)
    job = await submit(bench, made, write("1", "2"))
    (first,) = await bench.stations.delivered(1)
    cancelled = await bench.engine.cancel(job)
    first.answer.set_result({"status": "Accepted"})
    item = await settled(bench, job)
    assert (ItemState.ERROR, "partly_done") == (item.state, item.code)
    assert 1 == len(bench.stations.calls)
    await bench.log.wait_for("job.cancelled")
    rows_say = await bench.db.read(lambda tx: job_items.count_rows(tx, job.id))
    assert (1, 0, 1) == (rows_say.total, rows_say.open, rows_say.errored)
    found = await bench.db.read(lambda tx: jobs.get(tx, cancelled.id))
    assert rows_say == found.counters


async def test_an_explicit_retry_begins_anew(bench: Bench):
    made = await station(bench, V16)
    bench.stations.automatic = lambda call: (
        CallRefused("NotSupported", "no")
        if call.payload["value"] == "2"
        else {"status": "Accepted"}
    )
    job = await submit(bench, made, write("1", "2"))
    await bench.log.wait_for("job.done")
    bench.stations.automatic = lambda call: {"status": "Accepted"}
    await bench.engine.retry(job)
    await bench.log.wait_for("job.done", 2)
    sent = [call.payload["value"] for call in bench.stations.calls]
    assert ["1", "2", "1", "2"] == sent


def full_list(*tokens, version=5):
    entries = [{"id_token": token, "status": "Accepted"} for token in tokens]
    params = {"version_number": version, "update_type": "Full", "entries": entries}
    return Wanted(command="send_local_list", params=params)


async def station_that_takes_one_entry(bench: Bench):
    made = await station(bench, V16)
    key = VariableKey(component="v16", variable="SendLocalListMaxLength")
    await bench.db.write(lambda tx: device_model.record_value(tx, made.id, key, "1"))
    return made


def tags(calls):
    """The tag of each SendLocalList of one entry; the action of any other CALL."""
    return [
        call.payload["localAuthorizationList"][0]["idTag"]
        if call.action == "SendLocalList"
        else call.action
        for call in calls
    ]


async def test_nothing_goes_out_between_the_parts(bench: Bench):
    made = await station_that_takes_one_entry(bench)
    one = await submit(bench, made, full_list("A1", "A2", "A3"))
    await bench.stations.delivered(1)
    other = await submit(bench, made, full_list("B1", "B2"))
    trigger = Wanted(command="trigger_message", params={"requested_message": "Heartbeat"})
    third = await submit(bench, made, trigger)
    bench.stations.automatic = lambda call: {"status": "Accepted"}
    bench.stations.calls[0].answer.set_result({"status": "Accepted"})
    items = [await settled(bench, job) for job in (one, other, third)]
    assert [ItemState.SUCCEEDED] * 3 == [item.state for item in items]
    sent = tags(bench.stations.calls)
    assert ["A1", "A2", "A3"] == sent[:3]
    assert 1 == sent.index("B2") - sent.index("B1")
    assert {} == bench.engine._board.kept


@pytest.mark.parametrize("how", ["cancelled", "refused", "error", "retried", "expired", "offline"])
async def test_a_course_that_does_not_go_on_frees_the_station(bench: Bench, how):
    made = await station_that_takes_one_entry(bench)
    policy = Policy(expires_in_s=60) if how == "expired" else Policy()
    one = await submit(bench, made, full_list("A1", "A2", "A3"), policy=policy)
    (first,) = await bench.stations.delivered(1)
    other = await submit(bench, made, full_list("B1"))
    if how == "cancelled":
        await bench.engine.cancel(one)
    if how == "expired":
        bench.clock.advance(100)
    if how == "offline":
        bench.stations.online.pop(made.id)
        bench.stations.ready.discard(made.id)
    first.answer.set_result({"status": "Accepted"})
    if how in {"refused", "error", "retried"}:
        _, second = await bench.stations.delivered(2)
        bench.stations.automatic = lambda call: {"status": "Accepted"}
        if how == "refused":
            second.answer.set_result({"status": "Failed"})
        elif how == "error":
            second.answer.set_exception(CallRefused("NotSupported", "no"))
        else:
            bench.stations.time_out(second)
    bench.stations.automatic = lambda call: {"status": "Accepted"}
    ended = await settled(bench, other)
    if how != "retried":
        await settled(bench, one)
    assert (ItemState.OFFLINE if how == "offline" else ItemState.SUCCEEDED) == ended.state
    assert {} == bench.engine._board.kept


@pytest.mark.parametrize("times", [1, 2, 3])
async def test_a_full_disk_between_the_parts_lets_nothing_in(bench: Bench, monkeypatch, times):
    made = await station_that_takes_one_entry(bench)
    one = await submit(bench, made, full_list("A1", "A2"))
    (first,) = await bench.stations.delivered(1)
    others = [await submit(bench, made, full_list(f"B{n}")) for n in range(3)]
    begin, failed = bench.engine._dispatcher._commit, []

    def commit(tx, now_pass):
        if len(failed) < times:
            failed.append(now_pass)
            raise Unavailable("the disk is full", code="storage_full")
        return begin(tx, now_pass)

    monkeypatch.setattr(bench.engine._dispatcher, "_commit", commit)
    bench.stations.automatic = lambda call: {"status": "Accepted"}
    first.answer.set_result({"status": "Accepted"})
    for job in (one, *others):
        await settled(bench, job)
    assert times == len(failed)
    assert ["A1", "A2"] == tags(bench.stations.calls)[:2]


@pytest.mark.parametrize("answer", [{"status": "Failed"}, CallRefused("NotSupported", "no")])
async def test_an_order_that_fails_halfway_says_what_was_accepted(bench: Bench, answer):
    made = await station_that_takes_one_entry(bench)
    bench.stations.automatic = lambda call: (
        answer if tags([call]) == ["A3"] else {"status": "Accepted"}
    )
    item = await settled(bench, await submit(bench, made, full_list("A1", "A2", "A3", "A4")))
    assert item.message.endswith("; of 4 CALLs 2 were accepted")


async def test_a_part_that_is_retried_follows_no_other_list(bench: Bench):
    made = await station_that_takes_one_entry(bench)
    one = await submit(bench, made, full_list("A1", "A2"))
    (first,) = await bench.stations.delivered(1)
    other = await submit(bench, made, full_list("B1", version=9))
    first.answer.set_result({"status": "Accepted"})
    _, second = await bench.stations.delivered(2)
    bench.stations.automatic = lambda call: {"status": "Accepted"}
    bench.stations.time_out(second)
    await settled(bench, other)
    bench.advance(300)
    item = await settled(bench, one)
    assert ["A1", "A2", "B1"] == tags(bench.stations.calls)
    assert (ItemState.ERROR, "partly_done") == (item.state, item.code)
    assert (
        "something else changed the station in between; of 2 CALLs 1 were accepted" == item.message
    )


async def test_a_part_that_is_retried_follows_its_own_list(bench: Bench):
    made = await station_that_takes_one_entry(bench)
    one = await submit(bench, made, full_list("A1", "A2"))
    (first,) = await bench.stations.delivered(1)
    first.answer.set_result({"status": "Accepted"})
    _, second = await bench.stations.delivered(2)
    bench.stations.automatic = lambda call: {"status": "Accepted"}
    bench.stations.time_out(second)
    await bench.until(
        lambda tx: tx.value("SELECT attempts_used FROM job_items WHERE job_id = ?", (one.id,)) == 1
    )
    bench.advance(300)
    assert ItemState.SUCCEEDED == (await settled(bench, one)).state
    assert ["A1", "A2", "A2"] == tags(bench.stations.calls)
    assert (await bench.db.read(lambda tx: local_lists.find(tx, made.id))).is_known


@pytest.mark.parametrize("parts", [1, 2])
@pytest.mark.parametrize(("code", "known"), [("InvalidAnswer", False), ("NotSupported", True)])
async def test_after_an_answer_that_cannot_be_read_nobody_knows_what_is_on_the_list(
    bench: Bench, code, known, parts
):
    made = await station_that_takes_one_entry(bench)
    bench.stations.automatic = lambda call: {"status": "Accepted"}
    await settled(bench, await submit(bench, made, full_list("A", version=1)))
    bench.stations.automatic = lambda call: (
        CallRefused(code, "no") if tags([call]) == ["B1"] else {"status": "Accepted"}
    )
    await settled(bench, await submit(bench, made, full_list(*["B0", "B1"][-parts:])))
    found = await bench.db.read(lambda tx: local_lists.find(tx, made.id))
    assert known == found.is_known


async def test_while_a_part_has_no_answer_nobody_knows_what_is_on_the_list(bench: Bench):
    made = await station_that_takes_one_entry(bench)
    policy = Policy(max_attempts=1)
    one = await submit(bench, made, full_list("A1", "A2"), policy=policy)
    (first,) = await bench.stations.delivered(1)
    first.answer.set_result({"status": "Accepted"})
    _, second = await bench.stations.delivered(2)
    assert (await bench.db.read(lambda tx: local_lists.find(tx, made.id))).is_known
    bench.stations.time_out(second)
    assert ItemState.ERROR == (await settled(bench, one)).state
    found = await bench.db.read(lambda tx: local_lists.find(tx, made.id))
    assert (6, False) == (found.version, found.is_known)


async def test_lists_that_wait_for_a_station_have_numbers_of_their_own(bench: Bench):
    made = await station(bench, V16)
    entries = [{"id_token": "A", "status": "Accepted"}]
    wanted = Wanted(command="send_local_list", params={"update_type": "Full", "entries": entries})

    def order(tx):
        return command.submission(
            principal=PRINCIPAL,
            wanted=command.prepare(tx, made.id, V16, wanted, served_profiles={1}),
            targets=[NewItem(made.uuid, made.id)],
            dialect="native",
        )

    both = await asyncio.gather(bench.engine.submit(order), bench.engine.submit(order))
    (first,) = await bench.stations.delivered(1)
    bench.stations.automatic = lambda call: {"status": "Accepted"}
    first.answer.set_result({"status": "Accepted"})
    items = [await settled(bench, submitted.job) for submitted in both]
    assert [ItemState.SUCCEEDED] * 2 == [item.state for item in items]
    assert {1, 2} == {call.payload["listVersion"] for call in bench.stations.calls}
