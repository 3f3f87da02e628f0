"""A whole report of charging profiles: what it leaves out, the station does not have."""

from __future__ import annotations

from csms.domain.installed_profiles import ProfileFilter
from csms.ocpp.charging_profiles import read_filter
from csms.ocpp.fields import integer
from csms.ocpp.frames import JsonObject
from csms.ocpp.reported_ids import find_request, reported_ids
from csms.services import charging_profiles
from csms.store import reports
from csms.store.database import Tx


def read_request(payload: JsonObject) -> ProfileFilter:
    """Which profiles a GetChargingProfiles asked for."""
    criteria = payload.get("chargingProfile")
    return read_filter(
        criteria if isinstance(criteria, dict) else {},
        evse_id=integer(payload, "evseId"),
        id_name="chargingProfileId",
    )


def forget_unreported(tx: Tx, report_id: int) -> None:
    """Forget what was asked for and not reported, once request and report are both there."""
    report = reports.get(tx, report_id)
    request = find_request(report)
    if request is not None:
        charging_profiles.forget_unreported(
            tx,
            report.station_id,
            read_request(request),
            reported=reported_ids(tx, report_id, "chargingProfile"),
            asked_at=report.requested_at,
        )
