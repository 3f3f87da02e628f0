"""Tables `transactions` and `issued_transaction_ids`.

Every look-up by the wire's id is scoped to a station: no message of one station can touch a
transaction of another.
"""

from __future__ import annotations

import secrets
import uuid as uuids
from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from csms.clock import from_micros
from csms.domain.transactions import (
    MAX_V16_ID,
    StartReport,
    StopReport,
    Transaction,
    TransactionFlag,
)
from csms.store import transaction_events
from csms.store.columns import instant, micros, to_json
from csms.store.database import ReadTx, Row, Tx
from csms.store.transaction_events import join_flags, split_flags


def issue_v16_id(tx: Tx) -> int:
    """A transaction id that was never given out: random in 1 … 2^31-1, kept for ever."""
    while True:
        number = secrets.randbelow(MAX_V16_ID) + 1
        sql = "INSERT INTO issued_transaction_ids VALUES (?) ON CONFLICT DO NOTHING"
        if tx.run(sql, (number,)) == 1:
            return number


def was_issued(tx: ReadTx, station_transaction_id: str) -> bool:
    """Whether some station got this 1.6 id from us."""
    if not station_transaction_id.isascii() or not station_transaction_id.isdigit():
        return False
    if len(station_transaction_id) > len(str(MAX_V16_ID)):
        return False
    sql = "SELECT 1 FROM issued_transaction_ids WHERE transaction_id = ?"
    return tx.value(sql, (int(station_transaction_id),)) is not None


def insert(
    tx: Tx,
    station_id: int,
    report: StartReport,
    *,
    station_transaction_id: str,
    id_token_key: str,
    id_token_status: str,
) -> tuple[int, str]:
    """A started transaction, together with its Started event; returns row id and uuid."""
    uuid = str(uuids.uuid4())
    row_id = tx.insert(
        "INSERT INTO transactions (uuid, station_id, evse_id, connector_id,"
        " station_transaction_id, id_token, id_token_key, id_token_status, start_register_mwh,"
        " last_register_mwh, started_at, start_received_at, reservation_id, natural_key, flags)"
        " VALUES (?, ?, ?, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            uuid,
            station_id,
            report.evse_id,
            station_transaction_id,
            report.id_token,
            id_token_key,
            id_token_status,
            report.register_mwh,
            report.register_mwh,
            micros(report.reported_at),
            tx.now,
            report.reservation_id,
            report.natural_key,
            join_flags(report.flags),
        ),
    )
    transaction_events.insert_unnumbered(
        tx, row_id, "Started", reported_at=report.reported_at, raw=report.raw
    )
    return row_id, uuid


def insert_untold(tx: Tx, station_id: int, station_transaction_id: str) -> Transaction:
    """A transaction of OCPP 2.x of which only the id is known yet; its events tell the rest."""
    row_id = tx.insert(
        "INSERT INTO transactions (uuid, station_id, station_transaction_id, start_received_at)"
        " VALUES (?, ?, ?, ?)",
        (str(uuids.uuid4()), station_id, station_transaction_id, tx.now),
    )
    row = tx.one("SELECT * FROM transactions WHERE id = ?", (row_id,))
    assert row is not None
    return _transaction(row)


def find(tx: ReadTx, station_id: int, station_transaction_id: str) -> Transaction | None:
    """The station's transaction with this id of the wire."""
    return _optional(
        tx.one(
            "SELECT * FROM transactions WHERE station_id = ? AND station_transaction_id = ?",
            (station_id, station_transaction_id),
        )
    )


def find_by_natural_key(tx: ReadTx, station_id: int, natural_key: str) -> Transaction | None:
    """The station's transaction that a repeated start means."""
    return _optional(
        tx.one(
            "SELECT * FROM transactions WHERE station_id = ? AND natural_key = ?",
            (station_id, natural_key),
        )
    )


class Ended(NamedTuple):
    """When a transaction that is over ended; microseconds."""

    id: int
    ended_at: int


def find_ended(tx: ReadTx, station_id: int, station_transaction_id: str) -> Ended | None:
    """As `find`, of one that is over."""
    row = tx.one(
        "SELECT id, ifnull(ended_at, end_received_at) FROM transactions WHERE station_id = ?"
        " AND station_transaction_id = ? AND end_received_at IS NOT NULL",
        (station_id, station_transaction_id),
    )
    return None if row is None else Ended(*row)


