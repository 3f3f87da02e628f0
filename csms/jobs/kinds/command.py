"""Kind `command`: one order to many stations, a result per station."""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol, cast

from csms.clock import Clock
from csms.domain.jobs import (
    CommandClass,
    ItemState,
    Job,
    JobItem,
    Lane,
    NewItem,
    OfflinePolicy,
    Policy,
    Submission,
)
from csms.domain.permissions import Principal, Scope
from csms.domain.sealing import Seal
from csms.domain.versions import OcppVersion
from csms.errors import (
    CallRefused,
    CallTimeout,
    CallWithheld,
    Conflict,
    ConnectionLost,
    Invalid,
    NotSupportedByVersion,
    StationOffline,
)
from csms.jobs import courses, effects, orders, permits
from csms.jobs.courses import Course
from csms.jobs.letters import Letter, Letters
from csms.jobs.port import (
    Admission,
    Ambiguous,
    Busy,
    Done,
    Go,
    Intent,
    NextStep,
    NotSent,
    Offline,
    Result,
    Retry,
    WaitOnline,
)
from csms.ocpp import commands
from csms.ocpp.commands import params as parameters
from csms.ocpp.commands.command import Answer, Command, Order
from csms.ocpp.commands.task_requests import open_story
from csms.ocpp.frames import JsonObject
from csms.ocpp.linting import INVALID_ANSWER
from csms.ocpp.presence import Unready
from csms.services import redaction
from csms.store import job_items, jobs, stations
from csms.store.database import ReadTx, Row, Tx

