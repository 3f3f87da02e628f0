"""Firmware images natively: uploads that are whole or not there, and what is said of them."""

from __future__ import annotations

import asyncio
import hashlib
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import FormData

from csms.errors import StorageFull
from tests.api.v1.scene import all_pages, items, stranger

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.api.conftest import Api

PATH = "/api/v1/firmware-images"
CONTENT = bytes(range(256)) * 800
SHA256 = hashlib.sha256(CONTENT).hexdigest()
RAW = {"Content-Type": "application/octet-stream"}


async def upload(api: Api, query: str = "", *, data: Any = CONTENT, **more: Any) -> Any:
    more.setdefault("headers", RAW)
    return await api.post(PATH + query, data=data, role=more.pop("role", "operator"), **more)


def on_disk(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in (tmp_path / "files").rglob("*") if path.is_file())


async def test_an_upload_is_there_with_what_is_said_of_it(api: Api, tmp_path: Path):
    response = await upload(api, "?name=fw-1.2.bin&version=1.2&vendor=ACME&model=M1&note=beta")
    made = await response.json()
    assert (201, f"{PATH}/{made['id']}") == (response.status, response.headers["Location"])
    assert ("fw-1.2.bin", "1.2", "ACME", "M1", "beta", len(CONTENT), SHA256, False) == (
        made["name"],
        made["version"],
        made["vendor"],
        made["model"],
        made["note"],
        made["size_bytes"],
        made["sha256"],
        made["signed"],
    )
    assert [made] == await items(api, PATH, role="viewer")
    assert made == await (await api.get(f"{PATH}/{made['id']}", role="viewer")).json()
    assert [made["id"]] == on_disk(tmp_path)
    assert CONTENT == (tmp_path / "files" / "firmware" / made["id"]).read_bytes()


async def test_a_form_may_carry_the_file(api: Api):
    form = FormData()
    form.add_field("comment", "first")
    form.add_field("file", CONTENT, filename="form-2.0.bin")
    response = await upload(api, data=form, headers={})
    made = await response.json()
    assert (201, "form-2.0.bin", SHA256) == (response.status, made["name"], made["sha256"])


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("../../etc/passwd", "passwd"),
        ("..\\..\\boot.ini", "boot.ini"),
        (".hidden", "hidden"),
        ("a b;c\"d'.bin", "a_b_c_d_.bin"),
        ("...", "firmware.bin"),
        ("x" * 250 + ".bin", "x" * 96 + ".bin"),
    ],
)
async def test_a_name_is_made_harmless(api: Api, given: str, name: str):
    response = await api.request("POST", PATH, params={"name": given}, data=CONTENT, headers=RAW)
    assert (201, name) == (response.status, (await response.json())["name"])


@pytest.mark.parametrize(
    ("query", "data", "headers", "status", "code"),
    [
        ("", b"", RAW, 400, "empty_file"),
        ("", b"{}", {"Content-Type": "application/json"}, 415, "unsupported_media_type"),
        ("", b"x" * 500_001, RAW, 413, "too_large"),
        ("", b"x", {"Content-Type": "multipart/form-data"}, 400, "unreadable_body"),
        (
            "",
            b'--x\r\nContent-Disposition: form-data; name="\x0b"\r\n\r\n1\r\n--x--\r\n',
            {"Content-Type": "multipart/form-data; boundary=x"},
            400,
            "unreadable_body",
        ),
        (
            "",
            b"no form at all",
            {"Content-Type": "multipart/form-data; boundary=x"},
            400,
            "unreadable_body",
        ),
        ("?sha256=" + "0" * 64, CONTENT, RAW, 422, "checksum_mismatch"),
        ("?sha256=short", CONTENT, RAW, 422, "invalid"),
        ("?colour=red", CONTENT, RAW, 422, "invalid"),
    ],
)
async def test_what_is_refused_leaves_nothing_behind(
    *,
    api: Api,
    tmp_path: Path,
    query: str,
    data: bytes,
    headers: dict[str, str],
    status: int,
    code: str,
):
    response = await upload(api, query, data=data, headers=headers)
    assert (status, code) == (response.status, (await response.json())["code"])
    assert ([], []) == (on_disk(tmp_path), await items(api, PATH))


