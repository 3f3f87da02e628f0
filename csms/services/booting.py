"""Booting: what a BootNotification leaves behind and what it is answered."""

from __future__ import annotations

from csms.domain.stations import BootReport, Registration
from csms.events import Event
from csms.services import inferred_ends
from csms.store import boots, stations
from csms.store.database import Tx


def record(
    tx: Tx,
    station_id: int,
    report: BootReport,
    *,
    epoch: int,
    generation: int,
    triggered: bool,
) -> Registration:
    """Store a boot of a registered station; returns the status to answer."""
    station = stations.get(tx, station_id)
    boots.insert(
        tx,
        station_id,
        report,
        epoch=epoch,
        generation=generation,
        triggered=triggered,
        answered=station.registration,
    )
    stations.record_boot(tx, station_id, report)
    inferred_ends.by_boot(tx, station_id, report.reason, report.raw)
    tx.emit(
        Event(
            "station.booted",
            {
                "id": station.uuid,
                "identity": station.identity,
                "vendor": report.vendor,
                "model": report.model,
                "serial_number": report.serial_number,
                "firmware_version": report.firmware_version,
                "reason": report.reason,
                "triggered": triggered,
                "registration": station.registration.value,
            },
            station_id=station_id,
            location_id=station.location_id,
        )
    )
    return station.registration
