"""Tells a password to stations that came without one while unknown ones were let in."""

from __future__ import annotations

import asyncio
from typing import Any

import structlog

from csms.domain.jobs import Lane, OfflinePolicy, Policy
from csms.domain.permissions import SYSTEM
from csms.errors import CsmsError
from csms.events import Bus, Event
from csms.jobs.engine import Engine
from csms.jobs.kinds import password_rotation
from csms.services.onboarding import Window
from csms.store import stations
from csms.store.database import Database

log = structlog.get_logger(__name__)

TOLD_WITHIN_S = 600.0


class Welcome:
    """One job for each such station, after the boot with which it is in."""

    def __init__(self, *, db: Database, bus: Bus, engine: Engine, window: Window) -> None:
        self._db = db
        self._engine = engine
        self._window = window
        self._tasks: set[asyncio.Task[Any]] = set()
        self._unsubscribe = bus.subscribe(Event, self._on_event)

    async def close(self) -> None:
        """Begin nothing more."""
        self._unsubscribe()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _on_event(self, event: Event) -> None:
        station_id = event.station_id
        if event.type != "station.booted" or station_id is None:
            return
        if self._window.take_untold(station_id):
            task = asyncio.create_task(self._tell(station_id))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _tell(self, station_id: int) -> None:
        try:
            station = await self._db.read(lambda tx: stations.get(tx, station_id))
            submission = password_rotation.submission(
                principal=SYSTEM,
                targets=[station],
                lane=Lane.INTERACTIVE,
                policy=Policy(offline=OfflinePolicy.WAIT, expires_in_s=TOLD_WITHIN_S),
            )
            await self._engine.submit(submission)
        except CsmsError as error:  # without one it is refused later, and the inbox says why
            log.warning("no password told", station_id=station_id, reason=error.code)
        except Exception:  # a task's outermost frame
            log.exception("telling a password failed", station_id=station_id)
