"""Tells stations the config template that they were given, after the boot with which they are in.

Whether one is due is a row, written with the boot; so what a crash interrupts goes on at the next
start, and the job that tells it is begun in the transaction that says so.
"""

from __future__ import annotations

import asyncio
from functools import partial

import structlog

from csms.domain.config_templates import Assignment
from csms.domain.jobs import Job, Lane, NewItem, OfflinePolicy, Policy, Submission
from csms.domain.permissions import SYSTEM
from csms.errors import Conflict, Unavailable
from csms.events import Bus, Event
from csms.jobs.engine import Engine
from csms.jobs.kinds import config_template
from csms.services import config_templates
from csms.store import config_assignments as store
from csms.store import stations, templates
from csms.store.database import Database, ReadTx, Tx

log = structlog.get_logger(__name__)

_AT_ONCE = 100
_MOST_DOUBLINGS = 6
"""Of the delay after which what failed is tried again: from a second to a minute."""
# One attempt: a station that was lost meanwhile has restarted, and its next boot begins anew with
# what it holds then.
_POLICY = Policy(offline=OfflinePolicy.WAIT, expires_in_s=600.0, max_attempts=1)


class Configuring:
    """One job for each boot of a station that is still to get a template."""

    def __init__(self, *, db: Database, bus: Bus, engine: Engine, retry_s: float = 1.0) -> None:
        self._db = db
        self._bus = bus
        self._engine = engine
        self._retry_s = retry_s
        self._news = asyncio.Event()
        self._failed: set[int] = set()
        """Stations that are gone past until it is tried again."""
        self._again_at: float | None = None
        """When that is, by the loop's clock."""
        self._in_vain = 0
        """Tries one after the other."""

    async def run(self) -> None:
        """Take up what is due, then whatever comes, until cancelled."""
        unsubscribe = self._bus.subscribe(Event, self._on_event)
        try:
            while True:
                self._news.clear()
                await self._serve()
                try:
                    async with asyncio.timeout_at(self._again_at):
                        await self._news.wait()
                except TimeoutError:
                    self._again_at = None
                    self._failed.clear()
        finally:
            unsubscribe()

    def _on_event(self, event: Event) -> None:
        if event.type == config_templates.DUE:
            self._news.set()

    async def _serve(self) -> None:
        try:
            await self._walk()
        except Unavailable as error:  # for the rest it would be the same
            if self._again_at is None:
                log.warning("no template told", reason=error.code)
            self._try_again()
        except Exception:  # a task's outermost frame
            log.exception("telling templates failed")
            self._try_again()
        if self._again_at is None:
            self._in_vain = 0

    async def _walk(self) -> None:
        after_id = 0
        while due := await self._db.read(
            partial(store.list_due, after_station_id=after_id, limit=_AT_ONCE)
        ):
            for assignment in due:
                if assignment.station_id not in self._failed:
                    await self._begin(assignment)
            after_id = due[-1].station_id

    async def _begin(self, assignment: Assignment) -> None:
        try:
            await self._submit(assignment)
        except Conflict:  # it is not due any more
            return
        except Unavailable:
            raise
        except Exception:  # the others are told all the same
            log.exception("telling a template failed", station_id=assignment.station_id)
            self._failed.add(assignment.station_id)
            self._try_again()

    def _try_again(self) -> None:
        if self._again_at is None:
            delay_s = self._retry_s * 2 ** min(self._in_vain, _MOST_DOUBLINGS)
            self._again_at = asyncio.get_running_loop().time() + delay_s
            self._in_vain += 1

    async def _submit(self, assignment: Assignment) -> None:
        def order(tx: ReadTx) -> Submission:
            if store.find(tx, assignment.station_id) != assignment:
                raise Conflict("something else was decided meanwhile")
            station = stations.get(tx, assignment.station_id)
            return config_template.submission(
                principal=SYSTEM,
                targets=[NewItem(station.uuid, target=station.id)],
                template=templates.get(tx, assignment.template_id),
                lane=Lane.INTERACTIVE,
                policy=_POLICY,
            )

        def begun(tx: Tx, job: Job) -> None:
            config_templates.begun(tx, assignment, job.id)

        await self._engine.submit(order, also=begun)
