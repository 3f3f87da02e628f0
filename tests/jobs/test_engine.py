"""Jobs run, end, and say the truth about every item."""

from __future__ import annotations

from datetime import timedelta

import pytest

from csms.domain.jobs import (
    IdempotencyKey,
    ItemState,
    JobState,
    NewItem,
    OfflinePolicy,
    Policy,
)
from csms.domain.versions import OcppVersion
from csms.errors import CallRefused, Invalid
from csms.jobs import expansion, views
from csms.jobs.kinds import command, station_create
from csms.services import locations as location_service
from csms.store import job_items, locations, stations

from .conftest import PRINCIPAL, Bench

TRIGGER = command.Wanted(
    version=OcppVersion.V16, action="TriggerMessage", payload={"requestedMessage": "Heartbeat"}
)
RESET = command.Wanted(version=OcppVersion.V16, action="Reset", payload={"type": "Soft"})


def order(made, wanted=TRIGGER, **more):
    return command.submission(
        principal=PRINCIPAL,
        wanted=wanted,
        targets=[NewItem(station.uuid, station.id) for station in made],
        dialect="commands",
        **more,
    )


def accepted(call):
    return {"status": "Accepted"}


async def rows(bench: Bench, job):
    found = await views.snapshot(bench.db, job.uuid, PRINCIPAL)
    rows_say = await bench.db.read(lambda tx: job_items.count_rows(tx, job.id))
    assert found.job.counters == rows_say
    return found


async def create(bench: Bench, names, *, virtual=False, place=None):
    place = place or await bench.db.write(lambda tx: locations.insert(tx, name="Site", slug="site"))
    planned = expansion.expand(
        [expansion.Group("CP-", "Charger", tuple(names))],
        draw=expansion.draw_suffix,
        taken=lambda identities: (),
    )
    template = station_create.Template(
        "generic", "ac", "Type2", "ws://127.0.0.1:9000/ocpp", OcppVersion.V16, 1, virtual, True
    )
    submitted = await bench.engine.submit(
        station_create.submission(
            principal=PRINCIPAL,
            dialect="chargers",
            location_id=place.id,
            templates=[template],
            planned=planned,
        )
    )
    return place, submitted.job


async def test_a_command_reaches_every_station_and_the_job_is_done_once(bench: Bench):
    made = [await bench.station(f"S{n}") for n in range(5)]
    bench.stations.automatic = accepted

    submitted = await bench.engine.submit(order(made))
    await bench.log.wait_for("job.done")

    found = await rows(bench, submitted.job)
    assert JobState.DONE == found.job.state
    assert [ItemState.SUCCEEDED] * 5 == [row.item.state for row in found.rows]
    assert {station.id for station in made} == {call.station_id for call in bench.stations.calls}
    assert 1 == sum(event.type == "job.done" for event in bench.log.events)


async def test_a_refusal_is_an_answer_and_a_callerror_is_not(bench: Bench):
    made = [await bench.station("rejects"), await bench.station("errs")]
    bench.stations.automatic = lambda call: (
        {"status": "Rejected"}
        if call.station_id == made[0].id
        else CallRefused("NotSupported", "no")
    )

    submitted = await bench.engine.submit(order(made))
    await bench.log.wait_for("job.done")

    found = await rows(bench, submitted.job)
    assert [ItemState.REJECTED, ItemState.ERROR] == [row.item.state for row in found.rows]
    assert "Rejected" == found.rows[0].item.response_status
    assert "NotSupported: no" == found.rows[1].item.message


async def test_a_station_without_a_socket_is_offline_at_its_turn(bench: Bench):
    made = [await bench.station("gone", connect=False)]

    submitted = await bench.engine.submit(order(made))
    await bench.log.wait_for("job.done")

    found = await rows(bench, submitted.job)
    assert ItemState.OFFLINE == found.rows[0].item.state
    assert [] == bench.stations.calls


async def test_a_waiting_item_goes_out_when_its_station_comes(bench: Bench):
    station = await bench.station("late", connect=False)
    bench.stations.automatic = accepted

    submitted = await bench.engine.submit(
        order([station], policy=Policy(offline=OfflinePolicy.WAIT, expires_in_s=3600))
    )
    await bench.log.wait_for("job.started")
    bench.stations.connect(station.id)
    await bench.log.wait_for("job.done")

    found = await rows(bench, submitted.job)
    assert ItemState.SUCCEEDED == found.rows[0].item.state


