"""What a whole report named, so that what it left out can be forgotten."""

from __future__ import annotations

import orjson

from csms.domain.multipart import Report
from csms.ocpp.fields import integer, objects
from csms.ocpp.frames import JsonObject
from csms.store import reports
from csms.store.database import ReadTx


def find_request(report: Report) -> JsonObject | None:
    """Our request that the whole report answers; None while either is missing."""
    if not report.complete or report.request is None:
        return None
    request: JsonObject = orjson.loads(report.request)
    return request


def reported_ids(tx: ReadTx, report_id: int, items: str) -> frozenset[int]:
    """The ids in the list `items` of all parts."""
    return frozenset(
        number
        for part in reports.list_parts(tx, report_id)
        for item in objects(orjson.loads(part).get(items))
        if (number := integer(item, "id")) is not None
    )
