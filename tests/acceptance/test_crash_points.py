"""SIGKILL exactly at each named point of the engine; a point that is never reached fails."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from csms.jobs.crash import POINTS

from . import oracle, scenario
from .processes import Server, eventually
from .scripted import ScriptedFleet

SETTINGS = {
    "CSMS_OCPP__CALL_TIMEOUT_S": "1",
    "CSMS_OCPP__READY_SILENCE_S": "1",
    "CSMS_OCPP__READY_TRIGGER_S": "1",
    "CSMS_JOBS__EVIDENCE_WINDOW_S": "2",
    "CSMS_JOBS__RECONNECT_GRACE_S": "20",
    "CSMS_LOG__LEVEL": "warning",
}
KINDS = ("CP", "DEAF", "DROP")
IDENTITIES = [f"{kind}{number:04d}" for kind in KINDS for number in range(3)]
CREATED = 10
FIRST_HITS = [(point, 1) for point in POINTS]
LATER_HITS = [
    (point, hit)
    for point in POINTS
    # Reached once a start, and once a submission.
    for hit in ((2, 3) if point not in {"recovery.swept", "job.accepted"} else (2,))
    if (point, hit) != ("recovery.swept", 2)
]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    made = Server(tmp_path, **SETTINGS)
    yield made
    if made.process is not None and not made.dead:
        made.kill()


def crash_at(server: Server, point: str, hit: int) -> None:
    server.start()
    location = scenario.make_location(server)
    for kind in KINDS:
        path, _ = scenario.create(server, location, kind, 3)
        assert path is not None
        oracle.finished(server, path)
    assert 0 == server.stop()

    armed = f"{point}:{hit}"
    if point == "recovery.swept":
        server.start(crash_at=armed, ready=False)
        eventually(lambda: server.dead, what=f"{point} to be reached")
        assert -signal.SIGKILL == server.process.returncode
        armed = None
    server.start(crash_at=armed)
    fleet = ScriptedFleet(server.url, IDENTITIES)
    try:
        _run_jobs(server, fleet, location, point, hit, killed=armed is None)
    finally:
        fleet.stop()


def _run_jobs(
    server: Server, fleet: ScriptedFleet, location: str, point: str, hit: int, *, killed: bool
) -> None:
    eventually(lambda: fleet.booted() == set(IDENTITIES), what="the stations to boot")
    ids = list(scenario.stations(server).values())
    quick = {"retry": {"first_delay_s": 0.1}}
    one_by_one = {"rollout": {"waves": [{"count": 1}, {"count": 1}]}}
    answering = list(scenario.stations(server, "CP").values())
    paths = [
        scenario.configure(server, ids, 30, **quick),
        resets := scenario.reset(server, ids),
        scenario.configure(server, answering, 40, **quick, **one_by_one),
        scenario.configure(server, answering, 50, **quick, **one_by_one),
        scenario.create(server, location, "NEW-", CREATED)[0],
        scenario.create(server, location, "VIRT-", 2, virtual=True)[0],
    ]
    for _ in range(3):
        scenario.control(server, resets, "pause")
        scenario.control(server, resets, "resume")
    if not killed:
        eventually(lambda: server.dead, timeout_s=30, what=f"{point} to be reached {hit} times")
        assert -signal.SIGKILL == server.process.returncode
        server.start()
        if point == "job.paused":
            assert "paused" == scenario.show(server, resets)["state"]
        scenario.control(server, resets, "resume")
    for path in paths:
        if path is not None:
            oracle.finished(server, path)
    eventually(lambda: server.metric("job_queue_depth") == 0, what="every job to end")
    assert 0 == server.stop()
    oracle.check_file(server)
    oracle.check_deliveries(server, fleet)
    oracle.check_unknown(server)
    _check_creates(server)


def _check_creates(server: Server) -> None:
    """Whatever job was accepted made exactly its stations, and none is in doubt."""
    for job in server.rows("SELECT * FROM jobs WHERE kind = 'station_create'"):
        items = server.rows("SELECT key, state FROM job_items WHERE job_id = ?", job["id"])
        assert {"succeeded"} == {item["state"] for item in items}
        stations = server.rows(
            "SELECT identity FROM stations WHERE deleted_at IS NULL AND created_job_id = ?",
            job["id"],
        )
        assert sorted(item["key"] for item in items) == sorted(row["identity"] for row in stations)


@pytest.mark.parametrize(("point", "hit"), FIRST_HITS)
def test_a_crash_at_the_first_hit_breaks_no_promise(server: Server, point: str, hit: int) -> None:
    crash_at(server, point, hit)


@pytest.mark.campaign
@pytest.mark.parametrize(("point", "hit"), LATER_HITS)
def test_a_crash_at_a_later_hit_breaks_no_promise(server: Server, point: str, hit: int) -> None:
    crash_at(server, point, hit)
