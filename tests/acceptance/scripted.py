"""Scripted 1.6 stations on the independent `websockets` library, recorded by the test itself."""

from __future__ import annotations

import asyncio
import itertools
import json
import threading
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from .background import Background

RECONNECT_S = 0.1


class ScriptedFleet:
    """Stations in a thread with a loop of their own, so that a test may block.

    `DEAF…` leaves its first ChangeConfiguration unanswered. `DROP…` loses its socket over a
    Reset before it has answered, and boots again. All others do what they are told.
    """

    def __init__(self, url: str, identities: list[str]) -> None:
        self._url = url
        self._record: list[dict[str, Any]] = []
        self._lock = threading.Lock()
        self._ids = itertools.count(1)
        self._was_deaf: set[str] = set()
        self._background = Background()
        for identity in identities:
            self._background.run(self._live(identity))

    def stop(self) -> None:
        self._background.stop()

    def read(self) -> list[dict[str, Any]]:
        with self._lock:
            return list(self._record)

    def booted(self) -> set[str]:
        return {
            line["identity"]
            for line in self.read()
            if line["dir"] == "in" and line["frame"][0] == 3 and "interval" in line["frame"][2]
        }

    async def _live(self, identity: str) -> None:
        boots = True
        while True:
            try:
                async with connect(
                    f"{self._url}/{identity}", subprotocols=["ocpp1.6"], open_timeout=5
                ) as socket:
                    boots = await self._converse(identity, socket, boots)
            except (OSError, TimeoutError, WebSocketException, EOFError):
                pass
            await asyncio.sleep(RECONNECT_S)

    async def _converse(self, identity: str, socket: ClientConnection, boots: bool) -> bool:
        """Serve one connection; whether the next one begins with a boot."""
        first = (
            ("BootNotification", {"chargePointVendor": "Test", "chargePointModel": "Script"})
            if boots
            else ("Heartbeat", {})
        )
        await self._send(identity, socket, [2, f"{identity}-{next(self._ids)}", *first])
        try:
            async for message in socket:
                frame = json.loads(message)
                self._note(identity, "in", frame)
                if frame[0] == 2 and not await self._answer(identity, socket, frame):
                    return True
        except WebSocketException:
            pass
        return False

    async def _answer(self, identity: str, socket: ClientConnection, call: list[Any]) -> bool:
        """False: the socket is to be dropped."""
        _, message_id, action, _ = call
        if action == "Reset" and identity.startswith("DROP"):
            return False
        deaf = identity.startswith("DEAF") and identity not in self._was_deaf
        if action == "ChangeConfiguration" and deaf:
            self._was_deaf.add(identity)
            return True
        await self._send(identity, socket, [3, message_id, {"status": "Accepted"}])
        return True

    async def _send(self, identity: str, socket: ClientConnection, frame: list[Any]) -> None:
        self._note(identity, "out", frame)
        await socket.send(json.dumps(frame))

    def _note(self, identity: str, direction: str, frame: list[Any]) -> None:
        with self._lock:
            self._record.append({"identity": identity, "dir": direction, "frame": frame})
