"""What is old goes, a little at a time: events, keys, log rows, finished jobs, histories."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from functools import partial

import structlog

from csms.errors import CsmsError
from csms.services import inferred_ends
from csms.services.heartbeats import Heartbeats
from csms.services.message_log import MessageLog
from csms.store import events, idempotency, job_items, jobs, retention, transactions
from csms.store.database import Database, Tx
from csms.store.retention import History

log = structlog.get_logger(__name__)

FLUSH_EVERY_S = 60.0
PRUNE_EVERY_S = 3600.0
ATTEMPTS_KEPT = timedelta(days=7)
_MICROSECOND = timedelta(microseconds=1)


async def keep_house(
    db: Database, heartbeats: Heartbeats, message_log: MessageLog, jobs_kept: timedelta
) -> None:
    """What cannot wait each minute, the rest each hour; until cancelled.

    The message log cannot: what stations say in an hour may be more than the disk has.
    """
    until_prune_s = 0.0
    while True:
        await asyncio.sleep(FLUSH_EVERY_S)
        until_prune_s -= FLUSH_EVERY_S
        try:
            await heartbeats.flush()
            await infer_ends(db)
            await message_log.prune()
            if until_prune_s <= 0:
                until_prune_s = PRUNE_EVERY_S
                await prune(db, jobs_kept=jobs_kept)
        except CsmsError as error:
            log.warning("housekeeping is waiting for the store", reason=error.code)


async def infer_ends(db: Database) -> None:
    """End transactions whose connector is free; see `inferred_ends`."""
    if await db.read(transactions.list_on_free_connectors):
        await db.write(inferred_ends.by_free_connectors)


async def prune(db: Database, *, jobs_kept: timedelta) -> None:
    """Delete what is older than it is kept."""
    await db.write(events.delete_old)
    await db.write(idempotency.delete_old)
    while await db.write(_delete_attempts):
        continue
    while await db.write(partial(_delete_job, kept=jobs_kept)):
        continue
    for history in retention.HISTORIES:
        await _prune_history(db, history)


async def _prune_history(db: Database, history: History) -> None:
    end: int | None = 0
    while end is not None:
        end = await db.write(partial(retention.delete_old, history=history, after_id=end))
    for station_id in await db.read(partial(retention.list_crowded, history=history)):
        surplus = partial(retention.delete_surplus, history=history, station_id=station_id)
        while await db.write(surplus):
            continue


def _delete_attempts(tx: Tx) -> int:
    return job_items.delete_attempts(tx, before=tx.now - ATTEMPTS_KEPT // _MICROSECOND)


def _delete_job(tx: Tx, *, kept: timedelta) -> int:
    # One job may have a hundred thousand items, which go with it.
    return jobs.delete_finished(tx, before=tx.now - kept // _MICROSECOND, limit=1)
