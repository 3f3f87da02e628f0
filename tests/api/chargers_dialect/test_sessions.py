"""Sessions are started and stopped, and cables are released."""

from __future__ import annotations

from typing import Any

import pytest

from csms.api.chargers_dialect.queued import QueuedCommands
from csms.domain.permissions import Role
from csms.domain.stations import Station
from csms.domain.transactions import StartReport
from csms.domain.versions import OcppVersion
from csms.store import transactions
from tests.api.chargers_dialect.conftest import Fleet
from tests.api.live import Live


async def command(live: Live, slug: str, status: int, target: Any, event: Any = None) -> Any:
    body = {"target": target} if event is None else {"target": target, "event": event}
    answer = await live.ok("POST", f"/ocpp/commands/{slug}", status, json=body)
    if status == 202:
        QueuedCommands.model_validate(answer)
    return answer


async def connected(live: Live, identity: str, version: OcppVersion, **more: Any) -> Station:
    station = await live.station(identity, **more)
    live.hub.versions[station.id] = version
    live.hub.connect(station.id)
    return station


async def going_on(live: Live, station: Station, evse_id: int, transaction_id: str) -> None:
    report = StartReport(
        evse_id=evse_id,
        id_token="CARD",
        register_mwh=0,
        reported_at=live.clock.now(),
        reservation_id=None,
        raw="{}",
        natural_key=transaction_id,
        flags=frozenset(),
    )
    await live.deps.db.write(
        lambda tx: transactions.insert(
            tx,
            station.id,
            report,
            station_transaction_id=transaction_id,
            id_token_status="Accepted",
        )
    )


async def test_a_session_is_a_remote_start_in_the_chargers_version(live: Live) -> None:
    await live.location()
    old = await connected(live, "OLD", OcppVersion.V16, location_id=1)
    new = await connected(live, "NEW", OcppVersion.V21, location_id=1)
    event = {"id_tag": "CARD", "connector_id": 2}
    target = {"location_id": (await live.ok("GET", "/ocpp/locations"))["data"][0]["id"]}
    answer = await command(live, "start-session", 202, target, event)

    assert answer["queued_count"] == 2
    payloads = [one["command"]["payload"] for one in answer["results"]]
    assert payloads[0] == {"idTag": "CARD", "connectorId": 2}
    assert payloads[1]["idToken"]["idToken"] == "CARD"
    sent = {call.station_id: call.payload for call in await live.hub.delivered(2)}
    assert sent == {old.id: payloads[0], new.id: payloads[1]}


async def test_what_a_version_cannot_say_is_a_failure_of_that_charger(live: Live) -> None:
    station = await connected(live, "OLD", OcppVersion.V16)
    event = {"id_tag": "x" * 21}
    answer = await command(live, "start-session", 202, {"charger_id": station.uuid}, event)
    assert (answer["queued_count"], answer["failed"][0]["identity"]) == (0, "OLD")


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"event": {"id_tag": "A"}}, ["body", "target"]),
        ({"target": {}, "event": {"id_tag": "A"}}, ["body", "target"]),
        (
            {"target": {"charger_id": "a", "location_id": "b"}, "event": {"id_tag": "A"}},
            ["body", "target"],
        ),
        (
            {"target": {"charger_id": "a", "charger_ids": ["b"]}, "event": {"id_tag": "A"}},
            ["body", "target"],
        ),
        ({"target": {"charger_id": "a"}}, ["body", "event"]),
        ({"target": {"charger_id": "a"}, "event": {"id_tag": ""}}, ["body", "event", "id_tag"]),
        ({"target": {"charger_id": "a"}, "event": {"id_tag": "\0"}}, ["body", "event", "id_tag"]),
        (
            {"target": {"charger_id": "a"}, "event": {"id_tag": "A", "connector_id": 0}},
            ["body", "event", "connector_id"],
        ),
    ],
)
async def test_bad_input_is_told_at_its_place(live: Live, body: Any, place: list[str]) -> None:
    answer = await live.ok("POST", "/ocpp/commands/start-session", 422, json=body)
    assert answer["detail"][0]["loc"] == place


async def test_a_charger_that_is_not_there_is_not_found(live: Live) -> None:
    await command(live, "start-session", 404, {"charger_id": "x"}, {"id_tag": "A"})
    await command(live, "start-session", 404, {"location_id": "x"}, {"id_tag": "A"})