async def test_a_waiting_item_expires_at_its_deadline(bench: Bench):
    station = await bench.station("never", connect=False)
    submitted = await bench.engine.submit(
        order([station], policy=Policy(offline=OfflinePolicy.WAIT, expires_in_s=60))
    )
    await bench.log.wait_for("job.started")

    bench.advance(61)
    await bench.log.wait_for("job.done")

    found = await rows(bench, submitted.job)
    assert ItemState.EXPIRED == found.rows[0].item.state


async def test_a_repeatable_command_is_sent_again_after_a_timeout(bench: Bench):
    station = await bench.station("slow")
    submitted = await bench.engine.submit(order([station]))

    (first,) = await bench.stations.delivered(1)
    bench.stations.time_out(first)
    await bench.until(lambda tx: tx.value("SELECT attempts_used FROM job_items") == 1)
    bench.advance(600)
    second = (await bench.stations.delivered(2))[1]
    second.answer.set_result({"status": "Accepted"})
    await bench.log.wait_for("job.done")

    found = await rows(bench, submitted.job)
    assert ItemState.SUCCEEDED == found.rows[0].item.state
    assert 2 == found.rows[0].item.attempts_used
    assert first.message_id != second.message_id


async def test_a_one_shot_command_without_answer_is_unknown_and_never_sent_again(bench: Bench):
    station = await bench.station("mute")
    submitted = await bench.engine.submit(order([station], RESET))

    (call,) = await bench.stations.delivered(1)
    bench.stations.time_out(call)
    await bench.until_window(submitted.job)
    bench.advance(121)
    await bench.log.wait_for("job.done")

    found = await rows(bench, submitted.job)
    assert ItemState.UNKNOWN == found.rows[0].item.state
    assert 1 == len(bench.stations.calls)


async def test_a_late_answer_settles_an_unknown_item(bench: Bench):
    station = await bench.station("late")
    submitted = await bench.engine.submit(order([station], RESET))
    (call,) = await bench.stations.delivered(1)
    bench.stations.time_out(call)
    await bench.until_window(submitted.job)

    bench.stations.late(call, {"status": "Accepted"})
    await bench.log.wait_for("job.done")

    found = await rows(bench, submitted.job)
    assert ItemState.SUCCEEDED == found.rows[0].item.state


async def test_a_late_answer_after_the_end_changes_nothing(bench: Bench):
    station = await bench.station("very-late")
    submitted = await bench.engine.submit(order([station], RESET))
    (call,) = await bench.stations.delivered(1)
    bench.stations.time_out(call)
    await bench.until_window(submitted.job)
    bench.advance(121)
    await bench.log.wait_for("job.done")
    before = await rows(bench, submitted.job)

    bench.stations.late(call, {"status": "Accepted"})
    await bench.until(lambda tx: tx.value("SELECT late_response FROM job_attempts") is not None)

    assert before == await rows(bench, submitted.job)


async def test_another_station_cannot_answer_for_this_one(bench: Bench):
    station, other = await bench.station("asked"), await bench.station("meddler")
    submitted = await bench.engine.submit(order([station], RESET))
    (call,) = await bench.stations.delivered(1)
    bench.stations.time_out(call)
    await bench.until_window(submitted.job)

    call.station_id = other.id
    bench.stations.late(call, {"status": "Accepted"})
    call.station_id = station.id
    bench.advance(121)
    await bench.log.wait_for("job.done")

    found = await rows(bench, submitted.job)
    assert ItemState.UNKNOWN == found.rows[0].item.state


async def test_a_restart_runs_repeatable_items_again_and_leaves_one_shots_unknown(bench: Bench):
    made = [await bench.station("A"), await bench.station("C")]
    a = (await bench.engine.submit(order(made[:1]))).job
    c = (await bench.engine.submit(order(made[1:], RESET))).job
    await bench.stations.delivered(2)

    recovered = await bench.restart()

    assert (1, 1) == (recovered.resumed, recovered.unknown)
    bench.stations.automatic = accepted
    bench.grace[made[0].id] = bench.clock.now() + timedelta(seconds=120)
    for station in made:
        bench.stations.connect(station.id)
    await bench.log.wait_for("job.done")
    assert ItemState.SUCCEEDED == (await rows(bench, a)).rows[0].item.state
    bench.advance(121)
    await bench.log.wait_for("job.done", 2)
    assert ItemState.UNKNOWN == (await rows(bench, c)).rows[0].item.state
    resets = [call for call in bench.stations.calls if call.action == "Reset"]
    assert 1 == len(resets)


