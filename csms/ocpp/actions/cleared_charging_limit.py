"""ClearedChargingLimit: another system no longer limits the station."""

from __future__ import annotations

from csms.ocpp.context import StationContext, Stored
from csms.ocpp.fields import integer, text
from csms.ocpp.frames import JsonObject
from csms.services import charging_limits


def on_v2x(station: StationContext, payload: JsonObject) -> Stored:
    """Without an EVSE all limits of the source are lifted (2.0.1 K13)."""
    source = text(payload, "chargingLimitSource") or ""
    evse_id = integer(payload, "evseId")
    return Stored(
        station.db,
        lambda tx: charging_limits.lift(tx, station.station_id, source, evse_id),
        lambda _: {},
    )
