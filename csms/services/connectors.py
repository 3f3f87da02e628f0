"""Connectors: the last known state, its history, and the charging state that 1.6 hides in it."""

from __future__ import annotations

from csms.domain.connectors import charging_state
from csms.domain.stations import StatusReport
from csms.services import station_events, transaction_news
from csms.store import connectors, transaction_events, transactions
from csms.store.database import Tx

# More than any station has; a number beyond it is nonsense and stays in the history only.
MAX_EVSE_ID = 1000
MAX_CONNECTOR_ID = 100


def record(tx: Tx, station_id: int, report: StatusReport) -> bool:
    """Store a status report; an event says so only when something changed, as does the result."""
    connectors.insert_history(tx, station_id, report)
    if not (0 <= report.evse_id <= MAX_EVSE_ID and 0 <= report.connector_id <= MAX_CONNECTOR_ID):
        return False
    if not connectors.upsert(tx, station_id, report):
        return False
    station_events.emit(
        tx,
        station_id,
        "connector.status",
        evse_id=report.evse_id or None,
        connector_id=report.connector_id,
        status=report.status.value,
        reported_status=report.reported_status,
        error_code=report.error_code,
    )
    return True


def record_v16(tx: Tx, station_id: int, report: StatusReport) -> None:
    """As `record`; in 1.6 the status is also what the open transaction does."""
    if not record(tx, station_id, report) or not report.evse_id:
        return
    state = charging_state(report.reported_status)
    for transaction_id, uuid in transactions.update_charging_state(
        tx, station_id, report.evse_id, state
    ):
        transaction_events.insert_unnumbered(
            tx,
            transaction_id,
            "Updated",
            reported_at=report.reported_at,
            raw=report.raw,
            trigger="ChargingStateChanged",
        )
        transaction_news.updated(
            tx, station_id, uuid=uuid, evse_id=report.evse_id, charging_state=state
        )
