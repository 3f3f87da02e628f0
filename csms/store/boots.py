"""Table `boots`: every BootNotification, with the connection it came on."""

from __future__ import annotations

from csms.domain.stations import BootReport, Registration
from csms.store.database import Tx


def insert(
    tx: Tx,
    station_id: int,
    report: BootReport,
    *,
    epoch: int,
    generation: int,
    triggered: bool,
    answered: Registration,
) -> int:
    """Record a boot; returns its row id."""
    return tx.insert(
        "INSERT INTO boots (station_id, epoch, generation, triggered, reason, status,"
        " received_at, raw) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            station_id,
            epoch,
            generation,
            triggered,
            report.reason,
            answered.value,
            tx.now,
            report.raw,
        ),
    )