async def test_a_station_of_before_the_restart_has_its_grace(bench: Bench):
    station = await bench.station("back-soon")
    submitted = await bench.engine.submit(
        order([station], not_before=bench.clock.now() + timedelta(seconds=5))
    )
    bench.grace[station.id] = bench.clock.now() + timedelta(seconds=120)
    await bench.restart()
    bench.advance(6)
    await bench.until(lambda tx: tx.value("SELECT state FROM job_items") == "wait_online")

    bench.grace.clear()
    bench.advance(120)
    await bench.log.wait_for("job.done")

    found = await rows(bench, submitted.job)
    assert ItemState.OFFLINE == found.rows[0].item.state


async def test_cancel_lets_what_is_in_flight_finish(bench: Bench):
    made = [await bench.station(f"S{n}") for n in range(4)]
    submitted = await bench.engine.submit(order(made, policy=Policy(max_parallel=1)))
    (call,) = await bench.stations.delivered(1)

    job = await bench.engine.cancel(submitted.job)
    assert JobState.CANCELLING == job.state
    call.answer.set_result({"status": "Accepted"})
    await bench.log.wait_for("job.cancelled")

    found = await rows(bench, submitted.job)
    assert (1, 3) == (found.job.counters.succeeded, found.job.counters.cancelled)
    assert 1 == len(bench.stations.calls)


async def test_retry_runs_only_what_failed_under_a_new_run_id(bench: Bench):
    made = [await bench.station("up"), await bench.station("down", connect=False)]
    bench.stations.automatic = accepted
    submitted = await bench.engine.submit(order(made))
    await bench.log.wait_for("job.done")

    bench.stations.connect(made[1].id)
    job = await bench.engine.retry(submitted.job)
    await bench.log.wait_for("job.done", 2)

    found = await rows(bench, submitted.job)
    assert [ItemState.SUCCEEDED] * 2 == [row.item.state for row in found.rows]
    assert submitted.job.workflow_run_id != job.workflow_run_id
    assert 2 == len(bench.stations.calls)


async def test_the_same_key_and_body_find_the_same_job(bench: Bench):
    made = [await bench.station("once")]
    bench.stations.automatic = accepted
    key = IdempotencyKey(PRINCIPAL.id, "k", b"digest")

    first = await bench.engine.submit(order(made), key)
    second = await bench.engine.submit(order(made), key)

    assert (False, True) == (first.replayed, second.replayed)
    assert first.job.id == second.job.id
    with pytest.raises(Invalid, match="another body"):
        await bench.engine.submit(order(made), IdempotencyKey(PRINCIPAL.id, "k", b"other"))


async def test_a_bulk_job_does_not_starve_a_single_command(bench: Bench):
    made = [await bench.station(f"S{n}") for n in range(50)]
    bulk = order(made[:49], policy=Policy(max_parallel=3))
    await bench.engine.submit(bulk)
    await bench.stations.delivered(3)

    single = await bench.engine.submit(order(made[49:], lane=command.Lane.INTERACTIVE, hidden=True))
    call = (await bench.stations.delivered(4))[3]
    call.answer.set_result({"status": "Accepted"})
    item = await bench.engine.settled(single.job.id, timeout_s=10)

    assert made[49].id == call.station_id
    assert ItemState.SUCCEEDED == item.state


async def test_two_jobs_share_the_one_slot_of_a_station(bench: Bench):
    station = await bench.station("shared")
    await bench.engine.submit(order([station]))
    await bench.engine.submit(order([station]))
    (first,) = await bench.stations.delivered(1)

    first.answer.set_result({"status": "Accepted"})
    second = (await bench.stations.delivered(2))[1]
    second.answer.set_result({"status": "Accepted"})
    await bench.log.wait_for("job.done", 2)


async def test_an_abort_threshold_fails_the_job_with_its_cause(bench: Bench):
    made = [await bench.station(f"S{n}") for n in range(6)]
    bench.stations.automatic = lambda call: CallRefused("NotSupported", "")

    submitted = await bench.engine.submit(order(made, policy=Policy(max_parallel=1, abort_after=2)))
    await bench.log.wait_for("job.failed")

    found = await rows(bench, submitted.job)
    assert "abort_threshold" == found.job.error.code
    assert (2, 4) == (found.job.counters.errored, found.job.counters.cancelled)


