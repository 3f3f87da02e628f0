"""What a job and its items are, their states, and every legal change between two states."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any, NamedTuple


class JobState(str, Enum):
    """`accepted → scheduled → running ⇄ paused → done`, or cancelled, or failed."""

    ACCEPTED = "accepted"
    SCHEDULED = "scheduled"  # waits for `not_before`
    RUNNING = "running"
    PAUSED = "paused"
    CANCELLING = "cancelling"  # in-flight items finish, nothing new starts
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"  # for a cause of the job itself; see Job.error


FINAL_JOB_STATES = frozenset({JobState.DONE, JobState.CANCELLED, JobState.FAILED})
CLAIMING_JOB_STATES = frozenset({JobState.ACCEPTED, JobState.SCHEDULED, JobState.RUNNING})
"""Those in which items are started."""

_J = JobState
# from → to. A final job goes on only by an explicit retry.
LEGAL_JOB_CHANGES: dict[JobState, frozenset[JobState]] = {
    _J.ACCEPTED: frozenset({_J.RUNNING, _J.PAUSED, _J.CANCELLING, _J.DONE}),
    _J.SCHEDULED: frozenset({_J.RUNNING, _J.PAUSED, _J.CANCELLING, _J.DONE}),
    _J.RUNNING: frozenset({_J.PAUSED, _J.CANCELLING, _J.DONE}),
    _J.PAUSED: frozenset({_J.RUNNING, _J.SCHEDULED, _J.CANCELLING, _J.DONE}),
    _J.CANCELLING: frozenset({_J.CANCELLED, _J.FAILED}),
    _J.DONE: frozenset({_J.RUNNING}),
    _J.CANCELLED: frozenset({_J.RUNNING}),
    _J.FAILED: frozenset({_J.RUNNING}),
}


class PauseReason(str, Enum):
    """Why a job is paused; whatever it is, somebody has to resume it."""

    REQUESTED = "requested"
    WAVE = "wave"  # a wave is over, and the gate before the next one is closed
    ABORT_THRESHOLD = "abort_threshold"
    RESTORED = "restored"  # a backup was put back: part of it may have been done since


class ItemState(str, Enum):
    """Where one item stands; `unknown` is final only once its evidence window is closed."""

    HELD = "held"  # its wave is not open
    READY = "ready"  # runnable at `due_at`
    WAIT_ONLINE = "wait_online"  # woken when the station is ready
    IN_FLIGHT = "in_flight"  # the intent is durable; may be on the wire
    SUCCEEDED = "succeeded"  # answered and accepted
    REJECTED = "rejected"  # answered and refused
    ERROR = "error"  # not retryable, or retries used up
    UNKNOWN = "unknown"  # may have run, no answer recorded
    OFFLINE = "offline"  # never sent: no socket
    EXPIRED = "expired"  # never sent: the deadline came first
    CANCELLED = "cancelled"  # never sent
    SKIPPED_FORBIDDEN = "skipped_forbidden"  # out of the caller's reach


LIVE_ITEM_STATES = frozenset(
    {ItemState.HELD, ItemState.READY, ItemState.WAIT_ONLINE, ItemState.IN_FLIGHT}
)
FINAL_ITEM_STATES = frozenset(ItemState) - LIVE_ITEM_STATES

_S = ItemState
# from → to. Final states leave only by an explicit retry, which makes the item ready again, or
# held when the retry has waves.
LEGAL_ITEM_CHANGES: dict[ItemState, frozenset[ItemState]] = {
    _S.HELD: frozenset({_S.READY, _S.CANCELLED}),
    _S.READY: frozenset(
        {
            _S.READY,  # the next step, after one of the database alone
            _S.IN_FLIGHT,
            _S.WAIT_ONLINE,
            _S.OFFLINE,
            _S.EXPIRED,
            _S.CANCELLED,
            _S.SKIPPED_FORBIDDEN,  # reach was lost between submit and dispatch
            _S.ERROR,  # cannot be expressed for this station
            _S.SUCCEEDED,  # a late answer before the next attempt; a step of the database alone
            _S.REJECTED,  # a late answer
        }
    ),
    _S.WAIT_ONLINE: frozenset(
        {
            _S.READY,
            _S.OFFLINE,
            _S.EXPIRED,
            _S.CANCELLED,
            _S.SUCCEEDED,  # a late answer to an earlier attempt, as the next two
            _S.REJECTED,
            _S.ERROR,
        }
    ),
    _S.IN_FLIGHT: frozenset(
        {_S.READY, _S.SUCCEEDED, _S.REJECTED, _S.ERROR, _S.UNKNOWN, _S.IN_FLIGHT}
    ),
    _S.UNKNOWN: frozenset({_S.SUCCEEDED, _S.REJECTED, _S.ERROR, _S.READY, _S.HELD}),
    _S.SUCCEEDED: frozenset(),
    _S.REJECTED: frozenset({_S.READY, _S.HELD}),
    _S.ERROR: frozenset({_S.READY, _S.HELD}),
    _S.OFFLINE: frozenset({_S.READY, _S.HELD}),
    _S.EXPIRED: frozenset({_S.READY, _S.HELD}),
    _S.CANCELLED: frozenset({_S.READY, _S.HELD}),
    _S.SKIPPED_FORBIDDEN: frozenset(),
}


class CommandClass(str, Enum):
    """What may follow an attempt of which we cannot know whether the station ran it."""

    A = "A"  # idempotent: run again
    B = "B"  # absorbing: run again, "already gone" counts as done
    C = "C"  # one-shot: unknown, then look for evidence


class Lane(str, Enum):
    """Interactive items have slots that bulk work never takes."""

    INTERACTIVE = "interactive"
    BULK = "bulk"


class OfflinePolicy(str, Enum):
    """What happens to an item whose station has no socket."""

    REPORT = "report"
    WAIT = "wait"


class Gate(str, Enum):
    """What comes when every item of a wave is final."""

    NEXT = "next"  # the next wave
    PAUSE = "pause"  # the next wave, once somebody has resumed the job


class AbortAction(str, Enum):
    """What happens to a job at its abort threshold."""

    PAUSE = "pause"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Wave:
    """How many items go out together: so many, or so many percent of all; one of the two."""

    count: int | None = None
    percent: float | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """How a job runs; frozen when it is accepted."""

    max_parallel: int = 256
    per_location_parallel: int | None = None
    """At most so many items at stations of one location at a time."""
    rate_per_min: float | None = None
    offline: OfflinePolicy = OfflinePolicy.REPORT
    expires_in_s: float | None = None
    max_attempts: int = 5
    first_delay_s: float = 2.0
    max_delay_s: float = 300.0
    call_timeout_s: float | None = None
    evidence_window_s: float = 120.0
    abort_after: int | None = None
    """Failed items that stop the job, counted since it was last resumed or retried."""
    abort_percent: float | None = None
    """Percent of finished items that failed, judged after `abort_minimum`."""
    abort_minimum: int = 10
    abort_action: AbortAction | None = None
    """None: pause natively; fail for a dialect, whose clients know no pause."""
    waves: tuple[Wave, ...] = ()
    """The first waves; what is left is the last one. Empty: all at once."""
    gate: Gate = Gate.NEXT


@dataclass(frozen=True, slots=True)
class Counters:
    """Kept by increment; a test and every start compare them with the rows."""

    total: int = 0
    open: int = 0
    held: int = 0
    """Of the open ones: those whose wave is not open."""
    succeeded: int = 0
    rejected: int = 0
    errored: int = 0
    unknown: int = 0
    offline: int = 0
    expired: int = 0
    cancelled: int = 0
    skipped: int = 0


COUNTER_OF: dict[ItemState, str] = {
    _S.SUCCEEDED: "succeeded",
    _S.REJECTED: "rejected",
    _S.ERROR: "errored",
    _S.UNKNOWN: "unknown",
    _S.OFFLINE: "offline",
    _S.EXPIRED: "expired",
    _S.CANCELLED: "cancelled",
    _S.SKIPPED_FORBIDDEN: "skipped",
}


@dataclass(frozen=True, slots=True)
class JobError:
    """Why a job as a whole failed."""

    code: str
    message: str
    step: str | None = None
    param: str | None = None
    doc_url: str | None = None
    retryable: bool = False


@dataclass(frozen=True, slots=True)
class Job:
    """A bulk order over many items."""

    id: int
    uuid: str
    kind: str
    dialect: str
    lane: Lane
    state: JobState
    hidden: bool
    principal: str
    reach: frozenset[int] | None
    location_id: int | None
    params: dict[str, Any]
    policy: Policy
    workflow_run_id: str
    generation: int
    counters: Counters
    error: JobError | None
    not_before: datetime | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    updated_at: datetime
    pause_reason: PauseReason | None = None
    wave: int = 1
    """Which one is open."""
    wave_begins: tuple[int, ...] = ()
    """The seq at which each wave but the first begins."""


class JobItem(NamedTuple):
    """One unit of a job: a station to make, or one command to one station.

    A tuple, because a command to a thousand stations makes and changes thousands of them:
    `_replace` takes a quarter of the time that `dataclasses.replace` does.
    """

    job_id: int
    seq: int
    key: str
    target: int | None
    state: ItemState
    step: str | None
    attempt: int
    attempts_used: int
    interruptions: int
    epoch: int | None
    data: dict[str, Any]
    due_at: datetime
    deadline_at: datetime | None
    window_open: bool
    code: str | None
    message: str | None
    retryable: bool
    response: dict[str, Any] | None
    response_status: str | None
    executed_at: datetime | None

    @property
    def id(self) -> tuple[int, int]:
        """Which item it is: (job id, seq)."""
        return self[0], self[1]

    @property
    def final(self) -> bool:
        """Whether nothing but an explicit retry changes it."""
        return self.state in FINAL_ITEM_STATES and not self.window_open


@dataclass(frozen=True, slots=True)
class NewItem:
    """An item as submitted. A final `state` (skipped_forbidden, error) is settled in the 202."""

    key: str
    target: int | None = None
    data: dict[str, Any] = field(default_factory=dict)
    step: str | None = None
    state: ItemState = ItemState.READY
    code: str | None = None
    message: str | None = None


@dataclass(frozen=True, slots=True)
class Submission:
    """Everything a job is made of; after it is stored nothing is drawn or resolved again."""

    kind: str
    dialect: str
    principal: str
    params: dict[str, Any]
    items: list[NewItem]
    reach: frozenset[int] | None = None
    location_id: int | None = None
    lane: Lane = Lane.BULK
    hidden: bool = False
    policy: Policy = field(default_factory=Policy)
    not_before: datetime | None = None
    generation: int = 1


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """The caller's key and the digest of what they sent with it."""

    principal: str
    key: str
    body_sha256: bytes
