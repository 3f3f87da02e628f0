"""Kind `command`: one order to many stations, a result per station."""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

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
from csms.domain.versions import OcppVersion
from csms.errors import (
    CallRefused,
    CallTimeout,
    ConnectionLost,
    Invalid,
    NotSupportedByVersion,
    StationOffline,
)
from csms.jobs import permits
from csms.jobs.port import (
    Admission,
    Ambiguous,
    Busy,
    Done,
    Go,
    Intent,
    NotSent,
    Offline,
    Result,
    Retry,
    WaitOnline,
)
from csms.ocpp import commands
from csms.ocpp.commands import params as parameters
from csms.ocpp.commands.command import Answer, Command, EvidenceQuery, Order
from csms.ocpp.frames import JsonObject
from csms.store import stations
from csms.store.database import ReadTx, Row, Tx

KIND = "command"
# The readiness trigger and its answer take at most this; then the station is judged again.
_READY_WITHIN = timedelta(seconds=60)
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
            return {"command": self.command, "params": self.params or {}}
        assert self.version is not None
        return {
            "version": self.version.value,
            "action": self.action,
            "payload": self.payload or {},
        }


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


def check(wanted: Wanted) -> Command:
    """The command that `wanted` is; raises Invalid with the path of what is wrong with it."""
    if wanted.command is None:
        assert wanted.version is not None
        assert wanted.action is not None
        commands.raw(wanted.version, wanted.action, wanted.payload or {})
        return commands.for_action(wanted.version, wanted.action)
    # Encoding for one version proves the parameters; the others are judged per station.
    try:
        commands.typed(OcppVersion.V16, wanted.command, wanted.params or {})
    except NotSupportedByVersion:
        parameters.parse(commands.COMMANDS[wanted.command].params, wanted.params or {})
    return commands.COMMANDS[wanted.command]


class Stations(Protocol):
    """What the kind needs of the hub."""

    def is_connected(self, station_id: int) -> bool:
        """Whether there is a socket."""
        ...

    def is_ready(self, station_id: int) -> bool:
        """Whether commands may go out."""
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

    def __init__(
        self,
        hub: Stations,
        clock: Clock,
        *,
        call_timeout_s: float,
        in_grace: Callable[[int], datetime | None],
    ) -> None:
        prefix = secrets.token_hex(8)
        self._hub = hub
        self._clock = clock
        self._call_timeout_s = call_timeout_s
        # No system call for each message; the prefix tells this life of the process from others.
        self._message_ids = (f"{prefix}-{number}" for number in itertools.count(1))
        self._in_grace = in_grace
        """Until when a station that was connected when we went down is not called offline."""

    def admit(self, job: Job, item: JobItem) -> Admission:
        """Offline means no socket; a connected station that is not ready yet is waited for."""
        assert item.target is not None
        if self._hub.is_connected(item.target):
            if not self._hub.is_ready(item.target):
                return WaitOnline(self._clock.now() + _READY_WITHIN)
            return Go() if self._hub.slot_free(item.target) else Busy()
        if job.policy.offline is OfflinePolicy.WAIT:
            return WaitOnline(
                item.deadline_at or datetime.max.replace(tzinfo=job.created_at.tzinfo)
            )
        grace_end = self._in_grace(item.target)
        return Offline() if grace_end is None else WaitOnline(grace_end)

    def intent(self, job: Job, item: JobItem) -> Intent | None:
        """A fresh message id each time, so that a late answer names its attempt."""
        assert item.target is not None
        return Intent(next(self._message_ids), self._hub.generation(item.target))

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
        assert item.target is not None
        assert intent is not None
        assert intent.message_id is not None
        version = self._hub.version(item.target)
        if version is None:
            return NotSent()
        command, order = encode(job, version)
        try:
            payload = await self._hub.call(
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
        except CallTimeout:
            return Ambiguous("timeout", "the station did not answer in time")
        except ConnectionLost:
            return Ambiguous("connection_lost", "the connection was lost before the answer")
        except CallRefused as error:
            return self._refused(job, item, error)
        return _done(command, item, order, payload)

    def repeatable(self, job: Job, item: JobItem) -> bool:
        """Class A and B run again; class C never does by itself."""
        return _class_of(job) is not CommandClass.C

    def read_late(self, job: Job, item: JobItem, answer: JsonObject) -> Done:
        """The same reading as in time; all versions of one command read alike."""
        return _done(_command_of(job), item, None, answer)

    def evidence(self, tx: ReadTx, job: Job, item: JobItem, attempt: Row) -> Done | None:
        """Ask the command's own query."""
        command = _command_of(job)
        if command.evidence is None or item.target is None:
            return None
        found = command.evidence(
            tx,
            EvidenceQuery(
                station_id=item.target,
                epoch=attempt["epoch"],
                connection_generation=attempt["connection_generation"],
                intent_at=attempt["intent_at"],
                payload=encode(job, OcppVersion.V16)[1].payload,
            ),
        )
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

    def _refused(self, job: Job, item: JobItem, error: CallRefused) -> Result:
        if error.error_code in _RETRYABLE_CODES and self.repeatable(job, item):
            return Retry("call_error", error.message)
        return Done(
            ItemState.ERROR,
            "call_error",
            error.message,
            response={"error_code": error.error_code, "error_description": error.description},
        )


def encode(job: Job, version: OcppVersion) -> tuple[Command, Order]:
    """The CALL for a station of `version`; raises NotSupportedByVersion."""
    params = job.params
    if "command" in params:
        command = commands.COMMANDS[params["command"]]
        return command, command.order(version, parameters.parse(command.params, params["params"]))
    if params["version"] != version.value:
        raise NotSupportedByVersion(f"not supported by OCPP {version.value}")
    return _command_of(job), Order(params["action"], params["payload"])


def _command_of(job: Job) -> Command:
    params = job.params
    if "command" in params:
        return commands.COMMANDS[params["command"]]
    return commands.for_action(OcppVersion(params["version"]), params["action"])


def _class_of(job: Job) -> CommandClass:
    command = _command_of(job)
    if "command" in job.params:
        return command.class_of(parameters.parse(command.params, job.params["params"]))
    return command.command_class


def _done(command: Command, item: JobItem, order: Order | None, payload: JsonObject) -> Done:
    read = command.read_repeat if _may_have_run_before(item) else command.read
    answer = read(payload)
    return Done(
        ItemState.SUCCEEDED if answer.accepted else ItemState.REJECTED,
        None if answer.accepted else "rejected",
        None if answer.accepted else f"the station answered {answer.status}",
        response=payload,
        response_status=answer.status,
        effect=None if order is None else _consequence(command, item, order, answer),
    )


def _may_have_run_before(item: JobItem) -> bool:
    return item.interruptions > 0 or item.code in {"timeout", "connection_lost"}


def _consequence(
    command: Command, item: JobItem, order: Order, answer: Answer
) -> Callable[[Tx], None] | None:
    settled = command.settled
    if settled is None:
        return None

    def effect(tx: Tx) -> None:
        assert item.target is not None
        station = stations.find(tx, item.target)
        if station is not None:
            settled(tx, station, order.payload, answer)

    return effect
