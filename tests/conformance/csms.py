"""The server under test as its operator sees it: a process, its API and its file."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from csms.cli.failures import Refused
from csms.domain.versions import OcppVersion
from tests.acceptance.processes import Server
from tests.conformance.station import Station
from tests.pki import HOST, Authority, Pair, client


@dataclass(frozen=True)
class Secure:
    """The ports with TLS, and who signed every certificate."""

    authority: Authority
    tls: int
    mtls: int


@dataclass
class Csms:
    """One process for all cases; each case has stations of its own."""

    server: Server
    secure: Secure
    _numbers: Any = field(default_factory=lambda: itertools.count(1))

    async def station(
        self, version: OcppVersion, *, prefix: str = "TC", **settings: Any
    ) -> Station:
        """A new registered station with a password, not connected yet."""
        identity = f"{prefix}-{next(self._numbers):04d}"
        made = await self.api("POST", "/api/v1/stations", {"identity": identity, **settings})
        return Station(self.server.url, identity, version, made["password"])

    async def by_tls(self, version: OcppVersion) -> Station:
        """A new registered station with a password that dials the port with TLS."""
        station = await self.station(version)
        station.url = f"wss://{HOST}:{self.secure.tls}/ocpp"
        station.security = client(self.secure.authority)
        return station

    async def by_certificate(
        self, version: OcppVersion, certificate: Callable[[str], Pair | None] | None = None
    ) -> Station:
        """The same with a certificate in place of the password; by default one of its own."""
        station = await self.station(version)
        signed = certificate or self.secure.authority.station
        station.url = f"wss://{HOST}:{self.secure.mtls}/ocpp"
        station.security = client(self.secure.authority, signed(station.identity))
        station.password = None
        return station

    async def online(self, version: OcppVersion) -> Station:
        """A new station that has booted and told its connector's status."""
        station = await self.station(version)
        await station.connect()
        assert (await station.boot())["status"] == "Accepted"
        return station

    async def token(self, **decided: Any) -> str:
        """A new id token about which somebody has decided; returns its value."""
        value = f"TOKEN-{next(self._numbers):04d}"
        settings = {"status": "Accepted", **decided}
        await self.api("POST", "/api/v1/id-tokens", {"value": value, **settings})
        return value

    def order(
        self, station: Station, command: str, params: dict[str, Any] | None = None
    ) -> asyncio.Task[dict[str, Any]]:
        """Start a command of ours; the task ends with what the API says of its end."""
        body = {"command": command, "params": params or {}, "timeout_s": 10}
        return asyncio.create_task(self._send(station, body))

    def raw(
        self, station: Station, action: str, payload: dict[str, Any]
    ) -> asyncio.Task[dict[str, Any]]:
        """The same with an action of the station's version as it is."""
        body = {"action": action, "payload": payload, "timeout_s": 10}
        return asyncio.create_task(self._send(station, body))

    async def _send(self, station: Station, body: dict[str, Any]) -> dict[str, Any]:
        path = f"/api/v1/stations/identity:{station.identity}/commands"
        try:
            return await self.api("POST", path, body)
        except Refused as refused:
            return {"state": "refused", "problem": refused}

    async def api(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        """One request as an admin; raises Refused."""
        client = self.server.client
        if method == "GET":
            return await asyncio.to_thread(client.get, path, **query)
        if method == "DELETE":
            return await asyncio.to_thread(client.delete, path)
        if method in {"PATCH", "PUT"}:  # which no command of ours needs
            return await asyncio.to_thread(client._ask, method, path, body)
        return await asyncio.to_thread(client.post, path, body)

    async def rows(self, station: Station, table: str) -> list[dict[str, Any]]:
        """What is stored of the station, oldest first."""
        return [
            dict(row)
            for row in await asyncio.to_thread(
                self.server.rows,
                f"SELECT t.* FROM {table} t JOIN stations s ON s.id = t.station_id"
                " WHERE s.identity = ? ORDER BY 1, 2",
                station.identity,
            )
        ]
