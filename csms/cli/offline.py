"""Working on the database of a server that is not running: under its lock, in and out."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import typer

from csms.cli.failures import BadUsage, CommandFailed
from csms.cli.place import DATABASE_FILE
from csms.clock import SystemClock
from csms.errors import NotFound, Unavailable
from csms.events import Bus
from csms.store import locations
from csms.store.database import Database, ReadTx, Tx

T = TypeVar("T")


def write(data_dir: Path, fn: Callable[[Tx], T]) -> T:
    """Run `fn(tx)` in one transaction on the database, which is made when there is none yet."""
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    done = asyncio.run(_with_database(data_dir, lambda database: database.write(fn)))
    # Said, because it may be the wrong directory: a server elsewhere knows nothing of it.
    typer.echo(f"csms: no server is running there, so this went into {data_dir}", err=True)
    return done


def read(data_dir: Path, fn: Callable[[ReadTx], T]) -> T:
    """Run `fn(tx)` on one snapshot of the database; raises BadUsage when there is none."""
    if not (data_dir / DATABASE_FILE).exists():
        raise BadUsage(f"there is no csms database in {data_dir}")
    return asyncio.run(_with_database(data_dir, lambda database: database.read(fn)))


def location_id(tx: ReadTx, uuid: str) -> int:
    """The row of a location named on the command line; raises NotFound."""
    found = locations.find_by_uuid(tx, uuid)
    if found is None:
        raise NotFound(f"there is no location {uuid}")
    return found.id


async def _with_database(data_dir: Path, work: Callable[[Database], Awaitable[T]]) -> T:
    database = Database(data_dir / DATABASE_FILE, clock=SystemClock(), bus=Bus())
    try:
        await database.open()
    except Unavailable as error:
        if error.code == "locked":
            raise CommandFailed(f"{error.message}, and it does not answer yet") from error
        raise
    try:
        return await work(database)
    finally:
        await database.close()
