"""Entity tags, compression, and the Idempotency-Key."""

from __future__ import annotations

import asyncio
import gzip
import itertools
import zlib
from typing import TYPE_CHECKING, Any

import pytest

from csms.api import routes
from csms.api.models import Strict
from csms.api.routing import Call, Dialect, Reply, Route
from csms.domain.permissions import Scope

if TYPE_CHECKING:
    from csms.domain.jobs import IdempotencyKey
    from tests.api.conftest import Api, Serve

state: dict[str, Any] = {}


class Anything(Strict):
    name: str = ""


async def show(call: Call[None, None]) -> Reply:
    return Reply(state["body"])


async def show_version(call: Call[None, None]) -> Reply:
    if call.unchanged("v7"):
        return Reply(status=304, version="v7")
    state["rendered"] += 1
    return Reply({"rendered": True}, version="v7")


async def write(call: Call[Anything | None, None]) -> Reply:
    state["keys"].append(call.idempotency)
    return Reply(status=204)


@pytest.fixture
async def api(serve: Serve) -> Api:
    state.update(body={"a": 1}, rendered=0, keys=[])
    read, change = Scope.STATIONS_READ, Scope.STATIONS_WRITE
    native = Dialect.NATIVE
    return await serve(
        [
            Route("GET", "/show", show, "", native, read),
            Route("GET", "/version", show_version, "", native, read),
            Route("POST", "/one", write, "", native, change, body=Anything, body_optional=True),
            Route("POST", "/two", write, "", native, change, body=Anything),
        ]
    )


async def test_a_poll_of_the_same_state_is_answered_with_304(api: Api) -> None:
    first = await api.get("/show")
    again = await api.get("/show", headers={"If-None-Match": first.headers["ETag"]})
    assert (first.status, again.status, await again.read()) == (200, 304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]
    opaque = first.headers["ETag"].removeprefix("W/")
    for known in ("*", opaque, f'"other", {opaque}'):
        assert (await api.get("/show", headers={"If-None-Match": known})).status == 304, known
    state["body"] = {"a": 2}
    assert (await api.get("/show", headers={"If-None-Match": first.headers["ETag"]})).status == 200


async def test_a_known_version_is_not_even_rendered(api: Api) -> None:
    first = await api.get("/version")
    await api.get("/version", headers={"If-None-Match": first.headers["ETag"]})
    assert (first.headers["ETag"], state["rendered"]) == ('W/"v7"', 1)


