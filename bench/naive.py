"""The naive central system csms is measured against: what a competent person writes in a day.

`ocpp`'s ChargePoint on `websockets` and uvloop, one aiosqlite connection in WAL with
synchronous=FULL, the statements of a message and its log row in one commit, the answer after it.
`ASYNC_VALIDATION` is off, as it costs a thread hop for each message. It stores the rows of data
csms stores, and knows one order: send ChangeConfiguration to all and journal each answer.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import aiosqlite
import ocpp.messages
import uvloop
from ocpp.routing import on
from ocpp.v16 import ChargePoint, call, call_result
from ocpp.v16.datatypes import IdTagInfo
from ocpp.v16.enums import Action, AuthorizationStatus, RegistrationStatus
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

SCHEMA = """
CREATE TABLE stations (
    id INTEGER PRIMARY KEY, identity TEXT NOT NULL UNIQUE, vendor TEXT, model TEXT,
    last_connected_at TEXT, last_heartbeat_at TEXT
);
CREATE TABLE boots (
    id INTEGER PRIMARY KEY, station_id INTEGER NOT NULL REFERENCES stations (id),
    status TEXT NOT NULL, received_at TEXT NOT NULL, raw TEXT NOT NULL
);
CREATE INDEX boots_station ON boots (station_id, id);
CREATE TABLE connectors (
    station_id INTEGER NOT NULL REFERENCES stations (id), connector_id INTEGER NOT NULL,
    status TEXT NOT NULL, error_code TEXT, reported_at TEXT, updated_at TEXT NOT NULL,
    PRIMARY KEY (station_id, connector_id)
) WITHOUT ROWID;
CREATE TABLE status_notifications (
    id INTEGER PRIMARY KEY, station_id INTEGER NOT NULL REFERENCES stations (id),
    connector_id INTEGER NOT NULL, status TEXT NOT NULL, error_code TEXT, reported_at TEXT,
    received_at TEXT NOT NULL, raw TEXT NOT NULL
);
CREATE TABLE id_tokens (
    id INTEGER PRIMARY KEY, value TEXT NOT NULL UNIQUE, status TEXT NOT NULL,
    first_seen_at TEXT NOT NULL, last_seen_at TEXT NOT NULL
);
CREATE TABLE transactions (
    id INTEGER PRIMARY KEY AUTOINCREMENT, station_id INTEGER NOT NULL REFERENCES stations (id),
    connector_id INTEGER NOT NULL, id_token TEXT NOT NULL, start_register_wh INTEGER,
    last_register_wh INTEGER, end_register_wh INTEGER, started_at TEXT, ended_at TEXT,
    stop_reason TEXT, charging_state TEXT
);
CREATE INDEX transactions_open ON transactions (station_id) WHERE ended_at IS NULL;
CREATE TABLE transaction_events (
    id INTEGER PRIMARY KEY, transaction_id INTEGER NOT NULL REFERENCES transactions (id),
    type TEXT NOT NULL, reported_at TEXT, received_at TEXT NOT NULL, raw TEXT NOT NULL
);
CREATE INDEX transaction_events_transaction ON transaction_events (transaction_id, id);
CREATE TABLE meter_values (
    id INTEGER PRIMARY KEY, station_id INTEGER NOT NULL REFERENCES stations (id),
    transaction_id INTEGER REFERENCES transactions (id), connector_id INTEGER NOT NULL,
    reported_at TEXT NOT NULL, received_at TEXT NOT NULL, register_wh REAL, power_w REAL,
    samples TEXT NOT NULL
);
CREATE INDEX meter_values_station ON meter_values (station_id, connector_id, reported_at);
CREATE INDEX meter_values_transaction ON meter_values (transaction_id)
    WHERE transaction_id IS NOT NULL;