def follow_register(
    tx: Tx, station_id: int, station_transaction_id: str, register_mwh: int | None
) -> int | None:
    """Raise the last register of an open transaction; returns its row id, None if there is none.

    Grizzl-E counts from zero in its samples and from ever in start and stop: a register below
    the start says nothing about the energy, nor does one that falls.
    """
    row = tx.one(
        "UPDATE transactions SET last_register_mwh = CASE"
        " WHEN ?1 > ifnull(last_register_mwh, -1) AND ?1 >= ifnull(start_register_mwh, -1)"
        " THEN ?1 ELSE last_register_mwh END"
        " WHERE station_id = ?2 AND station_transaction_id = ?3 AND end_received_at IS NULL"
        " RETURNING id",
        (register_mwh, station_id, station_transaction_id),
    )
    return None if row is None else int(row[0])


def list_open_on_evse(tx: ReadTx, station_id: int, evse_id: int) -> list[Transaction]:
    """What is going on at one EVSE; more than one only after a lost stop."""
    rows = tx.all(
        "SELECT * FROM transactions WHERE station_id = ? AND end_received_at IS NULL"
        " AND evse_id = ? ORDER BY id",
        (station_id, evse_id),
    )
    return [_transaction(row) for row in rows]


def list_open(tx: ReadTx, station_id: int) -> list[Transaction]:
    """What is going on at the station."""
    rows = tx.all(
        "SELECT * FROM transactions WHERE station_id = ? AND end_received_at IS NULL ORDER BY id",
        (station_id,),
    )
    return [_transaction(row) for row in rows]


def list_awaiting_stop(tx: ReadTx, station_id: int, *, limit: int = 100) -> list[Transaction]:
    """The newest transactions of OCPP 1.6 that are open or ended without a stop of their own."""
    rows = tx.all(
        "SELECT * FROM transactions WHERE station_id = ? AND last_seq_no IS NULL"
        " AND (end_received_at IS NULL OR instr(flags, 'inferred_end') OR instr(flags, 'paired'))"
        " ORDER BY id DESC LIMIT ?",
        (station_id, limit),
    )
    return [_transaction(row) for row in rows]


def list_on_free_connectors(tx: ReadTx) -> list[Transaction]:
    """What seems to go on, in OCPP 1.6, where the station says that nothing does.

    In 2.x a transaction may well outlive the cable.
    """
    rows = tx.all(
        "SELECT transactions.* FROM transactions INDEXED BY transactions_open"
        " JOIN connectors USING (station_id, evse_id, connector_id)"
        " WHERE end_received_at IS NULL AND natural_key IS NOT NULL"
        " AND connectors.status = 'Available' AND connectors.updated_at > start_received_at"
        " ORDER BY transactions.id"
    )
    return [_transaction(row) for row in rows]


def find_at(tx: ReadTx, station_id: int, evse_id: int, at: datetime) -> Transaction | None:
    """The transaction that began last at an EVSE before an instant; it may have ended too."""
    return _optional(
        tx.one(
            "SELECT * FROM transactions WHERE station_id = ? AND evse_id = ? AND started_at <= ?"
            " ORDER BY started_at DESC, id DESC LIMIT 1",
            (station_id, evse_id, micros(at)),
        )
    )


def count_open_of_token(tx: ReadTx, keys: Collection[str], *, but: int | None = None) -> int:
    """How many transactions, anywhere, a token of these keys has open, one (a row id) left out."""
    number: int = tx.value(
        "SELECT count(*) FROM transactions INDEXED BY transactions_open"
        " WHERE id_token_key IN (SELECT value FROM json_each(?))"
        " AND end_received_at IS NULL AND id IS NOT ?",
        (to_json(list(keys)), but),
    )
    return number


def update_charging_state(
    tx: Tx, station_id: int, evse_id: int, charging_state: str | None
) -> list[tuple[int, str]]:
    """Set it on the EVSE's open transactions; returns (row id, uuid) of those that changed."""
    rows = tx.all(
        "UPDATE transactions SET charging_state = ? WHERE station_id = ? AND evse_id = ?"
        " AND end_received_at IS NULL AND charging_state IS NOT ? RETURNING id, uuid",
        (charging_state, station_id, evse_id, charging_state),
    )
    return [(row[0], row[1]) for row in rows]


def update_natural_key(tx: Tx, transaction_id: int, natural_key: str | None) -> None:
    """Free the key of a transaction that a later start must not be taken for."""
    tx.run("UPDATE transactions SET natural_key = ? WHERE id = ?", (natural_key, transaction_id))