@pytest.mark.parametrize("size", [2_000, 200_000, 3_000_000])
async def test_a_large_answer_is_compressed_for_who_accepts_it(api: Api, size: int) -> None:
    state["body"] = {"text": "x" * size}
    plain = await api.get("/show", headers={"Accept-Encoding": "identity"})
    small = await api.get("/show", headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in plain.headers
    assert small.headers["Content-Encoding"] == "gzip"
    assert small.headers["Vary"] == plain.headers["Vary"] == "Accept-Encoding"
    assert small.headers["ETag"] == plain.headers["ETag"]
    assert int(small.headers["Content-Length"]) < size / 10
    assert await small.json() == await plain.json() == state["body"]


async def test_a_compressed_request_counts_by_its_real_size(api: Api) -> None:
    bomb = gzip.compress(b'{"name": "' + b"x" * 5_000_000 + b'"}')
    response = await api.post(
        "/two",
        data=bomb,
        headers={"Content-Type": "application/json", "Content-Encoding": "gzip"},
    )
    assert response.status == 413


async def test_a_broken_compressed_request(api: Api) -> None:
    response = await api.post(
        "/two",
        data=b"not gzip",
        headers={"Content-Type": "application/json", "Content-Encoding": "gzip"},
    )
    assert response.status == 400


BODY = b'{"name": "Depot"}'
GZIP = gzip.compress(BODY)
BARE = zlib.compressobj(wbits=-15)
SHAPES = {"/api/v1/locations": "code", "/ocpp/locations": "detail", "/api/v3/sites": "message"}


@pytest.fixture
async def whole(serve: Serve) -> Api:
    return await serve(routes.ALL)


CODED: tuple[tuple[str, bytes, int], ...] = (
    ("br", b"x", 415),
    ("zstd", b"x", 415),
    ("foo", BODY, 415),
    ("gzip, gzip", GZIP, 415),
    ("gzip", b"x" * 50, 400),
    ("gzip", GZIP[:-1], 400),
    ("gzip", GZIP + b"x", 400),
    ("deflate", b"x" * 50, 400),
    ("deflate", zlib.compress(BODY) + b"x", 400),
    ("gzip", GZIP, 201),
    ("X-GZip", gzip.compress(BODY[:5]) + gzip.compress(BODY[5:]), 201),
    ("deflate", zlib.compress(BODY), 201),
    ("deflate", BARE.compress(BODY) + BARE.flush(), 201),
    ("identity", BODY, 201),
)


async def test_a_content_encoding_is_undone_or_refused_in_the_shape_of_the_dialect(
    whole: Api, caplog: pytest.LogCaptureFixture
) -> None:
    for path, (coding, data, status) in itertools.product(SHAPES, CODED):
        headers = {"Content-Type": "application/json", "Content-Encoding": coding}
        response = await whole.post(path, data=data, headers=headers)
        answer = await response.json()
        assert response.status == status, (path, coding, data, answer)
        assert response.headers["X-Request-Id"]
        if status >= 400:
            assert SHAPES[path] in answer
        if status == 415:
            assert response.headers["Accept-Encoding"] == "gzip, deflate"
    assert not [one for one in caplog.records if one.levelname == "ERROR"]


async def test_a_caller_without_a_token_is_told_that_before_its_encoding(whole: Api) -> None:
    headers = {"Content-Encoding": "br"}
    response = await whole.post("/api/v1/locations", data=b"x", headers=headers, role=None)
    assert response.status == 401


@pytest.mark.parametrize("path", ["/api/v1/locations", "/api/v1/firmware-images", "/nowhere"])
async def test_a_caller_that_goes_away_in_the_middle_is_no_fault(
    whole: Api, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    port = whole.client.port
    assert port is not None
    kind = "octet-stream" if path.endswith("images") else "json"
    head = (
        f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {whole.bearers['admin']}\r\n"
        f"Content-Type: application/{kind}\r\nContent-Length: 1000\r\n\r\n"
    )
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(head.encode() + b'{"na')
    await writer.drain()
    assert (await whole.get("/api/v1/auth/me")).status == 200
    writer.transport.abort()
    await asyncio.wait_for(reader.read(), 5)
    assert (await whole.get("/api/v1/auth/me")).status == 200
    assert not [one for one in caplog.records if one.levelname == "ERROR"]


async def keyed(api: Api, path: str, key: str, body: Any) -> IdempotencyKey:
    response = await api.post(path, json=body, headers={"Idempotency-Key": key})
    assert response.status == 204
    found: IdempotencyKey = state["keys"][-1]
    return found


async def test_an_idempotency_key_covers_target_and_body(api: Api) -> None:
    first = await keyed(api, "/one", "k-1", {"name": "a"})
    assert first.key == "k-1"
    assert (await keyed(api, "/one", "k-2", {"name": "a"})).body_sha256 == first.body_sha256
    assert (await keyed(api, "/one", "k-3", {"name": "b"})).body_sha256 != first.body_sha256
    assert (await keyed(api, "/two", "k-4", {"name": "a"})).body_sha256 != first.body_sha256


async def test_an_idempotency_key_belongs_to_its_token(api: Api) -> None:
    first = await keyed(api, "/one", "k-1", {})
    await api.post("/one", json={}, role="operator", headers={"Idempotency-Key": "k-1"})
    assert state["keys"][-1].principal != first.principal


async def test_without_a_key_there_is_none(api: Api) -> None:
    assert (await api.post("/one")).status == 204
    assert state["keys"] == [None]


@pytest.mark.parametrize("key", ["", "a b", "x" * 256, "ü"])
async def test_a_useless_idempotency_key_is_refused(api: Api, key: str) -> None:
    response = await api.post("/one", json={}, headers={"Idempotency-Key": key})
    assert response.status == 400
    assert (await response.json())["code"] == "invalid_idempotency_key"
