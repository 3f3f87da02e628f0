"""What counts as evidence that a command without an answer was obeyed."""

from __future__ import annotations

import pytest

from csms.clock import to_micros
from csms.domain.versions import OcppVersion
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


async def boot(db, station_id, at, *, epoch=1, generation=8, triggered=0, reason=None) -> None:
    await db.write(
        lambda tx: tx.insert(
            "INSERT INTO boots (station_id, epoch, generation, triggered, reason, status,"
            " received_at, raw) VALUES (?, ?, ?, ?, ?, 'Accepted', ?, '{}')",
            (station_id, epoch, generation, triggered, reason, at),
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


async def ask(db, name, *attempt, version=OcppVersion.V16) -> Evidence | None:
    station_id, intent_at, payload, generation = attempt
    query = EvidenceQuery(station_id, 1, generation, intent_at, payload, version)
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


# ---- OCPP 2.x --------------------------------------------------------------------------------

V2X = pytest.mark.parametrize("version", [OcppVersion.V201, OcppVersion.V21])


@V2X
@pytest.mark.parametrize("reason", ["RemoteReset", "ScheduledReset"])
async def test_a_boot_that_names_the_reset_is_evidence_of_it(
    db, station_id, intent_at, version, reason
):
    await boot(db, station_id, intent_at + 5, epoch=2, reason=reason)  # after our own crash too
    found = await ask(db, "reset", station_id, intent_at, {"type": "Immediate"}, 7, version=version)
    assert Evidence("boot", intent_at + 5, inferred=False) == found


@V2X
@pytest.mark.parametrize(
    ("payload", "row"),
    [
        ({"type": "Immediate"}, {"reason": "PowerUp"}),
        ({"type": "Immediate"}, {"reason": None}),
        ({"type": "Immediate", "evseId": 1}, {"reason": "RemoteReset"}),
    ],
    ids=["another reason", "no reason", "an EVSE restarts without a boot"],
)
async def test_another_boot_of_2x_is_no_evidence(
    db, station_id, intent_at, *, version, payload, row
):
    await boot(db, station_id, intent_at + 5, **row)
    assert await ask(db, "reset", station_id, intent_at, payload, 7, version=version) is None


async def test_a_boot_of_a_reset_before_the_intent_is_no_evidence(db, station_id, intent_at):
    await boot(db, station_id, intent_at - 1, reason="RemoteReset")
    found = await ask(
        db, "reset", station_id, intent_at, {"type": "OnIdle"}, 7, version=OcppVersion.V201
    )
    assert found is None


async def transaction_event(db, station_id, at, remote_start_id) -> None:
    def insert(tx):
        transaction_id = tx.insert(
            "INSERT INTO transactions (uuid, station_id, station_transaction_id,"
            " start_received_at) VALUES ('t', ?, 'a-1', 0)",
            (station_id,),
        )
        tx.run(
            "INSERT INTO transaction_events (transaction_id, type, received_at, remote_start_id,"
            " raw) VALUES (?, 'Updated', ?, ?, '{}')",
            (transaction_id, at, remote_start_id),
        )

    await db.write(insert)


START = {"idToken": {"idToken": "A", "type": "Central"}, "remoteStartId": 77}


@V2X
async def test_a_transaction_event_that_names_it_is_evidence_of_a_start(
    db, station_id, intent_at, version
):
    await transaction_event(db, station_id, intent_at + 5, 77)
    found = await ask(
        db, "request_start_transaction", station_id, intent_at, START, 7, version=version
    )
    assert Evidence("transaction", intent_at + 5, inferred=False) == found


@pytest.mark.parametrize(
    ("after", "remote_start_id", "whose"),
    [(5, 78, 0), (5, None, 0), (-5, 77, 0), (5, 77, 1)],
    ids=["another start", "none", "before the intent", "another station's"],
)
async def test_another_event_is_no_evidence_of_a_start(
    db, station_id, intent_at, *, after, remote_start_id, whose
):
    await transaction_event(db, station_id, intent_at + after, remote_start_id)
    found = await ask(
        db,
        "request_start_transaction",
        station_id + whose,
        intent_at,
        START,
        7,
        version=OcppVersion.V201,
    )
    assert found is None


@pytest.mark.parametrize(
    ("version", "payload"),
    [(OcppVersion.V16, {"transactionId": 9}), (OcppVersion.V201, {"transactionId": "9"})],
)
@pytest.mark.parametrize(
    ("after", "reason", "expected"),
    [(5, "Remote", False), (5, "EVDisconnected", True), (-5, "Remote", None)],
)
async def test_the_end_of_the_transaction_is_evidence_of_a_stop(
    db, station_id, intent_at, *, version, payload, after, reason, expected
):
    await db.write(
        lambda tx: tx.run(
            "INSERT INTO transactions (uuid, station_id, station_transaction_id,"
            " start_received_at, end_received_at, stop_reason) VALUES ('t', ?, '9', 0, ?, ?)",
            (station_id, intent_at + after, reason),
        )
    )
    found = await ask(
        db, "request_stop_transaction", station_id, intent_at, payload, 7, version=version
    )
    shown = None if expected is None else Evidence("transaction end", intent_at + after, expected)
    assert shown == found
