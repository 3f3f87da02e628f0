"""Sampled values as they are shown: those of a station by numbered pages."""

from __future__ import annotations

from typing import NamedTuple

from csms.store import meter_value_pages as store
from csms.store.database import Database
from csms.store.meter_value_pages import StoredSample, Wanted

__all__ = ["SamplePage", "StoredSample", "Wanted", "list_samples"]


class SamplePage(NamedTuple):
    """A part of the sampled values, and how many there are in all."""

    items: list[StoredSample]
    total: int


async def list_samples(
    db: Database, wanted: Wanted, measurand: str | None, *, limit: int, offset: int = 0
) -> SamplePage:
    """A page, newest first."""
    return await db.read(
        lambda tx: SamplePage(
            store.list_samples(tx, wanted, measurand, limit=limit, offset=offset),
            store.count_samples(tx, wanted, measurand),
        )
    )
