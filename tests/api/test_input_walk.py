"""Bad input to every route, from the table of routes and the models themselves."""

from __future__ import annotations

import asyncio
import json
import re
from typing import TYPE_CHECKING, Any
from unittest.mock import AsyncMock
from urllib.parse import quote, urlencode

import pytest
from yarl import URL

from csms.api import application, cursors, listing, routes
from csms.api.body import adapter
from csms.api.routing import Dialect
from tests.api.everything import make_everything
from tests.api.samples import Samples
from tests.api.test_role_walk import PROTECTED, name_of, refusal, streams

if TYPE_CHECKING:
    from collections.abc import Iterator

    from csms.api.routing import Route
    from tests.api.conftest import Api, ScriptedHub
    from tests.api.everything import Everything
    from tests.api.samples import Place, Schema

WITH_BODY = [route for route in routes.ALL if route.body is not None]
JSON = {"Content-Type": "application/json"}


@pytest.fixture
async def everything(api: Api, hub: ScriptedHub, monkeypatch: pytest.MonkeyPatch) -> Everything:
    # On a busy machine a walk takes so long that what is stored now and then is stored meanwhile.
    monkeypatch.setattr(application, "_flush", AsyncMock())
    return await make_everything(api, hub)


def bodies(everything: Everything) -> Iterator[tuple[Route, Samples]]:
    """Every route that takes a body, with every kind of body it takes."""
    for route in WITH_BODY:
        for samples in everything.samples(route.body).kinds():
            yield route, samples


async def refused(
    everything: Everything, route: Route, data: bytes, content_type: str = JSON["Content-Type"]
) -> int:
    """The status of the answer, which is an error as its dialect writes it."""
    response = await everything.api.request(
        route.method,
        everything.path(route),
        data=data,
        headers={"Content-Type": content_type},
    )
    if response.status < 400:
        return response.status
    status, told = await refusal(response, route.dialect)
    assert "Traceback" not in told
    return status


MALFORMED = {
    "cut off": b'{"name": ',
    "two values": b"{} {}",
    "no JSON": b"name=a",
    "not UTF-8": b'{"name": "\xff"}',
    "lone surrogate": rb'{"name": "\ud800"}',
    "NaN": b'{"name": NaN}',
    "infinite": b'{"name": -Infinity}',
    "beyond floats": b'{"name": 1e400}',
    "beyond 64 bits": b'{"name": 9223372036854775808}',
    "very long number": b'{"name": ' + b"9" * 10_000 + b"}",
    "key twice": b'{"name": "a", "name": "b"}',
    "key twice within": b'{"name": {"a": 1, "b": 2, "a": 3}}',
    "deep": b'{"name": ' + b"[" * 40 + b"]" * 40 + b"}",
    "very deep": b"[" * 100_000,
    "NUL": b'{"name": "a\x00"}',
    "byte order mark": b"\xef\xbb\xbf{}",
}


async def test_what_is_no_json_is_refused(everything: Everything) -> None:
    before = await everything.rows()
    for route in WITH_BODY:
        expected = 400 if route.dialect is Dialect.NATIVE else 422
        for name, data in MALFORMED.items():
            status = await refused(everything, route, data)
            assert status == expected, (name_of(route), name)
        assert await refused(everything, route, b"{}", "text/plain") == 415, name_of(route)
    assert await everything.rows() == before


WRONG: dict[str, list[Any]] = {
    "string": [5, True, [], {}, "a\x00b", "a\x1bb", "a\x7fb", "x" * 100_001],
    "integer": ["5", 1.5, True, [], {}, 2**63 - 1, -(2**63)],
    "number": ["5", True, [], {}],
    "boolean": [1, "true", [], {}],
    "array": ["x", 5, {}, [None]],
    "object": ["x", 5, [], {"a": {"b": ["\x00"]}}, {"\x00": 1}],
}


def wrong(schema: Schema) -> Iterator[Any]:
    """What this place does not take."""
    for value in WRONG.get(schema.get("type", ""), ()):
        if not isinstance(value, str) or len(value) > schema.get("maxLength", 0):
            yield value


