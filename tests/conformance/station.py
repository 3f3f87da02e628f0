"""A scripted station of any version on the independent `websockets` library, and the server's tester.

Every frame of the server is checked against its schema on the way, so no case has to say so.
"""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import ssl
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from csms.domain.versions import OcppVersion
from csms.ocpp import schemas

Payload = dict[str, Any]
ANSWER_WITHIN_S = 10.0


@dataclass(eq=False)
class Refused(Exception):
    """The server answered with a CALLERROR."""

    code: str
    description: str


@dataclass(frozen=True, slots=True)
class Request:
    """A CALL of the server."""

    message_id: str
    action: str
    payload: Payload


@dataclass
class Station:
    """One connection at a time; what it says and answers is up to the case."""

    url: str
    identity: str
    version: OcppVersion
    password: str | None
    username: str | None = None
    """In place of the identity."""
    security: ssl.SSLContext | None = None
    socket: ClientConnection | None = None
    _ids: Any = field(default_factory=lambda: itertools.count(1))
    _open: dict[str, tuple[str, asyncio.Future[Payload]]] = field(default_factory=dict)
    _requests: asyncio.Queue[Request] = field(default_factory=asyncio.Queue)
    _reader: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        if self.socket is None:
            await self.connect()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.drop()

    async def connect(self, *offered: str) -> None:
        """Dial, offering the version; raises what `websockets` raises when it is refused."""
        headers = {}
        if self.password is not None:
            pair = f"{self.username or self.identity}:{self.password}".encode()
            headers["Authorization"] = "Basic " + base64.b64encode(pair).decode()
        self.socket = await connect(
            f"{self.url}/{self.identity}",
            subprotocols=offered or [self.version.subprotocol],  # type: ignore[arg-type]
            additional_headers=headers,
            ssl=self.security,
        )
        self._reader = asyncio.create_task(self._read(self.socket))

    async def drop(self) -> None:
        """Cut the connection, as a station does that restarts."""
        if self.socket is not None and self._reader is not None:
            self.socket.transport.abort()
            await self._reader
            self.socket = self._reader = None

    async def boot(self, reason: str = "PowerUp") -> Payload:
        """BootNotification in the version's words; returns the answer."""
        if self.version is OcppVersion.V16:
            return await self.call(
                "BootNotification", {"chargePointVendor": "Vendor", "chargePointModel": "Model"}
            )
        station = {"vendorName": "Vendor", "model": "Model"}
        return await self.call("BootNotification", {"reason": reason, "chargingStation": station})

    async def call(self, action: str, payload: Payload) -> Payload:
        """Send a CALL; returns the payload of the CALLRESULT, raises Refused for a CALLERROR."""
        message_id = f"{self.identity}-{next(self._ids)}"
        future: asyncio.Future[Payload] = asyncio.get_running_loop().create_future()
        self._open[message_id] = (action, future)
        await self.send([2, message_id, action, payload])
        async with asyncio.timeout(ANSWER_WITHIN_S):
            return await future

    async def refused(self, action: str, payload: Payload) -> str:
        """The CALLERROR code that this CALL gets."""
        try:
            answer = await self.call(action, payload)
        except Refused as error:
            return error.code
        raise AssertionError(f"{action} was answered: {answer}")

    async def send(self, frame: Any) -> None:
        """Send anything."""
        assert self.socket is not None
        await self.socket.send(frame if isinstance(frame, str) else json.dumps(frame))

    async def asked(self, action: str) -> Request:
        """The server's next CALL, which must be of this action."""
        async with asyncio.timeout(ANSWER_WITHIN_S):
            request = await self._requests.get()
        assert request.action == action, f"{request.action} came instead of {action}"
        return request

    async def answer(self, request: Request, payload: Payload) -> None:
        """Send the CALLRESULT."""
        await self.send([3, request.message_id, payload])

    async def refuse(self, request: Request, code: str) -> None:
        """Send a CALLERROR."""
        await self.send([4, request.message_id, code, "", {}])

    async def expect(self, action: str, answer: Payload) -> Payload:
        """`asked` and `answer` in one; returns the request's payload."""
        request = await self.asked(action)
        await self.answer(request, answer)
        return request.payload

    async def closed(self) -> int | None:
        """Wait until the server has closed the socket; its close code."""
        assert self.socket is not None
        async with asyncio.timeout(ANSWER_WITHIN_S):
            await self.socket.wait_closed()
        return self.socket.close_code

    async def _read(self, socket: ClientConnection) -> None:
        try:
            async for text in socket:
                self._take(json.loads(text))
        except ConnectionClosed:
            pass

    def _take(self, frame: list[Any]) -> None:
        kind, message_id = frame[0], frame[1]
        if kind == 2:
            self._check(frame[2], "request", frame[3])
            self._requests.put_nowait(Request(message_id, frame[2], frame[3]))
            return
        action, future = self._open.pop(message_id)
        if future.cancelled():
            return
        if kind == 4:
            future.set_exception(Refused(frame[2], frame[3]))
            return
        self._check(action, "response", frame[2])
        future.set_result(frame[2])

    def _check(self, action: str, kind: schemas.Kind, payload: Payload) -> None:
        violation = schemas.violation(self.version, action, kind, payload)
        assert violation is None, f"{action} {kind}: {violation}"
