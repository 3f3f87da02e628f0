"""How often one may ask, and how each dialect says so."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from csms.api.limits import MOST_KEYS, WINDOW_S, Window
from csms.services import tokens

if TYPE_CHECKING:
    from csms.clock import ManualClock
    from tests.api.conftest import Api

NATIVE, CHARGERS, COMMANDS = "/api/v1/stations", "/ocpp/chargers", "/api/v3/chargers"
PATHS = (NATIVE, CHARGERS, COMMANDS)


def limit(api: Api, **changed: Any) -> None:
    api.deps.settings = replace(api.deps.settings, **changed)


async def test_answers_say_how_many_requests_are_left(api: Api, clock: ManualClock) -> None:
    limit(api, requests_per_minute=5)
    clock.advance(WINDOW_S - clock.monotonic() % WINDOW_S + 18)
    for path, left in ((NATIVE, 4), (CHARGERS, 3)):
        headers = (await api.get(path)).headers
        assert headers["RateLimit-Policy"] == '"token";q=5;w=60'
        assert headers["RateLimit"] == f'"token";r={left};t=42'
    headers = (await api.get(COMMANDS)).headers
    assert (headers["X-RateLimit-Limit"], headers["X-RateLimit-Remaining"]) == ("5", "2")
    assert "X-RateLimit-Reset" not in headers
    assert "RateLimit" not in headers


async def test_who_asks_too_often_is_told_when_to_try_again(api: Api, clock: ManualClock) -> None:
    limit(api, requests_per_minute=1)
    clock.advance(WINDOW_S - clock.monotonic() % WINDOW_S + 18)
    assert (await api.get(NATIVE)).status == 200
    refusals = [await api.get(path) for path in PATHS]
    assert [(one.status, one.headers["Retry-After"]) for one in refusals] == [(429, "42")] * 3
    native, chargers, commands = [await one.json(content_type=None) for one in refusals]
    assert (native["code"], native["status"]) == ("rate_limited", 429)
    assert refusals[0].content_type == "application/problem+json"
    assert chargers == {"detail": "Too many requests; try again in 42 s."}
    assert commands == {"message": "Too Many Attempts."}
    assert refusals[2].headers["X-RateLimit-Remaining"] == "0"
    assert refusals[2].headers["X-RateLimit-Reset"] == str(int(clock.now().timestamp()) + 42)
    assert (await api.get(NATIVE, role="viewer")).status == 200
    clock.advance(42)
    assert (await api.get(NATIVE)).status == 200


async def test_public_routes_and_no_limit_at_all(api: Api) -> None:
    limit(api, requests_per_minute=0)
    assert "RateLimit" not in (await api.get(NATIVE)).headers
    limit(api, requests_per_minute=1)
    for _ in range(3):
        assert (await api.get("/healthz")).status == 200


async def tried(api: Api, bearer: str | None, path: str = NATIVE) -> int:
    headers = {} if bearer is None else {"Authorization": f"Bearer {bearer}"}
    return (await api.get(path, role=None, headers=headers)).status


async def test_an_address_that_tries_tokens_is_not_heard(api: Api, clock: ManualClock) -> None:
    limit(api, failed_tokens_per_minute=3)
    assert (await api.get(NATIVE)).status == 200
    assert [await tried(api, f"guess-{number}") for number in range(5)] == [401, 401, 401, 429, 429]
    # Not even the right one, unless it was known there: the guesses would find it.
    assert await tried(api, api.bearers["viewer"]) == 429
    assert (await api.get(NATIVE)).status == 200
    refusal = await api.get(COMMANDS, role=None, headers={"Authorization": "Bearer x"})
    assert await refusal.json() == {"message": "Too Many Attempts."}
    assert refusal.headers["X-RateLimit-Limit"] == "3"
    assert int(refusal.headers["Retry-After"]) == int(60 - clock.monotonic() % 60)
    clock.advance(60)
    assert await tried(api, api.bearers["viewer"]) == 200


async def test_a_known_token_that_is_revoked_counts_as_tried(api: Api) -> None:
    limit(api, failed_tokens_per_minute=2)
    assert (await api.get(NATIVE, role="viewer")).status == 200
    _, _, rest = api.bearers["viewer"].partition("_")
    await api.deps.db.write(lambda tx: tokens.revoke(tx, rest.partition("_")[0]))
    assert [await tried(api, api.bearers["viewer"]) for _ in range(3)] == [401, 401, 429]


async def test_who_shows_no_token_is_not_trying_any(api: Api) -> None:
    limit(api, failed_tokens_per_minute=1)
    assert [await tried(api, None) for _ in range(3)] == [401, 401, 401]


def test_a_flood_of_keys_shares_what_is_left(clock: ManualClock) -> None:
    window = Window(clock, "address")
    for number in range(MOST_KEYS):
        assert window.take(str(number), 5).used == 1
    assert [window.take(f"late-{number}", 5).used for number in range(3)] == [1, 2, 3]
    assert window.take("0", 5).used == 2
    clock.advance(WINDOW_S)
    assert window.take("late-0", 5).used == 1