CREATE TABLE ocpp_messages (
    id INTEGER PRIMARY KEY, station_id INTEGER NOT NULL, direction TEXT NOT NULL,
    action TEXT NOT NULL, message_id TEXT, payload TEXT, answer TEXT,
    started_at TEXT NOT NULL, latency_us INTEGER
);
CREATE INDEX ocpp_messages_station ON ocpp_messages (station_id, id);
CREATE TABLE variables (
    station_id INTEGER NOT NULL REFERENCES stations (id), name TEXT NOT NULL,
    value TEXT NOT NULL, updated_at TEXT NOT NULL, PRIMARY KEY (station_id, name)
);
CREATE TABLE command_results (
    id INTEGER PRIMARY KEY, station_id INTEGER NOT NULL, status TEXT NOT NULL,
    executed_at TEXT NOT NULL
);
"""

SET_CONNECTOR = """
INSERT INTO connectors (station_id, connector_id, status, error_code, reported_at, updated_at)
VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (station_id, connector_id) DO UPDATE SET status = excluded.status,
    error_code = excluded.error_code, reported_at = excluded.reported_at,
    updated_at = excluded.updated_at
"""
ADD_STATUS = """
INSERT INTO status_notifications (station_id, connector_id, status, error_code, reported_at,
    received_at, raw)
VALUES (?, ?, ?, ?, ?, ?, ?)
"""
ADD_BOOT = "INSERT INTO boots (station_id, status, received_at, raw) VALUES (?, ?, ?, ?)"
SET_MODEL = "UPDATE stations SET vendor = ?, model = ? WHERE id = ?"
SET_HEARTBEAT = "UPDATE stations SET last_heartbeat_at = ? WHERE id = ?"
ADD_OR_SEE_CARD = """
INSERT INTO id_tokens (value, status, first_seen_at, last_seen_at) VALUES (?, 'Accepted', ?, ?)
ON CONFLICT (value) DO UPDATE SET last_seen_at = excluded.last_seen_at
"""
ADD_TRANSACTION = """
INSERT INTO transactions (station_id, connector_id, id_token, start_register_wh,
    last_register_wh, started_at)
VALUES (?, ?, ?, ?, ?, ?)
"""
END_TRANSACTION = """
UPDATE transactions SET end_register_wh = ?, ended_at = ?, stop_reason = ?
WHERE id = ? AND station_id = ?
"""
SET_REGISTER = "UPDATE transactions SET last_register_wh = ? WHERE id = ? AND station_id = ?"
ADD_EVENT = """
INSERT INTO transaction_events (transaction_id, type, reported_at, received_at, raw)
VALUES (?, ?, ?, ?, ?)
"""
ADD_CHARGING_EVENT = """
INSERT INTO transaction_events (transaction_id, type, reported_at, received_at, raw)
SELECT id, 'Updated', ?, ?, ? FROM transactions
WHERE station_id = ? AND connector_id = ? AND ended_at IS NULL AND charging_state IS NOT ?
"""
SET_CHARGING = """
UPDATE transactions SET charging_state = ?
WHERE station_id = ? AND connector_id = ? AND ended_at IS NULL
"""
ADD_READING = """
INSERT INTO meter_values (station_id, transaction_id, connector_id, reported_at, received_at,
    register_wh, power_w, samples)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
"""
ADD_LOG = """
INSERT INTO ocpp_messages (station_id, direction, action, message_id, payload, answer, started_at,
    latency_us)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
"""
SET_VARIABLE = """
INSERT INTO variables (station_id, name, value, updated_at) VALUES (?, ?, ?, ?)
ON CONFLICT (station_id, name) DO UPDATE SET value = excluded.value,
    updated_at = excluded.updated_at
