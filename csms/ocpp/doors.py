"""Every address the server listens on, with the certificates it shows there."""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import Callable, Coroutine, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import structlog

from csms.clock import Clock
from csms.domain.onboarding import Cause
from csms.domain.timestamps import format_timestamp
from csms.errors import CsmsError, Invalid
from csms.events import Event
from csms.host import Listen, Security
from csms.ocpp import listener, tls
from csms.ocpp.endpoint import Endpoint
from csms.ocpp.throttle import Throttle
from csms.ocpp.tls import TlsFiles
from csms.ocpp.tls_server import SecurityOf, TlsServer
from csms.services import inbox
from csms.store.database import Database

log = structlog.get_logger(__name__)

LOOK_INTERVAL_S = 60.0
# A stranger that knocks without a pause is noted so often.
NOTE_INTERVAL_S = 1.0
# How many days before its end a certificate is spoken of.
WARN_DAYS = (30, 7, 1, 0)


class CannotListen(CsmsError):
    """One of the addresses cannot be used; the message is one line for stderr."""

    code = "cannot_start"


class Doors:
    """Opens the ports, notes who fails before an upgrade, and follows the certificate files."""

    def __init__(
        self,
        addresses: Sequence[Listen],
        files: TlsFiles | None,
        *,
        db: Database,
        clock: Clock,
        spawn: Callable[[Coroutine[Any, Any, Any]], None],
    ) -> None:
        self._addresses = addresses
        self._files = files
        self._db = db
        self._clock = clock
        self._spawn = spawn
        self._notes = Throttle(NOTE_INTERVAL_S)
        self._silent = listener.Silent()
        self._servers: list[asyncio.Server | TlsServer] = []
        # Before they are read: what changes meanwhile is then read again.
        self._seen = self._stamps()
        self._contexts = None if files is None else tls.load(files)
        self._warned: int | None = None

    @property
    def ports(self) -> list[int]:
        """Where it listens, in the order of the addresses."""
        return [server.sockets[0].getsockname()[1] for server in self._servers]

    async def open(
        self, runner: listener.Runner, endpoint: Endpoint, *, head_timeout_s: float
    ) -> None:
        """Listen on all of them, or on none; raises CannotListen."""
        secured = [(address, self._security_of(address)) for address in self._addresses]
        for address, security_of in secured:
            try:
                server = await listener.listen(
                    runner,
                    endpoint,
                    address.host,
                    address.port,
                    security_of=security_of,
                    stations_only=address.stations_only,
                    programs_only=address.programs_only,
                    silent=self._silent,
                    on_stranger=self._on_stranger,
                    head_timeout_s=head_timeout_s,
                )
            except OSError as error:
                self.close()
                reason = os.strerror(error.errno) if error.errno else str(error)
                where = f"{address.host}:{address.port}"
                raise CannotListen(f"cannot listen on {where}: {reason}") from error
            self._servers.append(server)

    def close(self) -> None:
        """Take no new connection; those there are stay."""
        for server in self._servers:
            server.close()

    async def look_after(self) -> None:
        """Look at the certificate files once a minute, until cancelled."""
        while self._contexts is not None:
            await self.look()
            await asyncio.sleep(LOOK_INTERVAL_S)

    async def look(self) -> None:
        """Use new certificates for new connections, and tell when one is about to expire."""
        assert self._files is not None
        stamps = await asyncio.to_thread(self._stamps)
        if stamps != self._seen:
            self._seen = stamps
            try:
                self._contexts = tls.load(self._files)
            except Invalid as error:  # half of them written, perhaps: the next look finds the rest
                log.error("certificates not replaced", reason=error.message)  # noqa: TRY400
            else:
                self._warned = None
                log.info("certificates replaced")
        await self._warn()

    async def _warn(self) -> None:
        assert self._contexts is not None
        left = self._contexts.expires_at - self._clock.now()
        due = [days for days in WARN_DAYS if left <= timedelta(days=days)]
        if not due or min(due) == self._warned:
            return
        self._warned = min(due)
        expires_at = format_timestamp(self._contexts.expires_at)
        log.warning("our certificate expires", expires_at=expires_at)
        event = Event("server_certificate.expiring", {"expires_at": expires_at})
        await self._db.write(lambda tx: tx.emit(event))

    def _security_of(self, address: Listen) -> SecurityOf | None:
        if address.security is Security.PLAIN:
            return None
        where = f"{address.host}:{address.port},{address.security.value}"
        if self._contexts is None:
            raise CannotListen(f"setting listen: {where} needs tls.certificates and tls.keys")
        if address.security is Security.MTLS and self._contexts.by_certificate is None:
            raise CannotListen(f"setting listen: {where} needs tls.client_ca")
        return self._by_certificate if address.security is Security.MTLS else self._by_password

    def _by_password(self) -> ssl.SSLContext:
        assert self._contexts is not None
        return self._contexts.by_password

    def _by_certificate(self) -> ssl.SSLContext:
        assert self._contexts is not None
        assert self._contexts.by_certificate is not None
        return self._contexts.by_certificate

    def _on_stranger(self, address: str, cause: Cause, detail: str | None) -> None:
        if self._notes.passes(f"{cause.value}/{address}", self._clock.monotonic()):
            log.info("connection refused", address=address, cause=cause.value, detail=detail)
            self._spawn(inbox.record(self._db, "", cause, address, detail=detail))

    def _stamps(self) -> list[tuple[Path, int, int]]:
        found = []
        for path in () if self._files is None else self._files.paths:
            try:
                status = path.stat()
            except OSError:  # being replaced, or gone; `load` says so
                continue
            found.append((path, status.st_mtime_ns, status.st_size))
        return found