async def test_what_does_not_fit_is_refused(everything: Everything) -> None:
    before = await everything.rows()
    for route, samples in bodies(everything):
        for place, schema in samples.places():
            for value in wrong(schema):
                data = json.dumps(samples.with_value(place, value)).encode()
                status = await refused(everything, route, data)
                assert status == 422, (name_of(route), place, repr(value)[:50])
    assert await everything.rows() == before


# Within what the standard allows, and beyond what a date can be once it is in UTC.
ODD_TIMES = ("0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "1969-12-31T23:59:59Z")


async def test_a_time_at_the_edge_of_the_calendar_is_no_accident(everything: Everything) -> None:
    for route, samples in bodies(everything):
        for place, schema in samples.places():
            if schema.get("format") == "date-time":
                for odd in ODD_TIMES:
                    data = json.dumps(samples.with_value(place, odd)).encode()
                    status = await refused(everything, route, data)
                    assert status == 422, (name_of(route), place, odd)


def objects(samples: Samples) -> Iterator[Place]:
    for place, schema in samples.places():
        if schema.get("type") == "object" and "properties" in schema:
            yield (*place, "never_heard_of")


async def test_unknown_fields_are_refused_natively_and_ignored_in_the_dialects(
    everything: Everything,
) -> None:
    before = await everything.rows()
    for route, samples in bodies(everything):
        for place in objects(samples):
            body = samples.with_value(place, "x")
            # The options of a run are our addition: what nobody understands must not be ignored.
            if route.dialect is Dialect.NATIVE or place[0] == "options":
                status = await refused(everything, route, json.dumps(body).encode())
                assert status == 422, (name_of(route), place)
            else:
                adapter(route.body).validate_json(json.dumps(body))
    assert await everything.rows() == before


async def test_no_body_is_refused_where_one_is_needed(everything: Everything) -> None:
    for route in WITH_BODY:
        if not route.body_optional:
            expected = 400 if route.dialect is Dialect.NATIVE else 422
            assert await refused(everything, route, b"") == expected, name_of(route)


BOUNDS = {"enum", "const", "maxLength", "format"}


def test_every_text_of_a_body_or_a_query_is_bounded() -> None:
    for route in routes.ALL:
        for model in (route.body, route.query):
            if model is None:
                continue
            for place, schema in Samples(model).places():
                if schema.get("type") == "string":
                    assert BOUNDS & schema.keys(), (name_of(route), place)


# ---- queries, paths, methods -----------------------------------------------------------------

WITH_QUERY = [route for route in routes.ALL if route.query is not None]


async def asked(everything: Everything, route: Route, query: str) -> int:
    """The status of an answer to this query, which may be none but an error of the dialect."""
    response = await everything.api.request(
        route.method, URL(f"{everything.path(route)}?{query}", encoded=True), data=b""
    )
    if response.status < 400:
        response.close()
        return response.status
    return (await refusal(response, route.dialect))[0]


LONG = "x" * 6000
REFUSED = ("%00", "a%1Bb", LONG)
ODD = (*REFUSED, "%FF", "%ED%A0%80", "")
ODD_NUMBERS = ("x", "1.5", "NaN", "0x10", "1e3", str(2**63), str(-(2**63)), "9" * 5000)


async def test_an_odd_query_is_refused_or_finds_nothing(everything: Everything) -> None:
    for route in WITH_QUERY:
        if route.writes or streams(route):
            continue
        needed = urlencode(everything.query(route), doseq=True)
        assert await asked(everything, route, needed) < 400, name_of(route)
        for place, schema in everything.samples(route.query).places():
            if len(place) != 1:
                continue
            numbers = ODD_NUMBERS if schema.get("type") in {"integer", "number"} else ()
            for value in (*ODD, *numbers):
                status = await asked(everything, route, f"{needed}&{quote(str(place[0]))}={value}")
                bounded = value != LONG or schema.get("maxLength", 0) < len(LONG)
                fitting = {404, 422} if value in REFUSED and bounded else {200, 404, 422}
                assert status in fitting, (name_of(route), place, value[:40])


CURSORS = {
    "nonsense": "nonsense",
    "no base64": "***",
    "another alphabet": "%F0%9F%92%A9",
    "nothing inside": cursors.write_text(","),
    "a word": cursors.write_text("a"),
    "NUL": cursors.write_text("\x00"),
    "far ahead": cursors.write(10**15),
    "far behind": cursors.write(-(10**15)),
    "a pair": cursors.write(10**15, -(10**15)),
    "beyond dates": cursors.write(10**16),
    "three": cursors.write(1, 2, 3),
    "beyond 64 bits": cursors.write(2**70),
    "spaces": cursors.write_text(" 1, 2"),
    "other digits": cursors.write_text("\u0661"),
    "underscores": cursors.write_text("1_0"),
}


async def test_a_stale_or_foreign_cursor_is_refused_or_the_end(everything: Everything) -> None:
    for route in WITH_QUERY:
        if "cursor" not in route.query.model_fields:
            continue
        for name, cursor in CURSORS.items():
            query = route.query()
            own = cursors.sealed(cursor, listing.list_of(route, query))
            assert await asked(everything, route, f"cursor={cursor}") == 422
            status = await asked(everything, route, f"cursor={own}")
            assert status in {200, 422}, (name_of(route), name, status)


ODD_IDS = ("%00", "%FF", "%ED%A0%80", "x" * 3000, "..%2F..", "identity:%00", "-1", "9" * 400, "%20")


async def test_an_odd_id_is_not_found(everything: Everything) -> None:
    before = await everything.rows()
    for route in PROTECTED:
        for name in re.findall(r"\{(\w+)\}", route.path):
            for odd in ODD_IDS:
                path = re.sub(r"\{\w+\}", "1", route.path.replace(f"{{{name}}}", odd))
                body = json.dumps(everything.samples(route.body).body()) if route.body else None
                response = await everything.api.request(
                    route.method, URL(path, encoded=True), data=body, headers=JSON
                )
                status, _ = await refusal(response, route.dialect)
                assert status in {404, 422}, (name_of(route), name, odd, status)
    assert await everything.rows() == before


def allowed(path: str) -> set[str]:
    """The methods of every route that this path leads to."""
    methods = {
        route.method
        for route in routes.ALL
        if re.fullmatch(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(route.path)), path)
    }
    return methods | ({"HEAD"} if "GET" in methods else set())


