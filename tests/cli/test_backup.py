from __future__ import annotations

import io
import json
import os
import sqlite3
import stat
import tarfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from csms.cli.http import find_server
from csms.store import opening
from tests.cli.conftest import Outcome, running

Run = Callable[..., Outcome]


@pytest.fixture
def stopped(csms: Run, tmp_path: Path) -> Path:
    """A data directory with one station, a key and a certificate of its own; nobody uses it."""
    directory = tmp_path / "data"
    assert 0 == csms("stations", "create", "CP-1", "--data-dir", directory).code
    (directory / "instance.key").write_bytes(b"k" * 32)
    (directory / "tls").mkdir()
    (directory / "tls" / "ec.key").write_text("private")
    (directory / "tls" / "ec.pem").write_text("public")
    (directory / "cli.json.new").write_text("half")
    (directory / "files" / "incoming").mkdir(parents=True)
    (directory / "files" / "incoming" / "1").write_text("half")
    (directory / "files" / "logs").mkdir()
    (directory / "files" / "logs" / "1").write_text("whole")
    return directory


def identities(csms: Run, directory: Path) -> list[str]:
    listed = csms("stations", "list", "--json", "--data-dir", directory).json
    return [one["identity"] for one in listed]


def names(file: Path) -> set[str]:
    with tarfile.open(file) as archive:
        return set(archive.getnames())


@pytest.mark.parametrize("name", ["csms.tar", "csms.tar.gz"])
def test_what_was_kept_comes_back(csms: Run, stopped: Path, tmp_path: Path, name: str) -> None:
    file, again = tmp_path / name, tmp_path / "again"
    assert 0 == csms("backup", file, "--data-dir", stopped).code
    assert 0 == csms("restore", file, "--data-dir", again).code
    assert ["CP-1"] == identities(csms, again)
    assert b"k" * 32 == (again / "instance.key").read_bytes()
    assert "private" == (again / "tls" / "ec.key").read_text()
    assert "whole" == (again / "files" / "logs" / "1").read_text()
    kept = {"backup.json", "csms.sqlite3", "instance.key", "files/logs/1"}
    assert kept | {"tls/ec.key", "tls/ec.pem"} == names(file)


def test_backup_and_directory_are_for_their_owner_only(
    csms: Run, stopped: Path, tmp_path: Path
) -> None:
    file, again = tmp_path / "csms.tar", tmp_path / "again"
    csms("backup", file, "--data-dir", stopped)
    csms("restore", file, "--data-dir", again)
    made = [file, *(path for path in again.rglob("*") if path.name != "csms.lock")]
    assert [] == [path for path in made if stat.S_IMODE(path.stat().st_mode) & 0o077]


def test_keys_can_be_left_out(csms: Run, stopped: Path, tmp_path: Path) -> None:
    file = tmp_path / "csms.tar"
    csms("backup", file, "--without-keys", "--data-dir", stopped)
    assert {"backup.json", "csms.sqlite3", "files/logs/1", "tls/ec.pem"} == names(file)


def test_a_backup_into_the_directory_does_not_hold_itself(csms: Run, stopped: Path) -> None:
    for name in ("one.tar", "two.tar"):
        assert 0 == csms("backup", stopped / name, "--data-dir", stopped).code
    assert "one.tar" in names(stopped / "two.tar")
    assert "two.tar" not in names(stopped / "two.tar")


def test_a_server_that_runs_is_backed_up_and_never_restored_over(csms: Run, tmp_path: Path) -> None:
    file, again = tmp_path / "csms.tar", tmp_path / "again"
    with running(tmp_path) as directory:
        client = find_server(directory)
        assert client is not None
        client.post("/api/v1/stations", {"identity": "CP-1"})
        assert 0 == csms("backup", file, "--data-dir", directory).code
        client.post("/api/v1/stations", {"identity": "CP-2"})
        refused = csms("restore", file, "--replace", "--data-dir", directory)
        assert ["CP-1", "CP-2"] == identities(csms, directory)
    assert (1, True) == (refused.code, "in use by another csms process" in refused.err)
    assert 0 == csms("restore", file, "--data-dir", again).code
    assert ["CP-1"] == identities(csms, again)
    assert {"cli.json", "csms.lock"}.isdisjoint(names(file))


def test_the_next_start_knows_that_it_was_restored(
    csms: Run, stopped: Path, tmp_path: Path
) -> None:
    file, again = tmp_path / "csms.tar", tmp_path / "again"
    csms("backup", file, "--data-dir", stopped)
    csms("restore", file, "--data-dir", again)
    with closing(sqlite3.connect(again / "csms.sqlite3")) as database:
        assert (1,) == database.execute("SELECT restored FROM engine").fetchone()
    with closing(sqlite3.connect(stopped / "csms.sqlite3")) as database:
        assert (0,) == database.execute("SELECT restored FROM engine").fetchone()


