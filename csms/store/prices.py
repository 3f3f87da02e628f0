"""Table `prices`: what charging at a location costs, now and before."""

from __future__ import annotations

from datetime import datetime

from csms.domain.prices import Prices
from csms.store.columns import micros
from csms.store.database import ReadTx, Row, Tx


def find(tx: ReadTx, location_id: int) -> Prices | None:
    """What holds at a location now."""
    return _optional(
        tx.one(
            "SELECT currency, per_kwh_micros, per_minute_micros, per_session_micros FROM prices"
            " WHERE location_id = ? AND ended_at IS NULL",
            (location_id,),
        )
    )


def find_at(tx: ReadTx, station_id: int, at: datetime) -> Prices | None:
    """What held at an instant where the station stands now."""
    return _optional(
        tx.one(
            "SELECT currency, per_kwh_micros, per_minute_micros, per_session_micros FROM prices"
            " WHERE location_id = (SELECT location_id FROM stations WHERE id = ?1)"
            " AND set_at <= ?2 AND ifnull(ended_at, ?2 + 1) > ?2 ORDER BY set_at DESC LIMIT 1",
            (station_id, micros(at)),
        )
    )


def insert(tx: Tx, location_id: int, prices: Prices) -> None:
    """From now on, after `update_ended` of those before."""
    tx.run(
        "INSERT INTO prices (location_id, currency, per_kwh_micros, per_minute_micros,"
        " per_session_micros, set_at) VALUES (?, ?, ?, ?, ?, ?)",
        (
            location_id,
            prices.currency,
            prices.per_kwh_micros,
            prices.per_minute_micros,
            prices.per_session_micros,
            tx.now,
        ),
    )


def update_ended(tx: Tx, location_id: int) -> None:
    """What holds now does so no more."""
    sql = "UPDATE prices SET ended_at = ? WHERE location_id = ? AND ended_at IS NULL"
    tx.run(sql, (tx.now, location_id))


def _optional(row: Row | None) -> Prices | None:
    return None if row is None else Prices(*row)
