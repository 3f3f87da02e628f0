"""Who is unknown or refused: notes for the inbox, and what becomes of an unknown identity."""

from __future__ import annotations

import asyncio

import structlog

from csms.domain.client_certificates import ClientCertificate
from csms.domain.credentials import check_supplied
from csms.domain.onboarding import DOCTOR, Cause, Onboarding, is_word_of_the_path
from csms.domain.stations import NewStation, Station
from csms.domain.versions import OcppVersion
from csms.errors import CsmsError, DuplicateIdentity, IdentityIsSerialNumber, Invalid
from csms.ocpp import handshake
from csms.ocpp.handshake import Basic, Upgrade
from csms.ocpp.hub import Hub
from csms.ocpp.refusals import NotLetIn, Unauthorized
from csms.ocpp.throttle import Throttle
from csms.services import inbox
from csms.services import stations as station_service
from csms.services.credentials import Passwords
from csms.services.onboarding import Window
from csms.store.database import Database

log = structlog.get_logger(__name__)

MAX_HELD = 1000
# So that nobody alone takes all of them.
MAX_HELD_OF_ADDRESS = 50
# Somebody who knocks without a pause is noted so often.
NOTE_INTERVAL_S = 1.0
NOTE_WITHIN_S = 5.0


class Strangers:
    """Decides about them by `onboarding.mode`, or lets them in while the window is open."""

    def __init__(self, *, hub: Hub, db: Database, passwords: Passwords, window: Window) -> None:
        self._hub = hub
        self._db = db
        self._passwords = passwords
        self._window = window
        self._notes = Throttle(NOTE_INTERVAL_S)

    def may_come(self, identity: str) -> bool:
        """Whether anybody can come in under an unknown identity. Raises NotLetIn for none."""
        is_closed = self._hub.settings.onboarding is Onboarding.CLOSED
        if is_word_of_the_path(identity) and not is_closed:
            raise NotLetIn(400, "the URL has no identity\n", cause=Cause.NO_IDENTITY)
        return not is_closed or self._window.present is not None

    async def welcome(
        self,
        identity: str,
        basic: Basic | None,
        certificate: ClientCertificate | None,
        serial_number: str | None,
    ) -> Station | None:
        """What becomes of an unknown identity; None: hold it. Raises NotLetIn."""
        mode = self._hub.settings.onboarding
        is_closed = mode is Onboarding.CLOSED
        let_in = await self._pair(identity, basic, certificate, serial_number)
        if let_in is not None:
            return let_in
        if mode is Onboarding.MANUAL:
            return None
        if is_closed:
            missing = is_word_of_the_path(identity)
            cause = Cause.NO_IDENTITY if missing else Cause.UNKNOWN_IDENTITY
            raise Unauthorized(cause, guess=basic is not None)
        return await self._register_openly(identity, basic, certificate, serial_number)

    async def hold(
        self, request: Upgrade, identity: str, origin: str, version: OcppVersion
    ) -> None:
        """Note one that is to be held. Raises NotLetIn when there is no place."""
        certified = request.peer.certificate is not None
        cause = Cause.UNKNOWN_WITH_CERTIFICATE if certified else Cause.UNKNOWN_IDENTITY
        full = self.why_no_place(identity, origin)
        detail = full or handshake.oddities(request) or ""  # it is held: no reason is left
        await self.note(request, cause, detail, version=version)
        if full:
            raise NotLetIn(503, "try again later\n")

    def why_no_place(self, identity: str, origin: str) -> str | None:
        """Why an unknown station cannot be held; None: there is room, or its own older place."""
        held, of_address = self._hub.held_beside(identity, origin)
        if of_address >= MAX_HELD_OF_ADDRESS:
            return f"it was not held: {of_address} others from its address are"
        if held >= MAX_HELD:
            return f"it was not held: {held} others are"
        return None

    async def note(
        self,
        request: Upgrade,
        cause: Cause,
        detail: str | None = None,
        version: OcppVersion | None = None,
    ) -> None:
        """Put an attempt into the inbox; raises nothing but CancelledError."""
        if cause is Cause.NO_IDENTITY and request.headers.get("user-agent") == DOCTOR:
            return
        identity = handshake.shown_identity(request.target)
        address = request.address
        now = asyncio.get_running_loop().time()
        if not self._notes.passes(f"{identity}/{address}/{cause.value}", now):
            return
        log.info("not let in", station=identity, cause=cause.value)
        try:
            async with asyncio.timeout(NOTE_WITHIN_S):
                await inbox.record(
                    self._db,
                    identity,
                    cause,
                    address,
                    detail=None if detail is None else handshake.printable(detail),
                    sent=handshake.described(request),
                    version=version,
                )
        except CsmsError as error:
            log.warning("attempt not noted", reason=error.code)
        except TimeoutError:  # nobody waits for an answer because the disk does
            log.warning("attempt not noted", reason="timeout")

    async def _pair(
        self,
        identity: str,
        basic: Basic | None,
        certificate: ClientCertificate | None,
        serial_number: str | None,
    ) -> Station | None:
        """Register it while the window is open, with what it brings; None: nothing is different.

        A password that could be one becomes its own. Without one it is a guest, which is told a
        password over OCPP. Who comes with another's name, or half a password, made a mistake.
        """
        opening = self._window.present
        if opening is None or self._window.is_full():
            return None
        password = None if basic is None else _usable(basic, identity)
        if certificate is None and basic is not None and password is None:
            return None
        station = await self._register(identity, serial_number, opening.location_id)
        if certificate is None and password is not None:
            await self._passwords.set_supplied(station.id, password)
        self._window.came_in(station.id, is_guest=certificate is None and password is None)
        return station

    async def _register_openly(
        self,
        identity: str,
        basic: Basic | None,
        certificate: ClientCertificate | None,
        serial_number: str | None,
    ) -> Station:
        if certificate is not None:
            return await self._register(identity, serial_number)
        if basic is not None and not basic.is_for(identity):
            raise Unauthorized(Cause.IDENTITY_MISMATCH, "the user name is not the identity")
        if self._hub.settings.allow_no_password:
            return await self._register(identity)
        password = b"" if basic is None else basic.password
        try:
            check_supplied(password, None)
        except Invalid as error:
            raise Unauthorized(Cause.NO_CREDENTIALS, error.message) from error
        station = await self._register(identity)
        # Whoever comes first sets the password; everyone after has to know it.
        await self._passwords.set_supplied(station.id, password)
        return station

    async def _register(
        self, identity: str, serial_number: str | None = None, location_id: int | None = None
    ) -> Station:
        new = NewStation(identity=identity, serial_number=serial_number, location_id=location_id)
        try:
            return await self._db.write(lambda tx: station_service.create(tx, new))
        except IdentityIsSerialNumber as error:
            raise Unauthorized(Cause.IDENTITY_IS_SERIAL_NUMBER) from error
        except DuplicateIdentity as error:  # its other connection was quicker
            raise NotLetIn(503, "try again\n") from error


def _usable(basic: Basic, identity: str) -> bytes | None:
    """The password that it may keep."""
    try:
        return check_supplied(basic.password, None) if basic.is_for(identity) else None
    except Invalid:
        return None
