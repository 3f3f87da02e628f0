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
from csms.domain.id_tokens import id_token_key
from csms.domain.metering import Reading, RegisterRange
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

_OF_THE_END = {TransactionFlag.INFERRED_END, TransactionFlag.REGISTER_FELL}


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
    id_token_status: str,
) -> tuple[int, str]:
    """A started transaction, together with its Started event; returns row id and uuid."""
    uuid = str(uuids.uuid4())
    row_id = tx.insert(
        "INSERT INTO transactions (uuid, station_id, evse_id, connector_id,"
        " station_transaction_id, id_token, id_token_key, id_token_status, start_register_mwh,"
        " started_at, start_received_at, reservation_id, natural_key, flags)"
        " VALUES (?, ?, ?, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            uuid,
            station_id,
            report.evse_id,
            station_transaction_id,
            report.id_token,
            id_token_key(report.id_token),
            id_token_status,
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


def insert_stopped(
    tx: Tx, station_id: int, report: StopReport, natural_key: str, begin: Reading | None
) -> Transaction:
    """A transaction of OCPP 1.6 of which only the stop is known; it has yet to be ended."""
    row_id = tx.insert(
        "INSERT INTO transactions (uuid, station_id, station_transaction_id, id_token,"
        " id_token_key, start_register_mwh, started_at, start_received_at, natural_key, flags)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            str(uuids.uuid4()),
            station_id,
            str(issue_v16_id(tx)),
            report.id_token,
            None if report.id_token is None else id_token_key(report.id_token),
            None if begin is None else begin.register_mwh,
            None if begin is None else micros(begin.reported_at),
            tx.now,
            natural_key,
            TransactionFlag.START_MISSING.value,
        ),
    )
    return get(tx, row_id)


def delete(tx: Tx, transaction_id: int) -> None:
    """The transaction and its events."""
    tx.run("DELETE FROM transactions WHERE id = ?", (transaction_id,))


def get(tx: ReadTx, transaction_id: int) -> Transaction:
    """The transaction with this row id, which must exist."""
    row = tx.one("SELECT * FROM transactions WHERE id = ?", (transaction_id,))
    assert row is not None
    return from_row(row)


def insert_untold(
    tx: Tx, station_id: int, station_transaction_id: str, *, heard_at: datetime | None = None
) -> Transaction:
    """A transaction of OCPP 2.x of which only the id is known yet; its events tell the rest.

    `heard_at` is when the first of them came, if that was not now.
    """
    row_id = tx.insert(
        "INSERT INTO transactions (uuid, station_id, station_transaction_id, start_received_at)"
        " VALUES (?, ?, ?, ?)",
        (
            str(uuids.uuid4()),
            station_id,
            station_transaction_id,
            tx.now if heard_at is None else micros(heard_at),
        ),
    )
    return get(tx, row_id)


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


def follow_registers(
    tx: Tx, station_id: int, station_transaction_id: str, registers: RegisterRange
) -> int | None:
    """Note samples of an open transaction; returns its row id, None if there is none."""
    row = tx.one(
        "UPDATE transactions SET"
        " lowest_sample_mwh = CASE WHEN lowest_sample_mwh <= ?1 OR ?1 IS NULL"
        " THEN lowest_sample_mwh ELSE ?1 END,"
        " last_register_mwh = CASE WHEN last_register_mwh >= ?2 OR ?2 IS NULL"
        " THEN last_register_mwh ELSE ?2 END,"
        " sample_below = sample_below OR ifnull(?1 < ?2 OR ?1 < last_register_mwh, 0)"
        " WHERE station_id = ?3 AND station_transaction_id = ?4 AND end_received_at IS NULL"
        " RETURNING id",
        (*registers, station_id, station_transaction_id),
    )
    return None if row is None else int(row[0])


def update_judged(tx: Tx, transaction: Transaction) -> None:
    """What samples tell about the energy of a transaction that is over."""
    tx.run(
        "UPDATE transactions SET lowest_sample_mwh = ?, last_register_mwh = ?,"
        " end_register_mwh = ?, cost_micros = ?, currency = ?, flags = ? WHERE id = ?",
        (
            transaction.lowest_sample_mwh,
            transaction.last_register_mwh,
            transaction.end_register_mwh,
            transaction.cost_micros,
            transaction.currency,
            join_flags(transaction.flags),
            transaction.id,
        ),
    )


def list_open_on_evse(tx: ReadTx, station_id: int, evse_id: int) -> list[Transaction]:
    """What is going on at one EVSE; more than one only after a lost stop."""
    rows = tx.all(
        "SELECT * FROM transactions WHERE station_id = ? AND end_received_at IS NULL"
        " AND evse_id = ? ORDER BY id",
        (station_id, evse_id),
    )
    return [from_row(row) for row in rows]


def list_open(tx: ReadTx, station_id: int) -> list[Transaction]:
    """What is going on at the station."""
    rows = tx.all(
        "SELECT * FROM transactions WHERE station_id = ? AND end_received_at IS NULL ORDER BY id",
        (station_id,),
    )
    return [from_row(row) for row in rows]


def list_awaiting_stop(tx: ReadTx, station_id: int, *, limit: int = 100) -> list[Transaction]:
    """The newest transactions of OCPP 1.6 that are open or ended without a stop of their own."""
    # Two look-ups by an index each; as one condition with OR it would read all of the station's.
    rows = tx.all(
        "SELECT * FROM transactions WHERE id IN ("
        " SELECT id FROM transactions WHERE station_id = ?1 AND end_received_at IS NULL"
        " UNION ALL SELECT id FROM transactions INDEXED BY transactions_guessed"
        " WHERE station_id = ?1 AND (instr(flags, 'inferred_end') OR instr(flags, 'paired'))"
        ") AND last_seq_no IS NULL ORDER BY id DESC LIMIT ?2",
        (station_id, limit),
    )
    return [from_row(row) for row in rows]


