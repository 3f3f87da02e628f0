"""Commands that a station answers with a report in messages of its own."""

from __future__ import annotations

from typing import Any

from csms.clock import from_micros
from csms.domain.multipart import ReportKind
from csms.ocpp.commands.command import Answer, Encode, Order, Settled
from csms.ocpp.commands.component_variables import name_component
from csms.ocpp.fields import raw
from csms.ocpp.frames import JsonObject
from csms.ocpp.whole_reports import Forget, Whole, forget_when_whole
from csms.services import reports
from csms.store.database import Tx

EMPTY = "EmptyResultSet"


def asking(action: str, criteria: str) -> Encode:
    """The encoding of a request for some variables, by some criteria; none: left out, for all."""

    def encode(params: Any) -> Order:
        payload: JsonObject = {"requestId": params.request_id}
        if params.variables:
            payload["componentVariable"] = [name_component(named) for named in params.variables]
        if params.criteria:
            payload[criteria] = [criterion.value for criterion in params.criteria]
        return Order(action, payload)

    return encode


def expects(kind: ReportKind) -> Settled:
    """After an Accepted, a report with the id of the request is on its way."""

    def settled(tx: Tx, station_id: int, payload: JsonObject, answer: Answer) -> None:
        _expect(tx, station_id, kind, payload, answer)

    return settled


def expects_all(kind: ReportKind, forget: Forget, *, empty: str) -> Settled:
    """As `expects`; what the report leaves out is forgotten, after the word `empty` at once."""

    def settled(tx: Tx, station_id: int, payload: JsonObject, answer: Answer) -> None:
        report_id = _expect(tx, station_id, kind, payload, answer)
        if report_id is not None:
            forget_when_whole(tx, report_id, forget)
        elif answer.status == empty:
            forget(tx, Whole(station_id, from_micros(tx.now), payload, parts=()))

    return settled


def _expect(
    tx: Tx, station_id: int, kind: ReportKind, payload: JsonObject, answer: Answer
) -> int | None:
    if answer.status != "Accepted":
        return None
    return reports.expect(tx, station_id, kind, payload["requestId"], raw(payload))
