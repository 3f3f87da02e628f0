"""Every refusal in the three dialects, and every kind of bad input."""

from __future__ import annotations

from collections.abc import AsyncIterator
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest

from csms import errors
from csms.api.models import Query, Strict
from csms.api.routing import Call, Dialect, Reply, Route
from csms.domain.permissions import Scope

if TYPE_CHECKING:
    from tests.api.conftest import Api, Serve

PATHS = {
    Dialect.NATIVE: "/api/v1/things",
    Dialect.CHARGERS: "/ocpp/things",
    Dialect.COMMANDS: "/api/v3/things",
}
NATIVE, CHARGERS, COMMANDS = PATHS.values()


class Inner(Strict):
    number: int


class Thing(Strict):
    name: str
    inner: Inner | None = None
    many: list[str] | None = None


class Asked(Query):
    page: int = 1


async def echo(call: Call[Thing, Asked]) -> Reply:
    return Reply({"name": call.body.name}, status=201)


async def explode(call: Call[None, None]) -> Reply:
    raise RuntimeError("secret detail")


async def refuse(call: Call[None, None]) -> Reply:
    raise REFUSALS[call.path["kind"]]


REFUSALS: dict[str, errors.CsmsError] = {
    "invalid": errors.Invalid("no such place", loc=(0, "template", "ws_url"), given="x"),
    "missing": errors.NotFound("Thing not found"),
    "conflict": errors.Conflict("Not now"),
    "offline": errors.StationOffline("offline"),
    "timeout": errors.CallTimeout("late"),
    "refused": errors.CallRefused("NotSupported", "never heard"),
    "unavailable": errors.Unavailable("full"),
    "full": errors.StorageFull("the disk is full; nothing was written"),
}


@pytest.fixture
async def api(serve: Serve) -> Api:
    routes = [
        route
        for dialect, path in PATHS.items()
        for route in (
            Route("POST", path, echo, "", dialect, Scope.STATIONS_WRITE, body=Thing, query=Asked),
            Route("GET", path + "/explode", explode, "", dialect, Scope.STATIONS_READ),
            Route("GET", path + "/refuse/{kind}", refuse, "", dialect, Scope.STATIONS_READ),
        )
    ]
    return await serve(routes)


async def answer(api: Api, method: str, path: str, **more: Any) -> tuple[int, Any]:
    response = await api.request(method, path, **more)
    return response.status, await response.json(content_type=None)


def post(api: Api, path: str, body: bytes, content_type: str = "application/json") -> Any:
    return answer(api, "POST", path, data=BytesIO(body), headers={"Content-Type": content_type})


# ---- no token, wrong role, absent ------------------------------------------------------------


async def test_no_token(api: Api) -> None:
    for path in PATHS.values():
        response = await api.post(path, role=None, json={"name": "a"})
        assert response.status == 401
        assert response.headers["WWW-Authenticate"] == "Bearer"
    assert await answer(api, "POST", COMMANDS, role=None) == (401, {"message": "Unauthenticated."})
    assert await answer(api, "POST", CHARGERS, role=None) == (
        401,
        {"detail": "A bearer token is required."},
    )


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer ", "Basic abc", "Bearer nope", "Bearer " + "x" * 600]
)
async def test_a_bad_token(api: Api, header: str) -> None:
    status, body = await answer(api, "POST", NATIVE, headers={"Authorization": header})
    assert (status, body["code"]) == (401, "unauthenticated")


async def test_a_role_without_the_scope(api: Api) -> None:
    assert await answer(api, "POST", COMMANDS, role="viewer") == (
        403,
        {"message": "This action is unauthorized."},
    )
    status, body = await answer(api, "POST", CHARGERS, role="viewer")
    assert (status, list(body)) == (403, ["detail"])
    status, body = await answer(api, "POST", NATIVE, role="viewer")
    assert (status, body["code"]) == (403, "forbidden")


async def test_an_unknown_path_speaks_the_dialect_of_its_prefix(api: Api) -> None:
    assert await answer(api, "GET", "/ocpp/nothing") == (404, {"detail": "Not found"})
    assert await answer(api, "GET", "/api/v3/nothing") == (404, {"message": "Not found"})
    response = await api.get("/nothing")
    assert response.status == 404
    assert response.content_type == "application/problem+json"
    assert (await response.json())["code"] == "not_found"


