"""A disk that is really full: refused at the start in one line, survived while running."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from csms.cli.failures import Refused

from .processes import Server, eventually

SETTINGS = {"CSMS_OCPP__READY_SILENCE_S": "1", "CSMS_LOG__LEVEL": "warning"}
NOW = "2026-05-01T12:00:00Z"


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Path]:
    """A file system of 8 MiB of its own, holding the data directory."""
    data = tmp_path / "data"
    data.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(data)],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip(f"no tmpfs can be mounted here: {mounted.stderr.strip()}")
    yield tmp_path
    subprocess.run(["umount", "--lazy", str(data)], check=True)


@pytest.fixture
def server(directory: Path) -> Iterator[Server]:
    made = Server(directory, **SETTINGS)
    yield made
    if made.process is not None and not made.dead:
        made.kill()


def fill(directory: Path) -> Path:
    """Take every byte that is left."""
    filler = directory / "data" / "filler"
    descriptor = os.open(filler, os.O_WRONLY | os.O_CREAT)
    try:
        for size in (65536, 1):
            try:
                while os.write(descriptor, bytes(size)) == size:
                    pass
            except OSError:
                continue
    finally:
        os.close(descriptor)
    return filler


@pytest.mark.parametrize("lived_in", [False, True])
def test_a_start_on_a_full_disk_is_refused_with_one_line(server: Server, lived_in: bool):
    if lived_in:
        server.start()
        assert server.stop() == 0
    fill(server.directory)

    ended = subprocess.run(
        [
            *(sys.executable, "-m", "csms", "serve", "--dev"),
            *("--listen", f"127.0.0.1:{server.port}"),
            *("--data-dir", str(server.directory / "data")),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert ended.returncode == 2, ended.stderr
    lines = [line for line in ended.stderr.splitlines() if line.startswith("csms: ")]
    assert len(lines) == 1
    assert "full" in lines[0]
    assert "Traceback" not in ended.stderr


def test_a_running_server_survives_a_full_disk(server: Server):
    server.start()
    with booted(server, "CP1") as station:
        filler = fill(server.directory)
        assert refused_writes(server)

        # Reading and heartbeats go on; a message that must be kept is not answered.
        assert server.client.get("/api/v1/locations", limit=1)
        assert ask(station, "Heartbeat", {})[0] == 3
        with pytest.raises(ConnectionClosed) as closed:
            for meter in range(1000):
                start = {"connectorId": 1, "idTag": "T", "meterStart": meter, "timestamp": NOW}
                assert ask(station, "StartTransaction", start)[0] == 3
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1013
    assert not server.dead

    filler.unlink()
    eventually(lambda: not refused_once(server), what="writes to work again")
    with booted(server, "CP1") as station:
        start = {"connectorId": 1, "idTag": "T", "meterStart": 0, "timestamp": NOW}
        assert ask(station, "StartTransaction", start)[0] == 3
    assert server.stop() == 0
    assert server.rows("PRAGMA integrity_check")[0][0] == "ok"


@contextmanager
def booted(server: Server, identity: str) -> Iterator[ClientConnection]:
    with connect(f"{server.url}/{identity}", subprotocols=["ocpp1.6"]) as socket:
        boot = {"chargePointVendor": "v", "chargePointModel": "m"}
        assert ask(socket, "BootNotification", boot)[2]["status"] == "Accepted"
        yield socket


def ask(socket: ClientConnection, action: str, payload: dict[str, object]) -> list:
    """The answer to a CALL; what the server asks meanwhile is answered too."""
    message_id = str(uuid.uuid4())
    socket.send(json.dumps([2, message_id, action, payload]))
    while True:
        frame = json.loads(socket.recv(timeout=10))
        if frame[1] == message_id:
            return frame
        socket.send(json.dumps([3, frame[1], {"status": "Accepted"}]))


def refused_once(server: Server) -> bool:
    try:
        server.client.post("/api/v1/locations", {"name": "x" * 200})
    except Refused as refusal:
        assert refusal.status == 503
        assert refusal.code == "storage_full"
        return True
    return False


def refused_writes(server: Server) -> bool:
    """The log of SQLite has some room of its own; then nothing is taken any more."""
    return any(refused_once(server) for _ in range(3000))
