"""Kind `password_rotation`: tell stations new passwords over OCPP, each its own.

The journal has the numbers that the passwords are derived from. The new one is valid, durably,
before it can reach the station, and the old one until the station took the new: so whatever a
crash or a lost answer leaves behind, the station comes in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from csms.clock import Clock
from csms.domain.jobs import ItemState, Job, JobItem, Lane, NewItem, Policy, Submission
from csms.domain.permissions import Principal
from csms.domain.stations import Station
from csms.domain.versions import OcppVersion
from csms.errors import CallRefused
from csms.jobs.kinds.command import CommandRunner, Stations, without_secrets
from csms.jobs.port import Done, Intent, NotSent, Result
from csms.ocpp.commands import passwords as wire
from csms.ocpp.commands.command import Order
from csms.ocpp.frames import JsonObject
from csms.services import password_rotation, redaction
from csms.services.credentials import Passwords
from csms.store import credentials, job_items
from csms.store.database import Database, ReadTx, Row, Tx

KIND = "password_rotation"
_NUMBER = "rotation"


def submission(
    *,
    principal: Principal,
    targets: Iterable[Station],
    policy: Policy,
    lane: Lane = Lane.BULK,
    hidden: bool = False,
) -> Submission:
    """A job that gives every target a new password; the numbers are drawn here."""
    return Submission(
        kind=KIND,
        dialect="native",
        principal=principal.id,
        reach=principal.location_ids,
        params={},
        items=[numbered(NewItem(station.uuid, target=station.id)) for station in targets],
        lane=lane,
        hidden=hidden,
        policy=policy,
    )


def numbered(item: NewItem) -> NewItem:
    """The item with the number of its new password, which is never drawn again."""
    return replace(item, data={_NUMBER: password_rotation.draw_number()})


class PasswordRunner(CommandRunner):
    """Runs the items: commands whose payload nobody else gets to see."""

    name: str = KIND
    late_effects: bool = True

    def __init__(
        self, hub: Stations, clock: Clock, *, db: Database, passwords: Passwords, **more: Any
    ) -> None:
        super().__init__(hub, clock, read=db.read, seal=passwords.seal, **more)
        self._db = db
        self._passwords = passwords

    def keep(self, params: dict[str, Any]) -> dict[str, Any]:
        """There are no secrets: a password has a number."""
        return params

    async def run(
        self, job: Job, item: JobItem, intent: Intent | None, on_sent: Callable[[], None]
    ) -> Result:
        """Make the password valid, tell it to the station, and read the answer."""
        assert item.target is not None
        assert intent is not None
        if intent.version is None:
            return NotSent()
        station_id, number = item.target, _number(item, job.generation)
        if await self._db.write(lambda tx: password_rotation.offer(tx, station_id, number)):
            return _shown()
        secret = self._passwords.derived(station_id, number)
        order = wire.tell_password(intent.version, secret)
        try:
            answer = await self._call(job, item, intent, order, on_sent)
        except CallRefused as error:
            return self._refused(job, item, order, error)
        return _read(item.target, number, order, answer) if isinstance(answer, dict) else answer

    def repeatable(self, job: Job, item: JobItem) -> bool:
        """The same password can be told twice."""
        return True

    def read_late(
        self, tx: ReadTx, job: Job, item: JobItem, attempt: Row, answer: JsonObject
    ) -> Done:
        """The same reading as in time."""
        assert item.target is not None
        number = _number(item, attempt["job_generation"])
        secret = self._passwords.derived(item.target, number)
        order = wire.tell_password(OcppVersion(attempt["version"]), secret)
        return _read(item.target, number, order, answer)

    def evidence(self, tx: ReadTx, job: Job, item: JobItem, attempt: Row) -> Done | None:
        """Whether the station has come with the new password."""
        assert item.target is not None
        known = credentials.find(tx, item.target, _number(item, attempt["job_generation"]))
        return _shown() if known is not None and known.offered_at is None else None

    def discard(self, tx: Tx, job: Job, item: JobItem) -> int | None:
        """Not accepted: the old password stays, and the new one while it may have been taken."""
        assert item.target is not None
        if job_items.first_uncertain(tx, item, before=item.attempt + 1) is None:
            password_rotation.decline(tx, item.target, _number(item, job.generation))
        else:
            password_rotation.leave_open(tx, item.target)
        return item.target


def _number(item: JobItem, generation: int) -> int:
    """An explicit retry tells another one: the station may have refused the first for good."""
    first: int = item.data[_NUMBER]
    return first + generation


def _shown() -> Done:
    return Done(ItemState.SUCCEEDED, "evidence", "shown by a connection with the new password")


def _read(station_id: int, number: int, order: Order, payload: JsonObject) -> Done:
    answer = without_secrets(wire.read_told(payload), redaction.secrets_of(order.payload))
    if not answer.accepted:
        told = answer.detail or f"the station answered {answer.status}"
        return Done(
            ItemState.REJECTED,
            "rejected",
            told,
            response=answer.payload,
            response_status=answer.status,
        )

    def effect(tx: Tx) -> None:
        # After RebootRequired the old one is used for a while (OCPP 2.0.1 A01.FR.04).
        if answer.status == "Accepted":
            password_rotation.accepted(tx, station_id, number)

    return Done(
        ItemState.SUCCEEDED,
        response=answer.payload,
        response_status=answer.status,
        effect=effect,
    )
