"""Table `meter_values`: one row per (transaction or EVSE, time, context)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from csms.clock import from_micros
from csms.domain.metering import ROUNDING_MWH, Reading, RegisterRange
from csms.domain.transactions import Transaction, over_by
from csms.store.columns import micros
from csms.store.database import ReadTx, Tx

# A repeated message meets its own row and changes nothing. Another message about the same
# instant (some stations send one measurand at a time) adds its samples to the row; the length
# bounds what one row can be made to hold.
_INSERT = (
    "INSERT INTO meter_values (station_id, transaction_id, evse_id, reported_at, reported_raw,"
    " received_at, context, register_mwh, power_w, current_a, soc_percent, samples)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT DO UPDATE SET"
    " register_mwh = ifnull(register_mwh, excluded.register_mwh),"
    " power_w = ifnull(power_w, excluded.power_w),"
    " current_a = ifnull(current_a, excluded.current_a),"
    " soc_percent = ifnull(soc_percent, excluded.soc_percent),"
    " samples = substr(samples, 1, length(samples) - 1) || ',' || substr(excluded.samples, 2)"
    " WHERE length(samples) < 65536"
    " AND instr(samples, substr(excluded.samples, 2, length(excluded.samples) - 2)) = 0"
)


def has_any_since(tx: ReadTx, station_id: int, transaction_id: int, since: datetime) -> bool:
    """Whether readings of the transaction came after an instant."""
    sql = (
        "SELECT 1 FROM meter_values WHERE station_id = ? AND ifnull(transaction_id, 0) = ?"
        " AND received_at > ? LIMIT 1"
    )
    return tx.value(sql, (station_id, transaction_id, micros(since))) is not None


def register_fell(tx: ReadTx, station_id: int, transaction_id: int, start_mwh: int | None) -> bool:
    """Whether the register went down between two readings of a transaction of OCPP 1.6.

    Both their times and their arrival must say so: late messages and clocks that are set back do
    not count. Nor does a count of the session alone, whose first reading is below the start.
    """
    sql = (
        "SELECT 1 FROM (SELECT id, register_mwh, lag(id) OVER taken AS earlier_id,"
        " lag(register_mwh) OVER taken AS earlier_mwh,"
        " first_value(register_mwh) OVER taken AS first"
        " FROM meter_values WHERE station_id = ?1 AND ifnull(transaction_id, 0) = ?2"
        " AND register_mwh IS NOT NULL"
        " WINDOW taken AS (ORDER BY ifnull(reported_at, received_at), id))"
        " WHERE id > earlier_id AND register_mwh < earlier_mwh - ?4"
        " AND first >= ifnull(?3, first) - ?4 LIMIT 1"
    )
    values = (station_id, transaction_id, start_mwh, ROUNDING_MWH)
    return tx.value(sql, values) is not None


class Power(NamedTuple):
    """What flowed at a time."""

    power_w: float
    measured_at: datetime


# So many of the newest readings are looked at for one that has what is wanted.
_NEWEST = 50


def find_power(
    tx: ReadTx, station_id: int, evse_id: int, transaction_id: int | None
) -> Power | None:
    """The newest power of a transaction, or of an EVSE by itself."""
    row = tx.one(
        "SELECT * FROM (SELECT power_w, ifnull(reported_at, received_at) FROM meter_values"
        " WHERE station_id = ? AND ifnull(transaction_id, 0) = ? AND evse_id = ?"
        " ORDER BY ifnull(reported_at, received_at) DESC LIMIT ?) WHERE power_w IS NOT NULL"
        " LIMIT 1",
        (station_id, transaction_id or 0, evse_id, _NEWEST),
    )
    return None if row is None else Power(row[0], from_micros(row[1]))


def get_range(tx: ReadTx, station_id: int, transaction_id: int) -> RegisterRange:
    """How far the registers of a transaction's samples reach."""
    row = tx.one(
        "SELECT min(register_mwh), max(register_mwh) FROM meter_values"
        " WHERE station_id = ? AND ifnull(transaction_id, 0) = ?",
        (station_id, transaction_id),
    )
    return RegisterRange(*row) if row is not None else RegisterRange(None, None)


def update_joined(tx: Tx, transaction: Transaction, *, evse_id: int, of: int | None) -> None:
    """Give a transaction the readings at its EVSE, in its time, of another or of none."""
    until = over_by(transaction)
    tx.run(
        "UPDATE OR IGNORE meter_values SET transaction_id = ? WHERE station_id = ?"
        " AND ifnull(transaction_id, 0) = ? AND evse_id = ?"
        " AND ifnull(reported_at, received_at) BETWEEN ? AND ?",
        (
            transaction.id,
            transaction.station_id,
            of or 0,
            evse_id,
            micros(transaction.started_at or transaction.start_received_at),
            tx.now if until is None else micros(until),
        ),
    )


def delete(tx: Tx, station_id: int, transaction_id: int) -> None:
    """All readings of a transaction."""
    tx.run(
        "DELETE FROM meter_values WHERE station_id = ? AND ifnull(transaction_id, 0) = ?",
        (station_id, transaction_id),
    )


def insert(
    tx: Tx,
    station_id: int,
    evse_id: int,
    transaction_id: int | None,
    readings: Sequence[Reading],
) -> None:
    """Store readings, perhaps none; what is there already stays as it is."""
    rows = [
        (
            station_id,
            transaction_id,
            evse_id,
            micros(reading.reported_at),
            reading.reported_raw,
            # Readings of one message without a usable time must not fall into one row.
            tx.now + position,
            *reading[2:],
        )
        for position, reading in enumerate(readings)
    ]
    if len(rows) == 1:
        tx.run(_INSERT, rows[0])
    else:
        tx.many(_INSERT, rows)
