"""NotifyEVChargingNeeds: what the EV asks for. No schedule is worked out here, so none follows."""

from __future__ import annotations

from csms.domain.installed_profiles import ChargingNeeds
from csms.ocpp.charging_profiles import read_instant
from csms.ocpp.context import StationContext, Stored
from csms.ocpp.fields import integer, objects, raw, text
from csms.ocpp.frames import JsonObject
from csms.services import charging_limits


def on_v2x(station: StationContext, payload: JsonObject) -> Stored:
    """Rejected: no schedule will come, use the default profile (2.0.1 and 2.1 K15.FR.04)."""
    return _stored(station, payload, _needs(payload), "Rejected")


def on_v21(station: StationContext, payload: JsonObject) -> Stored:
    """Of ISO 15118-20, NoChargingProfile says so (K18.FR.04); Rejected would end the charge."""
    needs = _needs(payload)
    is_15118_20 = "v2xChargingParameters" in needs or "controlMode" in needs
    return _stored(station, payload, needs, "NoChargingProfile" if is_15118_20 else "Rejected")


def _needs(payload: JsonObject) -> JsonObject:
    (needs, *_) = objects(payload.get("chargingNeeds")) or [{}]
    return needs


def _stored(station: StationContext, payload: JsonObject, needs: JsonObject, status: str) -> Stored:
    told = ChargingNeeds(
        evse_id=integer(payload, "evseId") or 0,
        energy_transfer=text(needs, "requestedEnergyTransfer"),
        departure_at=read_instant(needs.get("departureTime")),
        answered=status,
        raw=raw(payload),
    )
    return Stored(
        station.db,
        lambda tx: charging_limits.record_needs(tx, station.station_id, told),
        lambda _: {"status": status},
    )
