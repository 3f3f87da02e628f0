"""ReportChargingProfiles: the charging profiles that a station has, in parts."""

from __future__ import annotations

from csms.domain.installed_profiles import InstalledProfile
from csms.domain.multipart import ReportKind
from csms.ocpp import report_parts
from csms.ocpp.charging_profiles import read_profile
from csms.ocpp.context import StationContext, Stored
from csms.ocpp.fields import integer, objects, text
from csms.ocpp.frames import JsonObject
from csms.ocpp.profile_reports import forget_unreported
from csms.services import charging_profiles


def on_v2x(station: StationContext, payload: JsonObject) -> Stored:
    """Store the part and its profiles."""
    profiles = _profiles(payload)
    return report_parts.receive(
        station,
        ReportKind.CHARGING_PROFILES,
        payload,
        record=lambda tx: charging_profiles.record_reported(tx, station.station_id, profiles),
        forget=forget_unreported,
    )


def _profiles(payload: JsonObject) -> list[InstalledProfile]:
    evse_id = integer(payload, "evseId") or 0
    source = text(payload, "chargingLimitSource") or ""
    found = (
        read_profile(profile, evse_id=evse_id, source=source)
        for profile in objects(payload.get("chargingProfile"))
    )
    # One without an id names nothing; the part keeps it as it came.
    return [profile for profile in found if profile is not None]
