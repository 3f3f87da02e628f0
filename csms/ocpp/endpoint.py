"""The upgrade: who is knocking, may they come in, and in which version we talk."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus

import structlog
from aiohttp import hdrs, web

from csms.domain.client_certificates import ClientCertificate
from csms.domain.credentials import Credential, Verdict, check_supplied
from csms.domain.identity import why_not_an_identity
from csms.domain.onboarding import Onboarding
from csms.domain.stations import NewStation, Station
from csms.domain.versions import OcppVersion
from csms.errors import CsmsError, DuplicateIdentity, Invalid
from csms.ocpp import handshake
from csms.ocpp.conduct import applied_to
from csms.ocpp.deflate import Terms, agree
from csms.ocpp.handshake import Basic, Choice, Peer, Upgrade
from csms.ocpp.held import UNKNOWN_IDENTITY
from csms.ocpp.hub import Hub
from csms.ocpp.quirks import catalog
from csms.ocpp.quirks.applied import Applied, apply
from csms.ocpp.quirks.observed import Observed
from csms.ocpp.throttle import Throttle
from csms.ocpp.tls import peer_of
from csms.ocpp.websocket import Socket, transport_of
from csms.services import inbox
from csms.services import stations as station_service
from csms.services.credentials import Passwords
from csms.store import credentials, stations
from csms.store.database import Database, ReadTx

log = structlog.get_logger(__name__)

# A refused knock leaves on this grid, so that its time tells nothing about what was wrong.
REFUSAL_GRID_S = 0.25
MAX_HELD = 1000
RETRY_AFTER_S = 60
# A refused station that knocks without a pause is noted so often.
NOTE_INTERVAL_S = 1.0
# A station that has a password must show it anyway, so this one is not recorded.
PASSWORD_PROFILE = 1


@dataclass(frozen=True, slots=True)
class Admission:
    """Somebody who may come in; without a station it is held until a person accepts it."""

    hub: Hub
    identity: str
    station: Station | None
    choice: Choice
    peer: Peer
    head: bytes
    compression: Terms | None
    quirks: Applied
    noticed: tuple[str, ...]
    """Quirks that the upgrade has shown already."""

    def enter(self, transport: asyncio.Transport, unread: bytes) -> None:
        """Turn the transport into a websocket; `unread` came after the head."""
        if transport.is_closing():
            return
        socket = Socket(transport, self.compression)
        if self.station is None:
            connection = self.hub.open_held(
                self.identity,
                socket,
                self.peer.address,
                self.choice.version,
                certificate=self.peer.certificate,
            )
        else:
            connection = self.hub.open(
                self.station,
                socket,
                self.peer.address,
                self.choice.version,
                certificate=self.peer.certificate,
                quirks=self.quirks,
                noticed=self.noticed,
            )
        transport.write(self.head)
        socket.start(connection, unread)


@dataclass(frozen=True, slots=True)
class Refusal:
    """The HTTP answer to somebody who may not."""

    status: int
    text: str

    @property
    def headers(self) -> dict[str, str]:
        """Beside those that every answer has."""
        if self.status == 401:
            return {"WWW-Authenticate": 'Basic realm="csms", charset="UTF-8"'}
        return {"Retry-After": str(RETRY_AFTER_S)} if self.status == 503 else {}

    def encode(self) -> bytes:
        """The bytes of the whole answer."""
        headers = {
            **self.headers,
            "Content-Type": "text/plain; charset=utf-8",
            "Content-Length": str(len(self.text.encode())),
            "Date": formatdate(usegmt=True),
            "Connection": "close",
        }
        lines = [f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return "\r\n".join([*lines, "", self.text]).encode()


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


class Endpoint:
    """Every upgrade request of the server, whatever its path."""

    def __init__(self, *, hub: Hub, db: Database, passwords: Passwords) -> None:
        self._hub = hub
        self._db = db
        self._passwords = passwords
        self._settings = hub.settings
        self._notes = Throttle(NOTE_INTERVAL_S)

    async def knock(self, upgrade: Upgrade) -> Admission | Refusal:
        """Decide about one upgrade request; raises nothing but CancelledError."""
        began = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(self._settings.handshake_timeout_s):
                return await self._admit(upgrade)
        except _Refused as refused:
            return await self._refuse(upgrade, refused, began)
        except (CsmsError, TimeoutError) as error:
            target = handshake.printable(upgrade.target)
            log.warning("upgrade failed", target=target, error=str(error))
            return Refusal(503, "try again later\n")

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer an upgrade on a connection that served REST before: proxies keep those open."""
        headers: dict[str, str] = {}
        for name, value in request.headers.items():
            known = headers.get(name.lower())
            headers[name.lower()] = value if known is None else f"{known}, {value}"
        upgrade = Upgrade(request.method, request.raw_path, headers, peer_of(request.transport))
        answer = await self.knock(upgrade)
        if isinstance(answer, Refusal):
            response = web.Response(status=answer.status, text=answer.text, headers=answer.headers)
            response.force_close()
            return response
        answer.enter(*_taken_over(request))
        return web.Response()  # aiohttp has nowhere to send it to

    async def _admit(self, upgrade: Upgrade) -> Admission:
        accept = self._check_request(upgrade)
        identity = handshake.identity_in(upgrade.target)
        if identity is None:
            raise _Refused(400, "the URL has no identity\n")
        reason = why_not_an_identity(identity)
        if reason is not None:
            raise _Refused(400, f"{reason}\n", cause="invalid_identity", detail=reason)
        agent = upgrade.headers.get("user-agent")
        certificate = upgrade.peer.certificate
        station, stored, quirks, serial_number = await self._db.read(
            lambda tx: _find(tx, identity, agent, certificate)
        )
        basic = handshake.basic_in(upgrade.headers.get("authorization"))
        if certificate is not None:
            self._check_certificate(certificate, identity, serial_number)
        profile = upgrade.security_profile
        if station is not None:
            if certificate is None and not await self._authenticate(station, stored, basic):
                profile = 0
            if station.blocked_at is not None:  # told to nobody who has not shown who it is
                raise _Refused(403, "blocked\n")
            _check_profile(station, profile)
            if self._hub.is_dueling(station.id):
                raise _Refused(503, "two stations use this identity\n")
        else:
            station = await self._onboard(identity, basic, certificate, serial_number)
            if certificate is None and self._settings.allow_no_password:
                profile = 0  # registered without one
        choice = self._choose(upgrade, station, quirks)
        # A stranger's few bytes are not to cost more than they are.
        compression = None if station is None else _compression(upgrade, choice, quirks)
        if station is not None and profile > max(station.security_profile, PASSWORD_PROFILE):
            station_id = station.id
            await self._db.write(lambda tx: station_service.came_with(tx, station_id, profile))
        return Admission(
            self._hub,
            identity,
            station,
            choice,
            upgrade.peer,
            _switching(accept, choice.echo, compression),
            compression,
            quirks,
            tuple(_noticed(upgrade, choice, quirks)),
        )

    def _check_request(self, upgrade: Upgrade) -> str:
        headers = upgrade.headers
        if upgrade.method != hdrs.METH_GET:
            raise _Refused(405, "an upgrade is a GET\n")
        if handshake.comes_from_a_browser(headers, headers.get("user-agent", "")):
            raise _Refused(403, "browsers cannot open this socket\n")
        if self._hub.stopping or self._hub.count >= self._settings.max_sockets:
            raise _Refused(503, "try again later\n")
        accept = upgrade.accept
        if accept is None:
            raise _Refused(400, "not a valid websocket handshake\n")
        return accept

    def _check_certificate(
        self, certificate: ClientCertificate, identity: str, serial_number: str | None
    ) -> None:
        if not certificate.is_for_clients:
            raise _Unauthorized("bad_client_certificate", "it is not for clients")
        if not certificate.is_of(self._settings.client_organizations):
            owners = ", ".join(certificate.organizations)
            raise _Unauthorized("certificate_mismatch", f"it belongs to {owners or 'nobody'}")
        if not certificate.is_for(identity, serial_number):
            names = ", ".join(certificate.common_names)
            raise _Unauthorized("certificate_mismatch", f"it names {names or 'nobody'}")

    async def _authenticate(
        self, station: Station, stored: list[Credential], basic: Basic | None
    ) -> bool:
        """Whether it has shown a password: some may come in without."""
        if basic is not None and not basic.is_for(station.identity):
            self._passwords.spend_as_if(basic.password)
            raise _Unauthorized("identity_mismatch", "the user name is not the identity")
        password = None if basic is None else basic.password
        verdict = await self._passwords.verify(
            station.id, stored, password, virtual=station.virtual
        )
        if verdict is Verdict.OK:
            return True
        if verdict is Verdict.NONE_SET:
            if self._settings.allow_no_password:
                return False
            raise _Unauthorized("no_password_set")
        raise _Unauthorized("no_credentials" if basic is None else "bad_password")

    async def _onboard(
        self,
        identity: str,
        basic: Basic | None,
        certificate: ClientCertificate | None,
        serial_number: str | None,
    ) -> Station | None:
        """What becomes of an unknown identity; None: hold it."""
        mode = self._settings.onboarding
        if mode is Onboarding.MANUAL:
            if self._hub.held_count >= MAX_HELD:
                raise _Refused(503, "try again later\n", cause=UNKNOWN_IDENTITY)
            return None
        password = b"" if basic is None else basic.password
        if mode is Onboarding.CLOSED:
            self._passwords.spend_as_if(password)
            raise _Unauthorized(UNKNOWN_IDENTITY)
        if certificate is not None:
            return await self._register(identity, serial_number)
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

    async def _register(self, identity: str, serial_number: str | None = None) -> Station:
        new = NewStation(identity=identity, serial_number=serial_number)
        try:
            return await self._db.write(lambda tx: station_service.create(tx, new))
        except DuplicateIdentity as error:  # its other connection was quicker
            raise _Refused(503, "try again\n") from error

    def _choose(self, upgrade: Upgrade, station: Station | None, quirks: Applied) -> Choice:
        offered = upgrade.offered
        pin = None if station is None else station.ocpp_version
        choice = handshake.choose(
            offered,
            spoken=self._hub.versions,
            pin=pin or quirks.settings.ocpp_version,
            assume=quirks.settings.assume_subprotocol or self._settings.assume_subprotocol,
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
                target=handshake.printable(upgrade.target),
                assumed=choice.version.value,
            )
        return choice

    async def _refuse(self, upgrade: Upgrade, refused: _Refused, began: float) -> Refusal:
        if refused.cause is not None:
            await self._note(upgrade, refused)
        if refused.status != 401:
            return Refusal(refused.status, refused.text)
        elapsed = asyncio.get_running_loop().time() - began
        await asyncio.sleep(REFUSAL_GRID_S - elapsed % REFUSAL_GRID_S)
        return Refusal(401, refused.text)

    async def _note(self, upgrade: Upgrade, refused: _Refused) -> None:
        assert refused.cause is not None
        identity = handshake.printable(handshake.identity_in(upgrade.target) or "")
        address = upgrade.address
        now = asyncio.get_running_loop().time()
        if not self._notes.passes(f"{identity}/{address}", now):
            return
        log.info("station refused", station=identity, cause=refused.cause)
        detail = None if refused.detail is None else handshake.printable(refused.detail)
        try:
            await inbox.record(self._db, identity, refused.cause, address, detail=detail)
        except CsmsError as error:
            log.warning("refusal not noted", reason=error.code)


