"""Firmware and logs between a real server and virtual stations of every version, and kill -9."""

from __future__ import annotations

import hashlib
import http.client
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from . import scenario
from .processes import TOKEN, FleetProcess, Server, eventually

FIRMWARE = os.urandom(3_000_000)
HEAD = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/octet-stream"}
IMAGES = "/api/v1/firmware-images"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    made = Server(tmp_path, CSMS_LOG__LEVEL="warning")
    made.start()
    yield made
    if not made.dead:
        made.kill()


def connect(server: Server) -> http.client.HTTPConnection:
    return http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)


def upload(server: Server, content: bytes = FIRMWARE) -> dict[str, Any]:
    connection = connect(server)
    connection.request("POST", f"{IMAGES}?name=fw-7.2.1.bin", body=content, headers=HEAD)
    answer = connection.getresponse()
    assert 201 == answer.status, answer.read()
    connection.close()
    (image,) = server.client.get(IMAGES)["items"]
    return dict(image)


def transfers(server: Server, **query: str) -> list[dict[str, Any]]:
    return list(server.client.get("/api/v1/file-transfers", **query)["items"])


def on_disk(server: Server) -> list[Path]:
    folder = server.directory / "data" / "files"
    return [path for path in folder.rglob("*") if path.is_file()]


def test_stations_of_every_version_fetch_firmware_and_send_logs(server: Server) -> None:
    location = scenario.make_location(server)
    for version in scenario.VERSIONS:
        scenario.create(server, location, version, 1, virtual=True, version=version)
    eventually(lambda: len(online(server)) == len(scenario.VERSIONS), what="all of them")
    stations = scenario.stations(server)
    image = upload(server)
    for station in stations.values():
        path = f"/api/v1/stations/{station}"
        server.client.post(f"{path}/logs", {})
        server.client.post(f"{path}/firmware", {"image_id": image["id"]})
    eventually(
        lambda: {one["state"] for one in transfers(server)} == {"succeeded"},
        what="the end of all transfers",
    )
    for one in transfers(server, kind="firmware"):
        (fetch,) = server.client.get(f"/api/v1/file-transfers/{one['id']}")["fetched"]
        assert (len(FIRMWARE), True) == (fetch["bytes_sent"], fetch["complete"])
        assert "Installed" == one["station_status"]
    for one in transfers(server, kind="log"):
        (log,) = one["log_files"]
        content = b"".join(server.client.content(f"/api/v1/log-files/{log['id']}/content"))
        assert one["identity"] in content.decode()
        assert log["sha256"] == hashlib.sha256(content).hexdigest()
        assert "Uploaded" == one["station_status"]
    rows = server.client.get("/api/v1/stations")["items"]
    assert {"7.2.1"} == {row["firmware_version"] for row in rows}
    assert 1 + len(scenario.VERSIONS) == len(on_disk(server))
    assert 0 == server.stop()
    assert "csmsf_" not in server.log.read_text()
    kept = b"".join(path.read_bytes() for path in (server.directory / "data").glob("csms.sqlite3*"))
    assert b"csmsf_" not in kept


def online(server: Server) -> list[str]:
    rows = server.client.get("/api/v1/stations")["items"]
    return [row["identity"] for row in rows if row["ready"]]


def test_a_download_goes_on_after_the_server_was_killed(server: Server, tmp_path: Path) -> None:
    fleet = FleetProcess(tmp_path, server.url, ["CP-1"])
    eventually(lambda: online(server) == ["CP-1"], what="the station")
    image = upload(server)
    server.client.post("/api/v1/stations/identity:CP-1/firmware", {"image_id": image["id"]})
    path = urlsplit(eventually(lambda: told(fleet), what="the order")).path
    fleet.stop()
    server.kill()
    server.start()
    connection = connect(server)
    connection.request("GET", path, headers={"Range": "bytes=2999990-"})
    answer = connection.getresponse()
    assert (206, FIRMWARE[-10:]) == (answer.status, answer.read())
    connection.close()


def told(fleet: FleetProcess) -> str | None:
    for line in fleet.read():
        frame = line["frame"]
        if line["dir"] == "in" and frame[0] == 2 and frame[2] == "UpdateFirmware":
            return str(frame[3]["location"])
    return None


def test_an_upload_that_a_kill_cut_off_leaves_nothing(server: Server) -> None:
    image = upload(server)
    connection = connect(server)
    connection.putrequest("POST", IMAGES)
    for name, value in {**HEAD, "Content-Length": str(len(FIRMWARE))}.items():
        connection.putheader(name, value)
    connection.endheaders(FIRMWARE[:-1])
    eventually(lambda: len(on_disk(server)) == 2, what="the draft")
    server.kill()
    connection.close()
    assert 2 == len(on_disk(server))
    server.start()
    assert [image] == server.client.get(IMAGES)["items"]
    assert [image["id"]] == [path.name for path in on_disk(server)]
