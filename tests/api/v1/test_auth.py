"""The token that asks, and how people sign in to the page."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from csms.domain.permissions import Role
from csms.services.sign_in import MOST_CODES
from csms.store import audit, tokens
from csms.store.audit import AuditFilter
from tests.api.v1.scene import stranger

if TYPE_CHECKING:
    from csms.clock import ManualClock
    from tests.api.conftest import Api

PATH = "/api/v1/auth/sign-in"
LINKS = "/api/v1/auth/sign-in-links"
ME = "/api/v1/auth/me"


def open_link(api: Api) -> str:
    return api.deps.sign_in.open()[0]


async def exchange(api: Api, **body: str) -> tuple[int, Any]:
    """The status, and who is signed in or the error's code."""
    response = await api.post(PATH, role=None, json=body)
    answer = await response.json()
    return response.status, answer["name"] if response.status == 201 else answer["code"]


async def test_the_first_sign_in_makes_an_admin_whose_token_nobody_has(api: Api) -> None:
    code = open_link(api)
    assert await exchange(api, code="another") == (422, "sign_in_over")
    response = await api.post(PATH, role=None, json={"code": code})
    signed_in = await response.json()
    assert (response.status, signed_in["name"], signed_in["role"]) == (
        201,
        "first sign-in",
        "admin",
    )
    assert "token" not in signed_in
    assert response.headers["Cache-Control"] == "no-store"
    shown = await (await api.get(ME, role=None)).json()
    assert shown["session"].pop("expires_at")
    assert signed_in["session"].pop("expires_at")
    signed_in["last_used_at"] = shown["last_used_at"]
    assert shown == signed_in
    assert await exchange(api, code=code) == (422, "sign_in_over")


async def test_without_a_link_there_is_nothing_to_exchange(api: Api) -> None:
    assert await exchange(api, code="x") == (422, "sign_in_over")


async def test_a_sign_in_link_is_good_for_an_hour(api: Api, clock: ManualClock) -> None:
    code = open_link(api)
    clock.advance(3600)
    assert await exchange(api, code=code) == (422, "sign_in_over")


async def test_links_do_not_pile_up(api: Api) -> None:
    first = open_link(api)
    for _ in range(MOST_CODES):
        last = open_link(api)
    assert await exchange(api, code=first) == (422, "sign_in_over")
    assert (await exchange(api, code=last))[0] == 201


async def test_who_signed_in_is_in_the_audit(api: Api) -> None:
    await exchange(api, code=open_link(api))
    (entry,) = await api.deps.db.read(
        lambda tx: audit.list_page(tx, AuditFilter(), before_id=None, limit=9)
    )
    assert entry.principal is not None
    assert (entry.principal.name, entry.route, entry.status) == ("first sign-in", PATH, 201)
    assert entry.events == ("token.created", "session.started")


@pytest.mark.parametrize("body", [{}, {"code": "x", "token": "y"}])
async def test_one_thing_is_exchanged(api: Api, body: dict[str, str]) -> None:
    assert await exchange(api, **body) == (422, "invalid")


async def test_a_token_signs_its_owner_in(api: Api) -> None:
    assert await exchange(api, token=api.bearers["operator"]) == (201, "operator")
    shown = await (await api.get(ME, role=None)).json()
    assert (shown["role"], shown["session"]["csrf_token"] != "") == ("operator", True)


async def test_a_token_that_is_none_counts_as_tried(api: Api) -> None:
    assert await exchange(api, token="csms_a_b") == (401, "unauthenticated")
    api.deps.settings = replace(api.deps.settings, failed_tokens_per_minute=3)
    refused = [(await exchange(api, token=f"guess-{number}"))[0] for number in range(4)]
    assert refused == [401, 401, 429, 429]


async def test_whoever_may_sign_in_makes_a_link_for_themselves(api: Api) -> None:
    response = await api.post(LINKS, role="viewer")
    made = await response.json()
    assert (response.status, response.headers["Cache-Control"]) == (201, "no-store")
    assert made["expires_at"] == "2026-05-01T13:00:00.000000Z"
    assert await exchange(api, code=made["secret"]) == (201, "viewer")


async def test_who_manages_tokens_makes_links_for_others(api: Api) -> None:
    viewer = (await (await api.get(ME, role="viewer")).json())["id"]
    admin = (await (await api.get(ME)).json())["id"]
    made = await (await api.post(LINKS, json={"token_id": viewer})).json()
    assert await exchange(api, code=made["secret"]) == (201, "viewer")
    for role in ("operator", await stranger(api, Role.ADMIN)):
        refusal = await api.post(LINKS, role=role, json={"token_id": admin})
        assert refusal.status == 403
    assert (await api.post(LINKS, json={"token_id": "nobody"})).status == 404


async def test_a_link_is_worth_what_its_token_is(api: Api) -> None:
    viewer = (await (await api.get(ME, role="viewer")).json())["id"]
    made = await (await api.post(LINKS, json={"token_id": viewer})).json()
    await api.delete(f"/api/v1/tokens/{viewer}")
    assert await exchange(api, code=made["secret"]) == (422, "sign_in_over")
    assert (await api.post(LINKS, json={"token_id": viewer})).status == 422


async def test_the_secret_of_a_link_is_told_once(api: Api) -> None:
    key = {"Idempotency-Key": "k"}
    first = await (await api.post(LINKS, headers=key)).json()
    again = await (await api.post(LINKS, headers=key)).json()
    assert again == {**first, "secret": None}


async def test_who_shows_a_token_has_no_session(api: Api) -> None:
    shown = await (await api.get(ME, role="viewer")).json()
    found = await api.deps.db.read(lambda tx: tokens.get(tx, shown["id"]))
    assert (shown["name"], shown["session"]) == (found.name, None)
