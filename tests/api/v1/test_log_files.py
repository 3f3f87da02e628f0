"""Logs from stations, over links that only the one station was told."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from aiohttp import FormData

from csms.domain.tasks import Task
from csms.domain.versions import OcppVersion
from tests.api.v1.scene import items, make_station
from tests.api.v1.transfers import LOG, ask, link_of, ordered, report, shown

if TYPE_CHECKING:
    from pathlib import Path

    from csms.clock import ManualClock
    from csms.domain.stations import Station
    from tests.api.conftest import Api, ScriptedHub


@pytest.fixture
async def station(api: Api, hub: ScriptedHub) -> Station:
    made = await make_station(api)
    hub.connect(made.id)
    hub.versions[made.id] = OcppVersion.V201
    hub.automatic = lambda _: {"status": "Accepted"}
    return made


async def test_a_log_is_sent_and_fetched(api: Api, hub: ScriptedHub, station: Station):
    made = await ordered(
        await ask(api, station, log_type="SecurityLog", oldest_at="2026-05-01T00:00:00Z")
    )
    (call,) = hub.calls
    assert ("GetLog", "SecurityLog", "2026-05-01T00:00:00.000Z") == (
        call.action,
        call.payload["logType"],
        call.payload["log"]["oldestTimestamp"],
    )
    headers = {"Content-Type": "text/html"}
    response = await api.put(f"{link_of(call)}/diag.zip", data=LOG, role=None, headers=headers)
    received = await response.json()
    assert (201, len(LOG)) == (response.status, received["size_bytes"])
    (file,) = (await shown(api, made))["log_files"]
    assert ("diag.zip", "text/html", received["sha256"]) == (
        file["name"],
        file["media_type"],
        file["sha256"],
    )
    assert [file] == await items(api, f"/api/v1/log-files?station_id={station.uuid}")
    place = f"/api/v1/log-files/{file['id']}"
    assert file == await (await api.get(place)).json()
    content = await api.get(f"{place}/content", role="operator")
    assert (LOG, "application/octet-stream", 'attachment; filename="diag.zip"', "nosniff") == (
        await content.read(),
        content.content_type,
        content.headers["Content-Disposition"],
        content.headers["X-Content-Type-Options"],
    )
    assert "sandbox" in content.headers["Content-Security-Policy"]
    assert "succeeded" == (await shown(api, made))["state"]


@pytest.mark.parametrize(
    ("tail", "name"),
    [
        ("", "CP-1.log"),
        ("/", "CP-1.log"),
        ("/a/b/trace.gz", "trace.gz"),
        ("/%2e%2e%2f%2e%2e%2fpasswd", "passwd"),
        ("/x%00%0d%1by.log", "x_y.log"),
        ("-1.zip", "log-1.zip"),
    ],
)
async def test_the_name_of_a_log_is_the_stations_made_harmless(
    *, api: Api, hub: ScriptedHub, station: Station, tmp_path: Path, tail: str, name: str
):
    await ordered(await ask(api, station))
    url = api.client.make_url("/").with_path(link_of(hub.calls[0]) + tail, encoded=True)
    async with api.client.session.put(url, data=LOG) as response:
        assert 201 == response.status, await response.text()
    (file,) = await items(api, "/api/v1/log-files")
    assert name == file["name"]
    stored = [path for path in tmp_path.rglob("*") if path.name == file["id"]]
    assert [tmp_path / "files" / "logs" / file["id"]] == stored


async def test_a_log_may_come_as_a_form(api: Api, hub: ScriptedHub, station: Station):
    await ordered(await ask(api, station))
    form = FormData(quote_fields=False)
    form.add_field("upload", LOG, filename="C:\\logs\\today.txt", content_type="text/plain")
    response = await api.post(link_of(hub.calls[0]), data=form, role=None)
    assert 201 == response.status, await response.text()
    (file,) = await items(api, "/api/v1/log-files")
    assert ("today.txt", "text/plain", len(LOG)) == (
        file["name"],
        file["media_type"],
        file["size_bytes"],
    )


async def test_a_link_takes_one_log(api: Api, hub: ScriptedHub, station: Station):
    await ordered(await ask(api, station))
    path = link_of(hub.calls[0])
    for bad, status in ((b"", 400), (b"x" * 300_001, 413)):  # these were none
        assert status == (await api.put(path, data=bad, role=None)).status
    statuses = [(await api.put(path, data=LOG, role=None)).status for _ in range(2)]
    assert [201, 404] == statuses
    assert 1 == len(await items(api, "/api/v1/log-files"))


async def test_a_log_that_is_said_to_be_sent_and_is_not_there_failed(
    api: Api, hub: ScriptedHub, station: Station
):
    made = await ordered(await ask(api, station))
    await report(
        api, station, Task.LOG_UPLOAD, "Uploading", "Uploaded", request_id=made["request_id"]
    )
    after = await shown(api, made)
    assert ("failed", "it says that it sent the file; none came") == (
        after["state"],
        after["reason"],
    )
    await api.put(link_of(hub.calls[0]), data=LOG, role=None)
    assert "succeeded" == (await shown(api, made))["state"]


async def test_a_log_that_never_comes_has_failed_when_its_link_expires(
    api: Api, hub: ScriptedHub, station: Station, clock: ManualClock
):
    made = await ordered(await ask(api, station))
    await api.deps.files.expire()
    assert "running" == (await shown(api, made))["state"]
    clock.advance(timedelta(days=1, seconds=1).total_seconds())
    assert 404 == (await api.put(link_of(hub.calls[0]), data=LOG, role=None)).status
    await api.deps.files.expire()
    after = await shown(api, made)
    assert ("failed", False) == (after["state"], after["link"]["usable"])


async def test_a_deleted_log_is_gone_with_its_file(
    api: Api, hub: ScriptedHub, station: Station, tmp_path: Path
):
    made = await ordered(await ask(api, station))
    await api.put(link_of(hub.calls[0]), data=LOG, role=None)
    (file,) = await items(api, "/api/v1/log-files")
    place = f"/api/v1/log-files/{file['id']}"
    assert 403 == (await api.delete(place, role="viewer")).status
    assert 204 == (await api.delete(place, role="operator")).status
    assert [] == [path for path in (tmp_path / "files").rglob("*") if path.is_file()]
    assert (404, 404) == ((await api.get(place)).status, (await api.delete(place)).status)
    assert [] == (await shown(api, made))["log_files"]


async def test_old_logs_go_and_the_oldest_of_too_many(
    api: Api, hub: ScriptedHub, station: Station, tmp_path: Path, clock: ManualClock
):
    for _ in range(2):
        await ask(api, station)
        await api.put(link_of(hub.calls[-1]), data=LOG, role=None)
    files = api.deps.files
    files.settings = type(files.settings)(logs_kept_bytes=len(LOG))
    _, oldest = await items(api, "/api/v1/log-files")
    await files.prune()
    (left,) = await items(api, "/api/v1/log-files")
    assert left["id"] != oldest["id"]
    clock.advance(timedelta(days=31).total_seconds())
    await files.prune()
    assert [] == [path for path in (tmp_path / "files").rglob("*") if path.is_file()]
