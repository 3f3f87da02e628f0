"""kill -9 at random moments of running jobs: nothing lost, nothing one-shot sent twice."""

from __future__ import annotations

import os
import random
import threading
from pathlib import Path

import pytest

from . import oracle, scenario
from .processes import FleetProcess, Server, eventually

SETTINGS = {
    "CSMS_OCPP__CALL_TIMEOUT_S": "3",
    "CSMS_OCPP__READY_SILENCE_S": "1",
    "CSMS_OCPP__READY_TRIGGER_S": "2",
    "CSMS_JOBS__EVIDENCE_WINDOW_S": "3",
    "CSMS_JOBS__RECONNECT_GRACE_S": "20",
    "CSMS_LOG__LEVEL": "warning",
}
SEED = int(os.environ.get("CSMS_TEST_SEED", "0")) or random.SystemRandom().randrange(1, 10**9)
FAULTS = ("--reject-percent", "5", "--silent-percent", "2", "--flap-percent", "20")


def run_campaign(directory: Path, *, stations: int, kills: int, seed: int) -> None:
    """Kill the server again and again while jobs of every kind have items in flight."""
    print(f"seed {seed}; CSMS_TEST_SEED={seed} repeats this run")
    rng = random.Random(seed)
    server = Server(directory, **SETTINGS)
    server.start()
    location = scenario.make_location(server)
    versions = _create_mixed(server, location, stations)
    options = (*FAULTS, "--seed", str(seed))
    fleet = FleetProcess(directory, server.url, versions, *options, versions=versions)
    try:
        eventually(lambda: fleet.booted() == versions.keys(), what="the fleet to boot")
        killed = 0
        round_number = 0
        while killed < kills:
            round_number += 1
            killed += _round(server, location, rng, round_number, kills - killed)
        assert 0 == server.stop()
        oracle.check_file(server)
        oracle.check_deliveries(server, fleet)
        oracle.check_unknown(server)
        oracle.check_versions(fleet, versions)
    finally:
        fleet.stop()
        if not server.dead:
            server.kill()


def _create_mixed(server: Server, location: str, stations: int) -> dict[str, str]:
    """Stations of every version in equal parts; their versions by identity."""
    versions: dict[str, str] = {}
    for number, version in enumerate(scenario.VERSIONS):
        count = (stations + number) // len(scenario.VERSIONS)
        path, made = scenario.create(server, location, f"CP-{number}-", count, version=version)
        assert path is not None
        oracle.finished(server, path)
        versions.update(dict.fromkeys(sorted(made), version))
    return versions


def _round(server: Server, location: str, rng: random.Random, number: int, most_kills: int) -> int:
    """One set of jobs, killed a few times on its way; returns how often."""
    ids = list(scenario.stations(server, "CP-").values())
    rng.shuffle(ids)
    half = len(ids) // 2
    runs = [
        scenario.configure(server, ids[:half], 10 + number),
        scenario.reset(server, ids[half:]),
    ]
    made, wanted = scenario.create(server, location, f"NEW{number}-", 200)
    killed = 0
    for _ in range(min(most_kills, rng.randrange(2, 6))):
        if not _kill_with_item_in_flight(server, rng):
            break
        killed += 1
        server.start()
    assert all(runs)
    assert made is not None
    for run in runs:
        body = oracle.finished(server, run)
        assert body["total_count"] == len(body["results"])
    oracle.check_created(server, oracle.finished(server, made), wanted)
    return killed


def _kill_with_item_in_flight(server: Server, rng: random.Random) -> bool:
    """Kill at a random moment while an item is in flight; False when nothing runs any more."""

    def moment() -> str | None:
        if server.metric("job_queue_depth") == 0:
            return "over"
        return "now" if server.metric("job_items_in_flight") > 0 else None

    if eventually(moment, what="an item in flight") == "over":
        return False
    threading.Event().wait(rng.uniform(0, 0.15))
    server.kill()
    return True


def test_five_kills_with_many_stations(tmp_path: Path) -> None:
    run_campaign(tmp_path, stations=200, kills=5, seed=SEED)


@pytest.mark.campaign
@pytest.mark.timeout(3600)
def test_a_hundred_kills_with_a_thousand_stations(tmp_path: Path) -> None:
    run_campaign(tmp_path, stations=1000, kills=100, seed=SEED)
