"""MeterValues: readings of a transaction or of an EVSE."""

from __future__ import annotations

from csms.ocpp.context import StationContext, Stored
from csms.ocpp.fields import MAX_TEXT, integer, raw
from csms.ocpp.frames import JsonObject
from csms.ocpp.sampled_values import readings_v2x, readings_v16
from csms.services import metering


def on_v16(station: StationContext, payload: JsonObject) -> Stored:
    """Store the readings, then answer."""
    readings = readings_v16(station, payload, "meterValue")
    evse_id = integer(payload, "connectorId") or 0
    transaction_id = transaction_id_v16(payload)
    return Stored(
        station.db,
        lambda tx: metering.record(
            tx,
            station.station_id,
            evse_id,
            station_transaction_id=transaction_id,
            readings=readings,
            payload=payload,
        ),
        lambda _: {},
    )


def on_v2x(station: StationContext, payload: JsonObject) -> Stored:
    """Store the readings of an EVSE, or of the main meter, which is EVSE 0."""
    readings = readings_v2x(station, payload, "meterValue")
    evse_id = integer(payload, "evseId") or 0
    return Stored(
        station.db,
        lambda tx: metering.record(
            tx,
            station.station_id,
            evse_id,
            # OCPP 2.0.1 J01, J02: those of a transaction come in its TransactionEvents.
            station_transaction_id=None,
            readings=readings,
            payload=payload,
        ),
        lambda _: {},
    )


def transaction_id_v16(payload: JsonObject) -> str | None:
    """The transaction id as text, whatever it is; None when there is none."""
    value = payload.get("transactionId")
    if value is None:
        return None
    number = integer(payload, "transactionId")
    return str(number) if number is not None else raw(value)[:MAX_TEXT]
