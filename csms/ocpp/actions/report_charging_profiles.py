"""ReportChargingProfiles: the charging profiles that a station has, in parts."""

from __future__ import annotations

from csms.domain.installed_profiles import InstalledProfile
from csms.domain.multipart import Part, ReportKind
from csms.ocpp.charging_profiles import read_profile
from csms.ocpp.context import StationContext, Stored
from csms.ocpp.fields import integer, objects, text
from csms.ocpp.frames import JsonObject
from csms.ocpp.profile_reports import forget_unreported
from csms.ocpp.report_parts import read_part
from csms.services import charging_profiles, reports
from csms.store.database import Tx


def on_v2x(station: StationContext, payload: JsonObject) -> Stored:
    """Store what it has; after the last part, forget what it has not."""
    part = read_part(station, ReportKind.CHARGING_PROFILES, payload)
    profiles = _profiles(payload)
    return Stored(
        station.db, lambda tx: _record(tx, station.station_id, part, profiles), lambda _: {}
    )


def _record(tx: Tx, station_id: int, part: Part, profiles: list[InstalledProfile]) -> None:
    received = reports.receive(tx, station_id, part)
    if received.new:
        charging_profiles.record_reported(tx, station_id, profiles)
    if received.completed:
        forget_unreported(tx, received.report_id)


def _profiles(payload: JsonObject) -> list[InstalledProfile]:
    evse_id = integer(payload, "evseId") or 0
    source = text(payload, "chargingLimitSource") or ""
    found = (
        read_profile(profile, evse_id=evse_id, source=source)
        for profile in objects(payload.get("chargingProfile"))
    )
    # One without an id names nothing; the part keeps it as it came.
    return [profile for profile in found if profile is not None]
