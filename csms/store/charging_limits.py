"""Tables of what others want of a charge: external limits, needs of EVs, their schedules."""

from __future__ import annotations

from csms.domain.installed_profiles import ChargingLimit, ChargingNeeds, EvSchedule
from csms.store.columns import from_json, instant, micros, to_json
from csms.store.database import ReadTx, Tx


def upsert_limit(tx: Tx, station_id: int, limit: ChargingLimit) -> None:
    """The limit that a source imposes on an EVSE from now on."""
    tx.run(
        "INSERT OR REPLACE INTO charging_limits (station_id, evse_id, source, grid_critical,"
        " local_generation, schedules, raw, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            station_id,
            limit.evse_id,
            limit.source,
            limit.grid_critical,
            limit.local_generation,
            to_json(limit.schedules),
            limit.raw,
            tx.now,
        ),
    )


def delete_limits(tx: Tx, station_id: int, source: str, evse_id: int | None) -> int:
    """A source lifts its limit of an EVSE, None: of all of them; returns how many there were."""
    return tx.run(
        "DELETE FROM charging_limits WHERE station_id = ? AND source = ?"
        " AND (? IS NULL OR evse_id = ?)",
        (station_id, source, evse_id, evse_id),
    )


def list_limits(tx: ReadTx, station_id: int) -> list[ChargingLimit]:
    """Those in force, the whole station's first."""
    rows = tx.all(
        "SELECT * FROM charging_limits WHERE station_id = ? ORDER BY evse_id, source",
        (station_id,),
    )
    return [
        ChargingLimit(
            evse_id=row["evse_id"],
            source=row["source"],
            grid_critical=_flag(row["grid_critical"]),
            local_generation=_flag(row["local_generation"]),
            schedules=from_json(row["schedules"]),
            raw=row["raw"],
        )
        for row in rows
    ]


def upsert_needs(tx: Tx, station_id: int, needs: ChargingNeeds) -> None:
    """What the EV at an EVSE wants now."""
    tx.run(
        "INSERT OR REPLACE INTO ev_charging_needs (station_id, evse_id, energy_transfer,"
        " departure_at, answered, raw, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            station_id,
            needs.evse_id,
            needs.energy_transfer,
            micros(needs.departure_at),
            needs.answered,
            needs.raw,
            tx.now,
        ),
    )


def list_needs(tx: ReadTx, station_id: int) -> list[ChargingNeeds]:
    """The last ones of each EVSE."""
    rows = tx.all(
        "SELECT * FROM ev_charging_needs WHERE station_id = ? ORDER BY evse_id", (station_id,)
    )
    return [
        ChargingNeeds(
            evse_id=row["evse_id"],
            energy_transfer=row["energy_transfer"],
            departure_at=instant(row["departure_at"]),
            answered=row["answered"],
            raw=row["raw"],
        )
        for row in rows
    ]


def upsert_ev_schedule(tx: Tx, station_id: int, schedule: EvSchedule, answered: str) -> None:
    """What the EV at an EVSE intends now."""
    tx.run(
        "INSERT OR REPLACE INTO ev_charging_schedules (station_id, evse_id, time_base, schedules,"
        " answered, raw, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            station_id,
            schedule.evse_id,
            micros(schedule.time_base),
            to_json(schedule.schedules),
            answered,
            schedule.raw,
            tx.now,
        ),
    )


def upsert_priority(
    tx: Tx, station_id: int, station_transaction_id: str, *, activated: bool
) -> bool:
    """Whether a transaction has priority now; returns whether that is news."""
    before = find_priority(tx, station_id, station_transaction_id)
    tx.run(
        "INSERT OR REPLACE INTO priority_charging (station_id, station_transaction_id, activated,"
        " updated_at) VALUES (?, ?, ?, ?)",
        (station_id, station_transaction_id, activated, tx.now),
    )
    return before is not activated


def find_priority(tx: ReadTx, station_id: int, station_transaction_id: str) -> bool | None:
    """Whether a transaction has priority; None when the station never said."""
    return _flag(
        tx.value(
            "SELECT activated FROM priority_charging WHERE station_id = ?"
            " AND station_transaction_id = ?",
            (station_id, station_transaction_id),
        )
    )


def _flag(value: int | None) -> bool | None:
    return None if value is None else bool(value)
