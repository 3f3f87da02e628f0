"""Commands that a station answers with a report in messages of its own."""

from __future__ import annotations

from csms.domain.multipart import ReportKind
from csms.domain.stations import Station
from csms.ocpp.commands.command import Answer, Settled
from csms.ocpp.fields import raw, text
from csms.ocpp.frames import JsonObject
from csms.services import reports
from csms.store.database import Tx

EMPTY = "EmptyResultSet"


def read(payload: JsonObject) -> Answer:
    """That there is nothing to report is an answer, too."""
    status = text(payload, "status")
    return Answer(status in {"Accepted", EMPTY}, status, payload)


def expects(kind: ReportKind) -> Settled:
    """After an Accepted, a report with the id of the request is on its way."""

    def settled(tx: Tx, station: Station, payload: JsonObject, answer: Answer) -> None:
        if answer.status == "Accepted":
            reports.expect(tx, station.id, kind, payload["requestId"], raw(payload))

    return settled
