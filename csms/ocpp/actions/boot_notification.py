"""BootNotification: who the station is and whether it is accepted."""

from __future__ import annotations

from functools import partial

from csms.domain.stations import BootReport, Registration
from csms.domain.versions import OcppVersion
from csms.ocpp.context import StationContext, Stored
from csms.ocpp.fields import raw, text
from csms.ocpp.frames import JsonObject
from csms.services import booting


def on_v16(station: StationContext, payload: JsonObject) -> Stored:
    """Record the boot, then answer with the stored registration."""
    return _recorded(station, report_v16(payload))


def on_v2x(station: StationContext, payload: JsonObject) -> Stored:
    """Record the boot, then answer with the stored registration."""
    return _recorded(station, report_v2x(payload))


def _recorded(station: StationContext, report: BootReport) -> Stored:
    if _is_by_another(station, report):
        return _refused(station, report)
    return Stored(
        station.db,
        lambda tx: booting.record(
            tx,
            station.station_id,
            report,
            epoch=station.epoch,
            generation=station.generation,
            triggered=station.triggered,
        ),
        partial(_reply, station),
    )


def _is_by_another(station: StationContext, report: BootReport) -> bool:
    """Whether it has another serial number than its certificate (OCPP 2.0.1 B01.FR.11)."""
    certificate, serial_number = station.certificate, report.serial_number
    if certificate is None or serial_number is None:
        return False
    return not certificate.is_for(station.identity, serial_number)


def _refused(station: StationContext, report: BootReport) -> Stored:
    certificate = station.certificate
    common_name = None if certificate is None else certificate.common_name
    return Stored(
        station.db,
        lambda tx: booting.refuse(tx, station.station_id, report.serial_number, common_name),
        lambda _: None,
    )


def _reply(station: StationContext, registration: Registration) -> JsonObject:
    station.registration = registration
    accepted = registration is Registration.ACCEPTED
    settings = station.settings
    return {
        "status": registration.value,
        "currentTime": station.timestamp(station.clock.now()),
        "interval": settings.heartbeat_interval_s if accepted else settings.boot_retry_s,
    }


def read_report(version: OcppVersion, payload: JsonObject) -> BootReport:
    """The content of a boot; also for a held station's inbox entry."""
    return report_v16(payload) if version is OcppVersion.V16 else report_v2x(payload)


def report_v16(payload: JsonObject) -> BootReport:
    """The content of a 1.6 boot."""
    return BootReport(
        # Huawei SCharger-22KT-S0 sends an empty vendor, others leave it out.
        vendor=text(payload, "chargePointVendor") or "",
        model=text(payload, "chargePointModel") or "",
        serial_number=(
            text(payload, "chargePointSerialNumber") or text(payload, "chargeBoxSerialNumber")
        ),
        firmware_version=text(payload, "firmwareVersion"),
        reason=None,
        raw=raw(payload),
    )


def report_v2x(payload: JsonObject) -> BootReport:
    """The content of a 2.x boot."""
    station = payload.get("chargingStation")
    if not isinstance(station, dict):
        station = {}
    return BootReport(
        vendor=text(station, "vendorName") or "",
        model=text(station, "model") or "",
        serial_number=text(station, "serialNumber"),
        firmware_version=text(station, "firmwareVersion"),
        reason=text(payload, "reason"),
        raw=raw(payload),
    )
