"""Chargers in service, out of it, and restarted."""

from __future__ import annotations

import pytest

from csms.api.chargers_dialect.queued import QueuedCommand, QueuedCommands
from csms.domain.permissions import Role
from csms.domain.versions import OcppVersion
from tests.api.live import Live

V16_PAYLOADS = {
    "start": {"connectorId": 0, "type": "Operative"},
    "stop": {"connectorId": 0, "type": "Inoperative"},
    "reset": {"type": "Soft"},
}


@pytest.mark.parametrize("word", V16_PAYLOADS)
async def test_one_charger_gets_the_order_that_is_shown(live: Live, word: str) -> None:
    station = await live.station("S1")
    live.hub.connect(station.id)
    path = f"/ocpp/chargers/{station.uuid}/{word}-charger"
    queued = await live.ok("POST", path, 202)

    QueuedCommand.model_validate(queued)
    assert (queued["event_type"], queued["ocpp_version"], queued["payload"]) == (
        f"{word}-charger",
        "OCPP1.6",
        V16_PAYLOADS[word],
    )
    assert [call.payload for call in await live.hub.delivered(1)] == [V16_PAYLOADS[word]]
    assert (await live.ok("GET", f"/api/v1/jobs/{queued['id']}"))["id"] == queued["id"]


async def test_one_charger_that_is_away_is_a_conflict(live: Live) -> None:
    station = await live.station("S1")
    path = f"/ocpp/chargers/{station.uuid}/reset-charger"
    assert await live.ok("POST", path, 409) == {"detail": "The charger is offline."}


@pytest.mark.parametrize("word", V16_PAYLOADS)
async def test_those_of_a_location_get_it_each_in_its_version(live: Live, word: str) -> None:
    place = await live.location()
    old = await live.station("OLD", location_id=1)
    new = await live.station("NEW", location_id=1)
    away = await live.station("AWAY", location_id=1)
    elsewhere = await live.station("ELSEWHERE")
    live.hub.versions[new.id] = OcppVersion.V201
    for station in (old, new, elsewhere):
        live.hub.connect(station.id)
    path = f"/ocpp/locations/{place['id']}/chargers/{word}-chargers"
    answer = await live.ok("POST", path, 202)

    QueuedCommands.model_validate(answer)
    assert (answer["targeted_count"], answer["queued_count"], answer["failed_count"]) == (3, 2, 1)
    assert answer["failed"] == [{"identity": "AWAY", "error": "The charger is offline."}]
    assert [one["command"]["ocpp_version"] for one in answer["results"]] == ["OCPP1.6", "OCPP2.0.1"]
    await live.hub.delivered(1)
    live.clock.advance(1)  # restarts are spread
    live.deps.engine.look_again()
    sent = {call.station_id: call.payload for call in await live.hub.delivered(2)}
    assert sent == {
        old.id: answer["results"][0]["command"]["payload"],
        new.id: answer["results"][1]["command"]["payload"],
    }
    assert away.id not in sent


async def test_some_of_a_location_are_named(live: Live) -> None:
    place = await live.location()
    mine = await live.station("S1", location_id=1)
    other = await live.station("X")
    for station in (mine, other):
        live.hub.connect(station.id)
    path = f"/ocpp/locations/{place['id']}/chargers/reset-chargers"
    body = {"charger_ids": [mine.uuid, other.uuid, mine.uuid], "unknown": 1}
    answer = await live.ok("POST", path, 202, json=body)

    assert (answer["targeted_count"], answer["queued_count"]) == (2, 1)
    assert answer["failed"] == [{"identity": None, "error": f"Charger {other.uuid} not found"}]
    await live.ok("POST", path, 422, json={"charger_ids": []})
    await live.ok("POST", path, 422, json={"charger_ids": [1]})


async def test_a_location_without_chargers_has_nothing_to_do(live: Live) -> None:
    place = await live.location()
    answer = await live.ok("POST", f"/ocpp/locations/{place['id']}/chargers/stop-chargers", 202)
    assert answer == {
        "targeted_count": 0,
        "queued_count": 0,
        "failed_count": 0,
        "results": [],
        "failed": [],
    }


async def test_only_operators_of_the_place_may(live: Live) -> None:
    place, other = await live.location(), await live.location("Other")
    station = await live.station("S1", location_id=1)
    live.hub.connect(station.id)
    await live.token("theirs", Role.OPERATOR, 2)
    await live.token("ours", Role.OPERATOR, 1)
    one = f"/ocpp/chargers/{station.uuid}/reset-charger"
    many = f"/ocpp/locations/{place['id']}/chargers/reset-chargers"

    for path in (one, many):
        await live.ok("POST", path, 404, role="theirs")
        await live.ok("POST", path, 403, role="viewer")
        await live.ok("POST", path, 401, role=None)
        await live.ok("POST", path, 202, role="ours")
    path = f"/ocpp/locations/{other['id']}/chargers/reset-chargers"
    await live.ok("POST", path, 404, role="ours")


async def test_the_same_key_is_the_same_order(live: Live) -> None:
    station = await live.station("S1")
    live.hub.connect(station.id)
    path, headers = f"/ocpp/chargers/{station.uuid}/stop-charger", {"Idempotency-Key": "k"}
    first = await live.ok("POST", path, 202, headers=headers)
    assert (await live.ok("POST", path, 202, headers=headers))["id"] == first["id"]
    assert len(await live.hub.delivered(1)) == 1
