"""A station's local list natively: what is known of it, and replacing it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.api.v1.scene import make_station, stranger

if TYPE_CHECKING:
    from csms.domain.stations import Station
    from tests.api.conftest import Api, ScriptedHub


@pytest.fixture
async def station(api: Api) -> Station:
    return await make_station(api)


@pytest.fixture
def taking(hub: ScriptedHub, station: Station) -> ScriptedHub:
    hub.connect(station.id)
    hub.automatic = lambda call: {"status": "Accepted"}
    return hub


def path_of(station: Station) -> str:
    return f"/api/v1/stations/{station.uuid}/local-list"


async def shown(api: Api, station: Station) -> dict[str, Any]:
    response = await api.get(path_of(station), role="operator")
    assert response.status == 200, await response.text()
    found: dict[str, Any] = await response.json()
    return found


async def test_of_a_list_we_never_heard_of_nothing_is_said(api: Api, station: Station) -> None:
    assert await shown(api, station) == {
        "version": None,
        "is_known": False,
        "refusal": None,
        "entries": None,
    }


async def test_a_list_that_the_station_took_is_known(
    api: Api, station: Station, taking: ScriptedHub
) -> None:
    body = {"entries": [{"id_token": "TAG", "expires_at": "2027-01-01T00:00:00Z"}]}
    response = await api.put(path_of(station), json=body, role="operator")
    assert (response.status, (await response.json())["state"]) == (200, "succeeded")
    (call,) = taking.calls
    assert (call.payload["updateType"], call.payload["listVersion"]) == ("Full", 1)
    known = await shown(api, station)
    assert (known["version"], known["is_known"]) == (1, True)
    (entry,) = known["entries"]
    assert (entry["id_token"], entry["status"], entry["id_token_type"]) == ("TAG", "Accepted", None)
    assert entry["expires_at"] == "2027-01-01T00:00:00.000000Z"


async def test_a_list_is_emptied(api: Api, station: Station, taking: ScriptedHub) -> None:
    await api.put(path_of(station), json={"entries": [{"id_token": "TAG"}]})
    response = await api.delete(path_of(station))
    assert (response.status, (await response.json())["state"]) == (200, "succeeded")
    known = await shown(api, station)
    assert (known["is_known"], known["entries"]) == (True, [])


async def test_the_list_may_be_made_of_the_id_tokens(
    api: Api, station: Station, taking: ScriptedHub
) -> None:
    made = await api.post("/api/v1/id-tokens", json={"value": "CARD", "status": "Accepted"})
    assert made.status == 201, await made.text()
    response = await api.put(path_of(station), json={"source": "id_tokens"})
    assert response.status == 200, await response.text()
    (entry,) = (await shown(api, station))["entries"]
    assert entry["id_token"] == "CARD"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"entries": [], "source": "id_tokens"},
        {"source": "elsewhere"},
        {"entries": [{"id_token": ""}]},
        {"entries": [{"id_token": "A", "status": "Odd"}]},
        {"entries": [{"id_token": "A", "expires_at": "2027-01-01T00:00:00"}]},
        {"entries": [{"id_token": "A"}] * 301},
    ],
)
async def test_a_bad_list_is_refused(
    api: Api, station: Station, taking: ScriptedHub, body: dict[str, Any]
) -> None:
    assert (await api.put(path_of(station), json=body)).status == 422
    assert taking.calls == []


async def test_a_complaint_names_its_place_in_the_body(
    api: Api, station: Station, taking: ScriptedHub
) -> None:
    body = {"entries": [{"id_token": "A"}, {"id_token": "a"}]}
    response = await api.put(path_of(station), json=body)
    (complaint,) = (await response.json())["errors"]
    assert (response.status, complaint["pointer"]) == (422, "/entries/1/id_token")


async def test_an_offline_station_is_a_conflict(api: Api, station: Station) -> None:
    response = await api.put(path_of(station), json={"entries": []})
    assert (response.status, (await response.json())["code"]) == (409, "station_offline")


async def test_who_may_not_does_not(api: Api, station: Station, taking: ScriptedHub) -> None:
    role = await stranger(api)
    assert (await api.get(path_of(station), role=role)).status == 404
    for who, status in ((role, 404), ("viewer", 403)):
        assert (await api.put(path_of(station), json={"entries": []}, role=who)).status == status
        assert (await api.delete(path_of(station), role=who)).status == status
    assert taking.calls == []