def _check_profile(station: Station, profile: int) -> None:
    if profile < station.security_profile:
        needed = station.security_profile
        detail = f"it came with security profile {profile}, and needs {needed}"
        raise _Unauthorized("security_profile", detail)


def _find(
    tx: ReadTx, identity: str, agent: str | None, certificate: ClientCertificate | None
) -> tuple[Station | None, list[Credential], Applied, str | None]:
    station = stations.find_by_identity(tx, identity)
    # Also for nobody: the time of the answer is not to tell who exists.
    stored = credentials.list_of_station(tx, 0 if station is None else station.id)
    description = catalog.describe(station, agent)
    serial_number = None if certificate is None else _serial_number(tx, station, certificate)
    if station is None:
        applied = apply(description, catalog.known_of(description), {})
        return None, stored, applied, serial_number
    return station, stored, applied_to(tx, station.id, description), serial_number


def _serial_number(
    tx: ReadTx, station: Station | None, certificate: ClientCertificate
) -> str | None:
    """By which the certificate may open the door: never one that is another station's name."""
    name = certificate.common_name
    if name is None or stations.is_name_of_another(tx, station, name):
        return None
    return name if station is None else station.serial_number


def _noticed(upgrade: Upgrade, choice: Choice, quirks: Applied) -> Iterator[str]:
    if not upgrade.says_connection_upgrade:
        yield Observed.NO_UPGRADE_HEADER.value
    if choice.echo is None:
        yield Observed.NO_SUBPROTOCOL.value
    if not quirks.settings.compression and agree(_extensions(upgrade)) is not None:
        yield quirks.origin("compression")
    if quirks.settings.ocpp_version is choice.version:
        yield quirks.origin("ocpp_version")


