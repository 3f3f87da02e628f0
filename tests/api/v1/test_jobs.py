"""Jobs natively: what is shown to whom, cancel, retry, and watching one to its end."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

import pytest

from csms.api.v1 import job_results
from csms.domain.jobs import Job, NewItem
from csms.domain.permissions import Role
from csms.domain.stations import NewStation, Station
from csms.domain.versions import OcppVersion
from csms.jobs.kinds.command import Wanted, submission
from csms.services import locations, stations, tokens
from tests.api.sse import listening

if TYPE_CHECKING:
    from csms.clock import ManualClock
    from tests.api.conftest import Api, ScriptedHub

ACCEPTED = {"status": "Accepted"}
CLEAR_CACHE = Wanted(command="clear_cache")


async def make_stations(api: Api, number: int) -> list[Station]:
    return await api.deps.db.write(
        lambda tx: [stations.create(tx, NewStation(f"CP-{n}")) for n in range(number)]
    )


async def submit(
    api: Api,
    targets: list[Station],
    *,
    role: str = "operator",
    wanted: Wanted = CLEAR_CACHE,
) -> Job:
    principal = await api.deps.auth.principal(f"Bearer {api.bearers[role]}")
    made = await api.deps.engine.submit(
        submission(
            principal=principal,
            wanted=wanted,
            targets=[NewItem(station.uuid, target=station.id) for station in targets],
            dialect="native",
        )
    )
    return made.job


async def finished(api: Api, job: Job) -> None:
    for seq in range(job.counters.total):
        await api.deps.engine.settled(job.id, seq, timeout_s=10)


async def fetch(api: Api, path: str, **more: Any) -> Any:
    response = await api.get(path, **more)
    assert response.status == 200, await response.text()
    return await response.json()


async def test_a_job_shows_its_counters(api: Api, hub: ScriptedHub) -> None:
    hub.automatic = lambda _: ACCEPTED
    online, _ = targets = await make_stations(api, 2)
    hub.connect(online.id)
    job = await submit(api, targets)
    await finished(api, job)
    shown = await fetch(api, f"/api/v1/jobs/{job.uuid}")
    assert (shown["id"], shown["kind"], shown["state"]) == (job.uuid, "command", "done")
    assert shown["command"] == "clear_cache"
    assert {name: count for name, count in shown["counters"].items() if count} == {
        "total": 2,
        "succeeded": 1,
        "offline": 1,
    }


async def test_items_page_by_cursor_and_filter_by_state(api: Api, hub: ScriptedHub) -> None:
    hub.automatic = lambda _: ACCEPTED
    targets = await make_stations(api, 5)
    for station in targets[:2]:
        hub.connect(station.id)
    job = await submit(api, targets)
    await finished(api, job)
    path = f"/api/v1/jobs/{job.uuid}/items"
    first = await fetch(api, f"{path}?limit=3")
    rest = await fetch(api, f"{path}?limit=3&cursor={first['next_cursor']}")
    assert [item["seq"] for item in first["items"] + rest["items"]] == [0, 1, 2, 3, 4]
    assert rest["next_cursor"] is None
    assert first["items"][0]["identity"] == "CP-0"
    assert first["items"][0]["response"] == ACCEPTED
    offline = await fetch(api, f"{path}?state=offline&state=error")
    assert [item["seq"] for item in offline["items"]] == [2, 3, 4]


@pytest.mark.parametrize("query", ["limit=0", "limit=501", "cursor=!!", "cursor=LTU", "state=x"])
async def test_a_bad_query_is_refused(api: Api, query: str) -> None:
    job = await submit(api, await make_stations(api, 1))
    response = await api.get(f"/api/v1/jobs/{job.uuid}/items?{query}")
    assert response.status == 422
    assert (await response.json())["errors"][0]["in"] == "query"


async def test_the_list_pages_newest_first(api: Api) -> None:
    targets = await make_stations(api, 1)
    made = [await submit(api, targets) for _ in range(3)]
    first = await fetch(api, "/api/v1/jobs?limit=2")
    rest = await fetch(api, f"/api/v1/jobs?limit=2&cursor={first['next_cursor']}")
    assert [job["id"] for job in first["items"] + rest["items"]] == [
        job.uuid for job in reversed(made)
    ]


async def test_a_job_is_seen_by_its_creator_and_by_unbound_operators(api: Api) -> None:
    place = await api.deps.db.write(lambda tx: locations.create(tx, name="Depot"))
    for name in ("bound", "other"):
        _, api.bearers[name] = await api.deps.db.write(
            lambda tx, name=name: tokens.create(
                tx, name=name, role=Role.OPERATOR, location_ids=frozenset({place.id})
            )
        )
    job = await submit(api, await make_stations(api, 1), role="bound")
    path = f"/api/v1/jobs/{job.uuid}"
    seen = {role: (await api.get(path, role=role)).status for role in api.bearers}
    assert seen == {"viewer": 404, "operator": 200, "admin": 200, "bound": 200, "other": 404}
    absent = await api.get("/api/v1/jobs/nothing", role="other")
    hidden = await api.get(path, role="other")
    assert await absent.json() == await hidden.json()
    assert (await fetch(api, "/api/v1/jobs", role="other"))["items"] == []
    for verb in ("cancel", "retry"):
        assert (await api.post(f"{path}/{verb}", role="other")).status == 404


async def test_cancel(api: Api, hub: ScriptedHub) -> None:
    station, *_ = targets = await make_stations(api, 1)
    hub.connect(station.id)
    job = await submit(api, targets)
    (call,) = await hub.delivered(1)
    response = await api.post(f"/api/v1/jobs/{job.uuid}/cancel")
    assert (response.status, (await response.json())["state"]) == (202, "cancelling")
    call.answer.set_result(ACCEPTED)
    await finished(api, job)
    response = await api.post(f"/api/v1/jobs/{job.uuid}/cancel")
    assert (response.status, (await response.json())["state"]) == (200, "cancelled")


async def test_retry_runs_the_failed_items_again(api: Api, hub: ScriptedHub) -> None:
    hub.automatic = lambda _: ACCEPTED
    station, *_ = targets = await make_stations(api, 1)
    job = await submit(api, targets)
    await finished(api, job)
    hub.connect(station.id)
    response = await api.post(f"/api/v1/jobs/{job.uuid}/retry", json={"states": ["offline"]})
    again = await response.json()
    assert (response.status, again["id"], again["generation"]) == (202, job.uuid, 2)
    assert again["workflow_run_id"] != job.workflow_run_id
    await finished(api, job)
    assert (await fetch(api, f"/api/v1/jobs/{job.uuid}"))["counters"]["succeeded"] == 1


async def test_retry_of_a_running_job_is_a_conflict(api: Api, hub: ScriptedHub) -> None:
    station, *_ = targets = await make_stations(api, 1)
    hub.connect(station.id)
    job = await submit(api, targets)
    await hub.delivered(1)
    assert (await api.post(f"/api/v1/jobs/{job.uuid}/retry")).status == 409


async def test_a_watched_job_goes_from_snapshot_to_done(api: Api, hub: ScriptedHub) -> None:
    first, second = targets = await make_stations(api, 2)
    hub.connect(first.id)
    hub.connect(second.id)
    job = await submit(api, targets)
    calls = await hub.delivered(2)
    seen = []
    async with listening(api, f"/api/v1/jobs/{job.uuid}/events") as stream:
        snapshot = await stream.next()
        assert (snapshot.event, snapshot.data["counters"]["open"]) == ("snapshot", 2)
        for call in calls:
            call.answer.set_result(ACCEPTED)
        while not seen or seen[-1].event != "done":
            seen.append(await stream.next())
        with pytest.raises(EOFError):
            await stream.next()
    items = [one for one in seen if one.event == "item"]
    assert sorted(one.data["seq"] for one in items) == [0, 1]
    assert all(one.id is not None for one in items)
    assert all(one.id is None for one in seen if one.event == "progress")
    assert seen[-1].data["counters"]["succeeded"] == 2


async def test_watching_a_finished_job_ends_at_once(api: Api) -> None:
    job = await submit(api, await make_stations(api, 1))
    await finished(api, job)
    async with listening(api, f"/api/v1/jobs/{job.uuid}/events") as stream:
        snapshot, done = await stream.take(2)
        assert (snapshot.event, done.event, done.data["state"]) == ("snapshot", "done", "done")
        with pytest.raises(EOFError):
            await stream.next()


async def test_a_watcher_that_comes_back_hears_the_items_it_missed(
    api: Api, hub: ScriptedHub
) -> None:
    hub.automatic = lambda _: ACCEPTED
    first, second = targets = await make_stations(api, 2)
    hub.connect(first.id)
    hub.connect(second.id)
    place = await api.deps.db.read(lambda tx: tx.value("SELECT max(id) FROM events"))
    job = await submit(api, targets)
    await finished(api, job)
    path = f"/api/v1/jobs/{job.uuid}/events"
    async with listening(api, path, headers={"Last-Event-ID": str(place)}) as stream:
        seen = await stream.take(4)
    assert [one.event for one in seen] == ["item", "item", "snapshot", "done"]


async def test_progress_is_told_with_counters_and_without_an_id(api: Api, hub: ScriptedHub) -> None:
    station, *_ = targets = await make_stations(api, 2)
    hub.connect(station.id)
    async with listening(api, "/api/v1/events?types=job.progress") as stream:
        await submit(api, targets)
        received = await stream.next()
    assert received.id is None
    assert received.data["data"]["counters"]["total"] == 2


# ---- whether an accepted order had an effect ---------------------------------------------------


async def ordered(
    api: Api, hub: ScriptedHub, command: str, answer: Any = ACCEPTED, **params: Any
) -> tuple[Station, Job]:
    (station,) = await make_stations(api, 1)
    hub.automatic = lambda _: answer
    hub.connect(station.id)
    job = await submit(api, [station], wanted=Wanted(command=command, params=params))
    await finished(api, job)
    return station, job


async def effect(api: Api, job: Job) -> Any:
    (item,) = (await fetch(api, f"/api/v1/jobs/{job.uuid}/items"))["items"]
    return item["effect"]


START = {"id_token": "TAG", "evse_id": 1}


async def test_a_start_is_followed_by_its_transaction(
    api: Api, hub: ScriptedHub, clock: ManualClock
) -> None:
    station, job = await ordered(api, hub, "request_start_transaction", **START)
    assert await effect(api, job) == "awaited"
    clock.advance(5)
    await api.deps.db.write(
        lambda tx: tx.run(
            "INSERT INTO transactions (uuid, station_id, evse_id, station_transaction_id,"
            " id_token_key, start_received_at) VALUES ('u', ?, 1, 'T', 'tag', ?)",
            (station.id, tx.now),
        )
    )
    assert await effect(api, job) == "seen"
    clock.advance(1000)
    assert await effect(api, job) == "seen"


async def test_a_start_that_nothing_follows_had_no_effect(
    api: Api, hub: ScriptedHub, clock: ManualClock
) -> None:
    _, job = await ordered(api, hub, "request_start_transaction", **START)
    clock.advance(119)
    assert await effect(api, job) == "awaited"
    clock.advance(2)
    assert await effect(api, job) == "not_seen"


async def test_there_is_no_effect_to_wait_for(
    api: Api, hub: ScriptedHub, clock: ManualClock
) -> None:
    refused = {"status": "Rejected"}
    station, start = await ordered(api, hub, "request_start_transaction", refused, **START)
    clear = await submit(api, [station])
    await finished(api, clear)
    clock.advance(1000)
    assert [await effect(api, job) for job in (start, clear)] == [None, None]


async def test_a_reset_that_was_put_off_is_awaited(
    api: Api, hub: ScriptedHub, clock: ManualClock
) -> None:
    _, job = await ordered(api, hub, "reset", {"status": "Scheduled"})
    clock.advance(10_000)
    assert await effect(api, job) == "awaited"


async def test_an_effect_is_not_told_once_the_attempt_is_forgotten(
    api: Api, hub: ScriptedHub, clock: ManualClock
) -> None:
    _, job = await ordered(api, hub, "reset")
    clock.advance(301)
    assert await effect(api, job) == "not_seen"
    await api.deps.db.write(lambda tx: tx.run("DELETE FROM job_attempts"))
    assert await effect(api, job) is None


async def draw(api: Api, station: Station, evse_id: int, power_w: float, current_a: float) -> None:
    def write(tx: Any) -> None:
        row = tx.one(
            "SELECT id FROM transactions WHERE station_id = ? AND evse_id = ?",
            (station.id, evse_id),
        )
        number = (
            row[0]
            if row
            else tx.insert(
                "INSERT INTO transactions (uuid, station_id, evse_id, station_transaction_id,"
                " start_received_at) VALUES (hex(randomblob(8)), ?, ?, hex(randomblob(8)), ?)",
                (station.id, evse_id, tx.now),
            )
        )
        tx.run(
            "INSERT INTO meter_values (station_id, transaction_id, evse_id, received_at, context,"
            " power_w, current_a, samples) VALUES (?, ?, ?, ?, 'Sample.Periodic', ?, ?, '[]')",
            (station.id, number, evse_id, tx.now, power_w, current_a),
        )

    await api.deps.db.write(write)


def maximum(unit: str, *limits: float, purpose: str = "ChargingStationMaxProfile") -> Any:
    relative = purpose == "TxDefaultProfile"
    periods = [{"start_period_s": 60 * n, "limit": limit} for n, limit in enumerate(limits)]
    schedule = {"rate_unit": unit, "periods": periods}
    if not relative:
        schedule["start_schedule"] = "2026-05-01T12:00:00Z"
    return {
        "id": 1,
        "stack_level": 0,
        "purpose": purpose,
        "kind": "Relative" if relative else "Absolute",
        "schedules": [schedule],
    }


@pytest.mark.parametrize(
    ("profile", "expected"),
    [
        (maximum("W", 7000.0), "seen"),
        (maximum("W", 2000.0, 7000.0), "seen"),
        (maximum("W", 5900.0), "seen"),
        (maximum("W", 5000.0), "not_seen"),
        (maximum("A", 26.0), "seen"),
        (maximum("A", 16.0), "not_seen"),
        (maximum("W", 5000.0, purpose="TxDefaultProfile"), None),
    ],
)
async def test_what_is_drawn_shows_whether_a_station_keeps_to_its_maximum(
    api: Api, hub: ScriptedHub, clock: ManualClock, profile: Any, expected: str | None
) -> None:
    station, job = await ordered(api, hub, "set_charging_profile", charging_profile=profile)
    await draw(api, station, 1, 9000, 40)
    assert await effect(api, job) == ("awaited" if expected else None)
    clock.advance(31)
    for evse_id in (1, 2):
        await draw(api, station, evse_id, 3000, 13)
    assert await effect(api, job) == expected
    clock.advance(1000)
    await draw(api, station, 1, 1, 1)
    assert await effect(api, job) == expected


async def test_without_a_car_nobody_knows_whether_the_maximum_is_kept(
    api: Api, hub: ScriptedHub, clock: ManualClock
) -> None:
    profile = maximum("W", 7000.0)
    _, job = await ordered(api, hub, "set_charging_profile", charging_profile=profile)
    assert await effect(api, job) == "awaited"
    clock.advance(301)
    assert await effect(api, job) is None


async def test_the_reset_of_one_evse_tells_nothing(
    api: Api, hub: ScriptedHub, clock: ManualClock
) -> None:
    (station,) = await make_stations(api, 1)
    hub.versions[station.id] = OcppVersion.V201
    hub.automatic = lambda _: ACCEPTED
    hub.connect(station.id)
    job = await submit(api, [station], wanted=Wanted(command="reset", params={"evse_id": 1}))
    await finished(api, job)
    clock.advance(1000)
    assert await effect(api, job) is None


async def test_the_list_is_narrowed(api: Api, hub: ScriptedHub) -> None:
    hub.automatic = lambda _: ACCEPTED
    targets = await make_stations(api, 1)
    over = await submit(api, targets)
    await finished(api, over)
    hub.automatic = None
    hub.connect(targets[0].id)
    running = await submit(api, targets, role="admin")
    await hub.delivered(1)
    for query, expected in {
        "state=done": [over],
        "state=running&state=done": [running, over],
        "state=paused": [],
        f"created_by={over.principal}": [over],
        "dialect=native": [running, over],
        "dialect=commands": [],
        "kind=station_create": [],
    }.items():
        shown = (await fetch(api, f"/api/v1/jobs?{query}"))["items"]
        assert [one["id"] for one in shown] == [job.uuid for job in expected], query
    for query, role in ((f"created_by={over.principal}", "viewer"), ("created_by=x", "admin")):
        refused = await api.get(f"/api/v1/jobs?{query}", role=role)
        assert (404, "Token not found") == (refused.status, (await refused.json())["detail"])
    assert (await api.get("/api/v1/jobs?state=x")).status == 422


async def test_a_kind_that_there_is_not_is_told_from_those_that_there_are(api: Api) -> None:
    response = await api.get("/api/v1/jobs?kind=commands")
    assert 422 == response.status
    (issue,) = (await response.json())["errors"]
    assert "/kind" == issue["pointer"]
    assert "Input should be " == issue["detail"][:16]
    for kind in api.deps.engine._kinds:
        assert 200 == (await api.get(f"/api/v1/jobs?kind={kind}")).status, kind


async def test_results_as_files(api: Api, hub: ScriptedHub) -> None:
    hub.automatic = lambda _: ACCEPTED
    online, _ = targets = await make_stations(api, 2)
    await api.deps.db.write(
        lambda tx: tx.run("UPDATE stations SET identity = '=1+1' WHERE id = ?", (online.id,))
    )
    hub.connect(online.id)
    job = await submit(api, targets)
    await finished(api, job)
    path = f"/api/v1/jobs/{job.uuid}/results"
    response = await api.get(f"{path}.csv")
    assert response.headers["Content-Disposition"] == f'attachment; filename="job-{job.uuid}.csv"'
    header, first, second = list(csv.reader(io.StringIO(await response.text())))
    assert header == list(job_results.COLUMNS)
    rows = [dict(zip(header, row, strict=True)) for row in (first, second)]
    assert [(row["identity"], row["state"], row["error_code"]) for row in rows] == [
        ("'=1+1", "succeeded", ""),
        ("CP-1", "offline", "offline"),
    ]
    assert json.loads(rows[0]["response"]) == ACCEPTED
    lines = (await (await api.get(f"{path}.ndjson")).text()).splitlines()
    shown = await fetch(api, f"/api/v1/jobs/{job.uuid}/items")
    assert [json.loads(line) for line in lines] == shown["items"]
    only = await api.get(f"{path}.ndjson?state=error&state=offline&code=offline")
    assert [json.loads(line)["seq"] for line in (await only.text()).splitlines()] == [1]
    none = await api.get(f"{path}.ndjson?code=timeout")
    assert (none.status, await none.text()) == (200, "")


async def test_results_go_out_page_by_page(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_results, "_PAGE", 2)
    job = await submit(api, await make_stations(api, 5))
    await finished(api, job)
    text = await (await api.get(f"/api/v1/jobs/{job.uuid}/results.csv")).text()
    assert [row[0] for row in csv.reader(io.StringIO(text))] == ["seq", "0", "1", "2", "3", "4"]


@pytest.mark.parametrize("name", ["results.csv", "results.ndjson"])
async def test_results_of_others_are_not_found(api: Api, name: str) -> None:
    job = await submit(api, await make_stations(api, 1))
    response = await api.get(f"/api/v1/jobs/{job.uuid}/{name}", role="viewer")
    assert (response.status, (await response.json())["code"]) == (404, "not_found")
    assert (await api.get(f"/api/v1/jobs/{job.uuid}/{name}?state=x")).status == 422


async def test_a_running_job_says_how_long_it_takes(
    api: Api, hub: ScriptedHub, clock: ManualClock
) -> None:
    targets = await make_stations(api, 3)
    for station in targets:
        hub.connect(station.id)
    job = await submit(api, targets)
    calls = await hub.delivered(3)
    shown = await fetch(api, f"/api/v1/jobs/{job.uuid}")
    assert (shown["items_per_s"], shown["eta_s"]) == (None, None)
    clock.advance(4)
    calls[0].answer.set_result(ACCEPTED)
    await api.deps.engine.settled(job.id, 0, timeout_s=10)
    shown = await fetch(api, f"/api/v1/jobs/{job.uuid}")
    assert (shown["items_per_s"], shown["eta_s"]) == (0.25, 8)
    for call in calls[1:]:
        call.answer.set_result(ACCEPTED)
    await finished(api, job)
    shown = await fetch(api, f"/api/v1/jobs/{job.uuid}")
    assert (shown["items_per_s"], shown["eta_s"]) == (None, None)
