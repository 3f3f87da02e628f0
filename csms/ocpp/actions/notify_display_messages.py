"""NotifyDisplayMessages: the messages that a station has, in parts."""

from __future__ import annotations

from csms.domain.display_messages import DisplayMessage
from csms.domain.multipart import Part, ReportKind
from csms.ocpp.context import StationContext, Stored
from csms.ocpp.display_messages import forget_unreported, read_message
from csms.ocpp.fields import objects
from csms.ocpp.frames import JsonObject
from csms.ocpp.report_parts import read_part
from csms.services import display_messages, reports
from csms.store.database import Tx


def on_v2x(station: StationContext, payload: JsonObject) -> Stored:
    """Store what it has; after the last part, forget what it has not."""
    part = read_part(station, ReportKind.DISPLAY_MESSAGES, payload)
    found = (read_message(message) for message in objects(payload.get("messageInfo")))
    # One without an id names nothing; the part keeps it as it came.
    messages = [message for message in found if message is not None]
    return Stored(
        station.db, lambda tx: _record(tx, station.station_id, part, messages), lambda _: {}
    )


def _record(tx: Tx, station_id: int, part: Part, messages: list[DisplayMessage]) -> None:
    received = reports.receive(tx, station_id, part)
    if received.new:
        display_messages.record_reported(tx, station_id, messages)
    if received.completed:
        forget_unreported(tx, received.report_id)
