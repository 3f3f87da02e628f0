"""The narrow port between job kinds, the ledger and the engine: no engine types, no SQL.

A kind says what an item needs (`admit`), what must be durable before it acts (`intent`), and
acts (`run`). The engine promises to call `run` at least once; the ledger alone decides what
counts, and that a one-shot command is never sent twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from csms.domain.jobs import ItemState, Job, JobError, JobItem
from csms.domain.versions import OcppVersion
from csms.store.database import ReadTx, Row, Tx

Effect = Callable[[Tx], int | None]
"""SQL that belongs to a result, in the same transaction; may return the item's new target."""


# ---- admission: may this item run now? -------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Go:
    """Run it now."""


@dataclass(frozen=True, slots=True)
class Busy:
    """The station's call slot is taken; ask again when it is free."""


@dataclass(frozen=True, slots=True)
class Offline:
    """Nothing can be sent, and nothing is to be waited for: no socket, unless `code` says else."""

    code: str = "offline"
    message: str = "the station is offline"


@dataclass(frozen=True, slots=True)
class WaitOnline:
    """Wait until the station is ready, or until this instant, then judge again."""

    until: datetime


Admission = Go | Busy | Offline | WaitOnline


# ---- results: how an attempt ended -----------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Done:
    """The item is over."""

    state: ItemState
    code: str | None = None
    message: str | None = None
    retryable: bool = False
    response: dict[str, Any] | None = None
    response_status: str | None = None
    effect: Effect | None = None


@dataclass(frozen=True, slots=True)
class NextStep:
    """This step is done; the next one runs as a new attempt."""

    step: str
    effect: Effect | None = None


@dataclass(frozen=True, slots=True)
class Retry:
    """It failed in a way that may pass."""

    code: str
    message: str
    wait_s: float = 0.0
    """Not again before, as far as the policy waits at all."""


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """It may have happened; we cannot know. `effect` is written together with that."""

    code: str
    message: str
    effect: Callable[[Tx], None] | None = None


@dataclass(frozen=True, slots=True)
class NotSent:
    """It certainly did not happen: the station went away first. Costs no attempt."""


Result = Done | NextStep | Retry | Ambiguous | NotSent


@dataclass(frozen=True, slots=True)
class Intent:
    """What is journaled first: the message id, and the connection and version it goes out in."""

    message_id: str | None = None
    connection_generation: int | None = None
    version: OcppVersion | None = None


class JobFailed(Exception):
    """Raised by an effect: the job as a whole cannot go on."""

    def __init__(self, error: JobError) -> None:
        super().__init__(error.message)
        self.error = error


class ItemRunner(Protocol):
    """One job kind."""

    name: str
    first_step: str | None
    """None for a kind of one step."""
    late_effects: bool
    """Whether the effect of an answer is carried out even when the item is over."""

    def keep(self, params: dict[str, Any]) -> dict[str, Any]:
        """The parameters of a new job as they are stored, secrets sealed."""
        ...

    def admit(self, job: Job, item: JobItem) -> Admission:
        """Decide from memory alone whether the item may run now."""
        ...

    def intent(self, job: Job, item: JobItem) -> Intent | None:
        """What to journal first; None when the step is nothing but its own transaction."""
        ...

    def permitted(self, tx: Tx, job: Job, items: Sequence[JobItem]) -> Iterable[JobItem]:
        """Those that the submitter may still act on; asked in the intents' transaction."""
        ...

    async def run(
        self, job: Job, item: JobItem, intent: Intent | None, on_sent: Callable[[], None]
    ) -> Result:
        """Make one attempt. Calls `on_sent` once the effect may have left the process."""
        ...

    def repeatable(self, job: Job, item: JobItem) -> bool:
        """Whether an attempt that may have happened can simply be made again (class A, B)."""
        ...

    def read_late(
        self, tx: ReadTx, job: Job, item: JobItem, attempt: Row, answer: dict[str, Any]
    ) -> Done | None:
        """What an answer to `attempt` says that came after the wait; None: not enough."""
        ...

    def evidence(self, tx: ReadTx, job: Job, item: JobItem, attempt: Row) -> Done | None:
        """Whether rows committed since the intent show that it happened."""
        ...

    def discard(self, tx: Tx, job: Job, item: JobItem) -> int | None:
        """The item did not succeed: remove what it made. Returns the target it keeps."""
        ...