def _compression(upgrade: Upgrade, choice: Choice, quirks: Applied) -> Terms | None:
    # OCPP 1.6 knows of none, and nobody has tried it with its stations.
    if choice.version is OcppVersion.V16 or not quirks.settings.compression:
        return None
    return agree(_extensions(upgrade))


def _extensions(upgrade: Upgrade) -> str:
    return upgrade.headers.get("sec-websocket-extensions", "")


def _switching(accept: str, subprotocol: str | None, compression: Terms | None) -> bytes:
    lines = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"]
    lines.append(f"Sec-WebSocket-Accept: {accept}")
    if subprotocol is not None:
        lines.append(f"Sec-WebSocket-Protocol: {subprotocol}")
    if compression is not None:
        lines.append(f"Sec-WebSocket-Extensions: {compression.header}")
    return "\r\n".join([*lines, "", ""]).encode()


def _taken_over(request: web.BaseRequest) -> tuple[asyncio.Transport, bytes]:
    """The transport under a request, and what came after its head; aiohttp thinks it is lost."""
    protocol = request.protocol
    if protocol.transport is None:
        raise ConnectionResetError("gone before the upgrade")
    transport = transport_of(protocol.transport)
    unread = protocol._message_tail  # noqa: SLF001  # a test tells when it moves
    protocol.transport = None  # else it would be closed
    protocol.connection_lost(None)
    return transport, unread
