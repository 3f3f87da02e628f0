"""Table `data_transfers`: what stations sent in DataTransfer, and what we answered."""

from __future__ import annotations

from csms.store.database import Tx


def insert(
    tx: Tx,
    station_id: int,
    *,
    vendor_id: str,
    message_type: str | None,
    data: str | None,
    status: str,
) -> int:
    """Record one; returns its row id."""
    return tx.insert(
        "INSERT INTO data_transfers (station_id, vendor_id, message_type, data, status,"
        " received_at) VALUES (?, ?, ?, ?, ?, ?)",
        (station_id, vendor_id, message_type, data, status, tx.now),
    )
