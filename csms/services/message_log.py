"""The message log: one row per CALL with its answer, written in batches beside the data.

A crash may lose the last fraction of a second; what must not be lost is stored by its service.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from datetime import timedelta
from operator import itemgetter

import structlog

from csms.clock import Clock
from csms.errors import CsmsError
from csms.services.write_behind import WriteBehind
from csms.store import ocpp_messages
from csms.store.database import Database, Tx
from csms.store.ocpp_messages import LateAnswer, Message

log = structlog.get_logger(__name__)

FLUSH_INTERVAL_S = 0.2
MAX_UNWRITTEN = 50_000
# CALLs without an answer whose rows a late one can still find.
MAX_UNANSWERED = 10_000
KEEP_FOR = timedelta(days=14)
KEEP_BYTES = 1024**3

Key = tuple[int, str]


class MessageLog:
    """Collects ended CALLs and writes them a few times a second."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self.dropped = 0
        """Messages that were not written: the disk is full or the writer too slow."""
        self.written = asyncio.Event()
        """Set when the next batch is written; from then on there is another one."""
        self._db = db
        self._clock = clock
        self._unwritten: list[Message] = []
        self._late: list[tuple[Key, LateAnswer]] = []
        self._unanswered: OrderedDict[Key, int] = OrderedDict()
        self._behind = WriteBehind(self._write, FLUSH_INTERVAL_S)

    def record(self, message: Message) -> None:
        """Keep an ended CALL; it is written within a moment."""
        if len(self._unwritten) >= MAX_UNWRITTEN:
            self.dropped += 1
            return
        self._unwritten.append(message)
        self._behind.soon()

    def record_late(self, key: Key, late: LateAnswer) -> None:
        """Put an answer into the row of a CALL that ended without one, if we still know it."""
        if len(self._late) < MAX_UNANSWERED:
            self._late.append((key, late))
            self._behind.soon()

    @property
    def unwritten(self) -> int:
        """Messages that wait for the next batch."""
        return len(self._unwritten)

    async def flush(self) -> None:
        """Write all that was recorded before this call."""
        await self._behind.flush()

    async def prune(self) -> int:
        """Delete what is too old or too much; returns how many rows."""
        deleted = 0
        horizon = self._clock.now() - KEEP_FOR
        while chunk := await self._db.write(lambda tx: ocpp_messages.delete_older(tx, horizon)):
            deleted += chunk
        while await self._db.read(ocpp_messages.estimate_bytes) > KEEP_BYTES:
            deleted += await self._db.write(ocpp_messages.delete_oldest)
        return deleted

    async def close(self) -> None:
        """Write the rest."""
        await self._behind.close()

    async def _write(self) -> None:
        messages, self._unwritten = self._unwritten, []
        late, self._late = self._late, []
        if not messages and not late:
            return
        known = {key: self._unanswered[key] for key, _ in late if key in self._unanswered}
        try:
            rows = await self._db.write(lambda tx: _store(tx, messages, late, known))
        except CsmsError as error:
            self.dropped += len(messages)
            log.warning("message log not written", messages=len(messages), reason=error.code)
            return
        self.written.set()
        self.written = asyncio.Event()
        for key, _ in late:
            self._unanswered.pop(key, None)
        self._unanswered.update(rows)
        while len(self._unanswered) > MAX_UNANSWERED:
            self._unanswered.popitem(last=False)


def _store(
    tx: Tx,
    messages: list[Message],
    late: list[tuple[Key, LateAnswer]],
    known: dict[Key, int],
) -> dict[Key, int]:
    """Write the batch; returns the row ids of those that may yet get an answer."""
    unanswered: dict[Key, int] = {}
    # By station, as the index is: neighbours share its pages.
    messages = sorted(messages, key=itemgetter(0))
    open_ends = [message for message in messages if _may_be_answered(message)]
    ocpp_messages.insert_many(
        tx, [row for row in messages if not _may_be_answered(row)] if open_ends else messages
    )
    for message in open_ends:
        key = (message.station_id, message.message_id)
        unanswered[key] = ocpp_messages.insert(tx, message)
    for key, answer in late:
        row_id = unanswered.pop(key, None) or known.get(key)
        if row_id is not None:
            ocpp_messages.update_late(tx, row_id, answer)
    return unanswered


def _may_be_answered(message: Message) -> bool:
    return message.direction == "out" and message.state in {"timeout", "lost"}
