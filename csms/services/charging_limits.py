"""What others want of a charge: limits of other systems, and what EVs need and intend.

There is no scheduler here. An EV that asks for a schedule is told that none will come, so that
the station need not wait; operators set profiles themselves.
"""

from __future__ import annotations

from csms.clock import from_micros
from csms.domain.charging_profiles import ChargingProfilePurpose
from csms.domain.ev_schedules import exceeds
from csms.domain.installed_profiles import ChargingLimit, ChargingNeeds, EvSchedule
from csms.services import station_events
from csms.store import charging_limits, charging_profiles, transactions
from csms.store.database import Tx

WITHIN, BEYOND = "Accepted", "Rejected"


def impose(tx: Tx, station_id: int, limit: ChargingLimit) -> None:
    """Another system limits the station."""
    if limit in charging_limits.list_limits(tx, station_id):
        return
    charging_limits.upsert_limit(tx, station_id, limit)
    station_events.emit(
        tx,
        station_id,
        "charging_limit.imposed",
        evse_id=limit.evse_id or None,
        source=limit.source,
        grid_critical=limit.grid_critical,
    )


def lift(tx: Tx, station_id: int, source: str, evse_id: int | None) -> None:
    """It no longer does."""
    if charging_limits.delete_limits(tx, station_id, source, evse_id):
        station_events.emit(
            tx, station_id, "charging_limit.lifted", evse_id=evse_id or None, source=source
        )


def record_needs(tx: Tx, station_id: int, needs: ChargingNeeds) -> None:
    """An EV tells what it needs; `answered` is what it is told."""
    if needs in charging_limits.list_needs(tx, station_id):
        return
    charging_limits.upsert_needs(tx, station_id, needs)
    station_events.emit(
        tx,
        station_id,
        "ev.needs_told",
        evse_id=needs.evse_id,
        energy_transfer=needs.energy_transfer,
        departure_at=None if needs.departure_at is None else needs.departure_at.isoformat(),
    )


def judge_ev_schedule(tx: Tx, station_id: int, schedule: EvSchedule) -> str:
    """Record what an EV intends; returns whether that is within what it may (K15.FR.11, .12)."""
    going_on = {
        transaction.station_transaction_id
        for transaction in transactions.list_open_on_evse(tx, station_id, schedule.evse_id)
    }
    beyond = any(
        exceeds(schedule, profile, from_micros(tx.now))
        for profile in charging_profiles.list_of_station(tx, station_id)
        if profile.purpose == ChargingProfilePurpose.TX.value
        and profile.station_transaction_id in going_on
    )
    answered = BEYOND if beyond else WITHIN
    charging_limits.upsert_ev_schedule(tx, station_id, schedule, answered)
    return answered


def record_priority(
    tx: Tx, station_id: int, station_transaction_id: str, *, activated: bool
) -> None:
    """A driver claims the priority that the transaction may have, or gives it up."""
    if charging_limits.upsert_priority(tx, station_id, station_transaction_id, activated=activated):
        station_events.emit(
            tx,
            station_id,
            "priority_charging.changed",
            station_transaction_id=station_transaction_id,
            activated=activated,
        )
