"""Processes that a command starts, watches and never leaves behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from csms.cli.failures import CommandFailed

# The server promises to be gone ten seconds after SIGTERM.
_STOP_S = 15.0
_POLL_S = 0.05


class Child:
    """`csms` with other arguments, its output in a file."""

    def __init__(
        self, name: str, arguments: list[str], *, log: Path, environment: Mapping[str, str]
    ) -> None:
        self._name = name
        self._command = [sys.executable, "-m", "csms", *arguments]
        self._log = log
        self._environment = {**os.environ, **environment}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, for the first time or again."""
        with self._log.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=self._environment,
                # Ctrl-C is for us; we stop it in good order.
                start_new_session=True,
            )

    def kill(self) -> None:
        """SIGKILL: no time to write anything down."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def stop(self) -> None:
        """SIGTERM, and SIGKILL when that takes too long."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.terminate()
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self.kill()

    def wait(self) -> None:
        """Return when it has ended."""
        if self._process is not None:
            self._process.wait()

    def wait_until(self, condition: Callable[[], bool], *, timeout_s: float) -> None:
        """Return when the condition holds; raises CommandFailed when it ends or time is up."""
        deadline = time.monotonic() + timeout_s
        while not condition():
            self.check()
            if time.monotonic() > deadline:
                raise CommandFailed(f"{self._name} was not ready in time: {self.last_words()}")
            time.sleep(_POLL_S)

    def check(self) -> None:
        """Raises CommandFailed when it has ended by itself."""
        code = None if self._process is None else self._process.poll()
        if code is not None:
            raise CommandFailed(f"{self._name} ended with exit code {code}: {self.last_words()}")

    def last_words(self) -> str:
        """The last line of its output."""
        lines = self._log.read_text("utf-8", "replace").split("\n") if self._log.exists() else []
        return next((line for line in reversed(lines) if line.strip()), "it said nothing")


@contextmanager
def ending_in_order() -> Iterator[None]:
    """Turn SIGTERM and SIGHUP into the end of the block, so that no child is left behind."""

    def leave(number: int, frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    before: dict[int, Any] = {
        number: signal.signal(number, leave) for number in (signal.SIGTERM, signal.SIGHUP)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def free_port(wanted: int) -> int:
    """`wanted` when nobody listens on it, else one that the system picks."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            # As the server does, or a port that was in use a moment ago would seem taken.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            found: int = probe.getsockname()[1]
            return found
    raise CommandFailed("no port is free on 127.0.0.1")
