"""Sampled values as they are shown: those of a station by numbered pages."""

from __future__ import annotations

from typing import NamedTuple

from csms.store import sampled_values as store
from csms.store.database import Database
from csms.store.sampled_values import SampleFilter, StoredSample

__all__ = ["SampleFilter", "SamplePage", "StoredSample", "list_samples"]


class SamplePage(NamedTuple):
    """A part of the sampled values, and how many there are in all."""

    items: list[StoredSample]
    total: int


async def list_samples(
    db: Database, wanted: SampleFilter, *, limit: int, offset: int = 0
) -> SamplePage:
    """A page, newest first."""
    return await db.read(
        lambda tx: SamplePage(
            store.list_page(tx, wanted, limit=limit, offset=offset), store.count(tx, wanted)
        )
    )
