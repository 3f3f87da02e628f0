"""Tells stations the config template that they were given, after the boot with which they are in.

Whether one is due is a row, written with the boot; so what a crash interrupts goes on at the next
start, and the job that tells it is begun in the transaction that says so.
"""

from __future__ import annotations

import asyncio

import structlog

from csms.domain.config_templates import Assignment
from csms.domain.jobs import Job, Lane, NewItem, OfflinePolicy, Policy, Submission
from csms.domain.permissions import SYSTEM
from csms.errors import Conflict, CsmsError
from csms.events import Bus, Event
from csms.jobs.engine import Engine
from csms.jobs.kinds import config_template
from csms.services import config_templates
from csms.store import config_assignments as store
from csms.store import stations, templates
from csms.store.database import Database, ReadTx, Tx

log = structlog.get_logger(__name__)

_AT_ONCE = 100
# One attempt: a station that was lost meanwhile has restarted, and its next boot begins anew with
# what it holds then.
_POLICY = Policy(offline=OfflinePolicy.WAIT, expires_in_s=600.0, max_attempts=1)


class Configuring:
    """One job for each boot of a station that is still to get a template."""

    def __init__(self, *, db: Database, bus: Bus, engine: Engine) -> None:
        self._db = db
        self._bus = bus
        self._engine = engine
        self._news = asyncio.Event()

    async def run(self) -> None:
        """Take up what is due, then whatever comes, until cancelled."""
        unsubscribe = self._bus.subscribe(Event, self._on_event)
        try:
            while True:
                self._news.clear()
                await self._serve()
                await self._news.wait()
        finally:
            unsubscribe()

    def _on_event(self, event: Event) -> None:
        if event.type == config_templates.DUE:
            self._news.set()

    async def _serve(self) -> None:
        while due := await self._db.read(lambda tx: store.list_due(tx, limit=_AT_ONCE)):
            for assignment in due:
                try:
                    await self._submit(assignment)
                except Conflict:  # it is not due any more
                    continue
                except CsmsError as error:  # the next boot of any station tries again
                    log.warning(
                        "no template told", station_id=assignment.station_id, reason=error.code
                    )
                    return
                except Exception:  # a task's outermost frame
                    log.exception("telling a template failed", station_id=assignment.station_id)
                    return

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
