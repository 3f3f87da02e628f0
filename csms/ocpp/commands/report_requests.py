"""Commands that a station answers with a report in messages of its own."""

from __future__ import annotations

from csms.clock import from_micros
from csms.domain.multipart import ReportKind
from csms.domain.stations import Station
from csms.ocpp.commands.command import Answer, Settled
from csms.ocpp.fields import raw
from csms.ocpp.frames import JsonObject
from csms.ocpp.whole_reports import Forget, Whole, forget_when_whole
from csms.services import reports
from csms.store.database import Tx

EMPTY = "EmptyResultSet"


def expects(kind: ReportKind) -> Settled:
    """After an Accepted, a report with the id of the request is on its way."""

    def settled(tx: Tx, station: Station, payload: JsonObject, answer: Answer) -> None:
        _expect(tx, station, kind, payload, answer)

    return settled


def expects_all(kind: ReportKind, forget: Forget, *, empty: str) -> Settled:
    """As `expects`; what the report leaves out is forgotten, after the word `empty` at once."""

    def settled(tx: Tx, station: Station, payload: JsonObject, answer: Answer) -> None:
        report_id = _expect(tx, station, kind, payload, answer)
        if report_id is not None:
            forget_when_whole(tx, report_id, forget)
        elif answer.status == empty:
            forget(tx, Whole(station.id, from_micros(tx.now), payload, parts=()))

    return settled


def _expect(
    tx: Tx, station: Station, kind: ReportKind, payload: JsonObject, answer: Answer
) -> int | None:
    if answer.status != "Accepted":
        return None
    return reports.expect(tx, station.id, kind, payload["requestId"], raw(payload))
