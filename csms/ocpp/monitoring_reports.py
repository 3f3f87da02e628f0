"""A whole report of monitors: what it leaves out, the station does not have."""

from __future__ import annotations

from csms.ocpp.device_model import read_monitors
from csms.ocpp.whole_reports import Whole
from csms.store import variable_monitors
from csms.store.database import Tx


def forget_unreported(tx: Tx, whole: Whole) -> None:
    """Forget what was not reported, if all monitors were asked for."""
    if whole.request.get("componentVariable") or whole.request.get("monitoringCriteria"):
        return
    kept = {monitor.id for part in whole.parts for monitor in read_monitors(part)}
    variable_monitors.delete_others(tx, whole.station_id, kept)
