"""`csms demo` as a newcomer runs it, its counts held against what the stations wrote down."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

STATIONS = 25


def demo(frames: Path, *arguments: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "csms", "demo", "--once", "--frames", frames, *arguments],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    counts: dict[str, Any] = json.loads(done.stdout)
    return counts


def records(frames: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in frames.read_text().splitlines()]


def arrivals(frames: Path) -> Counter[str]:
    """How often the command came in, by station, whatever it is called there."""
    return Counter(
        record["identity"]
        for record in records(frames)
        if record["dir"] == "in"
        and record["frame"][0] == 2
        and record["frame"][2] in {"ChangeConfiguration", "SetVariables"}
    )


def accepted_boots(frames: Path) -> set[str]:
    """Stations that were told Accepted in answer to a BootNotification of theirs."""
    asked = {
        (record["identity"], record["frame"][1])
        for record in records(frames)
        if record["dir"] == "out" and record["frame"][2:3] == ["BootNotification"]
    }
    return {
        record["identity"]
        for record in records(frames)
        if record["dir"] == "in"
        and record["frame"][0] == 3
        and (record["identity"], record["frame"][1]) in asked
        and record["frame"][2]["status"] == "Accepted"
    }


def test_the_demo_counts_what_the_stations_saw(tmp_path: Path) -> None:
    frames = tmp_path / "frames.ndjson"
    counts = demo(frames)
    arrived = arrivals(frames)
    assert counts == {
        **dict.fromkeys(
            ("stations", "created", "booted", "sent", "delivered", "reached"), STATIONS
        ),
        **dict.fromkeys(("failed", "offline", "error", "skipped", "unknown"), 0),
        "command": "ChangeConfiguration",
        "settled_before_kill": None,
    }
    assert len(accepted_boots(frames)) == STATIONS
    assert set(arrived.values()) == {1}
    assert len(arrived) == STATIONS
    versions = Counter(identity.rsplit("-", 1)[0] for identity in arrived)
    assert versions == {"DEMO-16": 9, "DEMO-201": 8, "DEMO-21": 8}


@pytest.mark.timeout(180)
def test_the_demo_with_a_crash_ends_with_exact_counts(tmp_path: Path) -> None:
    frames = tmp_path / "frames.ndjson"
    counts = demo(frames, "--crash")
    arrived = arrivals(frames)
    before = counts["settled_before_kill"]
    assert 0 < before < STATIONS
    assert (counts["created"], counts["booted"], counts["sent"]) == (STATIONS, STATIONS, STATIONS)
    assert counts["failed"] + counts["offline"] + counts["error"] + counts["unknown"] == 0
    assert len(accepted_boots(frames)) == STATIONS
    assert len(arrived) == counts["reached"] == STATIONS
    assert arrived.total() == counts["delivered"]
    assert sum(times > 1 for times in arrived.values()) <= STATIONS - before
