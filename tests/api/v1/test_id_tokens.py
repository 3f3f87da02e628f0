"""Id tokens natively: decided about, reviewed, spelled in several ways, forgotten."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from csms.domain.id_tokens import ShownToken, TokenPolicy, UnknownIdTokens
from csms.domain.permissions import Role
from csms.domain.stations import NewStation
from csms.events import Event
from csms.services import authorization, locations, stations, tokens

if TYPE_CHECKING:
    from tests.api.conftest import Api, ScriptedHub

PATH = "/api/v1/id-tokens"
POLICY = TokenPolicy(UnknownIdTokens.ACCEPT, None)


async def make(api: Api, value: str, **more: Any) -> dict[str, Any]:
    response = await api.post(PATH, json={"value": value, "status": "Accepted", **more})
    assert response.status == 201, await response.text()
    made: dict[str, Any] = await response.json()
    assert response.headers["Location"] == f"{PATH}/{made['id']}"
    return made


async def items(api: Api, query: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await (await api.get(PATH + query)).json())["items"]
    return found


async def show_at(api: Api, station_id: int, value: str, token_type: str = "") -> None:
    shown = ShownToken(value, token_type)
    await api.deps.db.write(
        lambda tx: authorization.authorize(tx, shown, POLICY, station_id=station_id)
    )


async def test_a_token_keeps_all_that_was_said_about_it(api: Api) -> None:
    made = await make(
        api,
        "04A1b2C3",
        type="ISO14443",
        expires_at="2027-01-01T00:00:00Z",
        group_id_token="FLEET",
        is_master=True,
        max_open_transactions=2,
        aliases=["04A1b2C3_17001"],
        note="van 7",
    )
    assert made.pop("id") and made.pop("first_seen_at") and made.pop("last_seen_at")
    assert made == {
        "value": "04A1b2C3",
        "type": "ISO14443",
        "status": "Accepted",
        "expires_at": "2027-01-01T00:00:00.000000Z",
        "group_id_token": "FLEET",
        "is_master": True,
        "max_open_transactions": 2,
        "aliases": ["04A1b2C3_17001"],
        "note": "van 7",
        "hints": [],
        "last_station_id": None,
    }


async def test_a_token_is_shown_changed_and_forgotten(api: Api) -> None:
    told: list[Any] = []
    api.deps.bus.subscribe(Event, told.append)
    made = await make(api, "CARD", note="lost?")
    path = f"{PATH}/{made['id']}"
    assert await (await api.get(path)).json() == made
    changed = await (await api.request("PUT", path, json={"status": "Blocked"})).json()
    assert changed == {**made, "status": "Blocked", "note": None}
    assert (await api.request("DELETE", path)).status == 204
    assert (await api.get(path)).status == 404
    assert (await api.request("PUT", path, json={"status": "Blocked"})).status == 404
    assert (await api.request("DELETE", path)).status == 404
    assert [(event.type, event.data) for event in told] == [
        ("id_token.created", {"id": made["id"], "status": "Accepted"}),
        ("id_token.updated", {"id": made["id"], "status": "Blocked"}),
        ("id_token.deleted", {"id": made["id"], "status": "Blocked"}),
    ]


async def test_what_is_given_is_changed_and_the_rest_stays(api: Api) -> None:
    said = {"expires_at": "2027-01-01T00:00:00Z", "group_id_token": "FLEET", "aliases": ["B"]}
    made = await make(api, "A", **said, is_master=True, max_open_transactions=2, note="van 7")
    path = f"{PATH}/{made['id']}"
    for changes in ({}, {"status": "Blocked"}, {"note": None, "aliases": []}, {"is_master": False}):
        made |= changes
        changed = await api.request("PATCH", path, json=changes)
        assert (200, made) == (changed.status, await changed.json())
    cleared = {"expires_at": None, "group_id_token": None, "max_open_transactions": None}
    changed = await api.request("PATCH", path, json=cleared)
    assert made | cleared == await changed.json()
    assert made | cleared == await (await api.get(path)).json()


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"group_id_token": None}, "/group_id_token"),
        ({"status": None}, "/status"),
        ({"status": "Unknown"}, "/status"),
        ({"aliases": None}, "/aliases"),
        ({"value": "B"}, "/value"),
    ],
)
async def test_what_makes_no_change_of_a_token(
    api: Api, changes: dict[str, Any], pointer: str
) -> None:
    made = await make(api, "A", is_master=True, group_id_token="FLEET")
    refused = await api.request("PATCH", f"{PATH}/{made['id']}", json=changes)
    assert 422 == refused.status
    assert [pointer] == [one["pointer"] for one in (await refused.json())["errors"]]
    assert made == await (await api.get(f"{PATH}/{made['id']}")).json()


async def test_one_that_waits_for_review_is_changed_by_a_decision(api: Api) -> None:
    station = await api.deps.db.write(lambda tx: stations.create(tx, NewStation("CP-1")))
    await show_at(api, station.id, "A")
    (waiting,) = await items(api)
    path = f"{PATH}/{waiting['id']}"
    refused = await api.request("PATCH", path, json={"note": "van 7"})
    assert (422, "/status") == (refused.status, (await refused.json())["errors"][0]["pointer"])
    decided = await api.request("PATCH", path, json={"note": "van 7", "status": "Accepted"})
    assert waiting | {"note": "van 7", "status": "Accepted"} == await decided.json()


async def test_a_token_is_made_once_per_type_whatever_its_case(api: Api) -> None:
    await make(api, "CARD", type="ISO14443", aliases=["OTHER"])
    await make(api, "CARD", type="KeyCode")
    for body in (
        {"value": " card", "type": "ISO14443", "status": "Blocked"},
        {"value": "other", "type": "ISO14443", "status": "Blocked"},
        {"value": "new", "type": "ISO14443", "status": "Blocked", "aliases": ["Other"]},
    ):
        response = await api.post(PATH, json=body)
        assert (response.status, (await response.json())["code"]) == (409, "conflict")
    assert [one["type"] for one in await items(api, "?value=cARD")] == ["KeyCode", "ISO14443"]
    assert [one["value"] for one in await items(api, "?value=other")] == ["CARD"]
    assert await items(api, "?value=new") == []


async def test_a_repeated_creation_makes_one(api: Api) -> None:
    body = {"value": "CARD", "status": "Accepted"}
    for replayed in (None, "true"):
        response = await api.post(PATH, json=body, headers={"Idempotency-Key": "k"})
        assert response.status == 201
        assert response.headers.get("Idempotency-Replayed") == replayed
    assert len(await items(api)) == 1


async def test_an_unknown_token_waits_for_review_with_where_and_what_it_looks_like(
    api: Api,
) -> None:
    station = await api.deps.db.write(lambda tx: stations.create(tx, NewStation("CP-1")))
    card = await make(api, "04A1B2C3D4E5F6")
    await show_at(api, station.id, "F6E5D4C3B2A104")
    await show_at(api, station.id, "STRANGER", "Local")
    stranger, turned = await items(api, "?under_review=true")
    assert (stranger["value"], stranger["type"], stranger["hints"]) == ("STRANGER", "Local", [])
    assert (turned["status"], turned["last_station_id"]) == ("Unknown", station.uuid)
    assert turned["hints"] == [
        {"resemblance": "reversed", "id": card["id"], "value": "04A1B2C3D4E5F6"}
    ]
    assert await items(api, "?under_review=false") == [card]

    decided = await make(api, "stranger", type="Local")
    assert (decided["id"], decided["value"]) == (stranger["id"], "STRANGER")
    path = f"{PATH}/{card['id']}"
    body = {"status": "Accepted", "aliases": ["F6E5D4C3B2A104"]}
    assert (await api.request("PUT", path, json=body)).status == 200
    assert await items(api, "?under_review=true") == []


async def test_the_list_pages_and_the_newest_comes_first(api: Api) -> None:
    for value in "abc":
        await make(api, value, group_id_token="FLEET" if value != "b" else "OTHER")
    first = await (await api.get(f"{PATH}?limit=2")).json()
    rest = await (await api.get(f"{PATH}?limit=2&cursor={first['next_cursor']}")).json()
    assert [one["value"] for one in first["items"] + rest["items"]] == ["c", "b", "a"]
    assert rest["next_cursor"] is None
    assert [one["value"] for one in await items(api, "?group_id_token=FLEET")] == ["c", "a"]


@pytest.mark.parametrize(
    "more",
    [
        {"value": ""},
        {"value": " \x00"},
        {"value": "x" * 256},
        {"status": "Expired"},
        {"status": "Unknown"},
        {"status": "accepted"},
        {"expires_at": "2027-01-01T00:00:00"},
        {"is_master": True},
        {"max_open_transactions": 0},
        {"aliases": ["card"]},
        {"aliases": ["b", "B"]},
        {"aliases": [" "]},
        {"type": "NoAuthorization"},
        {"type": "x" * 21},
        {"group": "FLEET"},
    ],
)
async def test_a_bad_token_is_refused(api: Api, more: dict[str, Any]) -> None:
    response = await api.post(PATH, json={"value": "CARD", "status": "Accepted", **more})
    assert response.status == 422
    assert await items(api) == []


async def test_viewers_and_bound_tokens_see_no_id_tokens(api: Api) -> None:
    made = await make(api, "CARD")
    assert (await api.get(PATH, role="viewer")).status == 403
    assert (await api.get(PATH, role="operator")).status == 200
    place = await api.deps.db.write(lambda tx: locations.create(tx, name="Depot"))
    _, api.bearers["bound"] = await api.deps.db.write(
        lambda tx: tokens.create(
            tx, name="site", role=Role.OPERATOR, location_ids=frozenset({place.id})
        )
    )
    body = {"status": "Blocked"}
    path = f"{PATH}/{made['id']}"
    assert (await api.get(PATH, role="bound")).status == 403
    assert (await api.get(path, role="bound")).status == 403
    assert (await api.post(PATH, role="bound", json={"value": "x", **body})).status == 403
    assert (await api.request("PUT", path, role="bound", json=body)).status == 403
    assert (await api.request("DELETE", path, role="bound")).status == 403


async def test_a_local_list_is_filled_when_the_order_is_accepted(
    api: Api, hub: ScriptedHub
) -> None:
    station = await api.deps.db.write(lambda tx: stations.create(tx, NewStation("CP-1")))
    hub.automatic = lambda _: {"status": "Accepted"}
    hub.connect(station.id)
    path = f"/api/v1/stations/{station.uuid}/commands"
    params = {"update_type": "Differential", "source": "id_tokens"}
    early = await api.post(path, json={"command": "send_local_list", "params": params})
    assert early.status == 422
    (issue,) = (await early.json())["errors"]
    assert issue["pointer"] == "/params/version_number"
    await make(api, "CARD")
    full = {"command": "send_local_list", "params": {**params, "update_type": "Full"}}
    assert (await api.post(path, json=full)).status == 200
    difference = {"command": "send_local_list", "params": params}
    assert (await api.post(path, json=difference)).status == 422, "nothing to change"
    await make(api, "BADGE")
    assert (await api.post(path, json=difference)).status == 200
    card, badge = ({"idTag": tag, "idTagInfo": {"status": "Accepted"}} for tag in ("CARD", "BADGE"))
    assert [call.payload for call in hub.calls] == [
        {"listVersion": 1, "updateType": "Full", "localAuthorizationList": [card]},
        {"listVersion": 2, "updateType": "Differential", "localAuthorizationList": [badge]},
    ]
