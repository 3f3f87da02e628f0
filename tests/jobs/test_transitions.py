"""Every pair of item states: what the table allows happens, what it forbids cannot."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from csms.domain.jobs import (
    COUNTER_OF,
    FINAL_ITEM_STATES,
    LEGAL_ITEM_CHANGES,
    LIVE_ITEM_STATES,
    ItemState,
    Job,
    JobItem,
    NewItem,
    Submission,
)
from csms.jobs import ledger, lifecycle
from csms.jobs.port import Done
from csms.store import job_items, jobs
from csms.store.database import Database, Tx

EVERY_PAIR = list(product(ItemState, ItemState))


@pytest.fixture
async def item(db: Database) -> JobItem:
    submission = Submission(
        kind="command", dialect="commands", principal="p", params={}, items=[NewItem("S", 1)]
    )
    job, _ = await db.write(lambda tx: lifecycle.accept(tx, submission, None))
    return await db.read(lambda tx: job_items.get(tx, job.id, 0))


def put(tx: Tx, item: JobItem, state: ItemState) -> JobItem:
    """The item in `state`, however it came there."""
    tx.run("UPDATE job_items SET state = ?", (state.value,))
    return item._replace(state=state)


def state_of(tx: Any, item: JobItem) -> ItemState:
    return job_items.get(tx, item.job_id, item.seq).state


def ids(pair: Any) -> str:
    return pair.value


@pytest.mark.parametrize(("from_state", "to_state"), EVERY_PAIR, ids=ids)
async def test_a_change_happens_exactly_when_it_is_legal(
    db: Database, item: JobItem, from_state: ItemState, to_state: ItemState
):
    def move(tx: Tx) -> bool:
        return ledger._change(tx, put(tx, item, from_state), to_state)

    if to_state in LEGAL_ITEM_CHANGES[from_state]:
        assert await db.write(move)
        assert await db.read(lambda tx: state_of(tx, item)) is to_state
    else:
        with pytest.raises(AssertionError, match="illegal change"):
            await db.write(move)
        assert await db.read(lambda tx: state_of(tx, item)) is ItemState.READY


@pytest.mark.parametrize(
    "stale",
    [
        {"state": ItemState.WAIT_ONLINE},
        {"attempt": 7},
        {"epoch": 7},
        {"step": "another"},
        {"seq": 7},
        {"job_id": 7},
    ],
    ids=lambda stale: next(iter(stale)),
)
async def test_who_knows_an_older_state_of_things_changes_nothing(
    db: Database, item: JobItem, stale: dict[str, Any]
):
    known = item._replace(**stale)

    assert not await db.write(lambda tx: ledger._change(tx, known, ItemState.CANCELLED))
    assert not await db.read(lambda tx: job_items.standing(tx, [known]))
    assert await db.read(lambda tx: job_items.standing(tx, [item]))
    assert await db.read(lambda tx: job_items.get(tx, item.job_id, item.seq)) == item


class Undoing:
    """A kind that removes what a failed item had made."""

    def __init__(self) -> None:
        self.discarded: list[int] = []

    def discard(self, tx: Tx, job: Job, item: JobItem) -> int | None:
        self.discarded.append(item.seq)
        return None


async def test_nothing_is_made_or_removed_in_the_name_of_an_item_that_has_moved(
    db: Database, item: JobItem
):
    kind, made = Undoing(), []
    done = Done(ItemState.SUCCEEDED, effect=lambda tx: made.append("again"))
    failed = Done(ItemState.ERROR, "too_late", "somebody else was first")

    def after_another(tx: Tx) -> list[Any]:
        job = jobs.get(tx, item.job_id)
        put(tx, item, ItemState.CANCELLED)
        return [ledger.finish(tx, job, item, result, kind=kind) for result in (done, failed)]

    assert [None, None] == await db.write(after_another)
    assert ([], []) == (made, kind.discarded)

    await db.write(lambda tx: put(tx, item, ItemState.IN_FLIGHT))
    flying = item._replace(state=ItemState.IN_FLIGHT)
    await db.write(
        lambda tx: ledger.finish(tx, jobs.get(tx, item.job_id), flying, failed, kind=kind)
    )

    assert [0] == kind.discarded


@pytest.mark.parametrize("state", ItemState, ids=ids)
async def test_cancel_takes_exactly_the_states_that_may_be_cancelled(db, item, state):
    def cancel(tx: Tx) -> int:
        put(tx, item, state)
        return job_items.cancel_waiting(tx, item.job_id, code="cancelled", message="")

    assert await db.write(cancel) == (ItemState.CANCELLED in LEGAL_ITEM_CHANGES[state])


@pytest.mark.parametrize("state", ItemState, ids=ids)
async def test_a_retry_opens_only_what_may_be_opened(db, item, state):
    if state in LIVE_ITEM_STATES:
        assert state not in lifecycle.RESTARTABLE
    elif state in lifecycle.RESTARTABLE:
        assert ItemState.READY in LEGAL_ITEM_CHANGES[state]


def test_the_table_is_whole():
    assert set(LEGAL_ITEM_CHANGES) == set(ItemState)
    assert set(COUNTER_OF) == FINAL_ITEM_STATES
    assert LIVE_ITEM_STATES | FINAL_ITEM_STATES == set(ItemState)


@pytest.mark.parametrize("state", sorted(FINAL_ITEM_STATES - {ItemState.UNKNOWN}), ids=ids)
def test_a_final_state_is_left_by_a_retry_or_never(state):
    assert LEGAL_ITEM_CHANGES[state] in (set(), {ItemState.READY, ItemState.HELD})
