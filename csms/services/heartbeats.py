"""The last heartbeat of every station: noted in memory, written in batches."""

from __future__ import annotations

from csms.clock import Clock
from csms.store import stations
from csms.store.database import Database


class Heartbeats:
    """One Heartbeat costs a dict entry; the owner calls `flush` each minute and at close."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock
        self._latest: dict[int, int] = {}

    def note(self, station_id: int) -> int:
        """The station is alive now; returns the instant in microseconds."""
        at = self._clock.micros()
        self._latest[station_id] = at
        return at

    def last(self, station_id: int) -> int | None:
        """The unwritten heartbeat of a station, for lists that overlay memory."""
        return self._latest.get(station_id)

    async def flush(self) -> int:
        """Write what came since the last flush; returns how many stations it was."""
        if not self._latest:
            return 0
        batch, self._latest = self._latest, {}
        try:
            await self._db.write(lambda tx: stations.flush_heartbeats(tx, list(batch.items())))
        except Exception:
            self._latest = batch | self._latest  # newer ones win
            raise
        return len(batch)
