"""A fleet as a process of its own."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import orjson
import pytest

from csms.domain.versions import OcppVersion
from csms.errors import Invalid
from csms.fleet.catalog import load
from csms.fleet.runner import Counts, RunOptions, run, specs_of
from tests.fleet.test_independent_csms import DEADLINE_S, central_system


async def test_runs_a_fleet_and_records_every_frame(tmp_path):
    frames = tmp_path / "frames.ndjson"
    ready: asyncio.Future[Counts] = asyncio.get_running_loop().create_future()
    async with central_system() as (url, heard):
        options = RunOptions(url=url, stations=5, prefix="T-", frames=frames)
        task = asyncio.create_task(run(options, ready.set_result))
        try:
            counts = await asyncio.wait_for(ready, DEADLINE_S)
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
    assert (counts.stations, counts.booted, counts.last_error) == (5, 5, None)
    seen = [orjson.loads(line) for line in frames.read_bytes().splitlines()]
    boots = [
        one["identity"]
        for one in seen
        if one["dir"] == "out" and one["frame"][2] == "BootNotification"
    ]
    assert sorted(boots) == ["T-0001", "T-0002", "T-0003", "T-0004", "T-0005"]
    assert len(heard.all("boot")) == 5
    assert any(one["dir"] == "in" and one["frame"][0] == 3 for one in seen)


def test_stations_passwords_and_versions_come_from_a_file(tmp_path):
    path = tmp_path / "stations.ndjson"
    path.write_text(
        '{"identity": "A", "password": "p1"}\n\n{"identity": "B", "version": "OCPP2.0.1"}\n'
    )
    options = RunOptions(url="ws://x", from_file=path, version=OcppVersion.V21)
    specs = list(specs_of(options, load()))
    assert [(spec.identity, spec.password, spec.version) for spec in specs] == [
        ("A", b"p1", OcppVersion.V21),
        ("B", None, OcppVersion.V201),
    ]


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[]",
        '{"identity": 5}',
        '{"identity": "a/b"}',
        '{"identity":"a","password":1}',
        '{"identity":"a","version":2}',
        '{"identity":"a","version":"3.0"}',
    ],
)
def test_a_bad_line_is_refused(tmp_path, content):
    path = tmp_path / "stations.ndjson"
    path.write_text(content)
    with pytest.raises(Invalid):
        list(specs_of(RunOptions(url="ws://x", from_file=path), load()))


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(Invalid, match="cannot read"):
        list(specs_of(RunOptions(url="ws://x", from_file=tmp_path / "none"), load()))


def test_the_seed_decides_which_stations_flap():
    def flapping(seed: int) -> list[str]:
        options = RunOptions(url="ws://x", stations=500, flap_percent=20, seed=seed)
        specs = specs_of(options, load())
        return [spec.identity for spec in specs if spec.faults.drop_every_s is not None]

    assert flapping(1) == flapping(1)
    assert flapping(1) != flapping(2)
    assert 70 < len(flapping(1)) < 130
