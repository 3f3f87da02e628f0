"""NotifyCustomerInformation: what a station has stored about a customer, in parts."""

from __future__ import annotations

from csms.domain.multipart import ReportKind
from csms.ocpp.context import StationContext, Stored
from csms.ocpp.frames import JsonObject
from csms.ocpp.report_parts import read_part
from csms.services import reports


def on_v2x(station: StationContext, payload: JsonObject) -> Stored:
    """Store the part; the whole is text of no given form, for a person to read."""
    part = read_part(station, ReportKind.CUSTOMER_INFORMATION, payload)
    return Stored(
        station.db, lambda tx: reports.receive(tx, station.station_id, part), lambda _: {}
    )