def test_what_is_there_is_moved_aside_only_when_asked(
    csms: Run, stopped: Path, tmp_path: Path
) -> None:
    file = tmp_path / "csms.tar"
    csms("backup", file, "--data-dir", stopped)
    csms("stations", "create", "CP-2", "--data-dir", stopped)
    refused = csms("restore", file, "--data-dir", stopped)
    assert (2, 1) == (refused.code, refused.err.count("\n"))
    assert ["CP-1", "CP-2"] == identities(csms, stopped)
    done = csms("restore", file, "--replace", "--json", "--data-dir", stopped).json
    assert ["CP-1"] == identities(csms, stopped)
    assert ["CP-1", "CP-2"] == identities(csms, Path(done["aside"]))
    # What was moved aside is no part of the next backup.
    csms("backup", tmp_path / "next.tar", "--data-dir", stopped)
    assert names(file) == names(tmp_path / "next.tar")


def test_jobs_that_were_not_over_are_named(csms: Run, stopped: Path, tmp_path: Path) -> None:
    file = tmp_path / "csms.tar"
    with closing(sqlite3.connect(stopped / "csms.sqlite3")) as database:
        columns = [row[1:5] for row in database.execute("PRAGMA table_info(jobs)")]
        given = {"uuid": "j-1", "kind": "command", "state": "running"}
        needed = {name: 0 for name, _, not_null, default in columns if not_null and default is None}
        row = {**needed, **given}
        marks = ", ".join("?" * len(row))
        database.execute("PRAGMA foreign_keys = OFF")
        database.execute("PRAGMA ignore_check_constraints = ON")
        database.execute(f"INSERT INTO jobs ({', '.join(row)}) VALUES ({marks})", [*row.values()])
        database.commit()
    csms("backup", file, "--data-dir", stopped)
    done = csms("restore", file, "--json", "--data-dir", tmp_path / "again").json
    assert [{"id": "j-1", "kind": "command", "state": "running"}] == done["unfinished_jobs"]


def test_a_file_is_never_overwritten(csms: Run, stopped: Path, tmp_path: Path) -> None:
    file = tmp_path / "csms.tar"
    file.write_text("precious")
    assert 2 == csms("backup", file, "--data-dir", stopped).code
    assert "precious" == file.read_text()


def test_a_backup_that_cannot_be_written_leaves_nothing(
    csms: Run, stopped: Path, tmp_path: Path
) -> None:
    assert 1 == csms("backup", tmp_path / "no" / "csms.tar", "--data-dir", stopped).code
    assert ["data"] == sorted(path.name for path in tmp_path.iterdir())


def test_nothing_to_back_up_is_bad_usage(csms: Run, tmp_path: Path) -> None:
    assert 2 == csms("backup", tmp_path / "csms.tar", "--data-dir", tmp_path).code


def archive(path: Path, files: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w") as made:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            made.addfile(member, io.BytesIO(content))
    return path


LABEL = json.dumps({"format": 1, "created_at": "now"}).encode()


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"backup.json": b"{"},
        {"backup.json": b"[]"},
        {"backup.json": json.dumps({"format": 2, "created_at": "now"}).encode()},
        {"backup.json": LABEL},
        {"backup.json": LABEL, "csms.sqlite3": b"not a database"},
        {"backup.json": LABEL, "csms.sqlite3": b""},
        {"../escaped": b"x", "backup.json": LABEL},
        {"/escaped": b"x"},
    ],
)
def test_what_is_no_backup_changes_nothing(
    csms: Run, stopped: Path, tmp_path: Path, files: dict[str, bytes]
) -> None:
    before = sorted(stopped.rglob("*"))
    file = archive(tmp_path / "bad.tar", files)
    outcome = csms("restore", file, "--replace", "--data-dir", stopped)
    assert (1, 1) == (outcome.code, outcome.err.count("\n"))
    assert before == sorted(stopped.rglob("*"))
    assert not (tmp_path / "escaped").exists()
    assert ["CP-1"] == identities(csms, stopped)


def test_a_backup_of_a_newer_release_is_refused(csms: Run, stopped: Path, tmp_path: Path) -> None:
    file = tmp_path / "csms.tar"
    with closing(sqlite3.connect(stopped / "csms.sqlite3")) as database:
        database.execute("PRAGMA user_version = 9999")
    csms("backup", file, "--data-dir", stopped)
    outcome = csms("restore", file, "--data-dir", tmp_path / "again")
    assert (1, True) == (outcome.code, "use a newer csms" in outcome.err)


def test_a_damaged_database_is_neither_backed_up_nor_restored(
    csms: Run, stopped: Path, tmp_path: Path
) -> None:
    database = stopped / "csms.sqlite3"
    with database.open("r+b") as file:
        file.seek(4096 * 3)
        file.write(os.urandom(4096 * 20))
    outcome = csms("backup", tmp_path / "csms.tar", "--data-dir", stopped)
    assert (1, 1) == (outcome.code, outcome.err.count("\n"))
    assert not (tmp_path / "csms.tar").exists()


def test_a_directory_in_use_is_not_restored_to(csms: Run, stopped: Path, tmp_path: Path) -> None:
    file = tmp_path / "csms.tar"
    csms("backup", file, "--data-dir", stopped)
    with opening.lock(stopped / "csms.lock"):
        outcome = csms("restore", file, "--replace", "--data-dir", stopped)
    assert (1, True) == (outcome.code, "in use" in outcome.err)
