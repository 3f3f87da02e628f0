"""What can be done to a job over REST, by whom, and what is told when it cannot be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from csms.domain.permissions import Role
from csms.services import locations, tokens
from csms.store import jobs
from tests.api.sse import listening
from tests.api.v1.test_jobs import ACCEPTED, fetch, finished, make_stations, submit

if TYPE_CHECKING:
    from csms.clock import ManualClock
    from csms.domain.jobs import Job
    from tests.api.conftest import Api, ScriptedHub

VERBS = ("pause", "resume", "cancel", "retry", "retry?as=new")


async def control(api: Api, job: Job, verb: str, **more: Any) -> tuple[int, dict[str, Any]]:
    response = await api.post(f"/api/v1/jobs/{job.uuid}/{verb}", **more)
    return response.status, await response.json()


async def flying(api: Api, hub: ScriptedHub, number: int = 1) -> tuple[Job, Any]:
    """A job whose first item is in flight."""
    targets = await make_stations(api, number)
    for station in targets:
        hub.connect(station.id)
    job = await submit(api, targets)
    return job, (await hub.delivered(number))[0]


async def ended(api: Api) -> Job:
    """A job of two stations, both offline."""
    job = await submit(api, await make_stations(api, 2))
    await finished(api, job)
    return job


async def test_a_job_is_paused_and_resumed(api: Api, hub: ScriptedHub) -> None:
    job, call = await flying(api, hub)

    status, paused = await control(api, job, "pause")
    assert (status, paused["state"], paused["pause_reason"]) == (200, "paused", "requested")
    assert (await control(api, job, "pause"))[1] == paused
    assert (await fetch(api, "/api/v1/jobs?state=paused"))["items"] == [paused]
    status, resumed = await control(api, job, "resume")
    assert (status, resumed["state"], resumed["pause_reason"]) == (200, "running", None)
    assert (await control(api, job, "resume"))[1] == resumed
    call.answer.set_result(ACCEPTED)
    await finished(api, job)

    for verb in ("pause", "resume"):
        status, problem = await control(api, job, verb)
        assert (status, problem["code"]) == (409, "job_over")


async def test_watchers_are_told_of_a_pause_and_its_end(
    api: Api, hub: ScriptedHub, clock: ManualClock
) -> None:
    job, call = await flying(api, hub)
    async with listening(api, f"/api/v1/jobs/{job.uuid}/events") as stream:
        assert (await stream.next()).data["state"] == "running"
        await control(api, job, "pause")
        paused = await stream.next()
        clock.advance(1)  # progress is told at most four times a second
        await control(api, job, "resume")
        resumed = await stream.next()

    assert (paused.event, paused.data["state"]) == ("progress", "paused")
    assert (resumed.event, resumed.data["state"]) == ("progress", "running")
    call.answer.set_result(ACCEPTED)
    await finished(api, job)


async def test_a_job_that_is_being_cancelled_is_not_paused(api: Api, hub: ScriptedHub) -> None:
    job, call = await flying(api, hub)
    await control(api, job, "cancel")

    status, problem = await control(api, job, "pause")

    assert (status, problem["code"]) == (409, "job_cancelling")
    call.answer.set_result(ACCEPTED)
    await finished(api, job)


async def test_a_gate_is_opened_by_resume(api: Api, hub: ScriptedHub) -> None:
    hub.automatic = lambda _: ACCEPTED
    for station in await make_stations(api, 3):
        hub.connect(station.id)
    wanted = {
        "kind": "command",
        "target": {"filter": {}},
        "spec": {"command": "clear_cache"},
        "options": {"rollout": {"waves": [{"count": 1}], "gate": "pause"}},
    }
    made = await (await api.post("/api/v1/jobs", json=wanted)).json()
    assert (made["wave"], made["waves"], made["counters"]["held"]) == (1, 2, 2)
    job = await api.deps.db.read(lambda tx: jobs.find_by_uuid(tx, made["id"]))
    await api.deps.engine.settled(job.id, 0, timeout_s=10)

    paused = await fetch(api, f"/api/v1/jobs/{job.uuid}")
    assert (paused["state"], paused["pause_reason"]) == ("paused", "wave")
    resumed = (await control(api, job, "resume"))[1]
    await finished(api, job)

    assert (resumed["wave"], resumed["counters"]["held"]) == (2, 0)
    assert (await fetch(api, f"/api/v1/jobs/{job.uuid}"))["state"] == "done"


@pytest.mark.parametrize(
    ("options", "pointer"),
    [
        ({"rollout": {"waves": [{}]}}, "/options/rollout/waves/0"),
        ({"rollout": {"waves": [{"count": 1, "percent": 1}]}}, "/options/rollout/waves/0"),
        ({"rollout": {"waves": [{"count": 0}]}}, "/options/rollout/waves/0/count"),
        ({"rollout": {"gate": "open"}}, "/options/rollout/gate"),
        ({"rollout": {"per_location_parallel": 0}}, "/options/rollout/per_location_parallel"),
        ({"abort": {"action": "explode"}}, "/options/abort/action"),
    ],
)
async def test_options_are_checked(api: Api, options: Any, pointer: str) -> None:
    await make_stations(api, 1)
    wanted = {"kind": "command", "target": {"filter": {}}, "spec": {"command": "clear_cache"}}

    response = await api.post("/api/v1/jobs", json={**wanted, "options": options})

    assert response.status == 422
    (error, *_) = (await response.json())["errors"]
    assert error["pointer"].endswith(pointer)


async def test_a_retry_as_a_new_job_is_the_callers_own(api: Api, hub: ScriptedHub) -> None:
    hub.automatic = lambda _: ACCEPTED
    job = await ended(api)
    hub.connect(1)

    response = await api.post(
        f"/api/v1/jobs/{job.uuid}/retry?as=new",
        role="admin",
        headers={"Idempotency-Key": "again"},
    )
    made = await response.json()
    assert (response.status, response.headers["Location"]) == (202, f"/api/v1/jobs/{made['id']}")
    assert made["id"] != job.uuid
    assert made["created_by"] != job.principal
    replay = await api.post(
        f"/api/v1/jobs/{job.uuid}/retry?as=new",
        role="admin",
        headers={"Idempotency-Key": "again"},
    )

    assert (await replay.json())["id"] == made["id"]
    assert replay.headers["Idempotency-Replayed"] == "true"
    again = await api.deps.db.read(lambda tx: jobs.find_by_uuid(tx, made["id"]))
    await finished(api, again)
    assert (await fetch(api, f"/api/v1/jobs/{job.uuid}"))["generation"] == 1
    assert len((await fetch(api, "/api/v1/jobs"))["items"]) == 2


async def test_there_is_nothing_to_retry(api: Api, hub: ScriptedHub) -> None:
    hub.automatic = lambda _: ACCEPTED
    (station,) = targets = await make_stations(api, 1)
    hub.connect(station.id)
    job = await submit(api, targets)
    await finished(api, job)

    status, problem = await control(api, job, "retry?as=new")
    assert (status, problem["code"]) == (409, "nothing_to_retry")
    status, problem = await control(api, job, "retry")
    assert (status, problem["code"]) == (409, "nothing_to_retry")
    status, problem = await control(api, job, "retry?as=old")
    assert (status, problem["errors"][0]["in"]) == (422, "query")
    status, problem = await control(api, job, "retry?as=new", json={"states": ["succeeded"]})
    assert (status, problem["errors"][0]["pointer"]) == (422, "/states")


async def test_a_job_that_is_over_is_deleted_and_one_that_runs_is_not(
    api: Api, hub: ScriptedHub
) -> None:
    job, call = await flying(api, hub)
    path = f"/api/v1/jobs/{job.uuid}"
    response = await api.delete(path)
    assert (response.status, (await response.json())["code"]) == (409, "job_running")
    call.answer.set_result(ACCEPTED)
    await finished(api, job)

    assert (await api.delete(path)).status == 204
    assert (await api.delete(path)).status == 404
    assert (await api.get(f"{path}/items")).status == 404
    assert (await fetch(api, "/api/v1/jobs"))["items"] == []


async def test_a_job_is_controlled_only_by_those_who_see_it_and_may(api: Api) -> None:
    place = await api.deps.db.write(lambda tx: locations.create(tx, name="Depot"))
    for name, role in (("bound", Role.OPERATOR), ("watcher", Role.VIEWER)):
        _, api.bearers[name] = await api.deps.db.write(
            lambda tx, name=name, role=role: tokens.create(
                tx, name=name, role=role, location_ids=frozenset({place.id})
            )
        )
    job = await ended(api)

    for role, status in (("bound", 404), ("watcher", 403), ("viewer", 403)):
        for verb in VERBS:
            assert (await control(api, job, verb, role=role))[0] == status, (role, verb)
        assert (await api.delete(f"/api/v1/jobs/{job.uuid}", role=role)).status == status
    for verb in VERBS:
        assert (await api.post(f"/api/v1/jobs/{job.uuid}/{verb}", role=None)).status == 401
