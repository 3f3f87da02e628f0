"""What a whole report leaves out, the station does not have: how that is forgotten."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson

from csms.ocpp.fields import integer, objects
from csms.ocpp.frames import JsonObject
from csms.store import reports
from csms.store.database import Tx


@dataclass(frozen=True, slots=True)
class Whole:
    """A request of ours and all that the station reported upon it."""

    station_id: int
    asked_at: datetime
    request: JsonObject
    parts: Sequence[JsonObject]

    def ids(self, items: str) -> frozenset[int]:
        """The ids in the list `items` of all parts."""
        return frozenset(
            number
            for part in self.parts
            for item in objects(part.get(items))
            if (number := integer(item, "id")) is not None
        )


Forget = Callable[[Tx, Whole], None]


def forget_when_whole(tx: Tx, report_id: int, forget: Forget) -> None:
    """Call `forget` once our request and its whole report are both there."""
    report = reports.get(tx, report_id)
    if not report.complete or report.request is None or report.requested_at is None:
        return
    whole = Whole(
        station_id=report.station_id,
        asked_at=report.requested_at,
        request=orjson.loads(report.request),
        parts=[orjson.loads(part) for part in reports.list_parts(tx, report_id)],
    )
    forget(tx, whole)
