"""`csms backup` and `csms restore`: everything that is kept, in one file and back."""

from __future__ import annotations

import io
import json
import os
import shutil
import tarfile
import tempfile
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Annotated, Any

import typer

import csms
from csms.cli.examples import examples
from csms.cli.failures import BadUsage, CommandFailed
from csms.cli.output import AsJson, print_json, say
from csms.cli.place import DATABASE_FILE, DataDir, data_dir_of

LABEL = "backup.json"
_FORMAT = 1
LOCK_FILE = "csms.lock"
# Of one life of a server, or made anew by SQLite.
_PASSING = frozenset(
    {LOCK_FILE, "cli.json", DATABASE_FILE, f"{DATABASE_FILE}-wal", f"{DATABASE_FILE}-shm"}
)
_SECRETS = frozenset({".key"})
_ASIDE = "before-restore-"
# Where files are written until they are whole.
_HALF_THERE = "incoming"

BACKUP = examples("backup /backup/csms.tar", "backup csms.tar.gz --without-keys")
RESTORE = examples("restore /backup/csms.tar", "restore csms.tar.gz --data-dir new --replace")


def backup(
    file: Annotated[
        Path,
        typer.Argument(help="To be made; .gz at the end compresses it.", show_default=False),
    ],
    without_keys: Annotated[
        bool, typer.Option("--without-keys", help="Leave out instance.key and private keys.")
    ] = False,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Write a backup of the data directory, also while the server runs."""
    directory = data_dir_of(data_dir)
    if not (directory / DATABASE_FILE).exists():
        raise BadUsage(f"there is no csms database in {directory}")
    if file.exists():
        raise BadUsage(f"{file} is there already")
    try:
        label = _write(directory, file, without_keys=without_keys)
    except OSError as error:
        raise CommandFailed(f"cannot write {file}: {error.strerror}") from error
    if as_json:
        print_json({**label, "file": str(file), "bytes": file.stat().st_size})
    say(f"{file} has everything up to {label['created_at']}; keep it as safe as the directory")


def restore(
    file: Annotated[Path, typer.Argument(help="As `csms backup` made it.", show_default=False)],
    replace: Annotated[
        bool,
        typer.Option(
            "--replace", help="Move what the directory has aside, into a folder before-restore-…"
        ),
    ] = False,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Put a backup back, into a directory that no server uses."""
    from csms.store import opening

    directory = data_dir_of(data_dir)
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        with opening.lock(directory / LOCK_FILE):
            if (directory / DATABASE_FILE).exists() and not replace:
                raise BadUsage(f"{directory} has a database; --replace moves it aside")
            with tempfile.TemporaryDirectory(prefix="restore-", dir=directory) as made:
                label, unfinished = _unpack(file, Path(made))
                aside = _put_in_place(Path(made), directory)
    except (OSError, tarfile.TarError) as error:
        raise CommandFailed(f"cannot restore {file}: {error}") from error
    if as_json:
        print_json({**label, "aside": aside and str(aside), "unfinished_jobs": unfinished})
        return
    say(f"{directory} is as it was at {label['created_at']}")
    if aside is not None:
        say(f"what it had before is in {aside}")
    for job in unfinished:
        say(f"was not over then: job {job['id']}, {job['kind']}, {job['state']}")


# ---- making it -------------------------------------------------------------------------------


def _write(directory: Path, file: Path, *, without_keys: bool) -> dict[str, Any]:
    from csms.store import backups

    created_at = datetime.now(UTC).isoformat(timespec="seconds")
    draft = file.with_name(f"{file.name}.part")
    with tempfile.TemporaryDirectory(prefix=".csms-", dir=file.absolute().parent) as made:
        database = Path(made) / DATABASE_FILE
        # First: a file without a row is swept away, a row without its file would be a loss.
        backups.copy(directory / DATABASE_FILE, database)
        found = backups.inspect(database)
        if found.verdict != "ok":
            raise CommandFailed(f"the database is damaged: {found.verdict}")
        label = {"format": _FORMAT, "csms": csms.__version__, "schema": found.schema}
        label |= {"created_at": created_at, "keys": not without_keys}
        try:
            with _private(draft) as out, _archive(out, file) as archive:
                _add_label(archive, label)
                archive.add(database, DATABASE_FILE)
                for path in _kept(directory, {file.absolute(), draft.absolute(), Path(made)}):
                    if not (without_keys and path.suffix in _SECRETS):
                        # A server that runs may have removed it by now.
                        with suppress(FileNotFoundError):
                            archive.add(path, str(path.relative_to(directory)), recursive=False)
            draft.replace(file)
        finally:
            draft.unlink(missing_ok=True)
    return label


def _kept(directory: Path, own: set[Path]) -> list[Path]:
    """What belongs to the data beside the database."""
    found = []
    for path in sorted(directory.rglob("*")):
        top, *folders = path.relative_to(directory).parts
        passing = top in _PASSING or top.startswith((_ASIDE, "restore-")) or path.suffix == ".new"
        passing = passing or _HALF_THERE in folders
        is_own = any(one == path.absolute() or one in path.absolute().parents for one in own)
        if path.is_file() and not path.is_symlink() and not passing and not is_own:
            found.append(path)
    return found


def _private(path: Path) -> IO[bytes]:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")


def _archive(out: IO[bytes], file: Path) -> tarfile.TarFile:
    if file.suffix in {".gz", ".tgz"}:
        return tarfile.open(fileobj=out, mode="w:gz")
    return tarfile.open(fileobj=out, mode="w")


def _add_label(archive: tarfile.TarFile, label: dict[str, Any]) -> None:
    text = json.dumps(label).encode()
    member = tarfile.TarInfo(LABEL)
    member.size, member.mode = len(text), 0o600
    archive.addfile(member, io.BytesIO(text))


# ---- putting it back -------------------------------------------------------------------------


def _unpack(file: Path, into: Path) -> tuple[dict[str, Any], list[dict[str, str]]]:
    """The files, looked at; raises CommandFailed when they are not a backup of ours."""
    from csms.store import backups

    with tarfile.open(file) as archive:
        # Refuses what would land elsewhere, links and devices.
        archive.extractall(into, filter="data")
    try:
        label: dict[str, Any] = json.loads((into / LABEL).read_text("utf-8"))
        created_at, version = label["created_at"], label["format"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CommandFailed(f"{file} is no backup of csms") from error
    if version != _FORMAT:
        raise CommandFailed(f"{file} was made by a newer csms ({label.get('csms')})")
    (into / LABEL).unlink()
    found = backups.inspect(into / DATABASE_FILE)
    if found.verdict != "ok":
        raise CommandFailed(f"the database in {file} is damaged: {found.verdict}")
    if found.schema > found.newest_schema:
        raise CommandFailed(
            f"{file} has schema {found.schema}, this release knows {found.newest_schema}:"
            " use a newer csms"
        )
    backups.mark_restored(into / DATABASE_FILE)
    unfinished = [
        {"id": id_, "kind": kind, "state": state} for id_, kind, state in found.unfinished
    ]
    return {**label, "created_at": created_at}, unfinished


def _put_in_place(made: Path, directory: Path) -> Path | None:
    """Move everything in, the database last; returns where the former went, if there was any."""
    for path in made.rglob("*"):
        path.chmod(0o700 if path.is_dir() else 0o600)
        _sync(path)
    aside = directory / f"{_ASIDE}{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    former = [DATABASE_FILE, f"{DATABASE_FILE}-wal", f"{DATABASE_FILE}-shm"]
    former += [path.name for path in made.iterdir() if path.name != DATABASE_FILE]
    for name in former:
        if (directory / name).exists():
            aside.mkdir(mode=0o700, exist_ok=True)
            (directory / name).rename(aside / name)
    for path in sorted(made.iterdir(), key=lambda path: path.name == DATABASE_FILE):
        shutil.move(path, directory / path.name)
    _sync(directory)
    return aside if aside.exists() else None


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
