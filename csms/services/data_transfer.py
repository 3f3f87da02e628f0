"""DataTransfer from stations: kept for people to read; we speak no vendor's language yet."""

from __future__ import annotations

from csms.store import data_transfers
from csms.store.database import Tx

UNKNOWN_VENDOR = "UnknownVendorId"


def record(
    tx: Tx, station_id: int, vendor_id: str, message_type: str | None, data: str | None
) -> str:
    """Store it; returns the status to answer."""
    data_transfers.insert(
        tx,
        station_id,
        vendor_id=vendor_id,
        message_type=message_type,
        data=data,
        status=UNKNOWN_VENDOR,
    )
    return UNKNOWN_VENDOR