async def test_a_wrong_method_names_the_right_ones(everything: Everything) -> None:
    for route in routes.ALL:
        path = everything.path(route)
        fitting = allowed(path)
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"} - fitting:
            response = await everything.api.request(method, path)
            assert (await refusal(response, route.dialect))[0] == 405, (method, path)
            assert set(response.headers["Allow"].split(", ")) == fitting, (method, path)


# ---- what comes over the wire ----------------------------------------------------------------


async def spoken(everything: Everything, route: Route, length: int, data: bytes) -> str:
    """The status line of what is answered to so much of a body; nothing if we leave before."""
    server = everything.api.client.server
    reader, writer = await asyncio.open_connection(server.host, server.port)
    head = [
        f"{route.method} {everything.path(route)} HTTP/1.1",
        "Host: csms",
        f"Authorization: Bearer {everything.api.bearers['admin']}",
        f"Content-Type: application/{'octet-stream' if route.takes_file else 'json'}",
        f"Content-Length: {length}",
    ]
    writer.write("\r\n".join([*head, "", ""]).encode() + data)
    await writer.drain()
    if not data:
        line = (await reader.readline()).decode()
    writer.close()
    await writer.wait_closed()
    return "" if data else line


async def test_a_body_over_the_limit_is_refused_before_it_comes(everything: Everything) -> None:
    settings = everything.api.deps.settings
    for route in routes.ALL:
        if route.writes and route.scope is not None:
            limit = settings.bulk_body_limit_bytes if route.bulk else settings.body_limit_bytes
            length = 2**50 if route.takes_file else limit + 1
            line = await spoken(everything, route, length, b"")
            assert line.split()[1] == "413", name_of(route)


async def test_a_caller_that_leaves_in_the_middle_leaves_nothing(everything: Everything) -> None:
    before = await everything.rows()
    for route in WITH_BODY:
        data = json.dumps(everything.samples(route.body).body()).encode()
        await spoken(everything, route, len(data), data[:-1])
    assert (await everything.api.get("/api/v1/stations")).status == 200
    assert await everything.rows() == before