async def test_it_is_for_those_of_the_place(live: Live) -> None:
    station = await connected(live, "S1", OcppVersion.V16)
    place = await live.location()
    other = await live.location("Other")
    await live.token("bound", Role.OPERATOR, 1)
    for slug, event in (("start-session", {"id_tag": "A"}), ("stop-session", {})):
        for target in ({"charger_id": station.uuid}, {"location_id": other["id"]}):
            body = {"target": target, "event": event}
            await live.ok("POST", f"/ocpp/commands/{slug}", 404, json=body, role="bound")
        body = {"target": {"location_id": place["id"]}, "event": event}
        await live.ok("POST", f"/ocpp/commands/{slug}", 202, json=body, role="bound")


async def test_every_session_is_stopped_under_one_key_too(live: Live) -> None:
    station = await connected(live, "S1", OcppVersion.V16)
    live.hub.automatic = lambda _: {"status": "Accepted"}
    await going_on(live, station, 1, "11")
    await going_on(live, station, 2, "22")
    body = {"target": {"charger_id": station.uuid}}
    headers = {"Idempotency-Key": "k"}
    await live.ok("POST", "/ocpp/commands/stop-session", 202, json=body, headers=headers)
    sent = [call.payload["transactionId"] for call in await live.hub.delivered(2)]
    assert sent == [11, 22]


async def test_every_session_that_goes_on_is_stopped_by_its_id(live: Live) -> None:
    station = await connected(live, "S1", OcppVersion.V16)
    await going_on(live, station, 1, "11")
    await going_on(live, station, 2, "22")
    target = {"charger_id": station.uuid}
    one = await command(live, "stop-session", 202, target, {"connector_id": 2})
    assert [r["command"]["payload"] for r in one["results"]] == [{"transactionId": 22}]
    both = await command(live, "stop-session", 202, target)
    assert [r["command"]["payload"] for r in both["results"]] == [
        {"transactionId": 11},
        {"transactionId": 22},
    ]
    assert (both["targeted_count"], both["queued_count"], both["failed_count"]) == (1, 2, 0)


async def test_where_nothing_goes_on_there_is_nothing_to_stop(live: Live) -> None:
    idle = await connected(live, "IDLE", OcppVersion.V16)
    away = await live.station("AWAY")
    answer = await command(live, "stop-session", 202, {"charger_id": idle.uuid})
    assert answer["failed"] == [{"identity": "IDLE", "error": "No session is active"}]
    answer = await command(live, "stop-session", 202, {"charger_id": away.uuid})
    assert answer["failed"] == [{"identity": "AWAY", "error": "The charger is offline."}]


@pytest.mark.parametrize(
    ("version", "event", "payload"),
    [
        (OcppVersion.V16, {}, {"connectorId": 1}),
        (OcppVersion.V16, {"connector_id": 2}, {"connectorId": 2}),
        (OcppVersion.V201, {"connector_id": 2}, {"evseId": 2, "connectorId": 1}),
        (OcppVersion.V201, {"evse_id": 3, "connector_id": 2}, {"evseId": 3, "connectorId": 2}),
    ],
)
async def test_a_cable_is_released(
    live: Live, version: OcppVersion, event: Any, payload: Any
) -> None:
    station = await connected(live, "S1", version)
    answer = await command(live, "unlock-connector", 202, {"charger_id": station.uuid}, event)
    assert [one["command"]["payload"] for one in answer["results"]] == [payload]
    assert [call.payload for call in await live.hub.delivered(1)] == [payload]


async def test_a_virtual_session_ends_by_itself(live: Live, table: Fleet) -> None:
    station, bench = await table.station("V1")
    event = {"id_tag": "CARD", "duration_seconds": 30, "target_energy_kwh": 500}
    answer = await command(live, "start-session", 202, {"charger_id": station.uuid}, event)
    assert answer["results"][0]["command"]["payload"] == {**event, "target_energy_kwh": 500.0}
    bench.wait(30)
    assert [one["reason"] for one in bench.said("StopTransaction")] == ["Local"]


async def test_a_physical_one_does_not(live: Live) -> None:
    station = await connected(live, "S1", OcppVersion.V16)
    event = {"id_tag": "CARD", "duration_seconds": 30}
    answer = await command(live, "start-session", 422, {"charger_id": station.uuid}, event)
    assert "Only a virtual charger" in answer["detail"][0]["msg"]
