"""Passwords told over OCPP between two processes, either of which may be killed at any moment."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from csms.cli.failures import Refused, ServerUnreachable

from . import oracle, scenario
from .processes import FleetProcess, Server, eventually

VERSIONS = {"P-16": "1.6", "P-201": "2.0.1", "P-21": "2.1"}
Start = Callable[[], FleetProcess]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    made = Server(tmp_path, dev=False, CSMS_LOG__LEVEL="warning")
    made.start()
    yield made
    if not made.dead:
        made.kill()


@pytest.fixture
def given(server: Server) -> dict[str, str]:
    """The passwords that the stations leave the factory with."""
    made = {
        identity: server.client.post("/api/v1/stations", {"identity": identity})
        for identity in VERSIONS
    }
    return {identity: one["password"] for identity, one in made.items()}


@pytest.fixture
def start(server: Server, given: dict[str, str], tmp_path: Path) -> Iterator[Start]:
    running: list[FleetProcess] = []

    def begin() -> FleetProcess:
        for fleet in running:
            fleet.stop()
        if not server.dead:  # so that nobody takes a socket of before for one of the new process
            eventually(lambda: none_online(server), what="the end of the old sockets")
        made = FleetProcess(
            tmp_path,
            server.url,
            VERSIONS,
            *("--passwords", str(kept(tmp_path))),
            versions=VERSIONS,
            passwords=given,
        )
        running.append(made)
        return made

    yield begin
    running[-1].stop()


def kept(directory: Path) -> Path:
    return directory / "passwords.ndjson"


def all_online(server: Server) -> bool:
    stations = server.try_get("/api/v1/stations")
    return stations is not None and all(one["ready"] for one in stations["items"])


def none_online(server: Server) -> bool:
    stations = server.try_get("/api/v1/stations")
    return stations is not None and not any(one["ready"] for one in stations["items"])


def told(directory: Path) -> dict[str, str]:
    """What each station was told last."""
    lines = kept(directory).read_bytes().split(b"\n")
    read = [json.loads(line) for line in lines if line]
    return {one["identity"]: bytes.fromhex(one["password_hex"]).decode() for one in read}


def push(server: Server, identity: str) -> Any:
    path = f"/api/v1/stations/identity:{identity}/credentials/rotate"
    return server.client.post(path, {"push": True})


def test_what_stations_were_told_outlives_both_processes(
    server: Server, start: Start, given: dict[str, str], tmp_path: Path
) -> None:
    fleet = start()
    eventually(lambda: all_online(server), what="the stations with their first passwords")
    for identity in VERSIONS:
        assert "Accepted" == push(server, identity)["pushed"]
    new = told(tmp_path)
    assert VERSIONS.keys() == new.keys()
    assert not set(new.values()) & set(given.values())
    assert 0o600 == kept(tmp_path).stat().st_mode & 0o777
    assert not any(secret in fleet.frames.read_text() for secret in new.values())
    server.kill()
    server.start()
    start()
    eventually(lambda: all_online(server), what="the stations with what they were told")
    assert new == told(tmp_path)


@pytest.mark.parametrize(
    "point",
    [
        pytest.param("item.intended", marks=pytest.mark.campaign),
        pytest.param("item.sent", marks=pytest.mark.campaign),
        "item.answered",
        pytest.param("item.settled", marks=pytest.mark.campaign),
    ],
)
def test_a_server_that_dies_over_a_rotation_locks_no_station_out(
    server: Server, start: Start, tmp_path: Path, point: str
) -> None:
    server.kill()
    server.start(crash_at=f"{point}:2")
    start()
    eventually(lambda: all_online(server), what="the stations")
    push(server, "P-16")
    with pytest.raises((ServerUnreachable, Refused)):
        push(server, "P-201")
    eventually(lambda: server.dead, what="the crash")
    server.start()
    start()
    eventually(lambda: all_online(server), what="the stations after the crash")
    eventually(lambda: nothing_is_open(server), what="the end of the interrupted rotation")
    for identity in VERSIONS:
        assert "Accepted" == push(server, identity)["pushed"]


def nothing_is_open(server: Server) -> bool:
    return not server.rows("SELECT 1 FROM job_items WHERE state IN ('ready', 'in_flight')")


def test_a_virtual_station_of_the_server_comes_back_with_what_it_was_told(tmp_path: Path) -> None:
    server = Server(tmp_path, CSMS_LOG__LEVEL="warning")
    server.start()
    location = scenario.make_location(server)
    path, made = scenario.create(server, location, "V", 1, virtual=True)
    assert path is not None
    oracle.check_created(server, oracle.finished(server, path), made)
    identity = made.pop()
    sql = "SELECT rotation FROM credentials"
    for _ in range(2):
        assert "Accepted" == push(server, identity)["pushed"]
        server.kill()
        server.start()
        eventually(lambda: all_online(server), what="the station with what it was told")
        (row,) = server.rows(sql)
        assert row["rotation"] > 1
    server.kill()