async def test_registering_makes_every_station_once(bench: Bench):
    _, job = await create(bench, ["1", "2", "1"])
    await bench.log.wait_for("job.done")

    found = await rows(bench, job)
    states = [row.item.state for row in found.rows]
    assert [ItemState.SUCCEEDED, ItemState.SUCCEEDED, ItemState.ERROR] == states
    assert "Duplicate station identity" == found.rows[2].item.message
    assert ["CP-1", "CP-2"] == [row.station.identity for row in found.rows if row.station]


async def test_an_identity_of_another_job_is_a_failed_item(bench: Bench):
    place, _ = await create(bench, ["1"])
    await bench.log.wait_for("job.done")
    _, job = await create(bench, ["1", "2"], place=place)
    await bench.log.wait_for("job.done", 2)

    found = await rows(bench, job)
    assert ("duplicate_identity", ItemState.ERROR) == (
        found.rows[0].item.code,
        found.rows[0].item.state,
    )
    assert ItemState.SUCCEEDED == found.rows[1].item.state


async def test_a_virtual_station_is_deployed_and_verified(bench: Bench):
    _, job = await create(bench, ["1", "2"], virtual=True)
    await bench.log.wait_for("job.done")

    found = await rows(bench, job)
    assert [ItemState.SUCCEEDED] * 2 == [row.item.state for row in found.rows]
    assert ["CP-1", "CP-2"] == sorted(bench.fleet.deployed)


async def test_a_create_that_finally_fails_leaves_no_station(bench: Bench):
    bench.fleet.reasons["CP-1"] = "connection refused"
    _, job = await create(bench, ["1"], virtual=True)
    for attempt in range(4):
        await bench.until(
            lambda tx, attempt=attempt: (
                tx.value("SELECT attempts_used FROM job_items") == attempt + 1
            )
        )
        bench.advance(400)
    await bench.log.wait_for("job.done")

    found = await rows(bench, job)
    assert ("csms_unreachable", True) == (found.rows[0].item.code, found.rows[0].item.retryable)
    assert 0 == await bench.db.read(lambda tx: stations.count(tx))
    bench.fleet.reasons.clear()
    await bench.engine.retry(job)
    await bench.log.wait_for("job.done", 2)
    assert 1 == await bench.db.read(lambda tx: stations.count(tx))


async def test_a_deleted_location_fails_the_job(bench: Bench):
    place = await bench.db.write(lambda tx: locations.insert(tx, name="Site", slug="site"))
    await bench.db.write(lambda tx: locations.soft_delete(tx, place.id))
    _, job = await create(bench, ["1", "2"], place=place)
    await bench.log.wait_for("job.failed")

    found = await rows(bench, job)
    assert "location_deleted" == found.job.error.code
    assert JobState.FAILED == found.job.state


async def test_a_location_deleted_meanwhile_fails_the_job_and_leaves_no_station(bench: Bench):
    bench.fleet.reasons["CP-1"] = "still booting"
    place, job = await create(bench, ["1"], virtual=True)
    await bench.until(lambda tx: tx.value("SELECT attempts_used FROM job_items") == 1)

    await bench.db.write(lambda tx: location_service.delete(tx, locations.get(tx, place.id)))
    await bench.log.wait_for("job.failed")

    found = await rows(bench, job)
    assert "location_deleted" == found.job.error.code
    assert 0 == await bench.db.read(lambda tx: stations.count(tx))


async def test_no_more_virtual_stations_are_made_than_may_run(bench: Bench):
    await bench.engine.stop(drain_s=0)
    bench.max_virtual = 3
    await bench.start()
    place, first = await create(bench, ["1", "2"], virtual=True)
    _, second = await create(bench, ["3", "4"], virtual=True, place=place)
    await bench.log.wait_for("job.done", 2)

    codes = [row.item.code for job in (first, second) for row in (await rows(bench, job)).rows]
    assert 1 == codes.count("too_many_virtual")
    assert 3 == await bench.db.read(lambda tx: stations.count(tx))


