"""Stations quote what they were told; what is stored of their answers does not."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import orjson
import pytest

from csms.errors import CsmsError
from csms.events import LateAnswer
from csms.store.database import ReadTx
from tests.ocpp.conftest import BOOT, Client, Server

SECRET = "Canary0123456789"
DIGITS = SECRET.encode().hex()
ORDER = {"key": "AuthorizationKey", "value": DIGITS}


async def everything(server: Server, station_id: int) -> str:
    """All that the database says."""
    await server.log_rows(station_id)
    await server.lint.flush()

    def dump(tx: ReadTx) -> str:
        tables = tx.all("SELECT name FROM sqlite_schema WHERE type = 'table'")
        rows = [row for table in tables for row in tx.all(f'SELECT * FROM "{table["name"]}"')]
        return str([tuple(row) for row in rows])

    return (await server.db.read(dump)).lower()


async def told(server: Server, station_id: int, timeout_s: float = 5.0) -> Any:
    return await server.hub.call(
        station_id,
        action="ChangeConfiguration",
        payload=ORDER,
        message_id="ours",
        timeout_s=timeout_s,
    )


def frames(quoted: str) -> list[str]:
    return [
        f'[3,"ours",{{"status":"Accepted","echo":"{quoted}"}}]',
        f'[3,"ours",{{"status":"Accepted","{quoted}":1}}]',
        f'[3,"ours",{{"status":"{quoted}"}}]',
        f'[4,"ours","GenericError","no {quoted}, thanks",{{"it":"{quoted}"}}]',
        f'[4,"ours","{quoted}","",{{}}]',
        f'[3,"ours",{{"status":"{quoted}"',
    ]


@pytest.mark.parametrize("answer", [*frames(SECRET), *frames(DIGITS), *frames(DIGITS.upper())])
@pytest.mark.parametrize("when", ["in time", "late", "late, on a new socket"])
async def test_an_answer_is_stored_without_what_its_call_told(
    server: Server, answer: str, when: str
) -> None:
    station, password = await server.register("S")
    client: Client = await server.connect("S", password)
    await client.ask(BOOT)
    calling = asyncio.create_task(told(server, station.id, 5.0 if when == "in time" else 0.01))
    await client.receive()
    if when != "in time":
        with suppress(CsmsError):
            await calling
    if when == "late, on a new socket":
        client = await server.connect("S", password)
    await client.send(answer)
    await client.ask('[2,"hb","Heartbeat",{}]')
    with suppress(CsmsError):
        await calling
    content = await everything(server, station.id)
    assert "changeconfiguration" in content
    assert SECRET.lower() not in content
    assert DIGITS not in content
    late = [signal for signal in server.signals if isinstance(signal, LateAnswer)]
    assert SECRET not in str(late)
    assert DIGITS not in str(late).lower()


async def test_a_vendors_own_message_is_stored_without_passwords(server: Server) -> None:
    station, client = await server.online("S")
    for data in ({"AuthorizationKey": SECRET}, f"BasicAuthPassword={SECRET}"):
        await client.ask(orjson.dumps([2, "d", "DataTransfer", {"vendorId": "v", "data": data}]))
    content = await everything(server, station.id)
    assert "***" in content
    assert SECRET.lower() not in content
