"""NotifyDisplayMessages: the messages that a station has, in parts."""

from __future__ import annotations

from csms.domain.multipart import ReportKind
from csms.ocpp import report_parts
from csms.ocpp.context import StationContext, Stored
from csms.ocpp.display_messages import forget_unreported, read_message
from csms.ocpp.fields import objects
from csms.ocpp.frames import JsonObject
from csms.services import display_messages


def on_v2x(station: StationContext, payload: JsonObject) -> Stored:
    """Store the part and its messages."""
    found = (read_message(message) for message in objects(payload.get("messageInfo")))
    # One without an id names nothing; the part keeps it as it came.
    messages = [message for message in found if message is not None]
    return report_parts.receive(
        station,
        ReportKind.DISPLAY_MESSAGES,
        payload,
        record=lambda tx: display_messages.record_reported(tx, station.station_id, messages),
        forget=forget_unreported,
    )
