from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from csms.cli.children import free_port
from csms.cli.demo import Counts
from csms.cli.stage import Stage
from tests.cli.conftest import Outcome


def counts(**other: int | None) -> Counts:
    good = {"created": 25, "booted": 25, "sent": 25, "delivered": 25, "reached": 25}
    return Counts(25, **{**good, **other})  # type: ignore[arg-type]


def test_equal_counts_are_exact() -> None:
    assert counts().exact()


@pytest.mark.parametrize(
    "other",
    [
        {"created": 24, "failed": 1},
        {"booted": 24},
        {"sent": 24, "error": 1},
        {"sent": 24, "offline": 1},
        {"sent": 24, "unknown": 1},
        {"delivered": 24, "reached": 24},
        {"delivered": 26},
        {"delivered": 42, "settled_before_kill": 9},
    ],
)
def test_a_count_that_is_off_is_not_exact(other: dict[str, int]) -> None:
    assert not counts(**other).exact()


def test_what_was_not_settled_at_the_kill_may_arrive_twice() -> None:
    assert counts(delivered=41, settled_before_kill=9).exact()


def test_an_old_frame_file_is_not_counted_in(csms: Callable[..., Outcome], tmp_path: Path) -> None:
    frames = tmp_path / "frames.ndjson"
    frames.touch()
    outcome = csms("demo", "--once", "--frames", frames)
    assert outcome.code == 2
    assert str(frames) in outcome.err


def test_a_port_that_is_lost_to_somebody_else_is_given_up(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with socket.socket() as thief:
        thief.bind(("127.0.0.1", 0))
        thief.listen()
        taken = thief.getsockname()[1]
        # The look at the port says it is free; by the time the server comes, it is not.
        ports = iter([taken, free_port(0)])
        monkeypatch.setattr("csms.cli.stage.free_port", lambda _: next(ports))
        monkeypatch.setattr("csms.cli.http.PROBE_S", 0.2)
        stage = Stage(tmp_path, frames=None, crash=True)
        try:
            stage.open()
            assert not stage.client.url.endswith(f":{taken}")
        finally:
            stage.stop()
