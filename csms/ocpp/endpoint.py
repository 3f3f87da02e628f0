"""The upgrade: who is knocking, may they come in, and in which version we talk."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import cast

import structlog
from aiohttp import hdrs, web

from csms.domain.credentials import Verdict, check_supplied
from csms.domain.identity import why_not_an_identity
from csms.domain.onboarding import Onboarding
from csms.domain.stations import NewStation, Station
from csms.errors import CsmsError, DuplicateIdentity, Invalid
from csms.ocpp import handshake
from csms.ocpp.connection import Wire, new_socket
from csms.ocpp.handshake import Basic, Choice
from csms.ocpp.held import UNKNOWN_IDENTITY
from csms.ocpp.hub import Hub, Visit
from csms.ocpp.throttle import Throttle
from csms.services import inbox
from csms.services import stations as station_service
from csms.services.credentials import Passwords
from csms.store import stations
from csms.store.database import Database

log = structlog.get_logger(__name__)

# A refused knock leaves on this grid, so that its time tells nothing about what was wrong.
REFUSAL_GRID_S = 0.25
MAX_HELD = 1000
RETRY_AFTER_S = 60
# A refused station that knocks without a pause is noted so often.
NOTE_INTERVAL_S = 1.0


@dataclass(frozen=True, slots=True)
class _Admitted:
    """Somebody who may come in; without a station it is held until a person accepts it."""

    identity: str
    station: Station | None
    choice: Choice


class _Refused(Exception):
    """The upgrade does not happen."""

    def __init__(
        self, status: int, text: str, *, cause: str | None = None, detail: str | None = None
    ) -> None:
        super().__init__(text)
        self.status = status
        self.text = text
        self.cause = cause
        self.detail = detail


class _Unauthorized(_Refused):
    """The one answer to every wrong or missing credential."""

    def __init__(self, cause: str, detail: str | None = None) -> None:
        super().__init__(401, "Unauthorized\n", cause=cause, detail=detail)


def wants_upgrade(request: web.BaseRequest) -> bool:
    """Whether a request is for the endpoint; all others are REST."""
    return request.headers.get(hdrs.UPGRADE, "").strip().lower() == "websocket"


class Endpoint:
    """Every upgrade request of the server, whatever its path."""

    def __init__(self, *, hub: Hub, db: Database, passwords: Passwords) -> None:
        self._hub = hub
        self._db = db
        self._passwords = passwords
        self._settings = hub.settings
        self._notes = Throttle(NOTE_INTERVAL_S)

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one upgrade request; returns when the connection is over."""
        began = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(self._settings.handshake_timeout_s):
                visit = await self._let_in(request)
        except _Refused as refused:
            return await self._refuse(request, refused, began)
        except (CsmsError, TimeoutError, ConnectionError) as error:
            log.warning(
                "upgrade failed", target=handshake.printable(request.raw_path), error=str(error)
            )
            return _response(503, "try again later\n")
        # For years, so these frames keep nothing but what the connection needs.
        await visit.serve()
        return visit.connection.socket

    async def _let_in(self, request: web.BaseRequest) -> Visit:
        admitted = await self._admit(request)
        choice = admitted.choice
        socket = new_socket((choice.echo,) if choice.echo else ())
        await socket.prepare(request)
        socket.headers.clear()  # sent; it would be half a kilobyte for as long as it is connected
        if request.transport is None:
            raise ConnectionResetError("gone before the upgrade")
        transport = cast("asyncio.WriteTransport", request.transport)
        wire = Wire(socket, transport, request.remote or "")
        if admitted.station is None:
            return self._hub.open_held(admitted.identity, wire, choice.version)
        return self._hub.open(admitted.station, wire, choice.version)

    async def _admit(self, request: web.BaseRequest) -> _Admitted:
        self._check_request(request)
        identity = handshake.identity_in(request.raw_path)
        if identity is None:
            raise _Refused(400, "the URL has no identity\n")
        reason = why_not_an_identity(identity)
        if reason is not None:
            raise _Refused(400, f"{reason}\n", cause="invalid_identity", detail=reason)
        station = await self._db.read(lambda tx: stations.find_by_identity(tx, identity))
        basic = handshake.basic_in(request.headers.get(hdrs.AUTHORIZATION))
        if station is not None:
            await self._authenticate(station, identity, basic)
            if self._hub.is_dueling(station.id):
                raise _Refused(503, "two stations use this identity\n")
        else:
            station = await self._onboard(identity, basic)
        return _Admitted(identity, station, self._choose(request, station))

    def _check_request(self, request: web.BaseRequest) -> None:
        headers = request.headers
        if request.method != hdrs.METH_GET:
            raise _Refused(405, "an upgrade is a GET\n")
        if handshake.comes_from_a_browser(headers.keys(), headers.get(hdrs.USER_AGENT, "")):
            raise _Refused(403, "browsers cannot open this socket\n")
        if self._hub.stopping or self._hub.count >= self._settings.max_sockets:
            raise _Refused(503, "try again later\n")
        if not new_socket(tuple(_offered(request))).can_prepare(request):
            raise _Refused(400, "not a valid websocket handshake\n")

    async def _authenticate(self, station: Station, identity: str, basic: Basic | None) -> None:
        if basic is not None and not basic.is_for(identity):
            await self._passwords.spend_as_if(basic.password)
            raise _Unauthorized("identity_mismatch", "the user name is not the identity")
        password = None if basic is None else basic.password
        verdict = await self._passwords.verify(station.id, password, virtual=station.virtual)
        if verdict is Verdict.OK:
            return
        if verdict is Verdict.NONE_SET:
            if self._settings.allow_no_password:
                return
            raise _Unauthorized("no_password_set")
        raise _Unauthorized("no_credentials" if basic is None else "bad_password")

    async def _onboard(self, identity: str, basic: Basic | None) -> Station | None:
        """What becomes of an unknown identity; None: hold it."""
        mode = self._settings.onboarding
        if mode is Onboarding.MANUAL:
            if self._hub.held_count >= MAX_HELD:
                raise _Refused(503, "try again later\n", cause=UNKNOWN_IDENTITY)
            return None
        password = b"" if basic is None else basic.password
        if mode is Onboarding.CLOSED:
            await self._passwords.spend_as_if(password)
            raise _Unauthorized(UNKNOWN_IDENTITY)
        if basic is not None and not basic.is_for(identity):
            raise _Unauthorized("identity_mismatch", "the user name is not the identity")
        if self._settings.allow_no_password:
            return await self._register(identity)
        try:
            check_supplied(password, None)
        except Invalid as error:
            raise _Unauthorized("no_credentials", error.message) from error
        station = await self._register(identity)
        # Whoever comes first sets the password; everyone after has to know it.
        await self._passwords.set_supplied(station.id, password)
        return station

    async def _register(self, identity: str) -> Station:
        try:
            return await self._db.write(
                lambda tx: station_service.create(tx, NewStation(identity=identity))
            )
        except DuplicateIdentity as error:  # its other connection was quicker
            raise _Refused(503, "try again\n") from error

    def _choose(self, request: web.BaseRequest, station: Station | None) -> Choice:
        offered = _offered(request)
        choice = handshake.choose(
            offered,
            spoken=self._hub.versions,
            pin=None if station is None else station.ocpp_version,
            assume=self._settings.assume_subprotocol,
        )
        if choice is None:
            raise _Refused(
                400,
                "no subprotocol that both speak\n",
                cause="no_common_subprotocol",
                detail=", ".join(offered) or "none offered",
            )
        if choice.echo is None:
            log.warning(
                "station offers no subprotocol",
                target=handshake.printable(request.raw_path),
                assumed=choice.version.value,
            )
        return choice

    async def _refuse(
        self, request: web.BaseRequest, refused: _Refused, began: float
    ) -> web.StreamResponse:
        if refused.cause is not None:
            await self._note(request, refused)
        if refused.status != 401:
            return _response(refused.status, refused.text)
        elapsed = asyncio.get_running_loop().time() - began
        await asyncio.sleep(REFUSAL_GRID_S - elapsed % REFUSAL_GRID_S)
        return _response(401, refused.text)

    async def _note(self, request: web.BaseRequest, refused: _Refused) -> None:
        assert refused.cause is not None
        identity = handshake.printable(handshake.identity_in(request.raw_path) or "")
        address = request.remote or ""
        now = asyncio.get_running_loop().time()
        if not self._notes.passes(f"{identity}/{address}", now):
            return
        log.info("station refused", station=identity, cause=refused.cause)
        detail = None if refused.detail is None else handshake.printable(refused.detail)
        try:
            await inbox.record(self._db, identity, refused.cause, address, detail=detail)
        except CsmsError as error:
            log.warning("refusal not noted", reason=error.code)


def _offered(request: web.BaseRequest) -> list[str]:
    return handshake.subprotocols_in(request.headers.getall(hdrs.SEC_WEBSOCKET_PROTOCOL, ()))


def _response(status: int, text: str) -> web.Response:
    response = web.Response(status=status, text=text)
    if status == 401:
        response.headers[hdrs.WWW_AUTHENTICATE] = 'Basic realm="csms", charset="UTF-8"'
    if status == 503:
        response.headers[hdrs.RETRY_AFTER] = str(RETRY_AFTER_S)
    response.force_close()
    return response