async def test_a_wrong_method_names_the_right_ones(api: Api) -> None:
    for path in PATHS.values():
        response = await api.delete(path)
        assert (response.status, response.headers["Allow"]) == (405, "POST")
    assert (await answer(api, "DELETE", CHARGERS))[1] == {"detail": "Method not allowed; use POST"}
    assert (await answer(api, "DELETE", COMMANDS))[1] == {"message": "Method not allowed; use POST"}


# ---- refusals by a handler -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "native", "chargers", "commands"),
    [
        ("missing", 404, 404, 404),
        ("conflict", 409, 409, 409),
        ("offline", 409, 409, 400),
        ("timeout", 504, 504, 504),
        ("refused", 502, 502, 502),
        ("unavailable", 503, 503, 503),
        ("full", 503, 503, 503),
        ("invalid", 422, 422, 422),
    ],
)
async def test_status_codes(api: Api, kind: str, native: int, chargers: int, commands: int) -> None:
    found = [(await api.get(f"{path}/refuse/{kind}")).status for path in PATHS.values()]
    assert found == [native, chargers, commands]


async def test_a_problem_has_a_code(api: Api) -> None:
    assert await answer(api, "GET", NATIVE + "/refuse/missing") == (
        404,
        {
            "type": "about:blank",
            "title": "Not Found",
            "status": 404,
            "code": "not_found",
            "detail": "Thing not found",
        },
    )
    _, body = await answer(api, "GET", NATIVE + "/refuse/refused")
    assert body["ocpp_error"] == {"code": "NotSupported", "description": "never heard"}


async def test_invalid_leads_to_the_place(api: Api) -> None:
    _, native = await answer(api, "GET", NATIVE + "/refuse/invalid")
    assert native["errors"] == [
        {
            "in": "body",
            "pointer": "/0/template/ws_url",
            "detail": "no such place",
            "type": "value_error",
        }
    ]
    _, chargers = await answer(api, "GET", CHARGERS + "/refuse/invalid")
    assert chargers == {
        "detail": [
            {
                "type": "value_error",
                "loc": ["body", 0, "template", "ws_url"],
                "msg": "no such place",
                "input": "x",
            }
        ]
    }
    _, commands = await answer(api, "GET", COMMANDS + "/refuse/invalid")
    assert commands == {
        "message": "The given data was invalid.",
        "errors": {"0.template.ws_url": ["no such place"]},
    }


async def test_fixed_sentences(api: Api) -> None:
    _, body = await answer(api, "GET", COMMANDS + "/refuse/offline")
    assert body == {"message": "The charger is offline."}
    _, body = await answer(api, "GET", COMMANDS + "/refuse/timeout")
    assert body == {"message": "The charger did not respond in time."}


async def test_unavailable_says_when_to_come_back(api: Api) -> None:
    for path in PATHS.values():
        response = await api.get(f"{path}/refuse/unavailable")
        assert response.headers["Retry-After"] == "2"


async def test_an_unexpected_exception_shows_nothing(api: Api) -> None:
    for path in PATHS.values():
        response = await api.get(f"{path}/explode")
        text = await response.text()
        assert response.status == 500
        assert "secret" not in text
        assert "Traceback" not in text
    assert await answer(api, "GET", CHARGERS + "/explode") == (
        500,
        {"detail": "Internal server error"},
    )


# ---- bad input -------------------------------------------------------------------------------

BAD = {
    "syntax": b'{"name": ',
    "trailing": b'{"name": "a"} {}',
    "nan": b'{"name": NaN}',
    "not utf-8": b'{"name": "\xff"}',
    "lone surrogate": rb'{"name": "\ud800"}',
    "duplicate key": b'{"name": "a", "name": "b"}',
    "deep": b'{"name": ' + b"[" * 40 + b"]" * 40 + b"}",
    "very deep": b"[" * 5000 + b"]" * 5000,
    "empty": b"",
    "beyond 64 bits": b'{"name": 10000000000000000000000000}',
}


