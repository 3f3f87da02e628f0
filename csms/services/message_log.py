"""The message log: one row per CALL with its answer, written in batches beside the data.

A crash may lose the last fraction of a second; what must not be lost is stored by its service.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from datetime import timedelta
from operator import itemgetter
from typing import Any

import orjson
import structlog

from csms.clock import Clock
from csms.errors import CsmsError
from csms.store import ocpp_messages
from csms.store.database import Database, Tx
from csms.store.ocpp_messages import LateAnswer, Message

log = structlog.get_logger(__name__)

FLUSH_INTERVAL_S = 0.2
MAX_UNWRITTEN = 50_000
# Newest frames of a connected station, for the live view.
NEWEST = 10
# CALLs without an answer whose rows a late one can still find.
MAX_UNANSWERED = 10_000
KEEP_FOR = timedelta(days=14)
KEEP_BYTES = 1024**3
REDACTED = "***"

Key = tuple[int, str]


class MessageLog:
    """Collects ended CALLs and writes them a few times a second."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self.dropped = 0
        """Messages that were not written: the disk is full or the writer too slow."""
        self._db = db
        self._clock = clock
        self._unwritten: list[Message] = []
        self._late: list[tuple[Key, LateAnswer]] = []
        self._unanswered: OrderedDict[Key, int] = OrderedDict()
        self._newest: dict[int, list[Message]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._writing: asyncio.Task[None] | None = None

    def record(self, message: Message) -> None:
        """Keep an ended CALL; it is written within a moment."""
        newest = self._newest.setdefault(message.station_id, [])
        if len(newest) >= NEWEST:
            del newest[0]
        newest.append(message)
        if len(self._unwritten) >= MAX_UNWRITTEN:
            self.dropped += 1
            return
        self._unwritten.append(message)
        if self._timer is None:
            self._schedule()

    def record_late(self, key: Key, late: LateAnswer) -> None:
        """Put an answer into the row of a CALL that ended without one, if we still know it."""
        if len(self._late) < MAX_UNANSWERED:
            self._late.append((key, late))
            if self._timer is None:
                self._schedule()

    def newest(self, station_id: int) -> list[Message]:
        """The last few messages of a connected station, oldest first."""
        return list(self._newest.get(station_id, ()))

    def forget(self, station_id: int) -> None:
        """Drop the live view of a station that is gone."""
        self._newest.pop(station_id, None)

    @property
    def unwritten(self) -> int:
        """Messages that wait for the next batch."""
        return len(self._unwritten)

    async def flush(self) -> None:
        """Write all that was recorded before this call."""
        if self._writing is not None:  # its batch was taken earlier; ours comes after it
            await asyncio.shield(self._writing)
        await self._write()

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
        await self.flush()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _schedule(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(FLUSH_INTERVAL_S, self._start_writing)

    def _start_writing(self) -> None:
        self._timer = None
        if self._writing is None:
            self._writing = asyncio.create_task(self._write())
            self._writing.add_done_callback(self._written)
        else:
            self._schedule()

    def _written(self, _: asyncio.Task[None]) -> None:
        self._writing = None

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


def as_text(action: str, payload: Any) -> str:
    """The payload as it may be stored and shown: without passwords."""
    text = orjson.dumps(payload).decode()
    if action in _WITHOUT_SECRETS:
        return text
    if not _mentions_a_secret(text):
        return text
    return orjson.dumps(redacted(payload)).decode()


def mentions_a_secret(payload: Any) -> bool:
    """Whether a password may be somewhere in it, so that no part of it is to be shown."""
    return payload is not None and _mentions_a_secret(orjson.dumps(payload).decode())


def redacted(value: Any) -> Any:
    """A copy without the values of AuthorizationKey, BasicAuthPassword and their like."""
    if isinstance(value, list):
        return [redacted(item) for item in value]
    if isinstance(value, dict):
        if _names_a_secret(value):
            return {key: _without_values(key, item) for key, item in value.items()}
        return {
            key: REDACTED if _is_secret_name(key) else redacted(item) for key, item in value.items()
        }
    if isinstance(value, str) and _mentions_a_secret(value) and not _is_secret_name(value):
        return REDACTED  # free text of a vendor, JSON in a string
    return value


def _without_values(key: str, item: Any) -> Any:
    if key in _VALUES and item is not None:
        return REDACTED
    if isinstance(item, list):
        return [_without_values("", below) for below in item]
    if isinstance(item, dict):
        return {name: _without_values(name, below) for name, below in item.items()}
    return item


# The messages of every day, which have no place for a password.
_WITHOUT_SECRETS = frozenset(
    {
        "Authorize",
        "BootNotification",
        "Heartbeat",
        "MeterValues",
        "StartTransaction",
        "StatusNotification",
        "StopTransaction",
        "TransactionEvent",
    }
)
# Where a 1.6 key-value pair and the variables of 2.x keep their values.
_VALUES = frozenset({"value", "attributeValue"})


def _names_a_secret(value: dict[str, Any]) -> bool:
    variable = value.get("variable")
    name = variable.get("name") if isinstance(variable, dict) else None
    return _is_secret_name(value.get("key")) or _is_secret_name(name)


def _mentions_a_secret(text: str) -> bool:
    lowered = text.lower()
    return "authorizationkey" in lowered or "password" in lowered or "simpin" in lowered


def _is_secret_name(name: Any) -> bool:
    if not isinstance(name, str):
        return False
    plain = name.lower()
    # A VPN has a key beside its password.
    return plain in {"authorizationkey", "simpin", "vpn"} or plain.endswith("password")