KIND = "command"
NOT_READY = "not_ready"
"""The code of an item that is offline although its station is connected."""
_RETRYABLE_CODES = frozenset({"InternalError", "GenericError"})


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to send: one of our commands in our words, or an action of `version` as it is."""

    command: str | None = None
    params: JsonObject | None = None
    version: OcppVersion | None = None
    action: str | None = None
    payload: JsonObject | None = None

    def frozen(self) -> dict[str, Any]:
        """The form that is stored with the job."""
        if self.command is not None:
            return orders.frozen_command(self.command, self.params or {})
        assert self.version is not None
        assert self.action is not None
        return orders.frozen_action(self.version, self.action, self.payload or {})


def submission(
    *,
    principal: Principal,
    wanted: Wanted,
    targets: Iterable[NewItem],
    dialect: str,
    policy: Policy | None = None,
    lane: Lane = Lane.BULK,
    hidden: bool = False,
    not_before: datetime | None = None,
) -> Submission:
    """A job that sends `wanted` to every target; raises Invalid when it may not go out at all."""
    items = list(targets)
    command = check(wanted)
    if command.single_target and len(items) > 1:
        raise Invalid(
            f"{wanted.action or wanted.command} names something of one station"
            " and cannot go to several",
            loc=("charger_ids",),
            code="single_target",
        )
    chosen = policy or Policy()
    if chosen.rate_per_min is None and lane is Lane.BULK:
        chosen = replace(chosen, rate_per_min=command.rate_per_min)
    return Submission(
        kind=KIND,
        dialect=dialect,
        principal=principal.id,
        reach=principal.location_ids,
        params=wanted.frozen(),
        items=items,
        lane=lane,
        hidden=hidden,
        policy=chosen,
        not_before=not_before,
    )


def not_ready(unready: Unready) -> str:
    """What the item of a station says that was connected, but not ready in time."""
    return f"the station is connected, but {unready.reason}"


def is_prepared(wanted: Wanted) -> bool:
    """Whether the store has a say in the order: `prepare` it then."""
    command = None if wanted.command is None else commands.COMMANDS.get(wanted.command)
    return command is not None and command.prepare is not None


def prepare(
    tx: ReadTx,
    station_id: int,
    version: OcppVersion,
    wanted: Wanted,
    *,
    served_profiles: Collection[int],
) -> Wanted:
    """The order to one station with what we know of it filled in; raises Invalid.

    What it says holds until the next order to the station, so it belongs into the transaction
    that accepts the job.
    """
    assert wanted.command is not None
    command = commands.COMMANDS[wanted.command]
    assert command.prepare is not None
    params = parameters.parse(command.params, wanted.params or {})
    if command.leads_to_profile is not None:
        profile = command.leads_to_profile(params)
        if profile not in served_profiles:
            reason = f"this server serves no security profile {profile}: see the setting `listen`"
            raise Invalid(reason, loc=("security_profile",))
    queued = _queued(tx, station_id, version, command)
    prepared = command.prepare(tx, station_id, version, params, queued)
    return replace(wanted, params=parameters.dump(prepared))


def _queued(
    tx: ReadTx, station_id: int, version: OcppVersion, command: Command
) -> list[JsonObject]:
    """What is on its way to the station by the same command."""
    queued = []
    for job in jobs.list_live_for(tx, station_id):
        if job.kind == KIND and orders.command_of(job) is command:
            with suppress(NotSupportedByVersion):  # it will be told so
                queued.append(orders.encode(job, version).payload)
    return queued


def check(wanted: Wanted) -> Command:
    """The command that `wanted` is; raises Invalid with the path of what is wrong with it."""
    if wanted.command is None:
        assert wanted.version is not None
        assert wanted.action is not None
        commands.raw(wanted.version, wanted.action, wanted.payload or {})
        return commands.for_action(wanted.version, wanted.action)
    for version in OcppVersion:
        with suppress(NotSupportedByVersion):  # which is judged for each station
            commands.typed(version, wanted.command, wanted.params or {})
    return commands.COMMANDS[wanted.command]


class Stations(Protocol):
    """What the kind needs of the hub."""

    def is_connected(self, station_id: int) -> bool:
        """Whether there is a socket."""
        ...

    def unready(self, station_id: int) -> Unready | None:
        """Why nothing may be sent to a connected station, and how long that may take."""
        ...

    def slot_free(self, station_id: int) -> bool:
        """Whether a CALL would go on the wire at once."""
        ...

    def generation(self, station_id: int) -> int | None:
        """The number of the present connection."""
        ...

    def version(self, station_id: int) -> OcppVersion | None:
        """The version the present connection speaks."""
        ...

    async def call(
        self,
        station_id: int,
        *,
        action: str,
        payload: JsonObject,
        message_id: str,
        timeout_s: float,
        generation: int | None = None,
        on_sent: Callable[[], None] | None = None,
    ) -> JsonObject:
        """One CALL and its answer; see Hub.call for the errors."""
        ...


class CommandRunner:
    """Runs the items of command jobs."""

    name: str = KIND
    first_step: str | None = None
    late_effects: bool = False

    def __init__(
        self,
        hub: Stations,
        clock: Clock,
        *,
        read: Callable[[Callable[[ReadTx], Any]], Any],
        call_timeout_s: float,
        in_grace: Callable[[int], datetime | None],
        seal: Seal,
    ) -> None:
        prefix = secrets.token_hex(8)
        self._hub = hub
        self._clock = clock
        self._read = read
        self._call_timeout_s = call_timeout_s
        # No system call for each message; the prefix tells this life of the process from others.
        self._message_ids = (f"{prefix}-{number}" for number in itertools.count(1))
        self._in_grace = in_grace
        """Until when a station that was connected when we went down is not called offline."""
        self._seal = seal
        self._letters = Letters()

    def keep(self, params: dict[str, Any]) -> dict[str, Any]:
        """An order with passwords is sealed."""
        return orders.keep(params, self._seal)

    def admit(self, job: Job, item: JobItem) -> Admission:
        """No socket is offline; who is connected and not ready is waited for, not for ever."""
        assert item.target is not None
        unready = self._hub.unready(item.target)
        if unready is None and self._hub.is_connected(item.target):
            return Go() if self._hub.slot_free(item.target) else Busy()
        if job.policy.offline is OfflinePolicy.WAIT:
            return WaitOnline(
                item.deadline_at or datetime.max.replace(tzinfo=job.created_at.tzinfo)
            )
        if unready is not None:
            if unready.left_s <= 0:
                return Offline(NOT_READY, not_ready(unready))
            return WaitOnline(self._clock.now() + timedelta(seconds=unready.left_s))
        grace_end = self._in_grace(item.target)
        return Offline() if grace_end is None else WaitOnline(grace_end)

    def intent(self, job: Job, item: JobItem) -> Intent | None:
        """A fresh message id each time, so that a late answer names its attempt."""
        assert item.target is not None
        return Intent(
            next(self._message_ids),
            self._hub.generation(item.target),
            self._hub.version(item.target),
        )

    def permitted(self, tx: Tx, job: Job, items: Sequence[JobItem]) -> list[JobItem]:
        """Those whose station exists, at a location that is still within the submitter's reach."""
        places = stations.places(tx, [item.target for item in items if item.target is not None])
        reached = {
            location_id: permits.may_act(tx, job, Scope.COMMANDS_SEND, location_id)
            for location_id in set(places.values())
        }
        return [item for item in items if item.target in places and reached[places[item.target]]]

    async def run(
        self, job: Job, item: JobItem, intent: Intent | None, on_sent: Callable[[], None]
    ) -> Result:
        """Send it and read the answer."""
        assert intent is not None
        if intent.version is None:
            return NotSent()
        job = orders.opened(job, self._seal)
        letter = self._letters.of(job, intent.version)
        course, repeat = await self._prepare(letter, item, intent.version)
        try:
            answer = await self._call(job, item, intent, course.next, on_sent)
        except CallRefused as error:
            if len(course.calls) > 1 and not self._may_try_again(job, item, error):
                return _taken_error(job, item, course, error)
            return self._refused(job, item, course.next, error)
        if not isinstance(answer, dict):
            return answer
        return _taken(letter, item, course, answer, repeat=repeat)

    async def _call(
        self,
        job: Job,
        item: JobItem,
        intent: Intent,
        order: Order,
        on_sent: Callable[[], None],
    ) -> JsonObject | NotSent | Ambiguous:
        """The answer, or why there is none; raises CallRefused."""
        assert item.target is not None
        assert intent.message_id is not None
        try:
            return await self._hub.call(
                item.target,
                action=order.action,
                payload=order.payload,
                message_id=intent.message_id,
                timeout_s=job.policy.call_timeout_s or self._call_timeout_s,
                generation=intent.connection_generation,
                on_sent=on_sent,
            )
        except StationOffline:
            return NotSent()
        except CallWithheld:
            raise
        except CallRefused as error:
            told = redaction.secrets_of(order.payload)
            raise CallRefused(
                redaction.redacted(error.error_code, told),
                redaction.redacted(error.description, told),
            ) from None
        except CallTimeout:
            doubt = _doubt(job, item, order)
            return Ambiguous("timeout", "the station did not answer in time", doubt)
        except ConnectionLost:
            doubt = _doubt(job, item, order)
            return Ambiguous("connection_lost", "the connection was lost before the answer", doubt)

    async def _prepare(
        self, letter: Letter, item: JobItem, version: OcppVersion
    ) -> tuple[Course, bool]:
        """What to send, and whether the answer is one to a repeat."""
        command, order = letter.command, letter.order
        if command.gone or order.action in command.batches:
            return cast(
                "tuple[Course, bool]",
                await self._read(lambda tx: _prepare_to_send(tx, letter, item, version)),
            )
        return courses.plan(item, order, version), False

    def repeatable(self, job: Job, item: JobItem) -> bool:
        """Class A and B run again; class C never does by itself."""
        return orders.class_of(orders.opened(job, self._seal)) is not CommandClass.C

    def read_late(
        self, tx: ReadTx, job: Job, item: JobItem, attempt: Row, answer: JsonObject
    ) -> Done | None:
        """The same reading as in time; None when there are CALLs to come."""
        version = OcppVersion(attempt["version"])
        letter = Letter.of(orders.opened(job, self._seal).params, version)
        course, repeat = _prepare(tx, letter, item, version)
        result = _taken(letter, item, course, answer, repeat=repeat)
        return result if isinstance(result, Done) else None

    def evidence(self, tx: ReadTx, job: Job, item: JobItem, attempt: Row) -> Done | None:
        """Ask the command's own query."""
        found = effects.shown(tx, orders.opened(job, self._seal), item, attempt)
        if found is None:
            return None
        inferred = "inferred from" if found.inferred else "shown by"
        return Done(
            ItemState.SUCCEEDED,
            "evidence",
            f"no answer, but {inferred} a {found.what}",
            response={"evidence": found.what, "inferred": found.inferred},
        )

    def discard(self, tx: Tx, job: Job, item: JobItem) -> int | None:
        """A command makes nothing that could be removed."""
        return item.target

    def _may_try_again(self, job: Job, item: JobItem, error: CallRefused) -> bool:
        return (
            error.error_code in _RETRYABLE_CODES
            and self.repeatable(job, item)
            and item.attempts_used + 1 < job.policy.max_attempts
        )

    def _refused(self, job: Job, item: JobItem, order: Order, error: CallRefused) -> Result:
        if isinstance(error, CallWithheld):
            return Done(ItemState.ERROR, error.code, error.description)
        if error.error_code in _RETRYABLE_CODES and self.repeatable(job, item):
            return Retry("call_error", error.message)
        return Done(
            ItemState.ERROR,
            "call_error",
            error.message,
            response={"error_code": error.error_code, "error_description": error.description},
            effect=_doubt_after(error, job, item, order),
        )


