"""The `ocpp` library's ChargePoint, over the `websockets` library, against our listener."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from ocpp import v21, v201
from ocpp.routing import on
from ocpp.v16 import ChargePoint, call, call_result
from ocpp.v16.enums import Action, RegistrationStatus
from websockets.asyncio.client import connect

from csms.errors import CallTimeout, ConnectionLost
from csms.events import LateAnswer
from tests.ocpp.conftest import Server, basic

NOW = "2026-05-01T12:00:00Z"
NEWER: dict[str, Any] = {"ocpp2.0.1": v201, "ocpp2.1": v21}


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


@asynccontextmanager
async def online_v2x(server: Server, protocol: str) -> AsyncIterator[tuple[int, Any]]:
    """As `online`, with the library's ChargePoint of OCPP 2.0.1 or 2.1."""
    station, password = await server.register("S")
    library = NEWER[protocol]
    async with connect(
        server.url("/ocpp/S", "ws"),
        subprotocols=[protocol],  # type: ignore[list-item]
        additional_headers={"Authorization": basic("S", password)},
    ) as socket:
        assert socket.subprotocol == protocol
        charge_point = library.ChargePoint("S", socket)
        reading = asyncio.create_task(charge_point.start())
        boot = await charge_point.call(
            library.call.BootNotification(
                charging_station={"model": "M", "vendor_name": "V"}, reason="PowerUp"
            )
        )
        assert boot.status == "Accepted"
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


@pytest.mark.parametrize("protocol", NEWER)
async def test_boot_heartbeat_and_a_whole_transaction_of_2_x(server: Server, protocol: str) -> None:
    calls = NEWER[protocol].call
    token = {"id_token": "tag", "type": "ISO14443"}

    def event(kind: str, trigger: str, seq_no: int, wh: float, **more: Any) -> Any:
        info = {"transaction_id": "their-own-id", **more.pop("info", {})}
        sample = {"value": wh / 1000, "unit_of_measure": {"unit": "kWh"}}
        return calls.TransactionEvent(
            event_type=kind,
            timestamp=NOW,
            trigger_reason=trigger,
            seq_no=seq_no,
            transaction_info=info,
            meter_value=[{"timestamp": NOW, "sampled_value": [sample]}],
            **more,
        )

    async with online_v2x(server, protocol) as (station_id, charge_point):
        heartbeat = await charge_point.call(calls.Heartbeat())
        assert heartbeat.current_time == "2026-05-01T12:00:00.000Z"
        await charge_point.call(
            calls.StatusNotification(
                timestamp=NOW, connector_status="Occupied", evse_id=1, connector_id=1
            )
        )
        await charge_point.call(
            calls.MeterValues(
                evse_id=0, meter_value=[{"timestamp": NOW, "sampled_value": [{"value": 7}]}]
            )
        )
        authorize = await charge_point.call(calls.Authorize(id_token=token))
        assert authorize.id_token_info["status"] == "Accepted"
        evse = {"id": 1, "connector_id": 1}
        started = await charge_point.call(
            event("Started", "Authorized", 0, 100, evse=evse, id_token=token)
        )
        assert started.id_token_info["status"] == "Accepted"
        charging = {"charging_state": "Charging"}
        updated = await charge_point.call(
            event("Updated", "ChargingStateChanged", 1, 600, info=charging)
        )
        assert updated.id_token_info is None
        stopped = {"stopped_reason": "Local"}
        await charge_point.call(
            event("Ended", "StopAuthorized", 2, 1100, info=stopped, id_token=token)
        )
        row = await server.db.read(lambda tx: tx.one("SELECT * FROM transactions"))
        assert row is not None
        assert (row["station_id"], row["station_transaction_id"]) == (station_id, "their-own-id")
        assert (row["start_register_mwh"], row["end_register_mwh"]) == (100_000, 1_100_000)
        assert (row["evse_id"], row["stop_reason"], row["flags"]) == (1, "Local", "")
        log = await server.log_rows(station_id)
        assert {message.version for message in log} == {protocol.removeprefix("ocpp")}
        assert all(message.verdict is None for message in log)


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
