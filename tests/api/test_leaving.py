"""Callers who go in the middle of an answer: nobody is told, and nothing is left behind."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from csms.events import Event
from csms.store import events
from tests.api.v1.scene import make_station
from tests.api.v1.test_messages import log

if TYPE_CHECKING:
    from tests.api.conftest import Api

# More than the system takes for a reader who reads nothing.
TEXT, TIMES = "x" * 200_000, 40


@pytest.mark.parametrize(
    ("path", "header"),
    [
        ("/api/v1/messages?follow=true", "Last-Event-ID: 0"),
        ("/api/v1/messages", "Accept: application/x-ndjson"),
        ("/api/v1/events?since=0", "Accept: text/event-stream"),
    ],
)
async def test_a_reader_that_leaves_while_we_write_is_no_fault(
    api: Api, caplog: pytest.LogCaptureFixture, path: str, header: str
) -> None:
    log(api, await make_station(api), *("Flood" for _ in range(TIMES)), payload=f'"{TEXT}"')
    await api.deps.db.write(
        lambda tx: [tx.emit(Event("a.flood", {"text": TEXT})) for _ in range(TIMES)]
    )
    assert api.client.server.runner is not None
    server = api.client.server.runner.server
    assert server is not None
    server.handler_cancellation = False  # as it is outside of tests
    with capture_logs() as logs, socket.socket() as caller:
        caller.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        caller.connect((api.client.server.host, api.client.server.port))
        bearer = f"Authorization: Bearer {api.bearers['admin']}"
        head = f"GET {path} HTTP/1.1\r\nHost: csms\r\n{bearer}\r\n{header}"
        caller.sendall(f"{head}\r\n\r\n".encode())
        async with asyncio.timeout(5):
            while not server.connections or server.connections[0]._drain_waiter is None:
                await api.deps.db.read(events.newest_id)  # lets everything go on
            serving = server.connections[0]._task_handler
            assert serving is not None
            caller.close()  # without having read what came: the other end sees a reset
            await asyncio.wait([serving])
    assert ([], []) == (logs, caplog.records)
    assert set() == api.deps.feed._readers