def _prepare(
    tx: ReadTx, letter: Letter, item: JobItem, version: OcppVersion
) -> tuple[Course, bool]:
    """The item's course, and whether an attempt at its next CALL may have run before."""
    assert item.target is not None
    command, order = letter.command, letter.order
    as_given = orders.is_as_given(letter.params, version)
    batch = None if as_given else command.batches.get(order.action)
    at_most = None if batch is None else courses.limit(tx, item.target, batch)
    repeat = bool(command.gone) and (
        job_items.first_uncertain(tx, item, before=item.attempt) is not None
    )
    return courses.plan(item, order, version, batch=batch, at_most=at_most), repeat


def _prepare_to_send(
    tx: ReadTx, letter: Letter, item: JobItem, version: OcppVersion
) -> tuple[Course, bool]:
    """As `_prepare`; raises Conflict when something came between the CALLs of the course."""
    assert item.target is not None
    course, repeat = _prepare(tx, letter, item, version)
    may_follow = letter.command.may_follow
    if (
        item.step is not None
        and may_follow is not None
        and not may_follow(tx, item.target, course.next.payload)
    ):
        told = course.told("something else changed the station in between")
        raise Conflict(told, code="partly_done")
    return course, repeat


def _taken(
    letter: Letter, item: JobItem, course: Course, payload: JsonObject, *, repeat: bool
) -> Done | NextStep:
    """What the answer to the next CALL of the course makes of the item."""
    command = letter.command
    answer = command.read_repeat(payload) if repeat else command.read(payload)
    effect = _consequence(command, item, course.next, answer)
    return _after(command, item, course.take(without_secrets(answer, letter.told)), effect)


