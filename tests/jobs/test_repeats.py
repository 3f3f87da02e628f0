"""What an answer means when an earlier attempt may have run: all attempts count, not the last."""

from __future__ import annotations

from csms.domain.jobs import ItemState, NewItem, OfflinePolicy, Policy
from csms.domain.versions import OcppVersion
from csms.errors import CallRefused
from csms.jobs.kinds import command

from .conftest import PRINCIPAL, Bench

STOP = command.Wanted(
    version=OcppVersion.V16, action="RemoteStopTransaction", payload={"transactionId": 7}
)
REJECTED = {"status": "Rejected"}


async def stop(bench: Bench, **policy):
    station = await bench.station("stops")
    submitted = await bench.engine.submit(
        command.submission(
            principal=PRINCIPAL,
            wanted=STOP,
            targets=[NewItem(station.uuid, station.id)],
            dialect="commands",
            policy=Policy(**policy),
        )
    )
    return submitted.job


async def due_again(bench: Bench, job, attempts: int) -> None:
    await bench.until(
        lambda tx: (
            tx.value(
                "SELECT state = 'ready' AND attempts_used = ? FROM job_items WHERE job_id = ?",
                (attempts, job.id),
            )
            == 1
        )
    )
    bench.advance(300)


async def test_gone_after_a_timeout_and_a_callerror_has_worked_before(bench: Bench):
    job = await stop(bench)
    (first,) = await bench.stations.delivered(1)
    bench.stations.time_out(first)
    await due_again(bench, job, 1)
    second = (await bench.stations.delivered(2))[-1]
    second.answer.set_exception(CallRefused("InternalError", "busy"))
    await due_again(bench, job, 2)
    third = (await bench.stations.delivered(3))[-1]
    third.answer.set_result(REJECTED)

    item = await bench.engine.settled(job.id, timeout_s=10)
    assert (ItemState.SUCCEEDED, "Rejected") == (item.state, item.response_status)


async def test_gone_after_a_callerror_alone_is_a_refusal(bench: Bench):
    job = await stop(bench)
    (first,) = await bench.stations.delivered(1)
    first.answer.set_exception(CallRefused("InternalError", "busy"))
    await due_again(bench, job, 1)
    second = (await bench.stations.delivered(2))[-1]
    second.answer.set_result(REJECTED)

    item = await bench.engine.settled(job.id, timeout_s=10)
    assert ItemState.REJECTED == item.state


async def test_gone_is_a_refusal_when_it_answers_the_first_attempt_late(bench: Bench):
    job = await stop(bench)
    (first,) = await bench.stations.delivered(1)
    bench.stations.time_out(first)
    await bench.until(
        lambda tx: tx.value("SELECT attempts_used FROM job_items WHERE job_id = ?", (job.id,)) == 1
    )
    bench.stations.late(first, REJECTED)

    item = await bench.engine.settled(job.id, timeout_s=10)
    assert ItemState.REJECTED == item.state


async def test_gone_in_an_explicit_retry_has_worked_before(bench: Bench):
    job = await stop(bench, max_attempts=1)
    (first,) = await bench.stations.delivered(1)
    bench.stations.time_out(first)
    item = await bench.engine.settled(job.id, timeout_s=10)
    assert (ItemState.ERROR, "timeout") == (item.state, item.code)

    await bench.log.wait_for("job.done")
    bench.stations.automatic = lambda call: REJECTED
    await bench.engine.retry(job)
    await bench.log.wait_for("job.done", 2)
    item = await bench.engine.settled(job.id, timeout_s=10)
    assert ItemState.SUCCEEDED == item.state


async def test_gone_after_the_server_stopped_in_between_has_worked_before(bench: Bench):
    job = await stop(bench, offline=OfflinePolicy.WAIT)
    await bench.stations.delivered(1)
    await bench.crash()
    bench.stations.automatic = lambda call: REJECTED
    station_id = bench.stations.calls[0].station_id
    bench.stations.connect(station_id)

    item = await bench.engine.settled(job.id, timeout_s=10)
    assert ItemState.SUCCEEDED == item.state


async def test_a_stop_whose_answers_are_all_lost_is_shown_by_the_end_of_the_transaction(
    bench: Bench,
):
    job = await stop(bench, max_attempts=2)
    (first,) = await bench.stations.delivered(1)
    await bench.db.write(
        lambda tx: tx.insert(
            "INSERT INTO transactions (uuid, station_id, station_transaction_id,"
            " start_received_at, end_received_at, stop_reason)"
            " VALUES ('u', ?, '7', 0, ?, 'Remote')",
            (first.station_id, tx.now),
        )
    )
    bench.stations.time_out(first)
    await due_again(bench, job, 1)
    bench.stations.time_out((await bench.stations.delivered(2))[-1])

    item = await bench.engine.settled(job.id, timeout_s=10)
    assert (ItemState.SUCCEEDED, "evidence") == (item.state, item.code)
    assert {"evidence": "transaction end", "inferred": False} == item.response
