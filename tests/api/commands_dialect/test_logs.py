"""The message log of a charger in the commands dialect."""

from __future__ import annotations

from typing import Any

from csms.api.commands_dialect.logs import CommandsLogList
from csms.clock import to_micros
from csms.domain.permissions import Role
from csms.domain.stations import Station
from csms.store.ocpp_messages import Message
from tests.api.commands_dialect.charging import noon
from tests.api.live import Live


def path(station: Station, query: str = "") -> str:
    return f"/api/v3/chargers/{station.uuid}/logs{query}"


def message(station: Station, minute: int, **changed: Any) -> Message:
    row = Message(
        station_id=station.id,
        direction="in",
        version="1.6",
        action="Heartbeat",
        message_id=str(minute),
        payload="{}",
        answer='{"currentTime":"now"}',
        error_code=None,
        state="done",
        verdict=None,
        started_at=to_micros(noon(minute)),
        latency_us=1500,
    )
    return row._replace(**changed)


def pending(station: Station, minute: int, **changed: Any) -> Message:
    return message(station, minute, state="pending", answer=None, latency_us=None, **changed)


async def test_a_call_and_its_answer_are_one_row(live: Live) -> None:
    station = await live.station("S1")
    log = live.deps.message_log
    log.record(message(station, 0))
    log.record(message(station, 1, direction="out", action="Reset", state="lost", answer=None))
    live.hub.pending.append(
        pending(station, 2, direction="out", action="ClearCache", payload='{"a":1}')
    )
    body = await live.ok("GET", path(station), role="viewer")

    CommandsLogList.model_validate(body)
    going_on, lost, done = body["data"]
    assert done == {
        "id": 1,
        "charger_id": station.id,
        "status": "done",
        "version": "1.6",
        "method": "Heartbeat",
        "destination": "centralsystem",
        "params": {},
        "result": {"currentTime": "now"},
        "created_at": "2026-05-01T12:00:00.000000Z",
        "updated_at": "2026-05-01T12:00:00.001500Z",
    }
    names = ("id", "status", "method", "destination", "params", "result")
    assert [lost[name] for name in names] == [2, "failed", "Reset", "charger", {}, None]
    assert [going_on[name] for name in names] == [
        None,
        "pending",
        "ClearCache",
        "charger",
        {"a": 1},
        None,
    ]
    assert body["meta"]["total"] == 3


async def test_what_goes_on_counts_in_the_pages(live: Live) -> None:
    station = await live.station("S1")
    for minute in range(3):
        live.deps.message_log.record(message(station, minute))
    live.hub.pending += [pending(station, 8), pending(station, 9)]
    seen = []
    for page in (1, 2, 3):
        body = await live.ok("GET", path(station, f"?page={page}&limit=2"))
        seen += [one["created_at"][14:16] for one in body["data"]]

    assert seen == ["09", "08", "02", "01", "00"]
    assert (body["meta"]["total"], body["meta"]["per_page"]) == (5, 2)
    assert body["links"]["next"] is None


async def test_the_log_is_filtered(live: Live) -> None:
    station = await live.station("S1")
    for minute in range(4):
        action = "Reset" if minute % 2 else "Heartbeat"
        live.deps.message_log.record(message(station, minute, action=action))
    live.hub.pending.append(pending(station, 9))

    async def minutes(query: str) -> list[str]:
        return [
            one["created_at"][14:16] for one in (await live.ok("GET", path(station, query)))["data"]
        ]

    assert await minutes("?filter[method]=Reset") == ["03", "01"]
    assert await minutes("?filter[method]=Heartbeat") == ["09", "02", "00"]
    within = "?date_from=2026-05-01T12:01:00Z&date_to=2026-05-01T12:03:00Z"
    assert await minutes(within) == ["02", "01"]
    await live.ok("GET", path(station, "?date_from=yesterday"), 422)
    await live.ok("GET", path(station, "?date_from=2026-13-01"), 422)
    for days, number in (("from=2026-05-01", True), ("from=2026-05-02", False)):
        found = await live.ok("GET", path(station, f"?date_{days}"))
        assert bool(found["data"]) is number
    assert (await live.ok("GET", path(station, "?date_to=2026-05-01")))["data"] == []


async def test_an_error_is_shown_with_its_code(live: Live) -> None:
    station = await live.station("S1")
    error = {"error_code": "NotSupported", "state": "failed"}
    live.deps.message_log.record(message(station, 0, answer='{"description":"no"}', **error))
    live.deps.message_log.record(message(station, 1, answer=None, **error))
    rows = (await live.ok("GET", path(station)))["data"]

    assert [row["status"] for row in rows] == ["failed", "failed"]
    assert [row["result"] for row in rows] == [
        {"error_code": "NotSupported"},
        {"error_code": "NotSupported", "description": "no"},
    ]


async def test_a_payload_that_is_not_json_is_shown_as_text(live: Live) -> None:
    station = await live.station("S1")
    live.deps.message_log.record(message(station, 0, payload="{cut", answer=None))
    (row,) = (await live.ok("GET", path(station)))["data"]

    assert row["params"] == "{cut"


async def test_the_log_of_other_places_looks_unknown(live: Live) -> None:
    await live.location("Mine")
    await live.location("Other")
    await live.token("bound", Role.OPERATOR, 1)
    station = await live.station("S1", location_id=2)

    refused = await live.ok("GET", path(station), 404, role="bound")
    assert refused == await live.ok("GET", "/api/v3/chargers/no/logs", 404, role="bound")