def without_secrets(answer: Answer, told: frozenset[str]) -> Answer:
    """The answer as it may be kept; read it first."""
    if not told and not redaction.mentions_a_secret(answer.payload):
        return answer
    return replace(
        answer,
        payload=redaction.redacted(answer.payload, told),
        detail=redaction.struck(answer.detail, told),  # our words, which may name the variable
    )


def _taken_error(job: Job, item: JobItem, course: Course, error: CallRefused) -> Done | NextStep:
    """As `_taken`, of a CALLERROR: it is one refusal more, without a consequence."""
    doubt = _doubt_after(error, job, item, course.next)
    return _after(orders.command_of(job), item, course.take_error(error), doubt)


def _after(
    command: Command, item: JobItem, course: Course, effect: Callable[[Tx], None] | None
) -> Done | NextStep:
    last = course.answers[-1]
    if not course.is_over and (last.accepted or not command.stops_when_refused):
        return NextStep(str(len(course.answers)), effect=_keeping(item, course, effect))
    whole = courses.together(course.answers, [call.subject for call in course.calls])
    if whole.accepted:
        return Done(
            ItemState.SUCCEEDED,
            response=whole.payload,
            response_status=whole.status,
            effect=effect,
        )
    told = whole.detail or f"the station answered {whole.status}"
    return Done(
        ItemState.ERROR if whole.is_error else ItemState.REJECTED,
        "call_error" if whole.is_error else "rejected",
        course.told(told) if command.stops_when_refused else told,
        response=whole.payload,
        response_status=whole.status,
        effect=effect,
    )


def _keeping(
    item: JobItem, course: Course, consequence: Callable[[Tx], None] | None
) -> Callable[[Tx], None]:
    def effect(tx: Tx) -> None:
        job_items.update_data(tx, item, {**item.data, courses.DATA: course.data()})
        if consequence is not None:
            consequence(tx)

    return effect


def _consequence(
    command: Command, item: JobItem, order: Order, answer: Answer
) -> Callable[[Tx], None] | None:
    settled, task = command.settled, command.starts

    def effect(tx: Tx) -> None:
        assert item.target is not None
        if settled is not None:
            settled(tx, item.target, order.payload, answer)
        if task is not None:
            attempt = job_items.last_attempt(tx, item)
            assert attempt is not None
            asked_at = attempt["intent_at"]
            open_story(tx, item.target, task, order.payload, answer, asked_at=asked_at)

    return None if settled is None and task is None else effect


def _doubt_after(
    error: CallRefused, job: Job, item: JobItem, order: Order
) -> Callable[[Tx], None] | None:
    """An answer that cannot be read says as little as none."""
    return _doubt(job, item, order) if error.error_code == INVALID_ANSWER else None


def _doubt(job: Job, item: JobItem, order: Order) -> Callable[[Tx], None] | None:
    unanswered = orders.command_of(job).unanswered if orders.is_order(job) else None
    if unanswered is None:
        return None

    def effect(tx: Tx) -> None:
        assert item.target is not None
        unanswered(tx, item.target, order.payload)

    return effect
