"""Charging stations natively: list, show, create, rotate, and sending one command."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from csms.domain.credentials import Verdict
from csms.domain.permissions import Role
from csms.domain.stations import NewStation, Station
from csms.errors import CallRefused, CallTimeout, ConnectionLost
from csms.events import Event
from csms.host import parse_listen
from csms.services import locations, stations, tokens
from tests.door import verify

if TYPE_CHECKING:
    from csms.domain.locations import Location
    from tests.api.conftest import Api, ScriptedHub

PATH = "/api/v1/stations"
ACCEPTED = {"status": "Accepted"}


async def make_location(api: Api, name: str = "Depot") -> Location:
    return await api.deps.db.write(lambda tx: locations.create(tx, name=name))


async def make_station(api: Api, identity: str = "CP-1", **more: Any) -> Station:
    return await api.deps.db.write(lambda tx: stations.create(tx, NewStation(identity, **more)))


async def bind(api: Api, *places: Location, role: Role = Role.OPERATOR) -> None:
    _, api.bearers["bound"] = await api.deps.db.write(
        lambda tx: tokens.create(
            tx, name="bound", role=role, location_ids=frozenset(place.id for place in places)
        )
    )


async def refusal(response: Any) -> str:
    pointer: str = (await response.json())["errors"][0]["pointer"]
    return pointer


async def code_of(response: Any) -> tuple[int, str]:
    return response.status, (await response.json())["code"]


# ---- reading ---------------------------------------------------------------------------------


async def test_the_list_pages_in_order_and_shows_who_is_online(api: Api, hub: ScriptedHub) -> None:
    made = [await make_station(api, f"CP-{n}") for n in range(3)]
    hub.connect(made[1].id)
    first = await (await api.get(f"{PATH}?limit=2")).json()
    rest = await (await api.get(f"{PATH}?limit=2&cursor={first['next_cursor']}")).json()
    shown = first["items"] + rest["items"]
    assert [one["identity"] for one in shown] == ["CP-0", "CP-1", "CP-2"]
    assert [one["online"] for one in shown] == [False, True, False]
    assert rest["next_cursor"] is None


async def test_a_station_is_found_by_id_and_by_identity_whatever_its_case(api: Api) -> None:
    made = await make_station(api, "Depot 1/ä".replace("/", "-"))
    for path in (made.uuid, "identity:Depot%201-%C3%A4", "identity:DEPOT%201-%C3%A4"):
        response = await api.get(f"{PATH}/{path}")
        assert (await response.json())["id"] == made.uuid
    assert (await api.get(f"{PATH}/identity:nobody")).status == 404


async def test_a_bound_token_sees_the_stations_of_its_locations(api: Api) -> None:
    here, there = await make_location(api, "Here"), await make_location(api, "There")
    mine = await make_station(api, "CP-1", location_id=here.id)
    other = await make_station(api, "CP-2", location_id=there.id)
    stray = await make_station(api, "CP-3")
    await bind(api, here)
    listed = await (await api.get(PATH, role="bound")).json()
    assert [one["id"] for one in listed["items"]] == [mine.uuid]
    for station in (other, stray):
        for method, tail in (("GET", ""), ("POST", "/credentials/rotate")):
            response = await api.request(method, f"{PATH}/{station.uuid}{tail}", role="bound")
            assert response.status == 404
    response = await api.get(f"{PATH}?location_id={there.uuid}", role="bound")
    assert response.status == 404


# ---- creating --------------------------------------------------------------------------------


async def test_the_url_is_one_that_a_station_reaches_whoever_asks_from_this_machine(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    addresses = [("lo", "127.0.0.1", 4), ("eth0", "192.0.2.7", 4)]
    monkeypatch.setattr("csms.host.interface_addresses", lambda: addresses)
    listening = (parse_listen("0.0.0.0:9000"),)
    api.deps.settings = replace(api.deps.settings, listening=listening)
    made = await (await api.post(PATH, json={"identity": "CP-1"})).json()
    assert "ws://192.0.2.7:9000/ocpp/CP-1" == made["connection_url"]


async def test_a_new_station_gets_its_url_and_its_password_once(api: Api) -> None:
    place = await make_location(api)
    body = {"identity": "CP 1", "location_id": place.uuid, "name": "Bay 1", "ocpp_version": "1.6"}
    response = await api.post(PATH, json=body)
    made = await response.json()
    assert response.status == 201
    assert response.headers["Location"] == f"{PATH}/{made['id']}"
    assert made["connection_url"].endswith("/ocpp/CP%201")
    assert len(made["password"]) == 20
    station = await api.deps.db.read(lambda tx: stations.store.find_by_uuid(tx, made["id"]))
    verdict = await verify(api.deps.passwords, station.id, made["password"].encode())
    assert verdict is Verdict.OK
    assert "password" not in await (await api.get(f"{PATH}/{made['id']}")).json()


async def test_a_supplied_password_is_not_sent_back(api: Api) -> None:
    response = await api.post(PATH, json={"identity": "CP-1", "password": "correct horse bat"})
    made = await response.json()
    assert made["password"] is None
    station = await api.deps.db.read(lambda tx: stations.store.find_by_uuid(tx, made["id"]))
    assert await verify(api.deps.passwords, station.id, b"correct horse bat") is Verdict.OK


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"identity": "a/b"}, "/identity"),
        ({"identity": "a:b"}, "/identity"),
        ({"identity": "a\u0007b"}, "/identity"),
        ({"identity": ""}, "/identity"),
        ({"identity": "x" * 49}, "/identity"),
        ({"identity": 5}, "/identity"),
        ({"password": "short"}, "/password"),
        ({"password": "x" * 21, "ocpp_version": "1.6"}, "/password"),
        ({"ocpp_version": "3.0"}, "/ocpp_version"),
        ({"connectors": 0}, "/connectors"),
        ({"colour": "red"}, "/colour"),
    ],
)
async def test_a_bad_station_is_refused_and_nothing_is_written(
    api: Api, change: dict[str, Any], pointer: str
) -> None:
    response = await api.post(PATH, json={"identity": "CP-1", **change})
    body = await response.json()
    assert response.status == 422
    assert body["errors"][0]["pointer"] == pointer
    assert (await (await api.get(PATH)).json())["items"] == []


@pytest.mark.parametrize("identity", ["CP-1", "SN-1"])
async def test_an_identity_that_is_taken(api: Api, identity: str) -> None:
    await make_station(api, "cp-1", serial_number="sn-1")
    assert await code_of(await api.post(PATH, json={"identity": identity})) == (
        409,
        "duplicate_identity",
    )


async def test_a_location_that_does_not_exist(api: Api) -> None:
    response = await api.post(PATH, json={"identity": "CP-1", "location_id": "nowhere"})
    assert await code_of(response) == (404, "not_found")


async def test_a_bound_token_creates_at_its_location_only(api: Api) -> None:
    here, there = await make_location(api, "Here"), await make_location(api, "There")
    await bind(api, here)
    found = [
        (await api.post(PATH, role="bound", json={"identity": f"CP-{n}", **where})).status
        for n, where in enumerate(({}, {"location_id": there.uuid}, {"location_id": here.uuid}))
    ]
    assert found == [422, 404, 201]


async def test_the_serial_number_of_its_certificate_may_be_given(api: Api) -> None:
    made = await (await api.post(PATH, json={"identity": "CP-1", "serial_number": "SN-1"})).json()
    assert made["serial_number"] == "SN-1"
    for serial_number in ("SN-2", None):
        changes = {"serial_number": serial_number}
        response = await api.request("PATCH", f"{PATH}/{made['id']}", json=changes)
        assert (await response.json())["serial_number"] == serial_number


async def test_a_repeated_creation_finds_the_first_without_its_password(api: Api) -> None:
    first = await api.post(PATH, json={"identity": "CP-1"}, headers={"Idempotency-Key": "k"})
    again = await api.post(PATH, json={"identity": "CP-1"}, headers={"Idempotency-Key": "k"})
    made, replayed = await first.json(), await again.json()
    assert (first.status, again.status) == (201, 201)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers
    assert (replayed["id"], replayed["password"]) == (made["id"], None)
    other = await api.post(PATH, json={"identity": "CP-2"}, headers={"Idempotency-Key": "k"})
    assert await code_of(other) == (422, "idempotency_mismatch")


# ---- security profiles -----------------------------------------------------------------------


async def test_an_admin_lowers_a_security_profile_and_an_operator_raises_it(api: Api) -> None:
    made = await (await api.post(PATH, json={"identity": "CP-1", "security_profile": 2})).json()
    path = f"{PATH}/{made['id']}"
    found = []
    for role, profile in (("operator", 3), ("operator", 2), ("admin", 1), ("operator", 1)):
        response = await api.request("PATCH", path, role=role, json={"security_profile": profile})
        found.append((response.status, (await response.json()).get("security_profile")))
    assert [(200, 3), (403, None), (200, 1), (200, 1)] == found


async def test_a_station_is_moved_and_pinned(api: Api) -> None:
    depot, path = await make_location(api), f"{PATH}/{(await make_station(api)).uuid}"
    changed = await api.request(
        "PATCH", path, json={"location_id": depot.uuid, "ocpp_version": "2.0.1"}
    )
    shown = await changed.json()
    assert (shown["location_id"], shown["ocpp_version"]) == (depot.uuid, "2.0.1")
    changed = await api.request("PATCH", path, json={"location_id": None, "ocpp_version": None})
    shown = await changed.json()
    assert (shown["location_id"], shown["ocpp_version"]) == (None, None)


async def test_a_station_has_tags(api: Api) -> None:
    body = {"identity": "CP-1", "tags": ["depot", "Ärger", "depot"]}
    made = await (await api.post(PATH, json=body)).json()
    assert ["depot", "Ärger"] == made["tags"]
    path = f"{PATH}/{made['id']}"
    for changes, tags in (({"name": "x"}, ["depot", "Ärger"]), ({"tags": ["b", "a"]}, ["b", "a"])):
        changed = await api.request("PATCH", path, json=changes)
        assert tags == (await changed.json())["tags"]
    assert 200 == (await api.request("PATCH", path, json={"tags": []})).status
    assert [] == (await (await api.get(path)).json())["tags"]


@pytest.mark.parametrize("tags", [None, "a", [""], ["a" * 51], ["a\n\x00"], ["a"] * 21, [1]])
async def test_what_makes_no_tags(api: Api, tags: Any) -> None:
    made = await make_station(api)
    refused = await api.request("PATCH", f"{PATH}/{made.uuid}", json={"tags": tags})
    assert 422 == refused.status
    assert (await refusal(refused)).startswith("/tags")


async def test_a_station_is_not_moved_where_the_token_does_not_reach(api: Api) -> None:
    depot, other = await make_location(api), await make_location(api, "Other")
    await bind(api, depot)
    path = f"{PATH}/{(await make_station(api, location_id=depot.id)).uuid}"
    for wanted, status in ((other.uuid, 404), ("nowhere", 404), (None, 422), (depot.uuid, 200)):
        response = await api.request("PATCH", path, role="bound", json={"location_id": wanted})
        assert response.status == status, wanted
    refused = await api.request("PATCH", path, json={"ocpp_version": "3"})
    assert await code_of(refused) == (422, "unknown_ocpp_version")
    assert (await (await api.get(path)).json())["location_id"] == depot.uuid


@pytest.mark.parametrize("profile", [-1, 4, "2"])
async def test_there_is_no_such_security_profile(api: Api, profile: Any) -> None:
    response = await api.post(PATH, json={"identity": "CP-1", "security_profile": profile})
    assert 422 == response.status


async def test_a_changed_security_profile_is_told(api: Api) -> None:
    station = await make_station(api)
    heard: list[Event] = []
    api.deps.bus.subscribe(Event, heard.append)
    await api.request("PATCH", f"{PATH}/{station.uuid}", json={"security_profile": 2})
    (event,) = heard
    assert (["security_profile"], 2) == (event.data["changed"], event.data["security_profile"])


# ---- one command -----------------------------------------------------------------------------


async def send(api: Api, station: Station, body: dict[str, Any], **more: Any) -> Any:
    return await api.post(f"{PATH}/{station.uuid}/commands", json=body, **more)


async def test_a_command_waits_for_the_answer(api: Api, hub: ScriptedHub) -> None:
    hub.automatic = lambda _: ACCEPTED
    station = await make_station(api)
    hub.connect(station.id)
    response = await send(api, station, {"command": "reset", "params": {"type": "immediate"}})
    result = await response.json()
    assert response.status == 200
    assert (result["state"], result["response"], result["response_status"]) == (
        "succeeded",
        ACCEPTED,
        "Accepted",
    )
    assert [(call.action, call.payload) for call in hub.calls] == [("Reset", {"type": "Soft"})]


async def test_a_raw_action_goes_out_as_it_is(api: Api, hub: ScriptedHub) -> None:
    hub.automatic = lambda _: {"status": "Rejected"}
    station = await make_station(api)
    hub.connect(station.id)
    response = await api.post(
        f"{PATH}/identity:CP-1/commands", json={"action": "Reset", "payload": {"type": "Hard"}}
    )
    result = await response.json()
    assert (response.status, result["state"]) == (200, "rejected")
    assert result["response_status"] == "Rejected"
    assert hub.calls[0].payload == {"type": "Hard"}


async def test_a_single_command_is_not_in_the_list_of_jobs(api: Api, hub: ScriptedHub) -> None:
    hub.automatic = lambda _: ACCEPTED
    station = await make_station(api)
    hub.connect(station.id)
    result = await (await send(api, station, {"command": "clear_cache"})).json()
    assert (await (await api.get("/api/v1/jobs")).json())["items"] == []
    shown = (await (await api.get("/api/v1/jobs?hidden=true")).json())["items"]
    assert [job["id"] for job in shown] == [result["id"]]


async def test_an_offline_station_is_a_conflict(api: Api) -> None:
    response = await send(api, await make_station(api), {"command": "clear_cache"})
    assert await code_of(response) == (409, "station_offline")


async def test_an_answer_we_break_over_is_not_said_to_be_unsent(api: Api, hub: ScriptedHub) -> None:
    hub.automatic = lambda _: RuntimeError("a bug of ours")
    station = await make_station(api)
    hub.connect(station.id)
    response = await send(api, station, {"command": "clear_cache"})
    body = await response.json()
    assert (response.status, body["code"], body["state"]) == (500, "internal", "unknown")


async def test_a_callerror_is_a_bad_gateway(api: Api, hub: ScriptedHub) -> None:
    hub.automatic = lambda _: CallRefused("NotSupported", "no cache")
    station = await make_station(api)
    hub.connect(station.id)
    response = await send(api, station, {"command": "clear_cache"})
    body = await response.json()
    assert (response.status, body["code"], body["state"]) == (502, "call_refused", "refused")
    assert body["response"]["error_code"] == "NotSupported"


@pytest.mark.parametrize("command", ["clear_cache", "reset"])
@pytest.mark.parametrize("error", [CallTimeout("late"), ConnectionLost("gone")])
async def test_no_answer_is_a_gateway_timeout_of_unknown_state(
    api: Api, hub: ScriptedHub, command: str, error: Exception
) -> None:
    hub.automatic = lambda _: error
    station = await make_station(api)
    hub.connect(station.id)
    response = await send(api, station, {"command": command, "timeout_s": 1})
    body = await response.json()
    assert (response.status, body["code"], body["state"]) == (504, "call_timeout", "unknown")
    assert len(hub.calls) == 1


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, ""),
        ({"command": "reset", "action": "Reset"}, ""),
        ({"command": "fly"}, "/command"),
        ({"command": "reset", "params": {"type": "now"}}, "/params/type"),
        ({"command": "reset", "payload": {}}, ""),
        ({"action": "Fly", "payload": {}}, "/action"),
        ({"action": "Reset", "payload": {"type": "Gently"}}, "/payload/type"),
        ({"action": "Reset", "params": {}}, ""),
        ({"command": "reset", "timeout_s": 0}, "/timeout_s"),
        ({"command": "reset", "now": True}, "/now"),
    ],
)
async def test_a_bad_command_is_refused_before_anything_is_sent(
    api: Api, hub: ScriptedHub, body: dict[str, Any], pointer: str
) -> None:
    station = await make_station(api)
    hub.connect(station.id)
    response = await send(api, station, body)
    assert response.status == 422
    assert (await response.json())["errors"][0]["pointer"] == pointer
    assert hub.calls == []


async def test_a_password_is_not_written_by_a_command(api: Api, hub: ScriptedHub) -> None:
    station = await make_station(api)
    hub.connect(station.id)
    payload = {"key": "AuthorizationKey", "value": "00" * 16}
    response = await send(api, station, {"action": "ChangeConfiguration", "payload": payload})
    assert response.status == 422
    assert "credentials/rotate" in (await response.json())["detail"]


async def test_a_repeated_command_is_sent_once(api: Api, hub: ScriptedHub) -> None:
    hub.automatic = lambda _: ACCEPTED
    station = await make_station(api)
    hub.connect(station.id)
    headers = {"Idempotency-Key": "k"}
    first = await send(api, station, {"command": "reset"}, headers=headers)
    again = await send(api, station, {"command": "reset"}, headers=headers)
    assert (await again.json())["id"] == (await first.json())["id"]
    assert again.headers["Idempotency-Replayed"] == "true"
    assert len(hub.calls) == 1


async def test_a_station_out_of_reach_gets_no_command(api: Api, hub: ScriptedHub) -> None:
    station = await make_station(api)
    hub.connect(station.id)
    await bind(api, await make_location(api))
    response = await send(api, station, {"command": "reset"}, role="bound")
    assert response.status == 404
    assert hub.calls == []