async def test_a_retry_keeps_how_the_attempt_before_it_ended(bench: Bench):
    station = await bench.station("errs")
    bench.stations.automatic = lambda call: CallRefused("NotSupported", "no")
    submitted = await bench.engine.submit(order([station]))
    await bench.log.wait_for("job.done")

    bench.stations.automatic = accepted
    await bench.engine.retry(submitted.job)
    await bench.log.wait_for("job.done", 2)

    ends = await bench.db.read(
        lambda tx: [tuple(row) for row in tx.all("SELECT outcome, detail FROM job_attempts")]
    )
    assert ("error", "NotSupported: no") == ends[0]


async def test_a_job_for_later_is_scheduled_until_then(bench: Bench):
    made = [await bench.station("later")]
    bench.stations.automatic = accepted
    submitted = await bench.engine.submit(
        order(made, not_before=bench.clock.now() + timedelta(seconds=5))
    )
    assert JobState.SCHEDULED == submitted.job.state

    bench.advance(6)
    await bench.log.wait_for("job.done")


async def test_five_crashes_without_progress_end_an_item(bench: Bench):
    station = await bench.station("poison")
    submitted = await bench.engine.submit(order([station]))
    for crash in range(5):
        await bench.stations.delivered(crash + 1)
        await bench.restart()
        bench.stations.connect(station.id)
    await bench.log.wait_for("job.done")

    found = await rows(bench, submitted.job)
    assert "crash_loop" == found.rows[0].item.code


async def test_a_job_with_nothing_to_do_is_done_in_its_202(bench: Bench):
    submission = command.submission(
        principal=PRINCIPAL,
        wanted=TRIGGER,
        targets=[NewItem("unknown", state=ItemState.SKIPPED_FORBIDDEN)],
        dialect="commands",
    )
    submitted = await bench.engine.submit(submission)

    assert JobState.DONE == submitted.job.state
    assert 1 == submitted.job.counters.skipped


async def test_reach_is_checked_again_at_dispatch(bench: Bench):
    station = await bench.station("moved")
    submission = order([station])
    submission = type(submission)(
        **{
            **{name: getattr(submission, name) for name in submission.__slots__},
            "reach": frozenset({99}),
        }
    )
    submitted = await bench.engine.submit(submission)
    await bench.log.wait_for("job.done")

    found = await rows(bench, submitted.job)
    assert ItemState.SKIPPED_FORBIDDEN == found.rows[0].item.state
    assert [] == bench.stations.calls


async def test_a_rate_spaces_the_starts(bench: Bench):
    made = [await bench.station(f"S{n}") for n in range(3)]
    bench.stations.automatic = accepted
    await bench.engine.submit(order(made, policy=Policy(rate_per_min=60)))

    await bench.stations.delivered(1)
    await bench.log.wait_for("item.settled")
    assert 1 == len(bench.stations.calls)
    bench.advance(1)
    await bench.stations.delivered(2)
    await bench.log.wait_for("item.settled", 2)
    bench.advance(1)
    await bench.log.wait_for("job.done")


async def test_settled_gives_up_waiting_without_touching_the_item(bench: Bench):
    station = await bench.station("mute")
    submitted = await bench.engine.submit(order([station]))
    await bench.stations.delivered(1)

    item = await bench.engine.settled(submitted.job.id, timeout_s=0)

    assert ItemState.IN_FLIGHT == item.state


async def test_stop_journals_an_answer_that_came_in_time(bench: Bench):
    station = await bench.station("answers")
    submitted = await bench.engine.submit(order([station]))
    (call,) = await bench.stations.delivered(1)
    call.answer.set_result({"status": "Accepted"})

    await bench.engine.stop(drain_s=5)

    found = await rows(bench, submitted.job)
    assert ItemState.SUCCEEDED == found.rows[0].item.state


async def test_a_job_that_nobody_can_read_stops_no_other(bench: Bench):
    made = [await bench.station(f"S{n}") for n in range(2)]
    bench.stations.automatic = accepted
    later = bench.clock.now() + timedelta(seconds=60)
    broken = (await bench.engine.submit(order(made[:1], not_before=later))).job
    await bench.db.write(
        lambda tx: tx.run("UPDATE job_items SET data = '{' WHERE job_id = ?", (broken.id,))
    )
    bench.advance(61)

    whole = (await bench.engine.submit(order(made[1:]))).job
    await bench.log.wait_for("job.done")
    assert JobState.DONE is (await rows(bench, whole)).job.state
    assert [made[1].id] == [call.station_id for call in bench.stations.calls]
