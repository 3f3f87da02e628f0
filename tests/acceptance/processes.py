"""A real csms server and a real fleet as processes that a test starts, kills and starts again."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from csms.cli.failures import ServerUnreachable
from csms.cli.http import Client

TOKEN = "an-admin-token-for-tests"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def eventually(condition: Callable[[], Any], *, timeout_s: float = 60.0, what: str = "") -> Any:
    """The first true value of `condition`; another process has no event to wait on."""
    pause = threading.Event()
    for _ in range(int(timeout_s / 0.02)):
        found = condition()
        if found:
            return found
        pause.wait(0.02)
    raise AssertionError(f"not within {timeout_s} s: {what or condition}")


class Server:
    """`csms serve --dev` on a data directory of its own; without `--dev` as in production."""

    def __init__(
        self, directory: Path, *, dev: bool = True, also: Sequence[str] = (), **settings: str
    ) -> None:
        self.directory = directory
        self._also = also
        self.port = free_port()
        self.log = directory / "server.log"
        self.client = Client(f"http://127.0.0.1:{self.port}", TOKEN)
        self._settings = settings
        self._mode = ["--dev"] if dev else []
        self.process: subprocess.Popen[bytes] | None = None
        directory.mkdir(parents=True, exist_ok=True)

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/ocpp"

    def start(self, *, crash_at: str | None = None, ready: bool = True) -> None:
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("CSMS_")},
            **self._settings,
            "CSMS_ADMIN_TOKEN": TOKEN,
        }
        if crash_at is not None:
            environment["CSMS_CRASH_AT"] = crash_at
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "csms", "serve", *self._mode),
                    *("--listen", f"127.0.0.1:{self.port}"),
                    *(word for address in self._also for word in ("--listen", address)),
                    *("--data-dir", str(self.directory / "data")),
                ],
                env=environment,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
            )
        if ready:
            eventually(self._ready_or_dead, what="the server to be ready")
            assert self.process.poll() is None, self.log.read_text()[-2000:]

    def _ready_or_dead(self) -> bool:
        assert self.process is not None
        return self.process.poll() is not None or self.client.answers("/readyz")

    @property
    def dead(self) -> bool:
        assert self.process is not None
        return self.process.poll() is not None

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(15)

    def try_post(self, path: str, body: Any) -> Any:
        """The answer, or None when the server died over it."""
        try:
            return self.client.post(path, body)
        except ServerUnreachable:
            return None

    def try_get(self, path: str, **query: Any) -> Any:
        try:
            return self.client.get(path, **query)
        except ServerUnreachable:
            return None

    def metric(self, name: str) -> float:
        """One value of /metrics."""
        with urllib.request.urlopen(f"{self.client.url}/metrics", timeout=10) as answer:
            lines = answer.read().decode().splitlines()
        return next(float(line.split()[1]) for line in lines if line.startswith(f"{name} "))

    def rows(self, sql: str, *params: Any) -> list[sqlite3.Row]:
        """Read the server's file; the process may run."""
        connection = sqlite3.connect(self.directory / "data" / "csms.sqlite3")
        connection.row_factory = sqlite3.Row
        try:
            return connection.execute(sql, params).fetchall()
        finally:
            connection.close()


class FleetProcess:
    """`csms fleet run` over given identities; its frame file is the oracle."""

    def __init__(
        self,
        directory: Path,
        url: str,
        identities: Iterable[str],
        *options: str,
        versions: Mapping[str, str] | None = None,
        passwords: Mapping[str, str] | None = None,
    ) -> None:
        """`versions` and `passwords` by identity; without one it is 1.6, and none."""
        self.frames = directory / "frames.ndjson"
        roster = directory / "stations.ndjson"
        lines = [
            json.dumps(
                {
                    "identity": name,
                    "version": (versions or {}).get(name),
                    "password": (passwords or {}).get(name),
                }
            )
            for name in identities
        ]
        roster.write_text("".join(f"{line}\n" for line in lines))
        self._log = (directory / "fleet.log").open("ab")
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "csms", "fleet", "run", "--url", url),
                *("--from", str(roster), "--frames", str(self.frames), *options),
            ],
            stdout=self._log,
            stderr=self._log,
            stdin=subprocess.DEVNULL,
        )

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()
        self._log.close()

    def read(self) -> list[dict[str, Any]]:
        """Every whole line written so far."""
        if not self.frames.exists():
            return []
        lines = self.frames.read_bytes().split(b"\n")[:-1]
        return [json.loads(line) for line in lines]

    def delivered(self, action: str) -> list[tuple[str, str]]:
        """(identity, message id) of every CALL of that action that a station received."""
        return [
            (line["identity"], line["frame"][1])
            for line in self.read()
            if line["dir"] == "in" and line["frame"][0] == 2 and line["frame"][2] == action
        ]

    def booted(self) -> set[str]:
        """Stations whose boot was accepted at least once."""
        return {
            line["identity"]
            for line in self.read()
            if line["dir"] == "in"
            and line["frame"][0] == 3
            and line["frame"][2].get("status") == "Accepted"
            and "interval" in line["frame"][2]
        }
