"""Commands on the database of a server that is not running."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from csms import app
from csms.api.v1.station_shapes import StationShape
from csms.api.v1.tokens import TokenShape
from csms.cli import http, offline
from csms.clock import SystemClock
from csms.events import Bus
from csms.services import tokens
from csms.store import tokens as token_store
from csms.store.database import Database, ReadTx
from tests.cli.conftest import Outcome


def test_the_names_of_the_files_are_the_servers() -> None:
    assert (offline.DATABASE_FILE, http.ADDRESS_FILE) == (app.DATABASE, app.CLI_FILE)


def test_a_made_token_is_printed_once_and_stored_by_its_hash(
    csms: Callable[..., Outcome], tmp_path: Path
) -> None:
    made = csms("token", "create", "--name", "script", "--role", "operator", "--data-dir", tmp_path)
    bearer = made.out.strip()

    def find(tx: ReadTx) -> str | None:
        found = token_store.find_by_digest(tx, tokens.digest(bearer))
        return None if found is None else found.role.value

    assert made.code == 0
    assert offline.read(tmp_path, find) == "operator"
    assert bearer not in csms("token", "list", "--json", "--data-dir", tmp_path).out


def test_a_token_looks_the_same_as_through_the_api(
    csms: Callable[..., Outcome], tmp_path: Path
) -> None:
    made = csms("token", "create", "--name", "x", "--days", "3", "--json", "--data-dir", tmp_path)
    assert set(made.json) == {*TokenShape.model_fields, "token"}
    assert made.json["expires_at"].endswith("Z")


def test_a_revoked_token_is_listed_as_such(csms: Callable[..., Outcome], tmp_path: Path) -> None:
    made = csms("token", "create", "--name", "x", "--json", "--data-dir", tmp_path)
    assert csms("token", "revoke", made.json["id"], "--data-dir", tmp_path).code == 0
    (listed,) = csms("token", "list", "--json", "--data-dir", tmp_path).json
    assert listed["revoked_at"] is not None


def test_a_secret_is_no_way_to_name_a_token(csms: Callable[..., Outcome], tmp_path: Path) -> None:
    outcome = csms("token", "revoke", "csms_abc_secret", "--data-dir", tmp_path)
    assert outcome.code == 2
    assert "secret" not in outcome.err


def test_a_token_for_a_location_that_is_not_there_is_refused(
    csms: Callable[..., Outcome], tmp_path: Path
) -> None:
    outcome = csms(
        *("token", "create", "--name", "x", "--location", "nowhere", "--data-dir"), tmp_path
    )
    assert (outcome.code, outcome.err) == (1, "csms: there is no location nowhere\n")
    assert csms("token", "list", "--json", "--data-dir", tmp_path).json == []


def test_an_added_station_is_listed_with_the_fields_of_the_api(
    csms: Callable[..., Outcome], tmp_path: Path
) -> None:
    added = csms("stations", "create", "CP-1", "--name", "Gate", "--json", "--data-dir", tmp_path)
    (listed,) = csms("stations", "list", "--json", "--data-dir", tmp_path).json
    assert len(added.json["password"]) == 20
    assert set(listed) == set(StationShape.model_fields)
    assert (listed["identity"], listed["name"], listed["online"]) == ("CP-1", "Gate", False)


def test_the_password_alone_goes_to_stdout(csms: Callable[..., Outcome], tmp_path: Path) -> None:
    added = csms("stations", "create", "CP-1", "--data-dir", tmp_path)
    assert len(added.out.strip()) == 20
    assert "CP-1" in added.err


def test_an_identity_that_cannot_be_one_is_refused(
    csms: Callable[..., Outcome], tmp_path: Path
) -> None:
    outcome = csms("stations", "create", "a/b", "--data-dir", tmp_path)
    assert (outcome.code, outcome.err) == (1, "csms: identity must not contain '/'\n")


def test_the_same_identity_twice_is_refused(csms: Callable[..., Outcome], tmp_path: Path) -> None:
    csms("stations", "create", "CP-1", "--data-dir", tmp_path)
    outcome = csms("stations", "create", "cp-1", "--data-dir", tmp_path)
    assert outcome.code == 1
    assert len(csms("stations", "list", "--json", "--data-dir", tmp_path).json) == 1


def test_a_directory_without_a_database_is_not_made_by_looking(
    csms: Callable[..., Outcome], tmp_path: Path
) -> None:
    outcome = csms("stations", "list", "--data-dir", tmp_path / "nothing")
    assert outcome.code == 2
    assert not (tmp_path / "nothing").exists()


def test_a_locked_database_is_left_alone(csms: Callable[..., Outcome], tmp_path: Path) -> None:
    async def hold() -> Outcome:
        database = Database(tmp_path / offline.DATABASE_FILE, clock=SystemClock(), bus=Bus())
        await database.open()
        try:
            return await asyncio.to_thread(csms, "token", "list", "--data-dir", tmp_path)
        finally:
            await database.close()

    outcome = asyncio.run(hold())
    assert outcome.code == 1
    assert "in use" in outcome.err
