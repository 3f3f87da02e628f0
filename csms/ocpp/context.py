"""What an action handler knows about the connection its message came on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from structlog.typing import FilteringBoundLogger

from csms.clock import Clock
from csms.domain.client_certificates import ClientCertificate
from csms.domain.id_tokens import TokenPolicy
from csms.domain.lint import MAX_FINDINGS, Finding, Rule
from csms.domain.stations import Registration
from csms.domain.timestamps import TimestampFlag, format_timestamp, read_timestamp
from csms.domain.versions import OcppVersion
from csms.events import Bus
from csms.ocpp.findings import of_time
from csms.ocpp.frames import JsonObject
from csms.ocpp.quirks.applied import NOTHING, Applied
from csms.ocpp.quirks.settings import TimestampFormat
from csms.ocpp.settings import OcppSettings
from csms.services.heartbeats import Heartbeats
from csms.services.programs import Program
from csms.store.database import Database, Tx


def _ignore(context: StationContext, quirk: str, detail: str | None) -> None:
    """Nobody wants to hear of quirks."""


@dataclass(slots=True)
class StationContext:
    """One per connection of a registered station; the hub makes it and watches its fields."""

    db: Database
    bus: Bus
    clock: Clock
    settings: OcppSettings
    heartbeats: Heartbeats
    epoch: int
    station_id: int
    identity: str
    version: OcppVersion
    generation: int
    address: str
    strict: bool
    log: FilteringBoundLogger
    registration: Registration = Registration.ACCEPTED
    """As stored; BootNotification brings it up to date, the hub reads it."""
    triggered: bool = False
    """We sent a TriggerMessage(BootNotification) on this connection."""
    connectors: int = 1
    """How many the station is registered with."""
    certificate: ClientCertificate | None = None
    """By which it came in; None: by a password."""
    security_profile: int | None = None
    """With which it came in; None: it was let in without coming anew."""
    provider: Program | None = None
    """Answers what we cannot know, such as the status of a certificate; None: nobody does."""
    quirks: Applied = NOTHING
    """What is done differently for this station; the hub keeps it up to date."""
    on_quirk: Callable[[StationContext, str, str | None], None] = _ignore
    findings: list[Finding] | None = None
    """What handlers found wrong with the message being served; the link takes them with it."""
    fired: set[str] | None = None
    """Quirks that fired on this connection, each of which is told once."""

    def lint(
        self, rule: Rule, path: str = "", *, value: Any = None, clause: str | None = None
    ) -> None:
        """Keep what the message being served does wrong; once, so that a write may say it twice.

        `path` is without the numbers of list entries: `meterValue[].timestamp`.
        """
        self._keep(Finding(rule, path, clause, value))

    def instant(self, value: object, path: str) -> tuple[datetime | None, TimestampFlag | None]:
        """What a timestamp of the message means; what is wrong with it is kept as a finding."""
        now = self.clock.now()
        at, flag = read_timestamp(value, now)
        if isinstance(value, str) and flag is not None:  # else its type is what is wrong
            self._keep(of_time(self.version, path, value, now))
        return at, flag

    def _keep(self, finding: Finding) -> None:
        if self.findings is None:
            self.findings = []
        if len(self.findings) < MAX_FINDINGS and finding not in self.findings:
            self.findings.append(finding)

    @property
    def token_policy(self) -> TokenPolicy:
        """The server's rules for tokens, and how this station spells them."""
        policy, spellings = self.settings.token_policy, self.quirks.settings.tag_spellings
        if not spellings:
            return policy
        quirk = self.quirks.origin("tag_spellings")
        return replace(policy, spellings=frozenset(spellings), spellings_by=quirk)

    def fire(self, quirk: str, detail: str | None = None) -> None:
        """Tell that a quirk made us act differently; free after the first time."""
        if self.fired is None:
            self.fired = set()
        if quirk not in self.fired:
            self.fired.add(quirk)
            self.on_quirk(self, quirk, detail)

    def timestamp(self, at: datetime) -> str:
        """An instant, as this station likes to read it."""
        text = format_timestamp(at)
        if self.quirks.settings.timestamp_format is TimestampFormat.MILLISECONDS:
            return text
        self.fire(self.quirks.origin("timestamp_format"))
        return text[: -len(".000Z")] + "Z"


@dataclass(slots=True)
class Stored:
    """A handler's answer that may leave only after a commit. It can also be awaited."""

    db: Database
    write: Callable[[Tx], Any]
    reply: Callable[[Any], JsonObject | None]
    """Makes the payload of the answer from what `write` returned."""

    def __await__(self) -> Generator[Any, None, JsonObject | None]:
        return self.reply((yield from self.db.write(self.write).__await__()))


# None leaves the CALL unanswered. Most answers are Stored, which costs no task; a handler that
# needs more than one write is a coroutine.
Answer = JsonObject | None | Stored | Awaitable[JsonObject | None]
Handler = Callable[[StationContext, JsonObject], Answer]
