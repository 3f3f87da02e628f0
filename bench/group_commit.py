"""What group commit is worth: journal rows awaited through `Database`, and with a commit each."""

from __future__ import annotations

import argparse
import asyncio
import sqlite3
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import orjson
import uvloop

from csms.clock import SystemClock
from csms.events import Bus
from csms.store.database import Database, Tx

_INSERT = (
    "INSERT INTO job_attempts (job_id, seq, job_generation, attempt, epoch, intent_at)"
    " VALUES (?, ?, 1, 1, 1, 0)"
)


async def grouped(path: Path, rows: int) -> tuple[float, int]:
    """Seconds and commits for that many writes, each awaited by a coroutine of its own."""
    db = Database(path, clock=SystemClock(), bus=Bus())
    await db.open()
    job_id = await db.write(_job)

    async def journal(seq: int) -> None:
        await db.write(lambda tx: tx.run(_INSERT, (job_id, seq)))

    commits = db.stats.commits
    started = time.perf_counter()
    await asyncio.gather(*(journal(seq) for seq in range(rows)))
    seconds = time.perf_counter() - started
    commits = db.stats.commits - commits
    await db.close()
    return seconds, commits


def _job(tx: Tx) -> int:
    return tx.insert(
        "INSERT INTO jobs (uuid, kind, dialect, lane, state, principal, params, policy,"
        " workflow_run_id, total, open, created_at, updated_at)"
        " VALUES ('bench', 'command', 'native', 'bulk', 'running', 'bench', '{}', '{}', '', 0, 0,"
        " 0, 0)"
    )


def one_by_one(path: Path, rows: int) -> float:
    """Seconds for that many rows in the same file, a commit after each."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA synchronous = FULL")
    job_id = connection.execute("SELECT id FROM jobs").fetchone()[0]
    started = time.perf_counter()
    for seq in range(rows):
        connection.execute(_INSERT, (job_id, -1 - seq))
    seconds = time.perf_counter() - started
    connection.close()
    return seconds


def main(directory: Path, rows: int) -> None:
    """Print one JSON line with microseconds a row."""
    path = directory / "csms.sqlite3"
    seconds, commits = uvloop.run(grouped(path, rows))
    few = max(rows // 20, 1)
    alone = one_by_one(path, few)
    line = {
        "grouped_us": seconds / rows * 1e6,
        "alone_us": alone / few * 1e6,
        "rows_per_commit": rows / commits,
    }
    print(orjson.dumps(line).decode())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=20_000)
    arguments = parser.parse_args()
    with TemporaryDirectory() as directory:
        main(Path(directory), arguments.rows)
