"""NotifyCustomerInformation: what a station has stored about a customer, in parts."""

from __future__ import annotations

from csms.domain.multipart import ReportKind
from csms.ocpp import report_parts
from csms.ocpp.context import StationContext, Stored
from csms.ocpp.frames import JsonObject


def on_v2x(station: StationContext, payload: JsonObject) -> Stored:
    """Store the part; the whole is text of no given form, for a person to read."""
    return report_parts.receive(station, ReportKind.CUSTOMER_INFORMATION, payload)
