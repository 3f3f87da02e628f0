"""A station that nobody registered, held in Pending until a person accepts it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import structlog

from csms.clock import Clock
from csms.domain.addresses import origin_of
from csms.domain.client_certificates import ClientCertificate
from csms.domain.onboarding import Cause
from csms.domain.stations import Registration
from csms.domain.timestamps import format_timestamp
from csms.domain.versions import OcppVersion
from csms.errors import CsmsError
from csms.ocpp.actions.boot_notification import read_report
from csms.ocpp.budget import Purses
from csms.ocpp.connection import Connection
from csms.ocpp.frames import Call, CallError, CallResult, FrameError, JsonObject
from csms.ocpp.our_calls import Ending, OurCall
from csms.ocpp.quirks.observed import Observed
from csms.ocpp.router import Outcome, Waiting, refusal
from csms.ocpp.settings import OcppSettings
from csms.ocpp.turns import Turns
from csms.ocpp.websocket import Socket
from csms.services import inbox
from csms.store.database import Database
from csms.store.inbox import About

log = structlog.get_logger(__name__)

# Its boots are noted so often at most; it is asked to repeat them more often than that.
NOTE_INTERVAL_S = 60.0


class Held:
    """Answers for one held connection; stores nothing but its inbox entry."""

    __slots__ = (
        "_certificate",
        "_clock",
        "_db",
        "_gone",
        "_noted_at",
        "_settings",
        "connection",
        "origin",
        "password",
    )

    def __init__(
        self,
        socket: Socket,
        *,
        identity: str,
        address: str,
        version: OcppVersion,
        certificate: ClientCertificate | None,
        password: bytes | None,
        db: Database,
        clock: Clock,
        settings: OcppSettings,
        turns: Turns,
        purses: Purses,
        gone: Callable[[Held], None],
    ) -> None:
        self.origin = origin_of(address)
        self.connection = Connection(
            socket,
            identity=identity,
            address=address,
            version=version,
            clock=clock,
            watcher=self,
            turns=turns,
            purse=purses.of(self.origin),
        )
        self._certificate = certificate
        self.password = password
        """What it showed; it may become its own when a person accepts it."""
        self._db = db
        self._clock = clock
        self._settings = settings
        self._gone = gone
        self._noted_at: float | None = None

    def answer(self, call: Call) -> Outcome | Waiting:
        """Pending to a boot, silence to what must not be lost, SecurityError to the rest."""
        if call.action == "BootNotification":
            noting = asyncio.ensure_future(self._note_boot(call.payload))
            return Waiting(noting, lambda: self._pending(call))
        version = self.connection.version
        if is_better_unanswered(version, call):
            return Outcome(None)
        return Outcome(
            refusal(version, call.message_id, "SecurityError", "the station is not accepted yet")
        )

    def _pending(self, call: Call) -> Outcome:
        payload = pending(self._clock.now(), self._settings.boot_retry_s)
        return Outcome(CallResult(call.message_id, payload))

    async def _note_boot(self, payload: JsonObject) -> None:
        connection, now = self.connection, self._clock.monotonic()
        if self._noted_at is not None and now - self._noted_at < NOTE_INTERVAL_S:
            return
        self._noted_at = now
        cause, boot = Cause.UNKNOWN_IDENTITY, read_report(connection.version, payload)
        if self._certificate is not None:
            cause = Cause.UNKNOWN_WITH_CERTIFICATE
            boot = replace(boot, serial_number=self._certificate.common_name)
        try:
            about = About(version=connection.version, boot=boot)
            await inbox.learn(self._db, connection.identity, cause, connection.address, about)
        except CsmsError as error:
            log.warning("held station not noted", station=connection.identity, reason=error.code)

    def served(self, connection: Connection, call: Call, outcome: Outcome, began_at: int) -> None:
        """Nothing of a held station is logged."""

    def ended(self, connection: Connection, ours: OurCall, ending: Ending) -> None:
        """We send no CALL to a held station."""

    def rested(self, connection: Connection) -> None:
        """Nor do we wait between two."""

    def noticed(self, connection: Connection, quirk: Observed) -> None:
        """Who is unknown has no quirks on record."""

    def slowed(self, connection: Connection) -> None:
        """Its pace is nobody's concern."""

    def strayed(self, connection: Connection, answer: CallResult | CallError) -> None:
        """Nor is any answer of interest."""

    def garbled(self, connection: Connection, error: FrameError) -> None:
        """Not even this."""

    def reused_id(self, connection: Connection, call: Call) -> None:
        """Nor this."""

    def gone(self, connection: Connection) -> None:
        """Tell the hub."""
        self._gone(self)


def pending(now: datetime, retry_s: int) -> JsonObject:
    """The answer to a held station's boot, the same in every version."""
    return {
        "status": Registration.PENDING.value,
        "currentTime": format_timestamp(now),
        "interval": retry_s,
    }


def is_better_unanswered(version: OcppVersion, call: Call) -> bool:
    """Whether a CALLERROR would use up the attempts of a message that must not be lost."""
    if version is not OcppVersion.V16:
        return False
    if call.action == "MeterValues":
        return call.payload.get("transactionId") is not None
    return call.action in {"StartTransaction", "StopTransaction"}
