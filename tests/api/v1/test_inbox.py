"""The inbox natively: who knocked, and letting one in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from csms.domain.onboarding import Cause
from csms.domain.permissions import Role
from csms.ocpp.settings import OcppSettings
from csms.services import inbox, locations, tokens
from csms.store import credentials, stations
from csms.store.database import ReadTx, Tx

if TYPE_CHECKING:
    from tests.api.conftest import Api, ScriptedHub

PATH = "/api/v1/inbox"


async def knock(api: Api, *identities: str) -> None:
    for identity in identities:
        await inbox.record(api.deps.db, identity, Cause.UNKNOWN_IDENTITY, "192.0.2.1")
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


async def only_entry(api: Api) -> str:
    (entry,) = (await (await api.get(PATH)).json())["items"]
    return str(entry["id"])


async def test_a_password_that_the_station_has_shown_stays_its_own(
    api: Api, hub: ScriptedHub
) -> None:
    await knock(api, "CP-1")
    hub.shown["CP-1", "192.0.2.1"] = b"a-password-of-its-own"
    path = f"{PATH}/{await only_entry(api)}/accept"
    accepted = await (await api.post(path)).json()
    assert (accepted["password"], accepted["password_from"]) == (None, "station")
    assert accepted["admitted"]
    assert hub.admitted == [("CP-1", "192.0.2.1")]
    assert hub.accepted == []


async def test_one_without_a_password_stays_and_is_told_one(api: Api, hub: ScriptedHub) -> None:
    await knock(api, "CP-1")
    hub.bare.add(("CP-1", "192.0.2.1"))
    hub.shown["CP-1", "192.0.2.1"] = b"short"
    accepted = await (await api.post(f"{PATH}/{await only_entry(api)}/accept")).json()
    assert (accepted["password"], accepted["password_from"]) == (None, "told")
    assert accepted["admitted"]
    assert hub.admitted == [("CP-1", "192.0.2.1")]
    assert hub.accepted == []
    assert [("none_yet", "192.0.2.1")] == await passwords_of(api, "CP-1")


async def passwords_of(api: Api, identity: str) -> list[tuple[str, str | None]]:
    """Kind and address of what is stored."""

    def read(tx: ReadTx) -> list[tuple[str, str | None]]:
        station = stations.find_by_identity(tx, identity)
        assert station is not None
        stored = credentials.list_of_station(tx, station.id)
        return [(one.kind.value, one.origin) for one in stored]

    return await api.deps.db.read(read)


async def test_one_that_went_away_meanwhile_comes_back_without_a_password_too(
    api: Api, hub: ScriptedHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    await knock(api, "CP-1")
    hub.bare.add(("CP-1", "192.0.2.1"))
    monkeypatch.setattr(hub, "admit_held", lambda *_: False)
    accepted = await (await api.post(f"{PATH}/{await only_entry(api)}/accept")).json()
    assert (accepted["password"], accepted["password_from"]) == (None, "told")
    assert not accepted["admitted"]
    assert [("none_yet", "192.0.2.1")] == await passwords_of(api, "CP-1")


async def test_a_certificate_is_enough_and_no_password_is_made(api: Api, hub: ScriptedHub) -> None:
    cause = Cause.UNKNOWN_WITH_CERTIFICATE
    await inbox.record(api.deps.db, "CP-1", cause, "192.0.2.1")
    hub.bare.add(("CP-1", "192.0.2.1"))
    accepted = await (await api.post(f"{PATH}/{await only_entry(api)}/accept")).json()
    assert (accepted["password_from"], accepted["password"]) == ("certificate", None)
    assert (hub.admitted, hub.accepted) == ([], ["CP-1"])
    assert [] == await passwords_of(api, "CP-1")


async def test_who_waits_is_told_from_who_was_refused(api: Api, hub: ScriptedHub) -> None:
    for cause in (Cause.UNKNOWN_IDENTITY, Cause.NO_COMMON_SUBPROTOCOL):
        await inbox.record(api.deps.db, "CP-1", cause, "192.0.2.1")
    await knock(api, "CP-2")
    hub.bare.add(("CP-1", "192.0.2.1"))
    shown = (await (await api.get(PATH)).json())["items"]
    assert {
        ("CP-1", "unknown_identity", True),
        ("CP-1", "no_common_subprotocol", False),
        ("CP-2", "unknown_identity", False),
    } == {(one["identity"], one["cause"], one["held"]) for one in shown}


@pytest.mark.parametrize(
    ("identity", "cause"),
    [
        ("ocpp", Cause.NO_IDENTITY),
        ("", Cause.TLS_ALERT),
        ("1.6", Cause.BAD_HANDSHAKE),
        ("***@CP-1", Cause.INVALID_IDENTITY),
    ],
)
async def test_an_attempt_that_named_no_station_makes_none(
    api: Api, identity: str, cause: Cause
) -> None:
    await inbox.record(api.deps.db, identity, cause, "192.0.2.1")
    response = await api.post(f"{PATH}/{await only_entry(api)}/accept")
    assert (response.status, (await response.json())["code"]) == (422, "invalid_identity")
    assert (await (await api.get("/api/v1/stations")).json())["items"] == []


@pytest.mark.parametrize("body", [{"new_password": True}, {"password": "another-password"}])
async def test_with_another_password_the_station_has_to_come_again(
    api: Api, hub: ScriptedHub, body: dict[str, Any]
) -> None:
    await knock(api, "CP-1")
    hub.shown["CP-1", "192.0.2.1"] = b"a-password-of-its-own"
    path = f"{PATH}/{await only_entry(api)}/accept"
    accepted = await (await api.post(path, json=body)).json()
    assert not accepted["admitted"]
    assert (accepted["password"] is None) == ("password" in body)
    assert hub.admitted == []
    assert hub.accepted == ["CP-1"]


@pytest.mark.parametrize(
    "body",
    [
        {"password": "too-short"},
        {"password": "x" * 65},
        {"password": "long-enough-for-it", "new_password": True},
        {"password": 5},
        {"other": 1},
    ],
)
async def test_a_password_that_cannot_be_one_makes_no_station(
    api: Api, body: dict[str, Any]
) -> None:
    await knock(api, "CP-1")
    path = f"{PATH}/{await only_entry(api)}/accept"
    assert (await api.post(path, json=body)).status == 422
    assert (await (await api.get("/api/v1/stations")).json())["items"] == []


async def test_an_entry_can_be_forgotten(api: Api) -> None:
    await knock(api, "CP-1", "CP-2")
    entry = (await (await api.get(PATH)).json())["items"][0]
    assert (await api.delete(f"{PATH}/{entry['id']}")).status == 204
    left = (await (await api.get(PATH)).json())["items"]
    assert [one["identity"] for one in left] == ["CP-1"]
    assert (await api.delete(f"{PATH}/{entry['id']}")).status == 404
    assert (await api.delete(f"{PATH}/{left[0]['id']}", role="viewer")).status == 403


async def test_attempts_of_one_moment_are_all_listed(api: Api) -> None:
    def note(tx: Tx) -> None:
        for number in range(5):
            inbox.note(tx, f"CP-{number}", Cause.UNKNOWN_IDENTITY, "192.0.2.1")

    await api.deps.db.write(note)
    found, cursor = [], ""
    while cursor is not None:
        page = await (await api.get(f"{PATH}?limit=2{cursor and f'&cursor={cursor}'}")).json()
        found += [entry["identity"] for entry in page["items"]]
        cursor = page["next_cursor"]
    assert sorted(found) == [f"CP-{number}" for number in range(5)]


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
    assert (await api.delete(f"{PATH}/x", role="bound")).status == 403
