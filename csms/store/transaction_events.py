"""Table `transaction_events`: every message about a transaction, and what it said."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from csms.clock import from_micros
from csms.domain.transaction_events import TransactionEvent
from csms.domain.transactions import TransactionFlag
from csms.store.columns import instant, micros
from csms.store.database import ReadTx, Row, Tx

# The trigger of an end that no message of the station told of.
INFERRED = "Inferred"
# What an event says; `raw`, which may be long, is read for itself.
_TOLD = (
    "type, seq_no, trigger_reason, offline, reported_at, received_at, evse_id, connector_id,"
    " charging_state, stopped_reason, reservation_id, remote_start_id, id_token, id_token_type,"
    " id_token_status, first_register_mwh, last_register_mwh, register_phases, flags"
)
_SELECT = f"SELECT run, {_TOLD} FROM transaction_events"  # noqa: S608
_INSERT = (
    f"INSERT INTO transaction_events (transaction_id, run, {_TOLD}, raw)"  # noqa: S608
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_COPY = (
    f"INSERT INTO transaction_events (transaction_id, run, {_TOLD}, raw)"  # noqa: S608
    f" SELECT ?, 0, {_TOLD}, raw FROM transaction_events"
    " WHERE transaction_id = ? AND run = ? ORDER BY id"
)


def insert(tx: Tx, transaction_id: int, event: TransactionEvent, raw: str) -> None:
    """An event of OCPP 2.x; `raw` is its message as received."""
    tx.run(
        _INSERT,
        (
            transaction_id,
            event.run,
            event.type,
            event.seq_no,
            event.trigger_reason,
            event.offline,
            micros(event.reported_at),
            tx.now,
            event.evse_id,
            event.connector_id,
            event.charging_state,
            event.stopped_reason,
            event.reservation_id,
            event.remote_start_id,
            event.id_token,
            event.id_token_type,
            event.id_token_status,
            event.first_register_mwh,
            event.last_register_mwh,
            event.register_phases,
            join_flags(event.flags),
            raw,
        ),
    )


def insert_unnumbered(
    tx: Tx,
    transaction_id: int,
    event_type: str,
    *,
    reported_at: datetime | None,
    raw: str,
    trigger: str | None = None,
) -> None:
    """A message of OCPP 1.6, which has no sequence numbers, or an end that we inferred."""
    tx.run(
        "INSERT INTO transaction_events (transaction_id, type, trigger_reason, reported_at,"
        " received_at, raw) VALUES (?, ?, ?, ?, ?, ?)",
        (transaction_id, event_type, trigger, micros(reported_at), tx.now, raw),
    )


def insert_copies(tx: Tx, transaction_id: int, *, of: int, run: int) -> None:
    """The events of one run of a transaction as those of another."""
    tx.run(_COPY, (transaction_id, of, run))


def first_received_at(tx: ReadTx, transaction_id: int, run: int) -> datetime:
    """When the first event of a run, which has one, came."""
    sql = "SELECT min(received_at) FROM transaction_events WHERE transaction_id = ? AND run = ?"
    return from_micros(tx.value(sql, (transaction_id, run)))


def find_run(tx: ReadTx, transaction_id: int, raw: str) -> int | None:
    """The run that the event with this message is in."""
    sql = "SELECT run FROM transaction_events WHERE transaction_id = ? AND raw = ? LIMIT 1"
    run: int | None = tx.value(sql, (transaction_id, raw))
    return run


def has_ended(tx: ReadTx, transaction_id: int, run: int) -> bool:
    """Whether a run of the station's own events has an end."""
    sql = (
        "SELECT 1 FROM transaction_events WHERE transaction_id = ? AND run = ? AND type = 'Ended'"
        " AND trigger_reason IS NOT ? LIMIT 1"
    )
    return tx.value(sql, (transaction_id, run, INFERRED)) is not None


def find_inferred(tx: ReadTx, transaction_id: int) -> str | None:
    """What the last end was inferred from: the message that showed it, or a person's word."""
    sql = (
        "SELECT raw FROM transaction_events WHERE transaction_id = ? AND trigger_reason = ?"
        " ORDER BY id DESC LIMIT 1"
    )
    raw: str | None = tx.value(sql, (transaction_id, INFERRED))
    return raw


def list_in_order(tx: ReadTx, transaction_id: int) -> list[TransactionEvent]:
    """What the station told, in the order of its own numbers."""
    rows = tx.all(
        _SELECT + " WHERE transaction_id = ? AND trigger_reason IS NOT ?"
        " ORDER BY run, seq_no IS NULL, seq_no, id",
        (transaction_id, INFERRED),
    )
    return [_event(row) for row in rows]


def list_alike(
    tx: ReadTx, transaction_id: int, seq_no: int | None, raw: str
) -> list[TransactionEvent]:
    """The events with this number, one of each run; without a number, the same message."""
    if seq_no is None:
        rows = tx.all(
            _SELECT + " WHERE transaction_id = ? AND seq_no IS NULL AND raw = ?",
            (transaction_id, raw),
        )
    else:
        rows = tx.all(
            _SELECT + " WHERE transaction_id = ? AND seq_no = ?", (transaction_id, seq_no)
        )
    return [_event(row) for row in rows]


def join_flags(flags: Iterable[TransactionFlag]) -> str:
    """Flags as a column holds them."""
    return ",".join(sorted(flag.value for flag in flags))


def split_flags(flags: str) -> frozenset[TransactionFlag]:
    """The flags of a column."""
    return frozenset(TransactionFlag(flag) for flag in flags.split(",") if flag)


def _event(row: Row) -> TransactionEvent:
    return TransactionEvent(
        type=row["type"],
        run=row["run"],
        seq_no=row["seq_no"],
        trigger_reason=row["trigger_reason"],
        offline=bool(row["offline"]),
        reported_at=instant(row["reported_at"]),
        received_at=from_micros(row["received_at"]),
        evse_id=row["evse_id"],
        connector_id=row["connector_id"],
        charging_state=row["charging_state"],
        stopped_reason=row["stopped_reason"],
        reservation_id=row["reservation_id"],
        remote_start_id=row["remote_start_id"],
        id_token=row["id_token"],
        id_token_type=row["id_token_type"],
        id_token_status=row["id_token_status"],
        first_register_mwh=row["first_register_mwh"],
        last_register_mwh=row["last_register_mwh"],
        register_phases=row["register_phases"],
        flags=split_flags(row["flags"]),
    )
