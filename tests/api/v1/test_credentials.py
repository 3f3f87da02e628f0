"""A new password for a station: shown once, or told to it over OCPP."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from csms.domain.credentials import Verdict
from csms.domain.permissions import Role
from csms.domain.stations import Station
from csms.errors import CallRefused
from csms.events import Event
from csms.services import stations
from tests.door import verify

if TYPE_CHECKING:
    from tests.api.conftest import Api, ScriptedHub

STATIONS = "/api/v1/stations"
ROTATE = f"{STATIONS}/identity:CP-1/credentials/rotate"
PUSH = {"push": True}


async def registered(api: Api) -> tuple[Station, bytes]:
    made = await (await api.post(STATIONS, json={"identity": "CP-1"})).json()
    station = await api.deps.db.read(lambda tx: stations.store.get_by_uuid(tx, made["id"]))
    return station, made["password"].encode()


async def shown(api: Api) -> Any:
    return await (await api.get(f"{STATIONS}/identity:CP-1")).json()


# ---- shown -----------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [{}, {"json": {}}, {"json": {"push": False}}])
async def test_rotating_makes_the_old_password_useless(api: Api, body: dict[str, Any]) -> None:
    station, old = await registered(api)
    response = await api.post(ROTATE, **body)
    rotated = await response.json()
    assert (200, "no-store") == (response.status, response.headers["Cache-Control"])
    assert (station.uuid, None) == (rotated["station_id"], rotated["pushed"])
    passwords = api.deps.passwords
    assert Verdict.BAD is await verify(passwords, station.id, old)
    assert Verdict.OK is await verify(passwords, station.id, rotated["password"].encode())


async def test_a_rotation_is_announced_without_the_password(api: Api) -> None:
    await registered(api)
    heard: list[Event] = []
    api.deps.bus.subscribe(Event, heard.append)
    rotated = await (await api.post(ROTATE)).json()
    assert [("station.credentials_rotated", False)] == [
        (event.type, event.data["pushed"]) for event in heard
    ]
    assert rotated["password"] not in str(heard)


async def test_a_repeated_rotation_shows_no_password_and_makes_none(api: Api) -> None:
    station, _ = await registered(api)
    first = await (await api.post(ROTATE, headers={"Idempotency-Key": "k"})).json()
    again = await (await api.post(ROTATE, headers={"Idempotency-Key": "k"})).json()
    assert again["password"] is None
    verdict = await verify(api.deps.passwords, station.id, first["password"].encode())
    assert Verdict.OK is verdict


# ---- waived ----------------------------------------------------------------------------------

WAIVE = f"{STATIONS}/identity:CP-1/credentials/waive"


async def test_without_a_password_anybody_comes_in_until_there_is_one(api: Api) -> None:
    station, old = await registered(api)
    assert (await shown(api))["password_waived"] is False
    assert 204 == (await api.post(WAIVE)).status
    assert (await shown(api))["password_waived"] is True
    passwords = api.deps.passwords
    for presented in (None, b"anything at all", old):
        assert Verdict.WAIVED is await verify(passwords, station.id, presented)
    await api.post(ROTATE)
    assert (await shown(api))["password_waived"] is False
    for presented in (None, old):
        assert Verdict.BAD is await verify(passwords, station.id, presented)


async def test_only_an_admin_waives_a_password(api: Api) -> None:
    station, old = await registered(api)
    found = [
        (await api.request("POST", WAIVE, role=role)).status
        for role in (Role.VIEWER, Role.OPERATOR)
    ]
    assert [403, 403] == found
    assert Verdict.OK is await verify(api.deps.passwords, station.id, old)


async def test_a_station_that_needs_a_security_profile_needs_its_password(api: Api) -> None:
    station, old = await registered(api)
    await api.request("PATCH", f"{STATIONS}/identity:CP-1", json={"security_profile": 1})
    assert 409 == (await api.post(WAIVE)).status
    assert Verdict.OK is await verify(api.deps.passwords, station.id, old)


# ---- told ------------------------------------------------------------------------------------


async def test_a_station_that_is_told_shows_its_password_to_nobody(
    api: Api, hub: ScriptedHub
) -> None:
    station, old = await registered(api)
    hub.connect(station.id)
    hub.automatic = lambda _: {"status": "Accepted"}
    heard: list[Event] = []
    api.deps.bus.subscribe(Event, heard.append)
    response = await api.post(ROTATE, json=PUSH)
    assert 200 == response.status
    assert {
        "station_id": station.uuid,
        "identity": "CP-1",
        "password": None,
        "pushed": "Accepted",
    } == await response.json()
    new = bytes.fromhex(hub.calls[0].payload["value"])
    assert Verdict.BAD is await verify(api.deps.passwords, station.id, old)
    assert Verdict.OK is await verify(api.deps.passwords, station.id, new)
    assert True in [event.data.get("pushed") for event in heard]
    told = [str(heard), str(await (await api.get("/api/v1/jobs?hidden=true")).json())]
    assert not any(secret in text for text in told for secret in (new.decode(), new.hex()))


async def test_a_station_that_declines_keeps_its_password(api: Api, hub: ScriptedHub) -> None:
    station, old = await registered(api)
    hub.connect(station.id)
    hub.automatic = lambda _: {"status": "Rejected"}
    response = await api.post(ROTATE, json=PUSH)
    problem = await response.json()
    assert (409, "rejected", "rejected") == (response.status, problem["code"], problem["state"])
    assert Verdict.OK is await verify(api.deps.passwords, station.id, old)
    assert (await shown(api))["password_offered_at"] is None


async def test_an_offline_station_cannot_be_told(api: Api) -> None:
    station, old = await registered(api)
    response = await api.post(ROTATE, json=PUSH)
    assert (409, "station_offline") == (response.status, (await response.json())["code"])
    assert Verdict.OK is await verify(api.deps.passwords, station.id, old)


async def test_a_callerror_is_passed_on(api: Api, hub: ScriptedHub) -> None:
    station, _ = await registered(api)
    hub.connect(station.id)
    hub.automatic = lambda _: CallRefused("NotSupported", "no such key")
    response = await api.post(ROTATE, json=PUSH)
    assert (502, "call_refused") == (response.status, (await response.json())["code"])


async def test_a_station_that_does_not_answer_shows_that_both_are_valid(
    api: Api, hub: ScriptedHub
) -> None:
    station, old = await registered(api)
    hub.connect(station.id)
    request = asyncio.create_task(api.post(ROTATE, json=PUSH))
    (call,) = await hub.delivered(1)
    hub.time_out(call)
    response = await request
    assert (504, "call_timeout") == (response.status, (await response.json())["code"])
    assert (await shown(api))["password_offered_at"] is not None
    assert Verdict.OK is await verify(api.deps.passwords, station.id, old)
    new = bytes.fromhex(call.payload["value"])
    assert Verdict.OK is await verify(api.deps.passwords, station.id, new)
    assert (await shown(api))["password_offered_at"] is None


async def test_a_repeated_request_tells_nothing_again(api: Api, hub: ScriptedHub) -> None:
    station, _ = await registered(api)
    hub.connect(station.id)
    hub.automatic = lambda _: {"status": "Accepted"}
    headers = {"Idempotency-Key": "k"}
    replies = [await api.post(ROTATE, json=PUSH, headers=headers) for _ in range(2)]
    assert [200, 200] == [reply.status for reply in replies]
    assert "true" == replies[1].headers["Idempotency-Replayed"]
    assert 1 == len(hub.calls)
