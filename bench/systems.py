"""The two systems as processes: started on a free port, measured from outside, stopped."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import orjson

ROOT = Path(__file__).resolve().parent.parent
ADMIN_TOKEN = "bench-administrator-token"  # noqa: S105  # of a server that lives for seconds
START_DEADLINE_S = 60.0
CORES = sorted(os.sched_getaffinity(0))
SERVER_CORES = {CORES[0]}
"""The server has one core for itself; generator and report share the others."""
LOAD_CORES = set(CORES[1:]) or SERVER_CORES

# Rows of data, the same in both. csms also writes events, which the naive system has not.
DATA_TABLES = (
    "stations",
    "boots",
    "connectors",
    "status_notifications",
    "id_tokens",
    "transactions",
    "transaction_events",
    "meter_values",
    "variables",
    "ocpp_messages",
)


class BenchFailed(Exception):
    """A measurement that means nothing; the message says why."""


@dataclass(frozen=True, slots=True)
class System:
    """A running server."""

    name: str
    process: subprocess.Popen[bytes]
    port: int
    database: Path
    started_s: float
    """Seconds from exec to ready."""

    def rss_bytes(self) -> int:
        """Resident memory."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        raise BenchFailed(f"{self.name} is gone")

    def kill(self) -> None:
        """SIGKILL, as a power cut would."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        """SIGTERM; what is acknowledged and logged is on disk afterwards."""
        self.process.terminate()
        if self.process.wait(30) != 0:
            raise BenchFailed(f"{self.name} ended with {self.process.returncode}")

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Look into its file."""
        with closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)) as connection:
            return connection.execute(sql).fetchall()

    def row_counts(self) -> dict[str, int]:
        """How many rows of data it stored; ask when it is stopped."""
        return {
            table: self.query(f"SELECT count(*) FROM {table}")[0][0]  # noqa: S608
            for table in DATA_TABLES
        }


@contextmanager
def naive(directory: Path) -> Iterator[System]:
    """The naive system on an empty file."""
    database = directory / "naive.sqlite3"
    port = free_port()
    command = ["-m", "bench.naive", "--port", str(port), "--db", str(database)]
    with _running("naive", command, port, database) as system:
        yield system


@contextmanager
def csms(directory: Path) -> Iterator[System]:
    """`csms serve --dev` on a data directory."""
    port = free_port()
    command = ["-m", "csms", "serve", "--dev"]
    command += ["--listen", f"127.0.0.1:{port}", "--data-dir", str(directory)]
    with _running("csms", command, port, directory / "csms.sqlite3") as system:
        yield system


@contextmanager
def _running(name: str, command: list[str], port: int, database: Path) -> Iterator[System]:
    log_path = database.parent.parent / f"{database.parent.name}.log"
    with log_path.open("wb") as log:
        started = time.perf_counter()
        process = spawn(command, SERVER_CORES, stdout=log, stderr=subprocess.STDOUT)
        try:
            _wait_ready(name, process, port, started)
            yield System(name, process, port, database, time.perf_counter() - started)
        except BaseException:
            process.kill()
            tail = log_path.read_text(errors="replace")[-2000:]
            print(f"--- {name}, its last words ---\n{tail}", file=sys.stderr)
            raise
        finally:
            _stop(name, process)


def _stop(name: str, process: subprocess.Popen[bytes]) -> None:
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(30)
    except subprocess.TimeoutExpired as error:
        process.kill()
        process.wait()
        raise BenchFailed(f"{name} did not stop within 30 s") from error


def spawn(arguments: list[str], cores: set[int], **options: Any) -> subprocess.Popen[bytes]:
    """Start python with these arguments on these cores."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("CSMS_")}
    environment["CSMS_ADMIN_TOKEN"] = ADMIN_TOKEN
    own = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)  # inherited; no thread of the child ever runs elsewhere
    try:
        return subprocess.Popen([sys.executable, *arguments], cwd=ROOT, env=environment, **options)
    finally:
        os.sched_setaffinity(0, own)


def free_port() -> int:
    """A port nobody listens on now."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_ready(name: str, process: subprocess.Popen[bytes], port: int, started: float) -> None:
    while time.perf_counter() - started < START_DEADLINE_S:
        if process.poll() is not None:
            raise BenchFailed(f"{name} ended with {process.returncode} before it was ready")
        try:
            if name == "naive":
                socket.create_connection(("127.0.0.1", port)).close()
                return
            with Api(port) as api:
                if api.get("/readyz")[0] == 200:
                    return
        except OSError:
            pass
        time.sleep(0.003)
    raise BenchFailed(f"{name} was not ready after {START_DEADLINE_S:.0f} s")


class Api:
    """The public API of a csms, over one connection."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._headers = {
            "Authorization": f"Bearer {ADMIN_TOKEN}",
            "Content-Type": "application/json",
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def get(self, path: str) -> tuple[int, bytes]:
        """Status and body."""
        return self._request("GET", path, None)

    def get_json(self, path: str) -> Any:
        """The body of a 200."""
        status, body = self.get(path)
        if status != 200:
            raise BenchFailed(f"GET {path}: {status} {body[:300]!r}")
        return orjson.loads(body)

    def post_json(self, path: str, body: Any, expected: int) -> Any:
        """The body of the expected answer."""
        status, answer = self._request("POST", path, orjson.dumps(body))
        if status != expected:
            raise BenchFailed(f"POST {path}: {status} {answer[:300]!r}")
        return orjson.loads(answer)

    def _request(self, method: str, path: str, body: bytes | None) -> tuple[int, bytes]:
        self._connection.request(method, path, body, self._headers)
        response = self._connection.getresponse()
        return response.status, response.read()
