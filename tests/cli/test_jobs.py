from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from csms.cli import jobs
from tests.cli.conftest import Outcome, Scripted

COUNTERS = ("succeeded", "rejected", "errored", "unknown", "offline", "expired", "cancelled")


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "_POLL_S", 0)


def job(state: str, **counters: int) -> dict[str, Any]:
    counted = dict.fromkeys(("total", "open", *COUNTERS, "skipped"), 0) | counters
    return {
        "id": "j1",
        "kind": "command",
        "state": state,
        "counters": counted,
        "error": None,
        "created_at": "2026-05-01T12:00:00.000000Z",
    }


@pytest.mark.parametrize(
    ("end", "code"),
    [
        (job("done", total=2, succeeded=2), 0),
        (job("done", total=2, succeeded=1, unknown=1), 3),
        (job("done", total=2, succeeded=1, offline=1), 3),
        (job("failed", total=2), 3),
        (job("cancelled", total=2, cancelled=2), 4),
    ],
)
def test_watch_ends_with_the_jobs_verdict(
    csms: Callable[..., Outcome],
    server: Scripted,
    tmp_path: Path,
    end: dict[str, Any],
    code: int,
) -> None:
    server.runs_on(tmp_path)
    server.answers = [(200, job("running", total=2, open=2)), (200, end)]
    assert csms("jobs", "watch", "j1", "--data-dir", tmp_path).code == code


def test_watch_survives_a_restart_of_the_server(
    csms: Callable[..., Outcome], server: Scripted, tmp_path: Path
) -> None:
    server.runs_on(tmp_path)
    running = (200, job("running", total=2, open=1, succeeded=1))
    # Gone, back with another token, not ready yet, and then as if nothing had happened.
    away = [None, None, (401, {"detail": "x"}), (503, {"detail": "x"})]
    server.answers = [running, *away, running, (200, job("done", total=2, succeeded=2))]
    outcome = csms("jobs", "watch", "j1", "--data-dir", tmp_path)
    assert outcome.code == 0
    assert "waiting for the server" in outcome.err


def test_watch_gives_up_on_a_token_that_stays_refused(
    csms: Callable[..., Outcome], server: Scripted, tmp_path: Path
) -> None:
    server.runs_on(tmp_path)
    server.answers = [(200, job("running", total=2, open=2)), (401, {"detail": "not valid"})]
    outcome = csms("jobs", "watch", "j1", "--data-dir", tmp_path)
    assert outcome.code == 1
    assert outcome.err.endswith("csms: not valid\n")


def test_watch_of_a_job_that_is_not_there_fails_at_once(
    csms: Callable[..., Outcome], server: Scripted, tmp_path: Path
) -> None:
    server.runs_on(tmp_path)
    server.answers = [(404, {"detail": "Job not found"})]
    outcome = csms("jobs", "watch", "j1", "--data-dir", tmp_path)
    assert (outcome.code, outcome.err) == (1, "csms: Job not found\n")


def test_watch_as_json_is_a_line_for_each_change(
    csms: Callable[..., Outcome], server: Scripted, tmp_path: Path
) -> None:
    server.runs_on(tmp_path)
    first, last = job("running", total=1, open=1), job("done", total=1, succeeded=1)
    server.answers = [(200, first), (200, first), (200, last)]
    outcome = csms("jobs", "watch", "j1", "--json", "--data-dir", tmp_path)
    assert [json.loads(line) for line in outcome.out.splitlines()] == [first, last]


def test_list_shows_how_many_failed(
    csms: Callable[..., Outcome], server: Scripted, tmp_path: Path
) -> None:
    server.runs_on(tmp_path)
    found = job("done", total=5, succeeded=2, errored=1, offline=2)
    server.answers = [(200, {"items": [found], "next_cursor": None})]
    outcome = csms("jobs", "list", "--data-dir", tmp_path)
    row = ["j1", "command", "done", "5", "0", "2", "3", "2026-05-01T12:00:00.000000Z"]
    assert outcome.out.rstrip("\n").split("\t") == row


def test_show_follows_the_items_to_the_last_page(
    csms: Callable[..., Outcome], server: Scripted, tmp_path: Path
) -> None:
    server.runs_on(tmp_path)
    found = job("done", total=3, succeeded=1, errored=2)
    failed = {"state": "error"}
    server.answers = [
        (200, found),
        (200, {"items": [{"state": "succeeded"}, failed], "next_cursor": "Mg"}),
        (200, {"items": [failed], "next_cursor": None}),
    ]
    outcome = csms("jobs", "show", "j1", "--json", "--data-dir", tmp_path)
    assert outcome.json == {**found, "items": [failed, failed]}
    assert server.seen[-1][1] == "/api/v1/jobs/j1/items?limit=500&cursor=Mg"


def test_retry_hands_over_what_may_run_twice(
    csms: Callable[..., Outcome], server: Scripted, tmp_path: Path
) -> None:
    server.runs_on(tmp_path)
    server.answers = [(202, job("running", total=1, open=1))]
    arguments = ["--state", "unknown", "--include-unknown", "--data-dir", str(tmp_path)]
    assert csms("jobs", "retry", "j1", *arguments).code == 0
    wanted = {"states": ["unknown"], "include_unknown": True}
    assert server.seen == [("POST", "/api/v1/jobs/j1/retry", wanted)]


def test_cancel_says_how_much_is_left(
    csms: Callable[..., Outcome], server: Scripted, tmp_path: Path
) -> None:
    server.runs_on(tmp_path)
    server.answers = [(202, job("cancelling", total=9, open=2))]
    outcome = csms("jobs", "cancel", "j1", "--data-dir", tmp_path)
    assert (outcome.code, outcome.err) == (0, "j1 is cancelling, 2 items open\n")
