from __future__ import annotations

from typing import Any

import pytest

from csms.clock import ManualClock
from csms.domain.lint import Direction, Finding, Rule
from csms.domain.stations import BootReport, NewStation
from csms.domain.versions import OcppVersion
from csms.services import stations as station_service
from csms.services.lint import MAX_KINDS, Lint, Origin
from csms.store import lint_findings, stations
from csms.store.database import Database
from csms.store.lint_findings import LintFilter, LintFinding

V16 = OcppVersion.V16


@pytest.fixture
def lint(db: Database, clock: ManualClock) -> Lint:
    return Lint(db, clock)


async def station(db: Database, identity: str = "S") -> int:
    made = await db.write(lambda tx: stations.insert(tx, NewStation(identity)))
    return made.id


async def boot(db: Database, station_id: int, firmware: str | None) -> None:
    report = BootReport("V", "M", None, firmware, None, "{}")
    await db.write(lambda tx: stations.record_boot(tx, station_id, report))


async def found(lint: Lint, db: Database, **narrow: Any) -> list[LintFinding]:
    await lint.flush()
    return await db.read(lambda tx: lint_findings.list_page(tx, LintFilter(**narrow), limit=1000))


def note(lint: Lint, station_id: int, *findings: Finding, action: str = "Heartbeat") -> None:
    lint.note(Origin(station_id, V16, Direction.IN, action), findings, {})


MISSING = Finding(Rule.MISSING_REQUIRED_FIELD, "idTag", "OCPP 1.6 6.1")


async def test_the_same_breach_is_one_row_that_counts(
    lint: Lint, db: Database, clock: ManualClock
) -> None:
    one = await station(db)
    first = clock.now()
    for _ in range(3):
        note(lint, one, MISSING)
        clock.advance(1)
    await lint.flush()
    note(lint, one, MISSING)
    (row,) = await found(lint, db)
    assert (row.count, row.first_seen_at, row.last_seen_at) == (4, first, clock.now())
    assert (row.rule, row.path, row.clause) == ("missing-required-field", "idTag", "OCPP 1.6 6.1")
    assert (row.identity, row.direction, row.action, row.firmware_version) == (
        "S",
        Direction.IN,
        "Heartbeat",
        None,
    )


async def test_another_firmware_starts_another_row(lint: Lint, db: Database) -> None:
    one = await station(db)
    await boot(db, one, "1.0")
    note(lint, one, MISSING)
    await lint.flush()
    await boot(db, one, "1.1")
    note(lint, one, MISSING)
    assert [row.firmware_version for row in await found(lint, db)] == ["1.1", "1.0"]
    assert [row.count for row in await found(lint, db, firmware="1.0")] == [1]


async def test_the_first_example_is_kept_and_cut(lint: Lint, db: Database) -> None:
    one = await station(db)
    note(lint, one, Finding(Rule.TOO_LONG, "info", None, "x" * 999))
    note(lint, one, Finding(Rule.TOO_LONG, "info", None, "y"))
    note(lint, one, Finding(Rule.WRONG_TYPE, "info", None, {"a": [1]}))
    rows = await found(lint, db)
    assert [row.example for row in rows] == ['{"a":[1]}', "x" * 200]


async def test_an_example_never_shows_a_password(lint: Lint, db: Database) -> None:
    one = await station(db)
    payload = {"configurationKey": [{"key": "AuthorizationKey", "value": "s3cret", "readonly": 1}]}
    finding = Finding(Rule.WRONG_TYPE, "configurationKey[].value", None, "s3cret")
    lint.note(Origin(one, V16, Direction.OUT, "GetConfiguration"), [finding], payload)
    frame = Finding(Rule.FRAME_NOT_JSON, "", None, '[2,"1","X",{"basicAuthPassword":"s3cret"')
    lint.note(Origin(one, V16, Direction.IN, ""), [frame])
    assert [row.example for row in await found(lint, db)] == ["***", "***"]


async def test_a_flood_of_kinds_is_bounded_between_two_writes(lint: Lint, db: Database) -> None:
    one = await station(db)
    for number in range(10 * MAX_KINDS):
        note(lint, one, Finding(Rule.UNKNOWN_ACTION), action=f"A{number}")
    assert len(await found(lint, db)) == MAX_KINDS


async def test_a_station_keeps_the_kinds_it_showed_last(
    lint: Lint, db: Database, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lint_findings, "MAX_PER_STATION", 3)
    one, other = await station(db), await station(db, "T")
    note(lint, other, MISSING)
    for number in range(5):
        note(lint, one, MISSING, action=f"A{number}")
        note(lint, one, MISSING, action="A0")
        await lint.flush()
        clock.advance(1)
    assert {row.action for row in await found(lint, db, station_id=one)} == {"A0", "A3", "A4"}
    assert len(await found(lint, db, station_id=other)) == 1


async def test_long_names_are_cut(lint: Lint, db: Database) -> None:
    one = await station(db)
    note(lint, one, Finding(Rule.UNKNOWN_ACTION, "p" * 999), action="a" * 999)
    (row,) = await found(lint, db)
    assert (len(row.action), len(row.path)) == (100, 200)


async def test_a_deleted_station_is_not_listed(lint: Lint, db: Database) -> None:
    one = await station(db)
    note(lint, one, MISSING)
    await lint.flush()
    await db.write(lambda tx: station_service.delete(tx, stations.get(tx, one)))
    assert await found(lint, db) == []


async def test_findings_of_a_station_that_never_was_are_dropped(lint: Lint, db: Database) -> None:
    note(lint, 4711, MISSING)
    assert await found(lint, db) == []


async def test_what_could_not_be_written_costs_nothing_but_itself(
    lint: Lint, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    from csms.errors import StorageFull

    async def full(fn: Any) -> Any:
        raise StorageFull("full")

    one = await station(db)
    with monkeypatch.context() as patch:
        patch.setattr(db, "write", full)
        note(lint, one, MISSING)
        await lint.flush()
    note(lint, one, MISSING)
    assert [row.count for row in await found(lint, db)] == [1]


async def test_closing_writes_the_rest(lint: Lint, db: Database) -> None:
    note(lint, await station(db), MISSING)
    await lint.close()
    assert len(await found(lint, db)) == 1
