"""Findings about stations' messages: counted in memory, written in batches beside the data.

Only a flawed message costs anything, and however many of a kind come, they are one row. A crash
may lose what was counted in the last moments.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

import orjson
import structlog

from csms.clock import Clock
from csms.domain.lint import Direction, Finding
from csms.domain.versions import OcppVersion
from csms.errors import CsmsError
from csms.services.redaction import REDACTED, mentions_a_secret
from csms.services.write_behind import WriteBehind
from csms.store import lint_findings
from csms.store.database import Database
from csms.store.lint_findings import Counted

log = structlog.get_logger(__name__)

FLUSH_INTERVAL_S = 2.0
# Kinds of one station between two writes; what is beyond them comes again or is noise.
MAX_KINDS = 50
CHUNK = 1000
MAX_EXAMPLE = 200
MAX_NAME = 100
MAX_PATH = 200


@dataclass(frozen=True, slots=True)
class Origin:
    """The kind of message that something is wrong with."""

    station_id: int
    version: OcppVersion
    direction: Direction
    action: str
    """Empty where the frame did not get that far."""


_Kind = tuple[str, str, str, str, str]
"""Version, direction, action, rule, path."""


@dataclass(slots=True)
class _Count:
    clause: str | None
    example: str | None
    count: int
    first_seen_at: int
    last_seen_at: int


class Lint:
    """Counts findings by station and kind, and writes them every few seconds."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock
        self._counts: dict[int, dict[_Kind, _Count]] = {}
        self._behind = WriteBehind(self._write, FLUSH_INTERVAL_S)

    def note(self, origin: Origin, findings: Iterable[Finding], payload: Any = None) -> None:
        """Count what one message does wrong; `payload` is asked for secrets only."""
        counts = self._counts.setdefault(origin.station_id, {})
        now = self._clock.micros()
        for finding in findings:
            kind = (
                origin.version.value,
                origin.direction.value,
                origin.action[:MAX_NAME],
                finding.rule.value,
                finding.path[:MAX_PATH],
            )
            known = counts.get(kind)
            if known is not None:
                known.count += 1
                known.last_seen_at = now
            elif len(counts) < MAX_KINDS:
                example = _example(finding.value, payload)
                counts[kind] = _Count(finding.clause, example, 1, now, now)
        self._behind.soon()

    async def flush(self) -> None:
        """Write all that was noted before this call."""
        await self._behind.flush()

    async def close(self) -> None:
        """Write the rest."""
        await self._behind.close()

    async def _write(self) -> None:
        counts, self._counts = self._counts, {}
        rows = [
            Counted(
                *kind,
                count.clause,
                count.example,
                count.count,
                count.first_seen_at,
                count.last_seen_at,
                station_id,
            )
            for station_id, kinds in counts.items()
            for kind, count in kinds.items()
        ]
        for start in range(0, len(rows), CHUNK):
            store = partial(lint_findings.insert_many, rows=rows[start : start + CHUNK])
            try:
                await self._db.write(store)
            except CsmsError as error:
                log.warning("findings not written", kinds=len(rows) - start, reason=error.code)
                return


def _example(value: Any, payload: Any) -> str | None:
    if value is None:
        return None
    if mentions_a_secret(payload) or mentions_a_secret(value):
        return REDACTED
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    return text[:MAX_EXAMPLE]
