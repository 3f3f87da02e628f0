"""A whole report of monitors: what it leaves out, the station does not have."""

from __future__ import annotations

import orjson

from csms.ocpp.device_model import read_monitors
from csms.ocpp.frames import JsonObject
from csms.ocpp.reported_ids import find_request
from csms.store import reports, variable_monitors
from csms.store.database import Tx


def asks_for_all(request: JsonObject) -> bool:
    """Whether a GetMonitoringReport names no criteria."""
    return not request.get("componentVariable") and not request.get("monitoringCriteria")


def forget_unreported(tx: Tx, report_id: int) -> None:
    """Forget what was not reported, once all monitors were asked for and the report is whole."""
    report = reports.get(tx, report_id)
    request = find_request(report)
    if request is None or not asks_for_all(request):
        return
    kept = {
        monitor.id
        for part in reports.list_parts(tx, report_id)
        for monitor in read_monitors(orjson.loads(part))
    }
    variable_monitors.delete_others(tx, report.station_id, kept)