"""
ADD_RESULT = "INSERT INTO command_results (station_id, status, executed_at) VALUES (?, ?, ?)"

CHARGING_STATES = {"Charging", "SuspendedEV", "SuspendedEVSE"}

Statement = tuple[str, Sequence[Any]]


def now() -> str:
    """The present instant as text, UTC, with milliseconds."""
    seconds = time.time()
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    return f"{whole}.{int(seconds * 1000) % 1000:03d}Z"


class Station(ChargePoint):  # type: ignore[misc]  # ocpp has no types
    """One connected charging station and its handlers."""

    def __init__(
        self, identity: str, connection: ServerConnection, db: aiosqlite.Connection
    ) -> None:
        super().__init__(identity, connection)
        self.db = db
        self.station_id = 0

    async def load(self) -> None:
        """Find the row of this identity, or make it."""
        await self.db.execute(
            "INSERT INTO stations (identity, last_connected_at) VALUES (?, ?)"
            " ON CONFLICT (identity) DO UPDATE SET last_connected_at = excluded.last_connected_at",
            (self.id, now()),
        )
        async with self.db.execute(
            "SELECT id FROM stations WHERE identity = ?", (self.id,)
        ) as cursor:
            row = await cursor.fetchone()
        await self.db.commit()
        assert row is not None
        self.station_id = row[0]

    async def store(
        self, action: str, message_id: str, payload: Any, answer: Any, *statements: Statement
    ) -> None:
        """Run the statements of one message, log it, commit: what is answered is on disk."""
        started = time.perf_counter()
        for sql, params in statements:
            await self.db.execute(sql, params)
        await self.log(("in", action, message_id), payload, answer, started)
        await self.db.commit()

    async def log(
        self, what: tuple[str, str, str], payload: Any, answer: Any, started: float
    ) -> None:
        """One row for a CALL and its answer."""
        latency_us = int((time.perf_counter() - started) * 1e6)
        texts = json.dumps(payload), json.dumps(asdict(answer))
        await self.db.execute(ADD_LOG, (self.station_id, *what, *texts, now(), latency_us))

    @on(Action.boot_notification)  # type: ignore[untyped-decorator]
    async def on_boot(self, call_unique_id: str, **payload: Any) -> call_result.BootNotification:
        """Record the boot and accept."""
        at = now()
        model = payload["charge_point_vendor"], payload["charge_point_model"]
        answer = call_result.BootNotification(
            current_time=at, interval=300, status=RegistrationStatus.accepted
        )
        await self.store(
            "BootNotification",
            call_unique_id,
            payload,
            answer,
            (SET_MODEL, (*model, self.station_id)),
            (ADD_BOOT, (self.station_id, "Accepted", at, json.dumps(payload))),
        )
        return answer

    @on(Action.heartbeat)  # type: ignore[untyped-decorator]
    async def on_heartbeat(self, call_unique_id: str) -> call_result.Heartbeat:
        """Note that the station lives."""
        at = now()
        answer = call_result.Heartbeat(current_time=at)
        statement = SET_HEARTBEAT, (at, self.station_id)
        await self.store("Heartbeat", call_unique_id, {}, answer, statement)
        return answer

    @on(Action.status_notification)  # type: ignore[untyped-decorator]
    async def on_status(
        self, call_unique_id: str, **payload: Any
    ) -> call_result.StatusNotification:
        """Set the connector's status, keep the history, note when a transaction charges."""
        answer = call_result.StatusNotification()
        place = self.station_id, payload["connector_id"]
        status, raw = payload["status"], json.dumps(payload)
        times = payload.get("timestamp"), now()
        known = (*place, status, payload["error_code"], *times)
        statements = [(SET_CONNECTOR, known), (ADD_STATUS, (*known, raw))]
        if status in CHARGING_STATES:
            statements += [
                (ADD_CHARGING_EVENT, (*times, raw, *place, status)),
                (SET_CHARGING, (status, *place)),
            ]
        await self.store("StatusNotification", call_unique_id, payload, answer, *statements)
        return answer

    @on(Action.start_transaction)  # type: ignore[untyped-decorator]
    async def on_start(self, call_unique_id: str, **payload: Any) -> call_result.StartTransaction:
        """Open a transaction; its rowid is the transaction id."""
        register = payload["meter_start"]
        names = payload["connector_id"], payload["id_tag"]
        at = now()
        await self.db.execute(ADD_OR_SEE_CARD, (payload["id_tag"], at, at))
        cursor = await self.db.execute(
            ADD_TRANSACTION, (self.station_id, *names, register, register, payload["timestamp"])
        )
        transaction_id = cursor.lastrowid
        assert transaction_id is not None
        answer = call_result.StartTransaction(
            transaction_id=transaction_id,
            id_tag_info=IdTagInfo(status=AuthorizationStatus.accepted),
        )
        event = _event(transaction_id, "Started", payload)
        await self.store("StartTransaction", call_unique_id, payload, answer, event)
        return answer

    @on(Action.stop_transaction)  # type: ignore[untyped-decorator]
    async def on_stop(self, call_unique_id: str, **payload: Any) -> call_result.StopTransaction:
        """Close the transaction."""
        transaction_id = payload["transaction_id"]
        answer = call_result.StopTransaction()
        end = payload["meter_stop"], payload["timestamp"], payload.get("reason")
        await self.store(
            "StopTransaction",
            call_unique_id,
            payload,
            answer,
            (END_TRANSACTION, (*end, transaction_id, self.station_id)),
            _event(transaction_id, "Ended", payload),
        )
        return answer

    @on(Action.meter_values)  # type: ignore[untyped-decorator]
    async def on_meter_values(
        self, call_unique_id: str, connector_id: int, meter_value: list[Any], **rest: Any
    ) -> call_result.MeterValues:
        """Store every reading, and the transaction's latest register."""
        transaction_id = rest.get("transaction_id")
        statements: list[Statement] = []
        for reading in meter_value:
            samples = reading["sampled_value"]
            times = reading["timestamp"], now()
            register, power = _registers(samples)
            place = self.station_id, transaction_id, connector_id
            row = (*place, *times, register, power, json.dumps(samples))
            statements.append((ADD_READING, row))
            if transaction_id is not None and register is not None:
                statements.append((SET_REGISTER, (register, transaction_id, self.station_id)))
        payload = {"connector_id": connector_id, "meter_value": meter_value, **rest}
        answer = call_result.MeterValues()
        await self.store("MeterValues", call_unique_id, payload, answer, *statements)
        return answer

    async def change_configuration(self, key: str, value: str) -> str:
        """Send the one order this system knows; journal the answer, keep what the station took."""
        started = time.perf_counter()
        request = call.ChangeConfiguration(key=key, value=value)
        answer = await self.call(request)
        status: str = answer.status
        await self.db.execute(ADD_RESULT, (self.station_id, status, now()))
        if status == "Accepted":
            await self.db.execute(SET_VARIABLE, (self.station_id, key, value, now()))
        await self.log(("out", "ChangeConfiguration", ""), asdict(request), answer, started)
        await self.db.commit()
        return status


