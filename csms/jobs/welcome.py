"""Tells a password to stations that came in without one: through the window, or accepted so.

Who was accepted so is on record, and is told one after its next boot, whatever happened since.
"""

from __future__ import annotations

import asyncio
from typing import Any

import structlog

from csms.domain.credentials import CredentialKind
from csms.domain.jobs import Lane, OfflinePolicy, Policy
from csms.domain.permissions import SYSTEM
from csms.domain.stations import Station
from csms.errors import CsmsError
from csms.events import Bus, Event
from csms.jobs.engine import Engine
from csms.jobs.kinds import password_rotation
from csms.services.onboarding import Window
from csms.store import credentials, jobs, stations
from csms.store.database import Database, ReadTx

log = structlog.get_logger(__name__)

TOLD_WITHIN_S = 600.0


class Welcome:
    """One job for each such station at a time, after the boot with which it is in."""

    def __init__(self, *, db: Database, bus: Bus, engine: Engine, window: Window) -> None:
        self._db = db
        self._engine = engine
        self._window = window
        self._tasks: set[asyncio.Task[Any]] = set()
        self._accepted: set[int] = set()
        """Stations that may have no password yet; most boots are not of one of them."""
        self._unsubscribe = bus.subscribe(Event, self._on_event)

    async def start(self) -> None:
        """Know who was accepted before this start."""
        self._accepted |= set(
            await self._db.read(
                lambda tx: credentials.list_stations_with(tx, CredentialKind.NONE_YET)
            )
        )

    async def close(self) -> None:
        """Begin nothing more."""
        self._unsubscribe()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _on_event(self, event: Event) -> None:
        station_id = event.station_id
        if station_id is None:
            return
        if event.type == "station.accepted":
            self._accepted.add(station_id)
        elif event.type == "station.booted":
            is_untold = self._window.take_untold(station_id)
            if is_untold or station_id in self._accepted:
                self._begin(station_id, is_guest=is_untold)

    def _begin(self, station_id: int, *, is_guest: bool) -> None:
        task = asyncio.create_task(self._tell(station_id, is_guest=is_guest))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _tell(self, station_id: int, *, is_guest: bool) -> None:
        try:
            station, has_none, is_told = await self._db.read(lambda tx: _standing(tx, station_id))
            if not has_none:
                self._accepted.discard(station_id)
            if is_told or not (has_none or is_guest):
                return
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


def _standing(tx: ReadTx, station_id: int) -> tuple[Station, bool, bool]:
    """The station, whether it has no password yet, and whether it is being told one."""
    stored = credentials.list_of_station(tx, station_id)
    has_none = any(one.kind is CredentialKind.NONE_YET for one in stored)
    is_told = any(job.kind == password_rotation.KIND for job in jobs.list_live_for(tx, station_id))
    return stations.get(tx, station_id), has_none, is_told
