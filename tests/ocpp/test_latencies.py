"""How long answers take, for /metrics."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from csms.domain.versions import OcppVersion
from csms.errors import CallTimeout
from csms.ocpp.context import StationContext
from csms.ocpp.frames import JsonObject
from tests.ocpp.conftest import Server, Start


async def answered(station: StationContext, payload: JsonObject) -> JsonObject:
    return {"status": "Accepted"}


def reset(server: Server, station_id: int, message_id: str, timeout_s: float) -> Any:
    return server.hub.call(
        station_id,
        action="Reset",
        payload={"type": "Soft"},
        message_id=message_id,
        timeout_s=timeout_s,
    )


def counted(server: Server) -> dict[str, int]:
    latencies = server.hub.stats().latencies
    return {direction: one.cumulative()[-1][1] for direction, one in latencies.items()}


async def test_an_answer_counts_in_its_direction_and_silence_does_not(start: Start) -> None:
    server = await start({(OcppVersion.V16, "DataTransfer"): answered})
    station, client = await server.online("S")
    before = counted(server)
    await client.send('[2,"in","DataTransfer",{"vendorId":"v"}]')
    assert 3 == (await client.receive())[0]
    calling = asyncio.create_task(reset(server, station.id, "out", 5.0))
    await client.receive()
    await client.send('[3,"out",{"status":"Accepted"}]')
    await calling
    with pytest.raises(CallTimeout):
        await reset(server, station.id, "silent", 0.01)
    await server.until(lambda: server.hub.stats().messages.get(("out", "Reset", "timeout")))
    assert {"in": before["in"] + 1, "out": before["out"] + 1} == counted(server)
