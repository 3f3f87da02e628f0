"""Reservations natively: made and cancelled by way of the station."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from csms.domain.permissions import Role
from csms.domain.stations import NewStation
from csms.services import locations, reservations, stations, tokens

if TYPE_CHECKING:
    from csms.domain.stations import Station
    from tests.api.conftest import Api, ScriptedHub

BODY = {"id_token": "TAG", "expires_at": "2026-05-01T14:00:00Z", "evse_id": 1}


@pytest.fixture
async def station(api: Api, hub: ScriptedHub) -> Station:
    made = await api.deps.db.write(lambda tx: stations.create(tx, NewStation("CP-1")))
    hub.connect(made.id)
    hub.automatic = lambda _: {"status": "Accepted"}
    return made


def path(station: Station, number: Any = "") -> str:
    return f"/api/v1/stations/{station.uuid}/reservations{number and f'/{number}'}"


async def make(api: Api, station: Station, **more: Any) -> tuple[int, dict[str, Any]]:
    headers = more.pop("headers", {})
    response = await api.post(
        path(station), json={**BODY, **more}, role="operator", headers=headers
    )
    return response.status, await response.json()


async def listed(api: Api, station: Station) -> list[dict[str, Any]]:
    response = await api.get(path(station), role="operator")
    assert 200 == response.status
    return (await response.json())["items"]


async def test_a_reservation_is_made_with_a_number_of_ours(
    api: Api, station: Station, hub: ScriptedHub
):
    status, made = await make(api, station)
    assert (201, "reserved", 1, "TAG", "2026-05-01T14:00:00.000000Z") == (
        status,
        made["state"],
        made["evse_id"],
        made["id_token"],
        made["expires_at"],
    )
    (call,) = hub.calls
    assert ("ReserveNow", made["reservation_id"], "TAG") == (
        call.action,
        call.payload["reservationId"],
        call.payload["idTag"],
    )
    assert [made] == await listed(api, station)


async def test_the_same_request_twice_reserves_once(api: Api, station: Station, hub: ScriptedHub):
    headers = {"Idempotency-Key": "once"}
    first = await make(api, station, headers=headers)
    assert first == await make(api, station, headers=headers)
    assert 1 == len(hub.calls)


async def test_a_refused_reservation_is_a_conflict_with_the_answer(
    api: Api, station: Station, hub: ScriptedHub
):
    hub.automatic = lambda _: {"status": "Occupied"}
    status, answer = await make(api, station)
    assert (409, "rejected", {"status": "Occupied"}) == (status, answer["code"], answer["response"])
    assert [] == await listed(api, station)


async def test_an_offline_station_reserves_nothing(api: Api, station: Station, hub: ScriptedHub):
    hub.drop(station.id)
    status, answer = await make(api, station)
    assert (409, "station_offline") == (status, answer["code"])


async def test_a_cancelled_reservation_says_so(api: Api, station: Station):
    await make(api, station, reservation_id=7)
    response = await api.delete(path(station, 7), role="operator")
    assert 204 == response.status
    assert [(7, "cancelled")] == [
        (one["reservation_id"], one["state"]) for one in await listed(api, station)
    ]


async def test_one_that_the_station_has_no_more_cannot_be_cancelled(
    api: Api, station: Station, hub: ScriptedHub
):
    await make(api, station, reservation_id=7)
    hub.automatic = lambda _: {"status": "Rejected"}
    response = await api.delete(path(station, 7))
    assert (409, "rejected") == (response.status, (await response.json())["code"])
    assert ["removed"] == [one["state"] for one in await listed(api, station)]


@pytest.mark.parametrize("number", ["8", "x", "٣", "99999999999"])
async def test_an_unknown_number_is_not_found(
    api: Api, station: Station, hub: ScriptedHub, number: str
):
    assert 404 == (await api.delete(path(station, number))).status
    assert [] == hub.calls


async def test_what_others_reserved_and_what_has_expired_is_listed(api: Api, station: Station):
    await make(api, station, reservation_id=1, expires_at="2026-05-01T11:00:00Z")
    await api.deps.db.write(lambda tx: reservations.record_update(tx, station.id, 2, "Removed"))
    assert {(1, "expired", "TAG"), (2, "removed", None)} == {
        (one["reservation_id"], one["state"], one["id_token"]) for one in await listed(api, station)
    }


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"id_token": ""}, "/id_token"),
        ({"evse_id": 0}, "/evse_id"),
        ({"reservation_id": 2**31}, "/reservation_id"),
        ({"expires_at": "soon"}, "/expires_at"),
        ({"expires_at": "2026-05-01T14:00:00"}, "/expires_at"),
        ({"plug": 1}, "/plug"),
        ({"timeout_s": 0}, "/timeout_s"),
        ({"id_token_type": "x" * 21}, "/id_token_type"),
    ],
)
async def test_a_reservation_that_does_not_fit_is_refused(
    api: Api, station: Station, hub: ScriptedHub, wrong: dict[str, Any], pointer: str
):
    status, answer = await make(api, station, **wrong)
    assert (422, [pointer]) == (status, [error["pointer"] for error in answer["errors"]])
    assert [] == hub.calls


async def test_roles_and_reach(api: Api, station: Station):
    assert 403 == (await api.post(path(station), json=BODY, role="viewer")).status
    assert 403 == (await api.delete(path(station, 7), role="viewer")).status
    place = await api.deps.db.write(lambda tx: locations.create(tx, name="Yard", slug="yard"))
    _, bearer = await api.deps.db.write(
        lambda tx: tokens.create(
            tx, name="bound", role=Role.ADMIN, location_ids=frozenset({place.id})
        )
    )
    headers = {"Authorization": f"Bearer {bearer}"}
    await make(api, station, reservation_id=7)
    for method, number, body in (("GET", "", None), ("POST", "", BODY), ("DELETE", 7, None)):
        response = await api.request(
            method, path(station, number), json=body, role=None, headers=headers
        )
        assert 404 == response.status