async def test_a_body_without_a_length_is_cut_off_at_the_limit(api: Api, tmp_path: Path):
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 100_000

    response = await upload(api, data=endless())
    assert 413 == response.status
    assert [] == on_disk(tmp_path)


async def test_a_client_that_disappears_leaves_nothing_behind(api: Api, tmp_path: Path):
    begun = asyncio.Event()

    async def half() -> AsyncIterator[bytes]:
        yield b"x" * 300_000
        begun.set()
        await asyncio.Event().wait()

    sending = asyncio.create_task(upload(api, data=half()))
    await begun.wait()
    async with asyncio.timeout(10):
        while not on_disk(tmp_path):  # noqa: ASYNC110 - the disk tells nobody
            await asyncio.sleep(0)
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        while on_disk(tmp_path):  # noqa: ASYNC110
            await asyncio.sleep(0)
    assert [] == await items(api, PATH)


async def test_a_full_disk_is_told_and_leaves_nothing_behind(
    api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(api.deps.files.store, "_keep_free_bytes", 1 << 60)
    response = await upload(api)
    assert (503, "storage_full") == (response.status, (await response.json())["code"])
    assert "Retry-After" in response.headers
    assert [] == on_disk(tmp_path)


async def test_without_its_row_there_is_no_file(
    api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def full(*_: Any, **__: Any) -> None:
        raise StorageFull("full")

    monkeypatch.setattr("csms.store.firmware_images.insert", full)
    response = await upload(api)
    assert (503, []) == (response.status, on_disk(tmp_path))


async def test_what_is_said_of_an_image_can_change(api: Api):
    made = await (await upload(api, "?version=1&note=old")).json()
    place = f"{PATH}/{made['id']}"
    signed = {"note": None, "signing_certificate": "PEM", "signature": "c2ln"}
    changed = await (await api.request("PATCH", place, json=signed, role="operator")).json()
    assert (None, "1", True) == (changed["note"], changed["version"], changed["signed"])
    half = await api.request("PATCH", place, json={"signature": None})
    assert 422 == half.status
    assert changed == await (await api.get(place)).json()


async def test_a_deleted_image_is_gone_with_its_file(api: Api, tmp_path: Path):
    made = await (await upload(api)).json()
    assert 204 == (await api.delete(f"{PATH}/{made['id']}", role="operator")).status
    assert ([], []) == (on_disk(tmp_path), await items(api, PATH))
    assert 404 == (await api.delete(f"{PATH}/{made['id']}")).status


async def test_viewers_and_tokens_of_one_location_manage_none(api: Api):
    made = await (await upload(api)).json()
    assert 403 == (await upload(api, role="viewer")).status
    who = await stranger(api)
    place = f"{PATH}/{made['id']}"
    for method, path in (("GET", PATH), ("GET", place), ("DELETE", place)):
        assert 403 == (await api.request(method, path, role=who)).status
    assert 403 == (await upload(api, role=who)).status


async def test_a_repeated_upload_makes_one_image(api: Api, tmp_path: Path):
    headers = {**RAW, "Idempotency-Key": "fw-1"}
    first, again = [await upload(api, headers=headers) for _ in range(2)]
    assert (201, 201, "true") == (
        first.status,
        again.status,
        again.headers.get("Idempotency-Replayed"),
    )
    assert await first.json() == await again.json()
    assert 1 == len(on_disk(tmp_path))
    other = await upload(api, data=CONTENT[1:], headers=headers)
    assert 422 == other.status


async def test_pages_go_to_the_end_while_images_arrive(api: Api):
    ids = [(await (await upload(api, data=b"x" * n)).json())["id"] for n in range(1, 6)]

    async def another() -> None:
        await upload(api)

    found = await all_pages(api, f"{PATH}?limit=2", another)
    assert ids[::-1] == [one["id"] for one in found]
