"""The message log of a charger."""

from __future__ import annotations

from typing import Any

from csms.api.chargers_dialect.logs import ChargerLogs
from csms.clock import to_micros
from csms.domain.permissions import Role
from csms.domain.stations import Station
from csms.store.ocpp_messages import Message
from tests.api.live import Live


def message(live: Live, station: Station, number: int, **more: Any) -> Message:
    fields = {
        "station_id": station.id,
        "direction": "in",
        "version": "1.6",
        "action": "Heartbeat",
        "message_id": f"m{number}",
        "payload": "{}",
        "answer": '{"currentTime":"x"}',
        "error_code": None,
        "state": "done",
        "verdict": None,
        "started_at": to_micros(live.clock.now()) + number * 1_000_000,
        "latency_us": 5,
    }
    return Message(**{**fields, **more})


async def test_every_call_is_shown_the_newest_first(live: Live) -> None:
    station = await live.station("S1")
    other = await live.station("S2")
    log = live.deps.message_log
    log.record(message(live, station, 1))
    log.record(message(live, other, 2))
    log.record(message(live, station, 3, action="Reset", direction="out", payload='{"type":"Har'))
    live.hub.pending = [message(live, station, 4, action="Reset", state="pending", answer=None)]
    path = f"/ocpp/chargers/{station.uuid}/logs"
    found = await live.ok("GET", path)

    ChargerLogs.model_validate(found)
    assert (found["total"], found["limit"], found["offset"]) == (3, 50, 0)
    assert [(one["action"], one["direction"], one["state"]) for one in found["data"]] == [
        ("Reset", "in", "pending"),
        ("Reset", "out", "done"),
        ("Heartbeat", "in", "done"),
    ]
    assert found["data"][2] == {
        "direction": "in",
        "action": "Heartbeat",
        "message": '[2,"m1","Heartbeat",{}]',
        "timestamp": "2026-05-01T12:00:01Z",
        "answer": '{"currentTime":"x"}',
        "state": "done",
    }
    assert found["data"][1]["message"] == '[2,"m3","Reset","{\\"type\\":\\"Har"]'


async def test_they_are_narrowed_and_paged(live: Live) -> None:
    station = await live.station("S1")
    for number in range(10):
        action = "Heartbeat" if number % 2 else "StatusNotification"
        live.deps.message_log.record(message(live, station, number, action=action))
    path = f"/ocpp/chargers/{station.uuid}/logs"

    async def times(query: str) -> list[str]:
        found = await live.ok("GET", f"{path}?{query}")
        return [one["timestamp"][17:19] for one in found["data"]]

    assert await times("event=Heartbeat") == ["09", "07", "05", "03", "01"]
    assert await times("limit=3") == ["09", "08", "07"]
    assert await times("limit=3&offset=9") == ["00"]
    assert await times("limit=3&offset=10") == []
    window = "start_date=2026-05-01T12:00:02Z&end_date=2026-05-01T12:00:04Z"
    assert await times(window) == ["03", "02"]
    assert await times(window.replace("Z", "")) == ["03", "02"]
    for bad in ("limit=0", "limit=501", "offset=-1", "start_date=x"):
        await live.ok("GET", f"{path}?{bad}", 422)


async def test_they_are_for_those_of_the_place(live: Live) -> None:
    station = await live.station("S1")
    await live.location()
    await live.token("bound", Role.OPERATOR, 1)
    path = f"/ocpp/chargers/{station.uuid}/logs"
    await live.ok("GET", path, 404, role="bound")
    await live.ok("GET", path, role="viewer")
    await live.ok("GET", "/ocpp/chargers/x/logs", 404)
