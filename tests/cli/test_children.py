from __future__ import annotations

import os
import signal
import socket
from pathlib import Path

import pytest

from csms.cli.children import Child, ending_in_order, free_port
from csms.cli.failures import CommandFailed


def child(tmp_path: Path, *arguments: str) -> Child:
    return Child("the child", list(arguments), log=tmp_path / "child.log", environment={})


def test_a_child_that_ends_is_noticed_with_its_last_words(tmp_path: Path) -> None:
    started = child(tmp_path, "token", "list", "--data-dir", str(tmp_path / "nothing"))
    started.start()
    with pytest.raises(CommandFailed, match=r"exit code 2: csms: there is no csms database"):
        started.wait_until(lambda: False, timeout_s=60)


def test_waiting_for_a_child_has_an_end(tmp_path: Path) -> None:
    started = child(tmp_path, "fleet", "run", "--url", "ws://127.0.0.1:9/ocpp")
    started.start()
    try:
        with pytest.raises(CommandFailed, match="not ready in time"):
            started.wait_until(lambda: False, timeout_s=0)
    finally:
        started.kill()


def test_a_child_that_never_started_can_be_stopped(tmp_path: Path) -> None:
    child(tmp_path).stop()
    child(tmp_path).kill()


def test_a_busy_port_is_passed_over() -> None:
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        taken = busy.getsockname()[1]
        assert free_port(taken) != taken


def test_a_free_port_is_taken_as_wanted() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        wanted = probe.getsockname()[1]
    assert free_port(wanted) == wanted


def test_sigterm_runs_what_stands_in_finally() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit) as ended, ending_in_order():
        os.kill(os.getpid(), signal.SIGTERM)
    assert ended.value.code == 128 + signal.SIGTERM
    assert signal.getsignal(signal.SIGTERM) is before