def _event(transaction_id: int, kind: str, payload: dict[str, Any]) -> Statement:
    reported_at = payload["timestamp"]
    return ADD_EVENT, (transaction_id, kind, reported_at, now(), json.dumps(payload))


def _registers(samples: list[dict[str, Any]]) -> tuple[float | None, float | None]:
    register = power = None
    for sample in samples:
        measurand = sample.get("measurand", "Energy.Active.Import.Register")
        if measurand == "Energy.Active.Import.Register":
            register = float(sample["value"])
        elif measurand == "Power.Active.Import":
            power = float(sample["value"])
    return register, power


class CentralSystem:
    """Who is connected, and the order to all of them."""

    def __init__(self, db: aiosqlite.Connection) -> None:
        self.db = db
        self.stations: dict[str, Station] = {}

    async def handle(self, connection: ServerConnection) -> None:
        """One socket: a station, or the operator's `/command`."""
        assert connection.request is not None
        identity = connection.request.path.rstrip("/").rsplit("/", 1)[-1]
        if identity == "command":
            await self.operate(connection)
            return
        station = Station(identity, connection, self.db)
        await station.load()
        self.stations[identity] = station
        try:
            await station.start()
        except ConnectionClosed:
            pass
        finally:
            if self.stations.get(identity) is station:
                del self.stations[identity]

    async def operate(self, connection: ServerConnection) -> None:
        """Send what comes in to every connected station; answer with how many accepted."""
        async for message in connection:
            order = json.loads(message)
            statuses = await asyncio.gather(
                *(
                    station.change_configuration(order["key"], order["value"])
                    for station in list(self.stations.values())
                )
            )
            await connection.send(json.dumps({"accepted": statuses.count("Accepted")}))


async def main(port: int, path: Path) -> None:
    """Serve until SIGTERM."""
    ocpp.messages.ASYNC_VALIDATION = False
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with aiosqlite.connect(path) as db:
        await db.execute("PRAGMA journal_mode = WAL")
        await db.execute("PRAGMA synchronous = FULL")
        await db.executescript(SCHEMA)
        await db.commit()
        system = CentralSystem(db)
        async with serve(
            system.handle,
            "127.0.0.1",
            port,
            subprotocols=[Subprotocol("ocpp1.6")],
            compression=None,
            backlog=4096,
        ):
            print("ready", flush=True)
            await stop.wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--db", type=Path, required=True)
    arguments = parser.parse_args()
    uvloop.run(main(arguments.port, arguments.db))
