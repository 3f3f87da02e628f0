"""Firmware to stations over links that only the one station was told, and all transfers."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import ClientError

from csms.domain.addresses import Proxies
from csms.domain.jobs import NewItem
from csms.domain.permissions import SYSTEM, Role
from csms.domain.tasks import Task
from csms.domain.versions import OcppVersion
from csms.jobs.kinds import file_transfer
from csms.services.file_drop import FileDropSettings, base_url
from csms.store import firmware_images
from tests.api.v1.scene import all_pages, items, make_station, stranger
from tests.api.v1.transfers import LIST, LOG, ask, link_of, ordered, report, shown, update

if TYPE_CHECKING:
    from pathlib import Path

    from aiohttp import ClientResponse

    from csms.clock import ManualClock
    from csms.domain.stations import Station
    from tests.api.conftest import Api, ScriptedHub
    from tests.jobs.conftest import Delivered

FIRMWARE = bytes(range(256)) * 1000
OTHER = "csmsf_" + "0" * 40


@pytest.fixture
async def station(api: Api, hub: ScriptedHub) -> Station:
    made = await make_station(api)
    hub.connect(made.id)
    hub.versions[made.id] = OcppVersion.V201
    hub.automatic = lambda _: {"status": "Accepted"}
    return made


@pytest.fixture
async def image(api: Api) -> str:
    headers = {"Content-Type": "application/octet-stream"}
    query = "?name=fw-2.0.bin&version=2.0"
    response = await api.post(f"/api/v1/firmware-images{query}", data=FIRMWARE, headers=headers)
    return str((await response.json())["id"])


async def test_an_update_tells_the_station_where_to_fetch(
    api: Api, hub: ScriptedHub, station: Station, image: str
):
    made = await ordered(await update(api, station, image, retry_interval_s=60))
    (call,) = hub.calls
    assert ("UpdateFirmware", 3, 60, made["request_id"]) == (
        call.action,
        call.payload["retries"],
        call.payload["retryInterval"],
        call.payload["requestId"],
    )
    assert link_of(call).endswith("/fw-2.0.bin")
    assert ("firmware", "running", "Accepted", image, True) == (
        made["kind"],
        made["state"],
        made["station_status"],
        made["image_id"],
        made["link"]["usable"],
    )


async def test_firmware_is_fetched_without_a_token_and_recorded(
    api: Api, hub: ScriptedHub, station: Station, image: str
):
    made = await ordered(await update(api, station, image))
    path = link_of(hub.calls[0])
    head = await api.request("HEAD", path, role=None)
    assert (200, str(len(FIRMWARE)), b"") == (
        head.status,
        head.headers["Content-Length"],
        await head.read(),
    )
    response = await api.get(path, role=None, headers={"User-Agent": "Box/1"})
    assert (200, FIRMWARE) == (response.status, await response.read())
    assert ("application/octet-stream", 'attachment; filename="fw-2.0.bin"', "nosniff") == (
        response.content_type,
        response.headers["Content-Disposition"],
        response.headers["X-Content-Type-Options"],
    )
    (fetch,) = (await shown(api, made))["fetched"]
    assert ("127.0.0.1", "Box/1", 0, len(FIRMWARE), True) == (
        fetch["address"],
        fetch["user_agent"],
        fetch["first_byte"],
        fetch["bytes_sent"],
        fetch["complete"],
    )


@pytest.mark.parametrize(
    ("asked", "status", "told", "part"),
    [
        ("bytes=10-19", 206, f"bytes 10-19/{len(FIRMWARE)}", FIRMWARE[10:20]),
        ("bytes=255990-", 206, f"bytes 255990-255999/{len(FIRMWARE)}", FIRMWARE[255990:]),
        ("bytes=-5", 206, f"bytes 255995-255999/{len(FIRMWARE)}", FIRMWARE[-5:]),
        ("bytes=0-999999", 200, None, FIRMWARE),
        ("bytes=0-1,5-6", 200, None, FIRMWARE),
        ("lines=1-2", 200, None, FIRMWARE),
    ],
)
async def test_a_part_can_be_fetched(
    *,
    api: Api,
    hub: ScriptedHub,
    station: Station,
    image: str,
    asked: str,
    status: int,
    told: str | None,
    part: bytes,
):
    await update(api, station, image)
    response = await api.get(link_of(hub.calls[0]), role=None, headers={"Range": asked})
    assert (status, told, part) == (
        response.status,
        response.headers.get("Content-Range"),
        await response.read(),
    )


async def test_a_part_that_is_not_there_is_refused(
    api: Api, hub: ScriptedHub, station: Station, image: str
):
    await update(api, station, image)
    headers = {"Range": f"bytes={len(FIRMWARE)}-"}
    response = await api.get(link_of(hub.calls[0]), role=None, headers=headers)
    assert (416, f"bytes */{len(FIRMWARE)}") == (response.status, response.headers["Content-Range"])


async def test_a_part_of_another_file_is_the_whole(
    api: Api, hub: ScriptedHub, station: Station, image: str
):
    await update(api, station, image)
    headers = {"Range": "bytes=5-9", "If-Range": '"other"'}
    response = await api.get(link_of(hub.calls[0]), role=None, headers=headers)
    assert 200 == response.status


async def test_a_link_is_used_up_by_one_delivery_and_each_retry(
    api: Api, hub: ScriptedHub, station: Station, image: str
):
    await update(api, station, image, retries=1)
    path = link_of(hub.calls[0])
    part = {"Range": "bytes=0-9"}
    statuses = [(await api.get(path, role=None, headers=part)).status for _ in range(3)]
    for _ in range(3):
        response = await api.get(path, role=None)
        await response.read()
        statuses.append(response.status)
    assert [206, 206, 206, 200, 200, 404] == statuses


async def test_two_at_once_get_one_delivery(
    api: Api, hub: ScriptedHub, station: Station, image: str
):
    made = await ordered(await update(api, station, image, retries=0))

    async def fetch() -> int:
        try:
            response = await api.get(link_of(hub.calls[0]), role=None)
            return len(await response.read())
        except ClientError:
            return -1

    got = sorted(await asyncio.gather(fetch(), fetch()))
    assert (got[0] < len(FIRMWARE), got[1]) == (True, len(FIRMWARE))
    assert [True] == [one["complete"] for one in (await shown(api, made))["fetched"]][-1:]


async def test_an_update_follows_what_the_station_reports(
    api: Api, hub: ScriptedHub, station: Station, image: str
):
    made = await ordered(await update(api, station, image))
    number = made["request_id"]
    await report(api, station, Task.FIRMWARE_UPDATE, "DownloadFailed", request_id=number)
    assert "failed" == (await shown(api, made))["state"]
    await report(api, station, Task.FIRMWARE_UPDATE, "Downloading", "Idle", request_id=number)
    after = await shown(api, made)
    assert ("running", "Downloading") == (after["state"], after["station_status"])
    await report(api, station, Task.FIRMWARE_UPDATE, "Installed", request_id=number + 1)
    assert "running" == (await shown(api, made))["state"]
    await report(api, station, Task.FIRMWARE_UPDATE, "Installed", request_id=number)
    after = await shown(api, made)
    assert ("succeeded", False) == (after["state"], after["link"]["usable"])
    assert 404 == (await api.get(link_of(hub.calls[0]), role=None)).status


async def test_without_request_ids_the_newest_update_is_meant(
    api: Api, hub: ScriptedHub, station: Station, image: str
):
    hub.versions[station.id] = OcppVersion.V16
    hub.automatic = lambda _: {}
    first = await ordered(await update(api, station, image))
    made = await ordered(await update(api, station, image))
    await report(api, station, Task.FIRMWARE_UPDATE, "Installed", request_id=None)
    assert ["running", "succeeded"] == [(await shown(api, one))["state"] for one in (first, made)]
    assert "retrieveDate" in hub.calls[0].payload


async def test_signed_firmware_goes_out_with_its_signature(
    api: Api, hub: ScriptedHub, station: Station, image: str
):
    signed = {"signing_certificate": "PEM", "signature": "c2ln"}
    await api.request("PATCH", f"/api/v1/firmware-images/{image}", json=signed)
    await ordered(await update(api, station, image))
    firmware = hub.calls[0].payload["firmware"]
    assert ("PEM", "c2ln") == (firmware["signingCertificate"], firmware["signature"])


async def test_an_order_that_is_refused_leaves_a_dead_link(
    api: Api, hub: ScriptedHub, station: Station, image: str
):
    hub.automatic = lambda _: {"status": "Rejected"}
    response = await update(api, station, image)
    assert (409, "rejected") == (response.status, (await response.json())["code"])
    (made,) = await items(api, "/api/v1/file-transfers")
    assert ("failed", False) == (made["state"], made["link"]["usable"])
    assert 404 == (await api.get(link_of(hub.calls[0]), role=None)).status


async def test_an_order_without_an_answer_leaves_the_link(
    api: Api, hub: ScriptedHub, station: Station, image: str
):
    hub.automatic = lambda call: hub.time_out(call)
    response = await update(api, station, image, timeout_s=1)
    assert 504 == response.status
    (made,) = await items(api, "/api/v1/file-transfers")
    assert ("requested", True) == (made["state"], made["link"]["usable"])
    response = await api.get(link_of(hub.calls[0]), role=None)
    assert FIRMWARE == await response.read()


async def test_an_offline_station_gets_no_link(
    api: Api, hub: ScriptedHub, station: Station, image: str
):
    hub.drop(station.id)
    for response in (await update(api, station, image), await ask(api, station)):
        assert (409, "station_offline") == (response.status, (await response.json())["code"])
    assert [] == await items(api, "/api/v1/file-transfers")


async def test_firmware_for_later_can_be_fetched_later(
    api: Api, hub: ScriptedHub, station: Station, image: str, clock: ManualClock
):
    later = clock.now() + timedelta(days=7)
    await update(api, station, image, retrieve_at=later.isoformat())
    clock.advance(timedelta(days=7, hours=23).total_seconds())
    assert 200 == (await api.get(link_of(hub.calls[0]), role=None)).status
    clock.advance(timedelta(hours=2).total_seconds())
    assert 404 == (await api.get(link_of(hub.calls[0]), role=None)).status


async def test_every_link_that_does_not_work_is_the_same_404(
    api: Api, hub: ScriptedHub, station: Station, image: str
):
    await update(api, station, image)
    await ask(api, station)
    firmware, log = map(link_of, hub.calls)
    wrong = [
        await api.get(f"/files/{OTHER}/fw-2.0.bin", role=None),
        await api.put(f"/files/{OTHER}/log", data=LOG, role=None),
        await api.put(firmware, data=LOG, role=None),
        await api.get(log, role=None),
        await api.get(firmware.upper().replace("/FILES", "/files"), role=None),
    ]
    await api.post(f"/api/v1/stations/{station.uuid}/block")
    wrong += [await api.get(firmware, role=None), await api.put(log, data=LOG, role=None)]
    assert {404} == {one.status for one in wrong}
    assert 1 == len({await one.text() for one in wrong})


async def test_no_secret_of_a_link_is_stored_or_shown(
    api: Api, hub: ScriptedHub, station: Station, image: str
):
    hub.automatic = lambda call: {"status": "Rejected", "statusInfo": _quoting(call)}
    answers = [await (await update(api, station, image)).text()]
    hub.automatic = lambda call: {"status": "Accepted", "filename": link_of(call)}
    answers += [await (await ask(api, station)).text()]
    answers += [await (await api.get("/api/v1/jobs?hidden=true")).text()]
    for job in (await (await api.get("/api/v1/jobs?hidden=true")).json())["items"]:
        answers += [await (await api.get(f"/api/v1/jobs/{job['id']}/items")).text()]
    assert ["***", "***"] == [
        item["response"]["statusInfo"]["additionalInfo"].split("/")[-2]
        if "statusInfo" in item["response"]
        else item["response"]["filename"].split("/")[-2]
        for job in (await (await api.get("/api/v1/jobs?hidden=true")).json())["items"]
        for item in await items(api, f"/api/v1/jobs/{job['id']}/items")
    ]
    secrets = [link_of(call).split("/")[2] for call in hub.calls]
    assert 2 == len(set(secrets))
    rows = await api.deps.db.read(_every_value)
    for secret in secrets:
        assert secret not in "".join(answers)
        assert secret not in rows


def _quoting(call: Delivered) -> dict[str, str]:
    return {"reasonCode": "No", "additionalInfo": f"cannot reach {link_of(call)}"}


def _every_value(tx: Any) -> str:
    tables = tx.all("SELECT name FROM sqlite_schema WHERE type = 'table'")
    return str([tuple(row) for (name,) in tables for row in tx.all(f"SELECT * FROM {name}")])


async def test_a_job_gives_every_station_its_own_link(
    api: Api, hub: ScriptedHub, station: Station, image: str
):
    other = await make_station(api, "CP-2")
    hub.connect(other.id)
    found = await api.deps.db.read(lambda tx: firmware_images.get_by_uuid(tx, image))
    order = file_transfer.submission(
        principal=SYSTEM,
        targets=[NewItem(one.uuid, target=one.id) for one in (station, other)],
        params={"retrieve_at": "2026-05-01T00:00:00Z"},
        base_url="https://files.example",
        image=found,
    )
    assert 60 == order.policy.rate_per_min
    submitted = await api.deps.engine.submit(order)
    await hub.delivered(1)
    api.deps.clock.advance(1.1)  # type: ignore[attr-defined]
    api.deps.engine.look_again()
    calls = await hub.delivered(2)
    await api.deps.engine.settled(submitted.job.id, 1, timeout_s=5)
    paths = [link_of(call) for call in calls]
    assert 2 == len(set(paths))
    made = await items(api, "/api/v1/file-transfers")
    assert {(one.uuid, "running") for one in (station, other)} == {
        (one["station_id"], one["state"]) for one in made
    }
    response = await api.get(paths[1], role=None)
    assert FIRMWARE == await response.read()
    fetched = {one["station_id"]: one["link"]["fetches"] for one in await items(api, LIST)}
    assert {station.uuid: 0, other.uuid: 1} == fetched


async def test_an_image_that_stations_may_fetch_is_not_deleted(
    api: Api, hub: ScriptedHub, station: Station, image: str
):
    made = await ordered(await update(api, station, image))
    place = f"/api/v1/firmware-images/{image}"
    response = await api.delete(place)
    assert (409, "image_in_use") == (response.status, (await response.json())["code"])
    await report(api, station, Task.FIRMWARE_UPDATE, "Installed", request_id=made["request_id"])
    assert 204 == (await api.delete(place)).status
    assert None is (await shown(api, made))["image_id"]


async def test_at_start_files_without_a_row_go(
    api: Api, hub: ScriptedHub, station: Station, image: str, tmp_path: Path
):
    orphan = tmp_path / "files" / "firmware" / "00000000-0000-4000-8000-000000000000"
    orphan.write_bytes(b"x")
    await api.deps.files.sweep()
    assert [image] == [path.name for path in orphan.parent.iterdir()]


async def test_nothing_of_another_location_is_seen(
    api: Api, hub: ScriptedHub, station: Station, image: str
):
    made = await ordered(await update(api, station, image))
    await ask(api, station)
    await api.put(link_of(hub.calls[1]), data=LOG, role=None)
    (file,) = await items(api, "/api/v1/log-files")
    who = await stranger(api, Role.ADMIN)
    assert [] == await items(api, LIST, role=who)
    assert [] == await items(api, "/api/v1/log-files", role=who)
    place = f"/api/v1/log-files/{file['id']}"
    for path in (
        f"{LIST}/{made['id']}",
        f"{LIST}?station_id={station.uuid}",
        place,
        f"{place}/content",
        f"/api/v1/log-files?station_id={station.uuid}",
    ):
        assert 404 == (await api.get(path, role=who)).status, path
    assert 404 == (await api.delete(place, role=who)).status
    assert 404 == (await update(api, station, image, role=who)).status
    assert 404 == (await ask(api, station, role=who)).status
    assert 2 == len(hub.calls)


async def test_viewers_order_nothing_and_read_no_logs(
    api: Api, hub: ScriptedHub, station: Station, image: str
):
    assert 403 == (await update(api, station, image, role="viewer")).status
    assert 403 == (await ask(api, station, role="viewer")).status
    assert 403 == (await api.get("/api/v1/log-files", role="viewer")).status


@pytest.mark.parametrize(
    ("body", "status", "pointer"),
    [
        ({"image_id": "00000000-0000-4000-8000-000000000000"}, 404, None),
        ({}, 422, "/image_id"),
        ({"image_id": 5}, 422, "/image_id"),
        ({"image_id": "x", "retries": 11}, 422, "/retries"),
        ({"image_id": "x", "retrieve_at": "soon"}, 422, "/retrieve_at"),
        ({"image_id": "x", "retrieve_at": "2026-05-01T00:00:00"}, 422, "/retrieve_at"),
        ({"image_id": "x", "location": "http://evil.example/"}, 422, "/location"),
    ],
)
async def test_an_update_that_makes_no_sense_is_refused(
    api: Api, station: Station, body: dict[str, Any], status: int, pointer: str | None
):
    response = await api.post(f"/api/v1/stations/{station.uuid}/firmware", json=body)
    told = await response.json()
    assert status == response.status, told
    if pointer is not None:
        assert pointer == told["errors"][0]["pointer"]


async def test_what_a_version_cannot_say_is_told(
    api: Api, hub: ScriptedHub, station: Station, image: str
):
    hub.versions[station.id] = OcppVersion.V16
    response = await update(api, station, image, install_at="2026-06-01T00:00:00Z")
    assert 422 == response.status
    assert "OCPP 1.6 cannot say when to install" in (await response.json())["detail"]
    (made,) = await items(api, LIST)
    assert ("failed", False) == (made["state"], made["link"]["usable"])


async def test_a_repeated_order_is_one_order(
    api: Api, hub: ScriptedHub, station: Station, image: str
):
    first, again = [
        await update(api, station, image, headers={"Idempotency-Key": "up-1"}) for _ in range(2)
    ]
    assert (await first.json())["id"] == (await again.json())["id"]
    assert ("true", 1) == (again.headers["Idempotency-Replayed"], len(hub.calls))


async def test_pages_go_to_the_end_while_transfers_begin(
    api: Api, hub: ScriptedHub, station: Station
):
    made = [(await ordered(await ask(api, station)))["id"] for _ in range(5)]

    async def another() -> None:
        await ask(api, station)

    found = await all_pages(api, f"{LIST}?limit=2&kind=log", another)
    assert made[::-1] == [one["id"] for one in found]
    assert [] == await items(api, f"{LIST}?kind=firmware")
    assert [] == await items(api, f"{LIST}?state=succeeded")


def test_the_link_is_written_for_the_place_that_stations_reach():
    asked = "http://127.0.0.1:9000"
    assert asked == base_url(FileDropSettings(), "", asked)
    assert "https://csms.example:8443" == base_url(
        FileDropSettings(), "wss://csms.example:8443/ocpp", asked
    )
    assert "http://drop.example" == base_url(
        FileDropSettings(url="http://drop.example"), "wss://csms.example/ocpp", asked
    )


async def submitted(api: Api, body: dict[str, Any]) -> ClientResponse:
    return await api.post("/api/v1/jobs", json=body, role="operator")


async def test_jobs_have_many_stations_fetch_and_send(
    api: Api, hub: ScriptedHub, station: Station, image: str
):
    other = await make_station(api, "CP-2")
    hub.connect(other.id)
    target = {"station_ids": [station.uuid, other.uuid]}
    update = {"kind": "firmware_update", "target": target, "spec": {"image_id": image}}
    previewed = await (await api.post("/api/v1/jobs/preview", json=update)).json()
    assert {"1.6", "2.0.1"} == {one["ocpp_version"] for one in previewed["versions"]}
    assert "csmsf_" not in str(previewed)
    assert [] == await items(api, LIST)
    logs = {"kind": "log_upload", "target": target, "spec": {"log_type": "SecurityLog"}}
    made = await submitted(api, logs)
    assert 202 == made.status, await made.text()
    calls = await hub.delivered(2)
    assert {"GetLog"} == {call.action for call in calls}
    assert 202 == (await submitted(api, update)).status
    await hub.delivered(3)
    assert "UpdateFirmware" == hub.calls[2].action
    assert 3 == len({link_of(call) for call in hub.calls})


@pytest.mark.parametrize(
    ("kind", "spec", "status", "pointer"),
    [
        ("firmware_update", {"image_id": OTHER}, 404, None),
        ("firmware_update", {}, 422, "/firmware_update/spec/image_id"),
        ("log_upload", {"log_type": "Diary"}, 422, "/log_upload/spec/log_type"),
    ],
)
async def test_a_job_that_makes_no_sense_is_refused(
    *,
    api: Api,
    station: Station,
    kind: str,
    spec: dict[str, Any],
    status: int,
    pointer: str | None,
):
    body = {"kind": kind, "target": {"station_ids": [station.uuid]}, "spec": spec}
    response = await submitted(api, body)
    told = await response.json()
    assert status == response.status, told
    if pointer is not None:
        assert pointer.rsplit("/", 1)[1] == told["errors"][0]["pointer"].rsplit("/", 1)[1]


async def test_those_of_an_image_that_there_is_not(api: Api) -> None:
    assert 404 == (await api.get(f"{LIST}?image_id=nope")).status


async def test_behind_a_proxy_the_address_is_that_of_the_station(
    api: Api, hub: ScriptedHub, station: Station, image: str
):
    api.deps.settings = replace(api.deps.settings, proxies=Proxies.read(["127.0.0.1"]))
    told = {"X-Forwarded-For": "198.51.100.7"}
    fetched = await ordered(await update(api, station, image))
    await api.get(link_of(hub.calls[0]), role=None, headers=told)
    sent = await ordered(await ask(api, station, log_type="SecurityLog"))
    await api.put(f"{link_of(hub.calls[1])}/a.log", data=b"a", role=None, headers=told)

    (fetch,) = (await shown(api, fetched))["fetched"]
    (file,) = await items(api, "/api/v1/log-files")
    assert [sent["id"], "198.51.100.7", "198.51.100.7"] == [
        file["transfer_id"],
        fetch["address"],
        file["address"],
    ]