def list_ended_at(
    tx: ReadTx, station_id: int, ended_at: datetime, register_mwh: int
) -> list[Transaction]:
    """The transactions of OCPP 1.6 that ended at an instant with this register."""
    rows = tx.all(
        "SELECT * FROM transactions INDEXED BY transactions_ended WHERE station_id = ?"
        " AND ended_at = ? AND last_seq_no IS NULL AND end_register_mwh = ? ORDER BY id",
        (station_id, micros(ended_at), register_mwh),
    )
    return [from_row(row) for row in rows]


def list_startless(tx: ReadTx, station_id: int, *, limit: int = 100) -> list[Transaction]:
    """The newest transactions that were made of a stop alone."""
    rows = tx.all(
        "SELECT * FROM transactions INDEXED BY transactions_startless WHERE station_id = ?"
        " AND instr(flags, 'start_missing') ORDER BY id DESC LIMIT ?",
        (station_id, limit),
    )
    return [from_row(row) for row in rows]


def update_started(tx: Tx, started: Transaction, report: StartReport) -> None:
    """The start, after all, of a transaction that was made of its stop."""
    tx.run(
        "UPDATE transactions SET evse_id = ?, connector_id = ?, id_token = ?, id_token_key = ?,"
        " id_token_status = ?, started_at = ?, reservation_id = ?, natural_key = ?,"
        " cost_micros = ?, currency = ?, flags = ? WHERE id = ?",
        (
            started.evse_id,
            started.connector_id,
            started.id_token,
            started.id_token_key,
            started.id_token_status,
            micros(started.started_at),
            started.reservation_id,
            report.natural_key,
            started.cost_micros,
            started.currency,
            join_flags(started.flags),
            started.id,
        ),
    )
    transaction_events.insert_unnumbered(
        tx, started.id, "Started", reported_at=report.reported_at, raw=report.raw
    )


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
    return [from_row(row) for row in rows]


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


def free_natural_key(tx: Tx, transaction_id: int) -> None:
    """Free the key of a transaction that a later start must not be taken for."""
    # Not null: that is a transaction of OCPP 2.x.
    tx.run("UPDATE transactions SET natural_key = 'freed|' || id WHERE id = ?", (transaction_id,))


def update_told(tx: Tx, transaction: Transaction) -> None:
    """All that the events of an OCPP 2.x transaction tell."""
    tx.run(
        "UPDATE transactions SET evse_id = ?, connector_id = ?, id_token = ?, id_token_key = ?,"
        " id_token_type = ?, id_token_status = ?, start_register_mwh = ?, last_register_mwh = ?,"
        " end_register_mwh = ?, register_phases = ?, started_at = ?, ended_at = ?,"
        " end_received_at = ?, stop_reason = ?, charging_state = ?, reservation_id = ?,"
        " remote_start_id = ?, sequence_run = ?, last_seq_no = ?, cost_micros = ?, currency = ?,"
        " flags = ? WHERE id = ?",
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
            transaction.register_phases,
            micros(transaction.started_at),
            micros(transaction.ended_at),
            micros(transaction.end_received_at),
            transaction.stop_reason,
            transaction.charging_state,
            transaction.reservation_id,
            transaction.remote_start_id,
            transaction.sequence_run,
            transaction.last_seq_no,
            transaction.cost_micros,
            transaction.currency,
            join_flags(transaction.flags),
            transaction.id,
        ),
    )


def end(tx: Tx, ended: Transaction, raw: str) -> None:
    """The station's stop, together with its Ended event; `raw` is the message."""
    _end(tx, ended)
    transaction_events.insert_unnumbered(tx, ended.id, "Ended", reported_at=ended.ended_at, raw=raw)


def end_inferred(tx: Tx, ended: Transaction, raw: str) -> None:
    """The end of a transaction whose stop was lost; `raw` is the message that showed it."""
    _end(tx, ended)
    transaction_events.insert_unnumbered(
        tx,
        ended.id,
        "Ended",
        reported_at=ended.ended_at,
        raw=raw,
        trigger=transaction_events.INFERRED,
    )


def update_reopened(tx: Tx, transaction: Transaction) -> None:
    """Take an inferred end back: the transaction goes on."""
    tx.run(
        "UPDATE transactions SET end_register_mwh = NULL, ended_at = NULL, end_received_at = NULL,"
        " stop_reason = NULL, flags = ? WHERE id = ?",
        (join_flags(transaction.flags - _OF_THE_END), transaction.id),
    )


def _end(tx: Tx, ended: Transaction) -> None:
    tx.run(
        "UPDATE transactions SET end_register_mwh = ?, ended_at = ?, end_received_at = ?,"
        " stop_reason = ?, charging_state = NULL, cost_micros = ?, currency = ?, flags = ?"
        " WHERE id = ?",
        (
            ended.end_register_mwh,
            micros(ended.ended_at),
            tx.now,
            ended.stop_reason,
            ended.cost_micros,
            ended.currency,
            join_flags(ended.flags),
            ended.id,
        ),
    )


def _optional(row: Row | None) -> Transaction | None:
    return None if row is None else from_row(row)


def from_row(row: Row) -> Transaction:
    """The transaction of a row with all its columns."""
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
        register_phases=row["register_phases"],
        lowest_sample_mwh=row["lowest_sample_mwh"],
        sample_below=bool(row["sample_below"]),
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
        cost_micros=row["cost_micros"],
        currency=row["currency"],
        flags=split_flags(row["flags"]),
    )
