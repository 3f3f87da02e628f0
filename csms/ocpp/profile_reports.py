"""A whole report of charging profiles: what it leaves out, the station does not have."""

from __future__ import annotations

from csms.domain.installed_profiles import ProfileFilter
from csms.ocpp.charging_profiles import read_filter
from csms.ocpp.fields import integer
from csms.ocpp.frames import JsonObject
from csms.ocpp.whole_reports import Whole
from csms.services import charging_profiles
from csms.store.database import Tx


def forget_unreported(tx: Tx, whole: Whole) -> None:
    """Forget what was asked for and not reported."""
    charging_profiles.forget_unreported(
        tx,
        whole.station_id,
        _read_request(whole.request),
        reported=whole.ids("chargingProfile"),
        asked_at=whole.asked_at,
    )


def _read_request(payload: JsonObject) -> ProfileFilter:
    criteria = payload.get("chargingProfile")
    return read_filter(
        criteria if isinstance(criteria, dict) else {},
        evse_id=integer(payload, "evseId"),
        id_name="chargingProfileId",
    )
