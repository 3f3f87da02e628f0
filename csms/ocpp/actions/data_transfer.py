"""DataTransfer: a vendor's own message."""

from __future__ import annotations

from csms.ocpp.context import StationContext, Stored
from csms.ocpp.fields import raw, text
from csms.ocpp.frames import JsonObject
from csms.services import data_transfer
from csms.services.redaction import redacted


def on_v16(station: StationContext, payload: JsonObject) -> Stored:
    """Store it and say that we do not know the vendor."""
    return _recorded(station, payload)


def on_v2x(station: StationContext, payload: JsonObject) -> Stored:
    """Store it and say that we do not know the vendor; `data` may be any JSON."""
    return _recorded(station, payload)


def _recorded(station: StationContext, payload: JsonObject) -> Stored:
    data = redacted(payload.get("data"))
    content = data if data is None or isinstance(data, str) else raw(data)
    return Stored(
        station.db,
        lambda tx: data_transfer.record(
            tx,
            station.station_id,
            text(payload, "vendorId") or "",
            text(payload, "messageId"),
            content,
        ),
        lambda status: {"status": status},
    )
