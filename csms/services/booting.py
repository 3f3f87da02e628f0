"""Booting: what a BootNotification leaves behind and what it is answered."""

from __future__ import annotations

from dataclasses import replace

from csms.domain.stations import BootReport, Registration, Station
from csms.events import Event
from csms.services import config_templates, inferred_ends, station_events
from csms.services.alerts import raise_alert
from csms.store import boots, stations
from csms.store.database import Tx

MISMATCHED = "station.certificate_mismatched"


def refuse(tx: Tx, station_id: int, serial_number: str | None, common_name: str | None) -> None:
    """Keep nothing of a boot by somebody else than the certificate is for, and tell of it.

    Whoever hears of it closes the connection (OCPP 2.0.1 B01.FR.12).
    """
    told = {"serial_number": serial_number, "common_name": common_name}
    station_events.emit(tx, station_id, MISMATCHED, **told)
    raise_alert(tx, station_id, "certificate_mismatch", reported_at=None, **told)


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
    own = replace(report, serial_number=_own_serial_number(tx, station, report))
    stations.record_boot(tx, station_id, own)
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
    config_templates.booted(tx, station_id, station.registration)
    return station.registration


def _own_serial_number(tx: Tx, station: Station, report: BootReport) -> str | None:
    """The one it tells, unless that is another station's name.

    It is a name that certificates may have: who tells it must not be opened to another's
    certificate, nor shut the other out.
    """
    told = report.serial_number
    if told is None or not stations.is_name_of_another(tx, station, told):
        return told
    if stations.last_boot(tx, station.id) != report.raw:  # the same words are no news
        raise_alert(tx, station.id, "serial_number_taken", reported_at=None, serial_number=told)
    return None