@pytest.mark.parametrize("name", BAD)
async def test_malformed_json(api: Api, name: str) -> None:
    status, native = await post(api, NATIVE, BAD[name])
    assert status == 400
    assert native["code"] in {
        "malformed_json",
        "duplicate_key",
        "too_deep",
        "number_out_of_range",
    }
    status, chargers = await post(api, CHARGERS, BAD[name])
    assert status == 422
    assert chargers["detail"][0]["loc"] == ["body"]
    assert chargers["detail"][0]["type"] == "json_invalid"
    status, commands = await post(api, COMMANDS, BAD[name])
    assert status == 422
    assert commands["message"] == "The given data was invalid."
    assert list(commands["errors"]) == ["body"]


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"name": 5}, ["name"]),
        ({}, ["name"]),
        ({"name": "a", "inner": {"number": "1"}}, ["inner", "number"]),
        ({"name": "a", "extra": 1}, ["extra"]),
        ({"name": "a", "many": ["a", 2]}, ["many", 1]),
        ([], []),
        ("text", []),
    ],
)
async def test_wrong_types_and_unknown_fields(api: Api, body: Any, place: list[str | int]) -> None:
    _, chargers = await answer(api, "POST", CHARGERS, json=body)
    assert chargers["detail"][0]["loc"] == ["body", *place]
    assert {"type", "loc", "msg", "input"} <= chargers["detail"][0].keys()
    _, commands = await answer(api, "POST", COMMANDS, json=body)
    assert list(commands["errors"]) == [".".join(map(str, place)) or "body"]
    status, native = await answer(api, "POST", NATIVE, json=body)
    assert (status, native["code"]) == (422, "invalid")
    assert native["errors"][0]["pointer"] == "".join(f"/{part}" for part in place)


async def test_an_unknown_query_key(api: Api) -> None:
    _, body = await answer(api, "POST", CHARGERS + "?pages=2", json={"name": "a"})
    assert body["detail"][0]["loc"] == ["query", "pages"]
    _, body = await answer(api, "POST", NATIVE + "?page=x", json={"name": "a"})
    assert (body["errors"][0]["in"], body["errors"][0]["pointer"]) == ("query", "/page")


async def test_a_body_that_is_not_json(api: Api) -> None:
    for path in PATHS.values():
        assert (await post(api, path, b"name=a", "application/x-www-form-urlencoded"))[0] == 415
        assert (await post(api, path, b'{"name": "a"}', "application/vnd.api+json"))[0] == 201
    _, body = await post(api, COMMANDS, b"a", "text/plain")
    assert list(body) == ["message"]


async def test_a_huge_body_is_refused_before_it_is_read(api: Api) -> None:
    huge = b'{"name": "' + b"x" * (1024 * 1024) + b'"}'
    assert [(await post(api, path, huge))[0] for path in PATHS.values()] == [413, 413, 413]


async def test_a_huge_body_of_unknown_length(api: Api) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b'{"name": "'
        for _ in range(40):
            yield b"x" * 65536

    response = await api.post(CHARGERS, data=chunks(), headers={"Content-Type": "application/json"})
    assert response.status == 413
    assert list(await response.json()) == ["detail"]


async def test_a_complaint_does_not_send_a_large_input_back(api: Api) -> None:
    body = {"name": ["x" * 1000] * 100}
    _, answered = await answer(api, "POST", CHARGERS, json=body)
    assert answered["detail"][0]["input"] is None


async def test_writes_are_refused_while_draining(api: Api) -> None:
    api.deps.draining = True
    for path in PATHS.values():
        response = await api.post(path, json={"name": "a"})
        assert (response.status, response.headers["Retry-After"]) == (503, "2")
    assert (await api.get(NATIVE + "/refuse/missing")).status == 404


# ---- every answer ----------------------------------------------------------------------------


async def test_every_answer_has_a_request_id(api: Api) -> None:
    for path in ("/nothing", NATIVE, NATIVE + "/explode"):
        response = await api.get(path)
        assert len(response.headers["X-Request-Id"]) == 32
        assert response.headers["X-Content-Type-Options"] == "nosniff"


async def test_a_sane_request_id_is_kept(api: Api) -> None:
    response = await api.get("/nothing", headers={"X-Request-Id": "abc-1.2"})
    assert response.headers["X-Request-Id"] == "abc-1.2"
    response = await api.get("/nothing", headers={"X-Request-Id": "a b"})
    assert response.headers["X-Request-Id"] != "a b"
