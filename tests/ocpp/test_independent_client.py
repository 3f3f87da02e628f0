"""The `ocpp` library's ChargePoint, over the `websockets` library, against our listener."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from ocpp.routing import on
from ocpp.v16 import ChargePoint, call, call_result
from ocpp.v16.enums import Action, RegistrationStatus
from websockets.asyncio.client import connect

from csms.errors import CallTimeout, ConnectionLost
from csms.events import LateAnswer
from tests.ocpp.conftest import Server, basic

NOW = "2026-05-01T12:00:00Z"


class Station(ChargePoint):  # type: ignore[misc]
    """A charge point as the library's users write them."""

    def __init__(self, identity: str, socket: Any) -> None:
        super().__init__(identity, socket)
        self.resets: list[str] = []
        self.remote_starts: list[str] = []
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    @on(Action.reset)
    async def on_reset(self, type: str, **_: Any) -> Any:  # noqa: A002
        self.resets.append(type)
        await self.may_answer.wait()
        return call_result.Reset(status="Accepted")

    @on(Action.remote_start_transaction)
    async def on_remote_start_transaction(self, id_tag: str, **_: Any) -> Any:
        self.remote_starts.append(id_tag)
        return call_result.RemoteStartTransaction(status="Accepted")


@asynccontextmanager
async def online(server: Server, identity: str) -> AsyncIterator[tuple[int, Station]]:
    station, password = await server.register(identity)
    async with connect(
        server.url(f"/ocpp/{identity}", "ws"),
        subprotocols=["ocpp1.6"],  # type: ignore[list-item]
        additional_headers={"Authorization": basic(identity, password)},
    ) as socket:
        charge_point = Station(identity, socket)
        reading = asyncio.create_task(charge_point.start())
        boot = await charge_point.call(
            call.BootNotification(charge_point_model="M", charge_point_vendor="V")
        )
        assert boot.status == RegistrationStatus.accepted
        await server.until(lambda: server.hub.is_ready(station.id))
        yield station.id, charge_point
        reading.cancel()
        with suppress(asyncio.CancelledError):
            await reading


async def order(server: Server, station_id: int, action: str, payload: Any, **more: Any) -> Any:
    return await server.hub.call(
        station_id,
        action=action,
        payload=payload,
        message_id=more.pop("message_id", "ours"),
        timeout_s=more.pop("timeout_s", 5.0),
    )


async def test_boot_heartbeat_and_a_whole_transaction(server: Server) -> None:
    async with online(server, "S") as (station_id, charge_point):
        heartbeat = await charge_point.call(call.Heartbeat())
        assert heartbeat.current_time == "2026-05-01T12:00:00.000Z"
        await charge_point.call(
            call.StatusNotification(connector_id=1, error_code="NoError", status="Preparing")
        )
        authorize = await charge_point.call(call.Authorize(id_tag="tag"))
        assert authorize.id_tag_info["status"] == "Accepted"
        started = await charge_point.call(
            call.StartTransaction(connector_id=1, id_tag="tag", meter_start=100, timestamp=NOW)
        )
        assert started.id_tag_info["status"] == "Accepted"
        assert started.transaction_id > 0
        sample = {"value": "600", "measurand": "Energy.Active.Import.Register", "unit": "Wh"}
        await charge_point.call(
            call.MeterValues(
                connector_id=1,
                transaction_id=started.transaction_id,
                meter_value=[{"timestamp": NOW, "sampled_value": [sample]}],
            )
        )
        await charge_point.call(
            call.StopTransaction(
                meter_stop=1100, timestamp=NOW, transaction_id=started.transaction_id
            )
        )
        row = await server.db.read(lambda tx: tx.one("SELECT * FROM transactions"))
        assert row is not None
        assert (row["station_id"], row["station_transaction_id"]) == (
            station_id,
            str(started.transaction_id),
        )
        assert (row["start_register_mwh"], row["end_register_mwh"]) == (100_000, 1_100_000)
        assert all(row.verdict is None for row in await server.log_rows(station_id))


async def test_remote_start_and_reset(server: Server) -> None:
    async with online(server, "S") as (station_id, charge_point):
        answer = await order(
            server, station_id, "RemoteStartTransaction", {"idTag": "tag", "connectorId": 1}
        )
        assert answer == {"status": "Accepted"}
        assert charge_point.remote_starts == ["tag"]
        answer = await order(server, station_id, "Reset", {"type": "Soft"}, message_id="reset")
        assert answer == {"status": "Accepted"}
        assert charge_point.resets == ["Soft"]


async def test_what_the_library_does_not_handle_is_a_call_error(server: Server) -> None:
    async with online(server, "S") as (station_id, _):
        with pytest.raises(Exception, match="Not"):
            await order(server, station_id, "ClearCache", {})


async def test_a_late_answer_is_told_and_the_next_call_gets_its_own(server: Server) -> None:
    async with online(server, "S") as (station_id, charge_point):
        charge_point.may_answer.clear()
        with pytest.raises(CallTimeout):
            await order(
                server, station_id, "Reset", {"type": "Hard"}, message_id="late", timeout_s=0.05
            )
        assert charge_point.resets == ["Hard"]
        charge_point.may_answer.set()
        await server.until(lambda: server.count(LateAnswer))
        assert LateAnswer(station_id, "late", {"status": "Accepted"}, None) in server.signals
        answer = await order(server, station_id, "Reset", {"type": "Soft"}, message_id="next")
        assert answer == {"status": "Accepted"}


async def test_a_station_that_leaves_before_it_answers(server: Server) -> None:
    async with online(server, "S") as (station_id, charge_point):
        charge_point.may_answer.clear()
        calling = asyncio.create_task(order(server, station_id, "Reset", {"type": "Hard"}))
        await server.until(lambda: charge_point.resets)
    with pytest.raises(ConnectionLost):
        await calling
    await server.until(lambda: not server.hub.is_connected(station_id))
