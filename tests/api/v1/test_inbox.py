"""The inbox natively: who knocked, and letting one in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from csms.domain.permissions import Role
from csms.ocpp.settings import OcppSettings
from csms.services import inbox, locations, tokens

if TYPE_CHECKING:
    from tests.api.conftest import Api, ScriptedHub

PATH = "/api/v1/inbox"


async def knock(api: Api, *identities: str) -> None:
    for identity in identities:
        await inbox.record(api.deps.db, identity, "unknown_identity", "192.0.2.1")
        api.deps.clock.advance(1)  # type: ignore[attr-defined]


async def test_the_newest_attempts_come_first(api: Api) -> None:
    await knock(api, "CP-1", "CP-2", "CP-3")
    first = await (await api.get(f"{PATH}?limit=2")).json()
    rest = await (await api.get(f"{PATH}?limit=2&cursor={first['next_cursor']}")).json()
    shown = first["items"] + rest["items"]
    assert [entry["identity"] for entry in shown] == ["CP-3", "CP-2", "CP-1"]
    assert (shown[0]["cause"], shown[0]["address"]) == ("unknown_identity", "192.0.2.1")


async def test_accepting_makes_a_station_with_a_password(api: Api, hub: ScriptedHub) -> None:
    place = await api.deps.db.write(lambda tx: locations.create(tx, name="Depot"))
    await knock(api, "CP-1")
    (entry,) = (await (await api.get(PATH)).json())["items"]
    response = await api.post(
        f"{PATH}/{entry['id']}/accept", json={"location_id": place.uuid, "name": "Bay 1"}
    )
    accepted = await response.json()
    assert response.status == 201
    assert (accepted["identity"], len(accepted["password"])) == ("CP-1", 20)
    station = await (await api.get(f"/api/v1/stations/{accepted['station_id']}")).json()
    assert (station["location_id"], station["name"]) == (place.uuid, "Bay 1")
    assert hub.accepted == ["CP-1"]
    assert (await (await api.get(PATH)).json())["items"] == []


async def test_where_stations_need_no_password_none_is_made(api: Api, hub: ScriptedHub) -> None:
    hub.settings = OcppSettings(allow_no_password=True)
    await knock(api, "CP-1")
    (entry,) = (await (await api.get(PATH)).json())["items"]
    accepted = await (await api.post(f"{PATH}/{entry['id']}/accept")).json()
    assert accepted["password"] is None


async def test_accepting_again_with_the_same_key_finds_the_station(api: Api) -> None:
    await knock(api, "CP-1")
    (entry,) = (await (await api.get(PATH)).json())["items"]
    headers = {"Idempotency-Key": "k"}
    first = await (await api.post(f"{PATH}/{entry['id']}/accept", headers=headers)).json()
    again = await (await api.post(f"{PATH}/{entry['id']}/accept", headers=headers)).json()
    assert (again["station_id"], again["password"]) == (first["station_id"], None)
    assert (await api.post(f"{PATH}/{entry['id']}/accept")).status == 404


@pytest.mark.parametrize("identity", ["x" * 60, "a:b"])
async def test_an_identity_no_station_may_have_stays_in_the_inbox(api: Api, identity: str) -> None:
    await knock(api, identity)
    (entry,) = (await (await api.get(PATH)).json())["items"]
    response = await api.post(f"{PATH}/{entry['id']}/accept")
    assert (response.status, (await response.json())["code"]) == (422, "invalid_identity")
    assert len((await (await api.get(PATH)).json())["items"]) == 1


async def test_a_bound_token_has_no_inbox(api: Api) -> None:
    place = await api.deps.db.write(lambda tx: locations.create(tx, name="Depot"))
    _, api.bearers["bound"] = await api.deps.db.write(
        lambda tx: tokens.create(
            tx, name="site", role=Role.OPERATOR, location_ids=frozenset({place.id})
        )
    )
    assert (await api.get(PATH, role="bound")).status == 403
    assert (await api.post(f"{PATH}/x/accept", role="bound")).status == 403
