"""The upgrade: who is knocking, may they come in, and in which version we talk."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass

import structlog
from aiohttp import hdrs, web

from csms.domain.addresses import origin_of
from csms.domain.client_certificates import ClientCertificate
from csms.domain.credentials import Credential, CredentialKind, Verdict
from csms.domain.identity import why_not_an_identity
from csms.domain.onboarding import Cause, Onboarding
from csms.domain.stations import Station
from csms.domain.versions import OcppVersion
from csms.errors import CsmsError
from csms.ocpp import handshake
from csms.ocpp.conduct import applied_to
from csms.ocpp.crowds import Crowds
from csms.ocpp.deflate import Terms, agree
from csms.ocpp.guesses import Guesses, key_of
from csms.ocpp.handshake import Basic, Choice, Peer, Upgrade
from csms.ocpp.hub import Hub
from csms.ocpp.meanwhile import Meanwhile
from csms.ocpp.proxies import seen_through
from csms.ocpp.quirks import catalog
from csms.ocpp.quirks.applied import Applied, apply
from csms.ocpp.quirks.observed import Observed
from csms.ocpp.refusals import NotLetIn, Refusal, Unauthorized
from csms.ocpp.strangers import Strangers
from csms.ocpp.throttle import Throttle
from csms.ocpp.tls import peer_of
from csms.ocpp.websocket import Socket, transport_of
from csms.services import stations as station_service
from csms.services.credentials import Passwords
from csms.services.onboarding import Window
from csms.store import credentials, stations
from csms.store.database import Database, ReadTx

log = structlog.get_logger(__name__)

# A refused knock leaves on this grid, so that its time tells nothing about what was wrong.
REFUSAL_GRID_S = 0.25
# Of one address, at once; a depot sits behind one, so the others wait their turn.
MAX_KNOCKING = 50
# Of these at one identity; whoever guesses at one station is not to stand before the others.
MAX_AT_ONE_IDENTITY = 4
# What fails for everybody is logged so often.
FAILURE_INTERVAL_S = 1.0
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
    profile: int
    quirks: Applied
    noticed: tuple[str, ...]
    """Quirks that the upgrade has shown already."""
    password: bytes | None
    """What it showed as the password of this identity."""

    def enter(self, transport: asyncio.Transport, unread: bytes) -> None:
        """Turn the transport into a websocket; `unread` came after the head."""
        if transport.is_closing():
            return
        socket = Socket(transport, self.hub.bursts, self.compression)
        if self.station is None:
            connection = self.hub.open_held(
                self.identity,
                socket,
                self.peer.address,
                self.choice.version,
                certificate=self.peer.certificate,
                password=self.password,
            )
        else:
            connection = self.hub.open(
                self.station,
                socket,
                self.peer.address,
                self.choice.version,
                certificate=self.peer.certificate,
                security_profile=self.profile,
                quirks=self.quirks,
                noticed=self.noticed,
            )
        transport.write(self.head)
        socket.start(connection, unread)


class Endpoint:
    """Every upgrade request of the server, whatever its path."""

    def __init__(self, *, hub: Hub, db: Database, passwords: Passwords) -> None:
        self._hub = hub
        self._db = db
        self._passwords = passwords
        self._settings = hub.settings
        self.window = Window(hub.clock)
        self._strangers = Strangers(hub=hub, db=db, passwords=passwords, window=self.window)
        self._guesses = Guesses(db, passwords, self._settings)
        self._crowds = Crowds(MAX_KNOCKING)
        self._crowds_at_one = Crowds(MAX_AT_ONE_IDENTITY)
        self._failures = Throttle(FAILURE_INTERVAL_S)
        self._meanwhile = Meanwhile(hub.bus)

    async def knock(self, upgrade: Upgrade) -> Admission | Refusal:
        """Decide about one upgrade request; raises nothing but CancelledError."""
        began = asyncio.get_running_loop().time()
        upgrade = seen_through(upgrade, self._settings.proxies)
        origin = origin_of(upgrade.address)
        try:
            async with asyncio.timeout(self._settings.handshake_timeout_s):
                return await self._decide(upgrade, origin, began)
        except NotLetIn as refused:
            return await self._refuse(upgrade, refused, began)
        except TimeoutError:
            return await self._refuse(upgrade, self._guesses.too_late(upgrade, origin), began)
        except CsmsError as error:
            if self._failures.passes(error.code, began):
                target = handshake.shown_path(upgrade.target)
                log.warning("upgrade failed", target=target, error=error.message)
            return Refusal(503, "try again later\n")

    async def _decide(self, upgrade: Upgrade, origin: str, began: float) -> Admission | Refusal:
        at_one = f"{origin} {key_of(upgrade)}"
        try:
            async with self._crowds_at_one.one_of(at_one), self._crowds.one_of(origin):
                by_certificate = upgrade.peer.certificate is not None
                with self._meanwhile.watched(by_certificate=by_certificate) as kept_out:
                    found = await self._admit(upgrade, origin)
        except Unauthorized as refused:  # within the deadline, which tells nothing either
            await self._guesses.count(upgrade, refused, origin, began)
            raise
        if found.station is None:
            if self._strangers.why_no_place(found.identity, origin):  # others were quicker
                return Refusal(503, "try again later\n")
        elif found.station.id in kept_out:
            return Refusal(503, "try again\n")
        return found  # from here to its entry nothing else happens

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer an upgrade on a connection that served REST before: proxies keep those open."""
        answer = await self.knock(_upgrade_of(request))
        if isinstance(answer, Refusal):
            return _as_response(answer)
        answer.enter(*_taken_over(request))
        return web.Response()  # aiohttp has nowhere to send it to

    async def handle_without_upgrade(self, request: web.BaseRequest) -> web.Response | None:
        """The same for a request that nobody serves; None: it is no station's either."""
        lost = _upgrade_of(request)
        if not handshake.is_lost_station(lost):
            return None
        return _as_response(await self.without_upgrade(lost))

    async def without_upgrade(self, request: Upgrade) -> Refusal:
        """Note and answer a station, or a proxy before it, that forgot to ask for a websocket."""
        request = seen_through(request, self._settings.proxies)
        if "sec-websocket-key" not in request.headers:  # perhaps only a page that is not there
            detail = "it speaks SOAP" if handshake.speaks_soap(request) else None
            await self._strangers.note(request, Cause.NO_UPGRADE, detail)
            return Refusal(404, "not found; a station has to ask for a websocket\n")
        detail = "the headers of a websocket came without Upgrade"
        await self._strangers.note(request, Cause.NO_UPGRADE, detail)
        return Refusal(426, "a station has to ask for a websocket: Upgrade: websocket\n")

    async def _admit(self, upgrade: Upgrade, origin: str) -> Admission:
        accept = self._check_request(upgrade)
        identity = handshake.identity_in(upgrade.target)
        if identity is None:
            raise NotLetIn(400, "the URL has no identity\n", cause=Cause.NO_IDENTITY)
        reason = why_not_an_identity(identity)
        if reason is not None:
            raise NotLetIn(400, f"{reason}\n", cause=Cause.INVALID_IDENTITY, detail=reason)
        basic = handshake.basic_in(upgrade.headers.get("authorization"))
        if basic is not None:
            await self._guesses.check(identity, origin)
        agent = upgrade.headers.get("user-agent")
        certificate = upgrade.peer.certificate
        station, stored, quirks, serial_number = await self._db.read(
            lambda tx: _find(tx, identity, agent, certificate)
        )
        if certificate is not None:
            self._check_certificate(certificate, identity, serial_number)
        profile = upgrade.security_profile
        choice = None
        if station is not None:
            if certificate is None and not await self._authenticate(station, stored, basic, origin):
                profile = 0
            if station.blocked_at is not None:  # told to nobody who has not shown who it is
                raise NotLetIn(403, "blocked\n", cause=Cause.BLOCKED)
            _check_profile(station, profile)
            if self._hub.is_dueling(station.id):
                raise NotLetIn(503, "two stations use this identity\n", cause=Cause.TWO_STATIONS)
        else:
            if self._strangers.may_come(identity):  # else it is refused, whatever it speaks
                choice = self._choose(upgrade, None, quirks)  # before anybody is registered
            station = await self._strangers.welcome(identity, basic, certificate, serial_number)
            if certificate is None and (
                self._settings.allow_no_password
                or (station is not None and self.window.has_guest(station.id))
            ):
                profile = 0  # registered without one
        choice = choice or self._choose(upgrade, station, quirks)
        if station is None:
            await self._strangers.hold(upgrade, identity, origin, choice.version)
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
            profile,
            quirks,
            tuple(_noticed(upgrade, choice, quirks)),
            basic.password if basic is not None and basic.is_for(identity) else None,
        )

    def _check_request(self, upgrade: Upgrade) -> str:
        headers = upgrade.headers
        if upgrade.method != hdrs.METH_GET:
            raise NotLetIn(
                405, "an upgrade is a GET\n", cause=Cause.BAD_HANDSHAKE, detail="it was no GET"
            )
        if handshake.comes_from_a_browser(headers, headers.get("user-agent", "")):
            raise NotLetIn(403, "browsers cannot open this socket\n", cause=Cause.BROWSER)
        if self._hub.stopping or self._hub.count >= self._settings.max_sockets:
            cause = None if self._hub.stopping else Cause.SERVER_FULL
            raise NotLetIn(503, "try again later\n", cause=cause)
        accept = upgrade.accept
        if accept is None:
            detail = "its Sec-WebSocket-Key or -Version is missing or wrong, or it has a body"
            raise NotLetIn(
                400,
                "not a valid websocket handshake\n",
                cause=Cause.BAD_HANDSHAKE,
                detail=detail,
            )
        return accept

    def _check_certificate(
        self, certificate: ClientCertificate, identity: str, serial_number: str | None
    ) -> None:
        if not certificate.is_for_clients:
            raise Unauthorized(Cause.BAD_CLIENT_CERTIFICATE, "it is not for clients")
        if not certificate.is_of(self._settings.client_organizations):
            owners = ", ".join(certificate.organizations)
            raise Unauthorized(Cause.CERTIFICATE_MISMATCH, f"it belongs to {owners or 'nobody'}")
        if not certificate.is_for(identity, serial_number):
            names = ", ".join(certificate.common_names)
            raise Unauthorized(Cause.CERTIFICATE_MISMATCH, f"it names {names or 'nobody'}")

    async def _authenticate(
        self, station: Station, stored: list[Credential], basic: Basic | None, origin: str
    ) -> bool:
        """Whether it has shown a password: some may come in without."""
        if basic is not None and not basic.is_for(station.identity):
            raise Unauthorized(
                Cause.IDENTITY_MISMATCH, "the user name is not the identity", guess=True
            )
        password = None if basic is None else basic.password
        hashed = any(one.kind is CredentialKind.SUPPLIED for one in stored)
        at_home = not hashed or await self._guesses.is_home(station.identity, origin)
        verdict = await self._passwords.verify(
            station.id, stored, password, virtual=station.virtual, at_home=at_home
        )
        if verdict is Verdict.OK:
            return True
        if verdict is Verdict.WAIVED:
            log.warning("no password asked of", station=station.identity, address=origin)
            return False
        if verdict is Verdict.NONE_SET:
            if self._settings.allow_no_password or self.window.has_guest(station.id):
                return False
            if self._is_to_be_told(station, stored, origin):
                return False
            raise Unauthorized(Cause.NO_PASSWORD_SET, guess=basic is not None)
        if basic is None:
            raise Unauthorized(Cause.NO_CREDENTIALS)
        raise Unauthorized(Cause.BAD_PASSWORD, guess=True, hashed=hashed)

    def _is_to_be_told(self, station: Station, stored: list[Credential], origin: str) -> bool:
        """Whether it was accepted without a password; never in place of one that is in."""
        now = self._hub.clock.now()
        if not any(one.lets_in_without(origin, now) for one in stored):
            return False
        inside = self._hub.connection(station.id)
        if inside is not None:  # what is left of a socket whose station lost power ends by this
            inside.ping()
        return inside is None

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
            raise NotLetIn(
                400,
                "no subprotocol that both speak\n",
                cause=Cause.NO_COMMON_SUBPROTOCOL,
                detail=handshake.shown_offers(offered) or "none offered",
            )
        if choice.echo is None:
            log.warning(
                "station offers no subprotocol",
                target=handshake.shown_path(upgrade.target),
                assumed=choice.version.value,
            )
        return choice

    async def _refuse(self, upgrade: Upgrade, refused: NotLetIn, began: float) -> Refusal:
        if refused.cause is not None:
            await self._strangers.note(upgrade, refused.cause, refused.detail)
        is_closed = self._settings.onboarding is Onboarding.CLOSED
        if refused.status == 401 or (refused.status == 429 and is_closed):
            elapsed = asyncio.get_running_loop().time() - began
            await asyncio.sleep(REFUSAL_GRID_S - elapsed % REFUSAL_GRID_S)
        return Refusal(refused.status, refused.text, refused.retry_after_s)


def _check_profile(station: Station, profile: int) -> None:
    if profile < station.security_profile:
        needed = station.security_profile
        detail = f"it came with security profile {profile}, and needs {needed}"
        raise Unauthorized(Cause.SECURITY_PROFILE, detail)


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


def _upgrade_of(request: web.BaseRequest) -> Upgrade:
    headers: dict[str, str] = {}
    for name, value in request.headers.items():
        known = headers.get(name.lower())
        headers[name.lower()] = value if known is None else f"{known}, {value}"
    return Upgrade(request.method, request.raw_path, headers, peer_of(request.transport))


def _as_response(refusal: Refusal) -> web.Response:
    response = web.Response(status=refusal.status, text=refusal.text, headers=refusal.headers)
    response.force_close()
    return response


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
