"""The message log natively: of one station and of all, narrowed, in pages and as lines."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from csms.domain.permissions import Role
from csms.services import locations, tokens
from csms.store import ocpp_messages
from csms.store.ocpp_messages import Message
from tests.api.v1.scene import all_pages, items, make_station, stranger

if TYPE_CHECKING:
    from csms.clock import ManualClock
    from csms.domain.stations import Station
    from tests.api.conftest import Api, ScriptedHub

PATH = "/api/v1/messages"


@pytest.fixture
async def station(api: Api) -> Station:
    return await make_station(api)


def log(api: Api, station: Station, *actions: str, **more: Any) -> None:
    for action in actions:
        api.deps.message_log.record(message(api, station, action, **more))


def message(api: Api, station: Station, action: str, **more: Any) -> Message:
    row = Message(
        station_id=station.id,
        direction="in",
        version="1.6",
        action=action,
        message_id=f"m-{action}",
        payload='{"a":1}',
        answer='{"status":"Accepted"}',
        error_code=None,
        state="done",
        verdict=None,
        started_at=api.deps.clock.micros(),
        latency_us=2500,
    )
    return row._replace(**more)


def path_of(station: Station) -> str:
    return f"/api/v1/stations/{station.uuid}/messages"


async def actions(api: Api, path: str, **more: Any) -> list[str]:
    return [one["action"] for one in await items(api, path, **more)]


async def test_a_message_is_shown_with_its_answer_at_once(api: Api, station: Station) -> None:
    log(api, station, "Authorize")
    (found,) = await items(api, path_of(station), role="viewer")
    assert found == {
        "id": 1,
        "station_id": station.uuid,
        "identity": "CP-1",
        "direction": "in",
        "ocpp_version": "1.6",
        "action": "Authorize",
        "message_id": "m-Authorize",
        "payload": {"a": 1},
        "answer": {"status": "Accepted"},
        "error_code": None,
        "state": "done",
        "verdict": None,
        "started_at": "2026-05-01T12:00:00.000000Z",
        "latency_ms": 2.5,
    }


async def test_what_is_waited_for_comes_first_and_once(
    api: Api, station: Station, hub: ScriptedHub
) -> None:
    log(api, station, "Authorize")
    going_on = message(api, station, "Reset", direction="out", answer=None, state="pending")
    hub.pending = [going_on, message(api, station, "Authorize", state="pending")]
    found = await items(api, path_of(station))
    assert [(one["action"], one["id"]) for one in found] == [("Reset", None), ("Authorize", 1)]
    assert await actions(api, f"{path_of(station)}?state=pending&direction=out") == ["Reset"]
    assert await actions(api, f"{path_of(station)}?action=Authorize") == ["Authorize"]
    first = await (await api.get(f"{path_of(station)}?limit=1")).json()
    assert first["next_cursor"] is not None
    assert await actions(api, f"{path_of(station)}?cursor={first['next_cursor']}") == []


async def test_every_filter_narrows(api: Api, station: Station) -> None:
    log(api, station, "Old", started_at=api.deps.clock.micros() - 3_600_000_000)
    log(api, station, "Heartbeat", "MeterValues")
    log(api, station, "Reset", direction="out", state="timeout", answer=None)
    for query, expected in (
        ("action=Reset&action=Old", {"Old", "Reset"}),
        ("hide=Heartbeat,MeterValues", {"Old", "Reset"}),
        ("hide=Heartbeat&hide=Old", {"MeterValues", "Reset"}),
        ("direction=out", {"Reset"}),
        ("state=timeout", {"Reset"}),
        ("from=2026-05-01T11:30:00Z", {"Heartbeat", "MeterValues", "Reset"}),
        ("to=2026-05-01T11:30:00Z", {"Old"}),
    ):
        for path in (path_of(station), PATH):
            assert set(await actions(api, f"{path}?{query}")) == expected, (path, query)


@pytest.mark.parametrize(
    "query", ["direction=up", "state=odd", "from=now", "limit=501", "action=", "q=1", "cursor=x"]
)
async def test_what_is_no_filter_is_refused(api: Api, station: Station, query: str) -> None:
    assert (await api.get(f"{path_of(station)}?{query}")).status == 422


async def test_pages_go_to_the_end_while_more_comes(api: Api, station: Station) -> None:
    log(api, station, *"ABCDEFG")

    async def more() -> None:
        log(api, station, "Z")

    found = await all_pages(api, f"{path_of(station)}?limit=3", more)
    assert [one["action"] for one in found] == list("GFEDCBA")


async def test_what_is_rare_is_found_by_looking_on(
    api: Api, station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ocpp_messages, "SEARCHED", 2)
    log(api, station, "Rare", *"ABCDE", "Rare", "F")
    for path in (path_of(station), PATH):
        found = await all_pages(api, f"{path}?action=Rare")
        assert [one["id"] for one in found] == [7, 1]


async def test_a_time_is_found_among_many(api: Api, station: Station, clock: ManualClock) -> None:
    for _ in range(50):
        log(api, station, "Heartbeat")
        clock.advance(60)
    found = await items(
        api, f"{path_of(station)}?from=2026-05-01T12:20:00Z&to=2026-05-01T12:23:00Z"
    )
    assert [one["id"] for one in found] == [23, 22, 21]


async def test_lines_are_all_there_is(api: Api, station: Station, hub: ScriptedHub) -> None:
    log(api, station, *("A" for _ in range(1200)))
    hub.pending = [message(api, station, "Reset", message_id="p", state="pending")]
    response = await api.get(
        f"{path_of(station)}?limit=5", headers={"Accept": "application/x-ndjson"}
    )
    assert response.content_type == "application/x-ndjson"
    lines = [json.loads(line) for line in (await response.text()).splitlines()]
    assert [one["id"] for one in lines] == [None, *range(1200, 0, -1)]


async def test_what_is_no_json_is_shown_as_text(api: Api, station: Station) -> None:
    log(api, station, "Odd", payload="{half", answer=None)
    (found,) = await items(api, path_of(station))
    assert (found["payload"], found["answer"]) == ("{half", None)


async def test_a_bound_token_sees_messages_of_its_stations_only(api: Api) -> None:
    place = await api.deps.db.write(lambda tx: locations.create(tx, name="Depot"))
    inside = await make_station(api, "IN", location_id=place.id)
    outside = await make_station(api, "OUT")
    log(api, inside, "A")
    log(api, outside, "B")
    _, api.bearers["bound"] = await api.deps.db.write(
        lambda tx: tokens.create(
            tx, name="site", role=Role.VIEWER, location_ids=frozenset({place.id})
        )
    )
    assert await actions(api, PATH, role="bound") == ["A"]
    assert (await api.get(path_of(outside), role="bound")).status == 404
    role = await stranger(api)
    assert await actions(api, PATH, role=role) == []
