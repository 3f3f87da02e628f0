"""Connectors: the last known state, its history, and the charging state that 1.6 hides in it."""

from __future__ import annotations

from csms.domain.connectors import charging_state
from csms.domain.stations import StatusReport
from csms.events import Event
from csms.store import connectors, transactions, whereabouts
from csms.store.database import Tx

# More than any station has; a number beyond it is nonsense and stays in the history only.
MAX_EVSE_ID = 1000


def record(tx: Tx, station_id: int, report: StatusReport) -> None:
    """Store a status report; an event says so only when something changed."""
    connectors.insert_history(tx, station_id, report)
    if not 0 <= report.evse_id <= MAX_EVSE_ID or not connectors.upsert(tx, station_id, report):
        return
    station = whereabouts.get(tx, station_id)
    tx.emit(
        Event(
            "connector.status",
            {
                **station.names,
                "evse_id": report.evse_id or None,
                "connector_id": report.connector_id,
                "status": report.status.value,
                "reported_status": report.reported_status,
                "error_code": report.error_code,
            },
            station_id=station_id,
            location_id=station.location_id,
        )
    )
    if report.evse_id:
        _follow_charging_state(tx, station_id, report, station)


def _follow_charging_state(
    tx: Tx, station_id: int, report: StatusReport, station: whereabouts.Whereabouts
) -> None:
    state = charging_state(report.reported_status)
    for transaction_id, uuid in transactions.update_charging_state(
        tx, station_id, report.evse_id, state
    ):
        transactions.insert_event(
            tx,
            transaction_id,
            "Updated",
            reported_at=report.reported_at,
            raw=report.raw,
            trigger="ChargingStateChanged",
        )
        tx.emit(
            Event(
                "transaction.updated",
                {
                    **station.names,
                    "id": uuid,
                    "evse_id": report.evse_id,
                    "charging_state": state,
                },
                station_id=station_id,
                location_id=station.location_id,
            )
        )
