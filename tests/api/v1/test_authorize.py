"""Trying an id token out, and the groups that tokens are in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from csms.domain.id_tokens import AuthorizationStatus
from csms.domain.permissions import Role
from csms.domain.stations import NewStation
from csms.domain.transactions import StartReport
from csms.ocpp.settings import OcppSettings
from csms.services import locations, quirks, stations, tokens, transactions
from csms.store import id_tokens as store
from csms.store.id_tokens import IdTokenFilter

if TYPE_CHECKING:
    from csms.domain.id_tokens import IdToken
    from csms.domain.stations import Station
    from tests.api.conftest import Api

TOKENS = "/api/v1/id-tokens"
GROUPS = "/api/v1/id-token-groups"


@pytest.fixture
async def station(api: Api) -> Station:
    return await api.deps.db.write(lambda tx: stations.create(tx, NewStation("CP-1")))


async def decide(api: Api, value: str, **more: Any) -> str:
    body = {"value": value, "status": "Accepted", **more}
    response = await api.post(TOKENS, json=body)
    assert 201 == response.status, await response.text()
    return (await response.json())["id"]


async def judge(api: Api, value: str, **more: Any) -> dict[str, Any]:
    response = await api.post(
        "/api/v1/authorize", json={"id_token": value, **more}, role="operator"
    )
    assert 200 == response.status, await response.text()
    return await response.json()


async def known(api: Api) -> list[IdToken]:
    return await api.deps.db.read(lambda tx: store.list_page(tx, IdTokenFilter(), limit=100))


async def test_a_known_token_is_told_what_was_decided(api: Api):
    made = await decide(api, "CARD", group_id_token="fleet", expires_at="2026-06-01T00:00:00Z")
    assert {
        "status": "Accepted",
        "status_at_start": "Accepted",
        "expires_at": "2026-06-01T00:00:00.000000Z",
        "group_id_token": "fleet",
        "id_token_id": made,
    } == await judge(api, "card")


async def test_an_unknown_token_is_judged_and_not_recorded(api: Api):
    before = await known(api)
    verdict = await judge(api, "STRANGER", id_token_type="ISO14443")
    assert ("Accepted", None) == (verdict["status"], verdict["id_token_id"])
    assert before == await known(api)


async def test_trying_out_does_not_count_as_seeing(api: Api):
    await decide(api, "CARD")
    (before,) = await known(api)
    await judge(api, "CARD")
    assert [before] == await known(api)


@pytest.mark.parametrize(
    ("settings", "asked", "at_start"),
    [
        ({"status": "Blocked"}, "Blocked", "Blocked"),
        ({"expires_at": "2026-01-01T00:00:00Z"}, "Expired", "Expired"),
        ({"is_master": True, "group_id_token": "m"}, "Accepted", "Invalid"),
    ],
)
async def test_a_verdict_tells_asking_from_starting(
    api: Api, settings: dict[str, Any], asked: str, at_start: str
):
    await decide(api, "CARD", **settings)
    verdict = await judge(api, "CARD")
    assert (asked, at_start) == (verdict["status"], verdict["status_at_start"])


async def test_a_token_that_charges_elsewhere_may_not_start_again(api: Api, station: Station):
    await decide(api, "CARD", max_open_transactions=1)
    report = StartReport(1, "CARD", 0, None, None, "key", frozenset(), "{}")
    await api.deps.db.write(
        lambda tx: transactions.start_v16(tx, station.id, report, OcppSettings().token_policy)
    )
    verdict = await judge(api, "CARD")
    assert ("Accepted", "ConcurrentTx") == (verdict["status"], verdict["status_at_start"])


async def test_the_spelling_of_a_station_counts_and_is_not_learned(api: Api, station: Station):
    made = await decide(api, "04A2B3C4D5E680")
    await api.deps.db.write(
        lambda tx: quirks.override(tx, station.id, {"tag_spellings": ["reversed"]})
    )
    backwards = "80E6D5C4B3A204"
    assert (await judge(api, backwards))["id_token_id"] is None
    verdict = await judge(api, backwards, station_id="identity:CP-1")
    assert ("Accepted", made) == (verdict["status"], verdict["id_token_id"])
    (token,) = await known(api)
    aliases = await api.deps.db.read(lambda tx: store.list_aliases(tx, token.id))
    assert ([], AuthorizationStatus.ACCEPTED) == (aliases, token.status)


@pytest.mark.parametrize(
    "body",
    [{}, {"id_token": ""}, {"id_token": "x" * 256}, {"id_token": "x", "idTag": "y"}],
)
async def test_what_is_no_token_is_refused(api: Api, body: dict[str, Any]):
    assert 422 == (await api.post("/api/v1/authorize", json=body)).status


async def test_an_unknown_station_is_not_found(api: Api):
    body = {"id_token": "CARD", "station_id": "identity:CP-9"}
    assert 404 == (await api.post("/api/v1/authorize", json=body)).status


async def test_viewers_and_bound_tokens_try_nothing_out(api: Api):
    place = await api.deps.db.write(lambda tx: locations.create(tx, name="Yard", slug="yard"))
    _, bearer = await api.deps.db.write(
        lambda tx: tokens.create(
            tx, name="bound", role=Role.ADMIN, location_ids=frozenset({place.id})
        )
    )
    headers = {"Authorization": f"Bearer {bearer}"}
    body = {"id_token": "CARD"}
    assert 403 == (await api.post("/api/v1/authorize", json=body, role="viewer")).status
    response = await api.post("/api/v1/authorize", json=body, role=None, headers=headers)
    assert 403 == response.status
    assert 403 == (await api.get(GROUPS, role="viewer")).status
    assert 403 == (await api.get(GROUPS, role=None, headers=headers)).status


# ---- groups ------------------------------------------------------------------------------------


async def test_groups_are_listed_by_name_with_their_tokens(api: Api):
    await decide(api, "A", group_id_token="fleet")
    await decide(api, "B", group_id_token="fleet", status="Blocked")
    await decide(api, "C", group_id_token="fleet", is_master=True)
    await decide(api, "D", group_id_token="Ärzte")
    await decide(api, "E")
    first = await (await api.get(GROUPS + "?limit=1", role="operator")).json()
    assert [{"group_id_token": "fleet", "tokens": 3, "accepted": 2, "masters": 1}] == first["items"]
    await decide(api, "F", group_id_token="alpha")  # sorts before what was read
    rest = await (await api.get(f"{GROUPS}?cursor={first['next_cursor']}")).json()
    assert ["Ärzte"] == [group["group_id_token"] for group in rest["items"]]
    assert rest["next_cursor"] is None


async def test_a_cursor_that_is_none_is_refused(api: Api):
    assert 422 == (await api.get(GROUPS + "?cursor=_w")).status
