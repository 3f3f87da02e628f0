"""What counts as evidence that a command without an answer was obeyed."""

from __future__ import annotations

import pytest

from csms.clock import to_micros
from csms.ocpp.commands import COMMANDS
from csms.ocpp.commands.command import Evidence, EvidenceQuery

MINUTE = 60_000_000


@pytest.fixture
async def station_id(db) -> int:
    return await db.write(
        lambda tx: tx.insert(
            "INSERT INTO stations (uuid, identity, identity_key, created_at, updated_at)"
            " VALUES ('u', 'CS1', 'cs1', 0, 0)"
        )
    )


@pytest.fixture
def intent_at(clock) -> int:
    return to_micros(clock.now())


async def boot(db, station_id, at, *, epoch=1, generation=8, triggered=0) -> None:
    await db.write(
        lambda tx: tx.insert(
            "INSERT INTO boots (station_id, epoch, generation, triggered, status, received_at, raw)"
            " VALUES (?, ?, ?, ?, 'Accepted', ?, '{}')",
            (station_id, epoch, generation, triggered, at),
        )
    )


async def transaction(db, station_id, intent_at, *, after, started_at=None) -> None:
    await db.write(
        lambda tx: tx.insert(
            "INSERT INTO transactions (uuid, station_id, evse_id, station_transaction_id,"
            " id_token, id_token_key, started_at, start_received_at)"
            " VALUES ('t', ?, 1, '1', 'abc', 'abc', ?, ?)",
            (station_id, started_at, intent_at + after),
        )
    )


async def ask(db, name, *attempt) -> Evidence | None:
    station_id, intent_at, payload, generation = attempt
    query = EvidenceQuery(station_id, 1, generation, intent_at, payload)
    return await db.read(lambda tx: COMMANDS[name].evidence(tx, query))


async def test_a_boot_on_a_newer_connection_is_evidence_of_a_reset(db, station_id, intent_at):
    await boot(db, station_id, intent_at + 5)
    found = await ask(db, "reset", station_id, intent_at, {"type": "Soft"}, 7)
    assert found == Evidence("boot", intent_at + 5, inferred=True)


@pytest.mark.parametrize(
    "row",
    [{"generation": 7}, {"generation": 6}, {"epoch": 2}, {"triggered": 1}],
    ids=["same socket", "older socket", "after our own crash", "at our request"],
)
async def test_another_boot_is_no_evidence_of_a_reset(db, station_id, intent_at, row):
    await boot(db, station_id, intent_at + 5, **row)
    assert await ask(db, "reset", station_id, intent_at, {"type": "Soft"}, 7) is None


async def test_a_reset_that_went_out_on_no_known_connection_has_no_evidence(
    db, station_id, intent_at
):
    await boot(db, station_id, intent_at + 5)
    assert await ask(db, "reset", station_id, intent_at, {}, None) is None


async def test_a_transaction_of_the_same_token_is_evidence_of_a_start(db, station_id, intent_at):
    await transaction(db, station_id, intent_at, after=5, started_at=intent_at - MINUTE)
    payload = {"idTag": " ABC", "connectorId": 1}
    found = await ask(db, "request_start_transaction", station_id, intent_at, payload, 7)
    assert found == Evidence("transaction", intent_at + 5, inferred=True)


@pytest.mark.parametrize(
    ("payload", "row"),
    [
        ({"idTag": "OTHER"}, {"after": 5}),
        ({"idTag": "ABC", "connectorId": 2}, {"after": 5}),
        ({"idTag": "ABC"}, {"after": -5}),
        ({"idTag": "ABC"}, {"after": 5, "started_at": 1}),
    ],
    ids=["other token", "other connector", "before the intent", "queued while offline"],
)
async def test_another_transaction_is_no_evidence_of_a_start(
    db, station_id, intent_at, payload, row
):
    await transaction(db, station_id, intent_at, **row)
    assert await ask(db, "request_start_transaction", station_id, intent_at, payload, 7) is None
