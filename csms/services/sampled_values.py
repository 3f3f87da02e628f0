"""Sampled values as they are shown: those of a station by numbered pages."""

from __future__ import annotations

from csms.store import meter_value_pages as store
from csms.store.database import Database
from csms.store.meter_value_pages import SamplePage, StoredSample, Wanted

__all__ = ["SamplePage", "StoredSample", "Wanted", "list_samples"]


async def list_samples(
    db: Database, wanted: Wanted, measurand: str | None, *, limit: int, offset: int = 0
) -> SamplePage:
    """A page, newest first."""
    return await db.read(
        lambda tx: store.list_samples(tx, wanted, measurand, limit=limit, offset=offset)
    )