def update_told(tx: Tx, transaction: Transaction) -> None:
    """All that the events of an OCPP 2.x transaction tell."""
    tx.run(
        "UPDATE transactions SET evse_id = ?, connector_id = ?, id_token = ?, id_token_key = ?,"
        " id_token_type = ?, id_token_status = ?, start_register_mwh = ?, last_register_mwh = ?,"
        " end_register_mwh = ?, started_at = ?, ended_at = ?, end_received_at = ?,"
        " stop_reason = ?, charging_state = ?, reservation_id = ?, remote_start_id = ?,"
        " sequence_run = ?, last_seq_no = ?, flags = ? WHERE id = ?",
        (
            transaction.evse_id,
            transaction.connector_id,
            transaction.id_token,
            transaction.id_token_key,
            transaction.id_token_type,
            transaction.id_token_status,
            transaction.start_register_mwh,
            transaction.last_register_mwh,
            transaction.end_register_mwh,
            micros(transaction.started_at),
            micros(transaction.ended_at),
            micros(transaction.end_received_at),
            transaction.stop_reason,
            transaction.charging_state,
            transaction.reservation_id,
            transaction.remote_start_id,
            transaction.sequence_run,
            transaction.last_seq_no,
            join_flags(transaction.flags),
            transaction.id,
        ),
    )


def end(tx: Tx, transaction: Transaction, report: StopReport, flags: set[TransactionFlag]) -> None:
    """The station's stop, together with its Ended event."""
    _end(
        tx,
        transaction.id,
        end_register_mwh=report.register_mwh,
        ended_at=report.reported_at,
        stop_reason=report.reason,
        flags=flags,
    )
    transaction_events.insert_unnumbered(
        tx, transaction.id, "Ended", reported_at=report.reported_at, raw=report.raw
    )


def end_inferred(tx: Tx, transaction: Transaction, ended_at: datetime | None, raw: str) -> None:
    """The end of a transaction whose stop was lost; `raw` is the message that showed it."""
    _end(
        tx,
        transaction.id,
        end_register_mwh=transaction.last_register_mwh,
        ended_at=ended_at,
        stop_reason=None,
        flags={*transaction.flags, TransactionFlag.INFERRED_END},
    )
    transaction_events.insert_unnumbered(
        tx,
        transaction.id,
        "Ended",
        reported_at=ended_at,
        raw=raw,
        trigger=transaction_events.INFERRED,
    )


def update_reopened(tx: Tx, transaction: Transaction) -> None:
    """Take an inferred end back: the transaction goes on."""
    tx.run(
        "UPDATE transactions SET end_register_mwh = NULL, ended_at = NULL, end_received_at = NULL,"
        " stop_reason = NULL, flags = ? WHERE id = ?",
        (join_flags(transaction.flags - {TransactionFlag.INFERRED_END}), transaction.id),
    )


def _end(
    tx: Tx,
    transaction_id: int,
    *,
    end_register_mwh: int | None,
    ended_at: datetime | None,
    stop_reason: str | None,
    flags: set[TransactionFlag],
) -> None:
    tx.run(
        "UPDATE transactions SET end_register_mwh = ?, ended_at = ?, end_received_at = ?,"
        " stop_reason = ?, charging_state = NULL, flags = ? WHERE id = ?",
        (
            end_register_mwh,
            micros(ended_at),
            tx.now,
            stop_reason,
            join_flags(flags),
            transaction_id,
        ),
    )


def _optional(row: Row | None) -> Transaction | None:
    return None if row is None else _transaction(row)


def _transaction(row: Row) -> Transaction:
    return Transaction(
        id=row["id"],
        uuid=row["uuid"],
        station_id=row["station_id"],
        evse_id=row["evse_id"],
        connector_id=row["connector_id"],
        station_transaction_id=row["station_transaction_id"],
        id_token=row["id_token"],
        id_token_key=row["id_token_key"],
        id_token_type=row["id_token_type"],
        id_token_status=row["id_token_status"],
        start_register_mwh=row["start_register_mwh"],
        last_register_mwh=row["last_register_mwh"],
        end_register_mwh=row["end_register_mwh"],
        started_at=instant(row["started_at"]),
        start_received_at=from_micros(row["start_received_at"]),
        ended_at=instant(row["ended_at"]),
        end_received_at=instant(row["end_received_at"]),
        stop_reason=row["stop_reason"],
        charging_state=row["charging_state"],
        reservation_id=row["reservation_id"],
        remote_start_id=row["remote_start_id"],
        sequence_run=row["sequence_run"],
        last_seq_no=row["last_seq_no"],
        flags=split_flags(row["flags"]),
    )
