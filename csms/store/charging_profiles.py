"""Tables `charging_profiles` and `composite_schedules`: what limits a station by our doing."""

from __future__ import annotations

from collections.abc import Iterable

from csms.clock import from_micros
from csms.domain.installed_profiles import CompositeSchedule, InstalledProfile
from csms.store.columns import from_json, instant, micros, to_json
from csms.store.database import ReadTx, Row, Tx


def upsert(tx: Tx, station_id: int, profile: InstalledProfile) -> None:
    """The station has this profile now; one with the same id is replaced."""
    tx.run(
        "INSERT OR REPLACE INTO charging_profiles (station_id, profile_id, evse_id, purpose, kind,"
        " stack_level, recurrency_kind, valid_from, valid_to, station_transaction_id, source,"
        " schedules, raw, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            station_id,
            profile.profile_id,
            profile.evse_id,
            profile.purpose,
            profile.kind,
            profile.stack_level,
            profile.recurrency_kind,
            micros(profile.valid_from),
            micros(profile.valid_to),
            profile.station_transaction_id,
            profile.source,
            to_json(profile.schedules),
            profile.raw,
            tx.now,
        ),
    )


def list_of_station(tx: ReadTx, station_id: int) -> list[InstalledProfile]:
    """All that the station has; the TxProfile of a transaction goes with it."""
    rows = tx.all(
        "SELECT * FROM charging_profiles AS profile WHERE station_id = ? AND NOT EXISTS ("
        "SELECT 1 FROM transactions WHERE station_id = profile.station_id"
        " AND station_transaction_id = profile.station_transaction_id"
        " AND end_received_at IS NOT NULL) ORDER BY evse_id, purpose, stack_level, profile_id",
        (station_id,),
    )
    return [_profile(row) for row in rows]


def delete(tx: Tx, station_id: int, profile_ids: Iterable[int]) -> int:
    """Forget profiles; returns how many there were."""
    return tx.many(
        "DELETE FROM charging_profiles WHERE station_id = ? AND profile_id = ?",
        [(station_id, profile_id) for profile_id in profile_ids],
    )


def delete_of_ended_transactions(tx: Tx, station_id: int) -> int:
    """Forget what ended with its transaction; returns how many."""
    return tx.run(
        "DELETE FROM charging_profiles WHERE station_id = ? AND station_transaction_id IN ("
        "SELECT station_transaction_id FROM transactions"
        " WHERE station_id = ? AND end_received_at IS NOT NULL)",
        (station_id, station_id),
    )


def upsert_composite(tx: Tx, station_id: int, schedule: CompositeSchedule) -> None:
    """The schedule that the station reports for an EVSE; the one before is forgotten."""
    tx.run(
        "INSERT OR REPLACE INTO composite_schedules (station_id, evse_id, rate_unit, starts_at,"
        " duration_s, periods, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            station_id,
            schedule.evse_id,
            schedule.rate_unit,
            micros(schedule.starts_at),
            schedule.duration_s,
            to_json(schedule.periods),
            tx.now,
        ),
    )


def list_composite(tx: ReadTx, station_id: int) -> list[CompositeSchedule]:
    """The last one of each EVSE, the whole station first."""
    rows = tx.all(
        "SELECT * FROM composite_schedules WHERE station_id = ? ORDER BY evse_id", (station_id,)
    )
    return [
        CompositeSchedule(
            evse_id=row["evse_id"],
            rate_unit=row["rate_unit"],
            starts_at=instant(row["starts_at"]),
            duration_s=row["duration_s"],
            periods=from_json(row["periods"]),
        )
        for row in rows
    ]


def _profile(row: Row) -> InstalledProfile:
    return InstalledProfile(
        profile_id=row["profile_id"],
        evse_id=row["evse_id"],
        purpose=row["purpose"],
        kind=row["kind"],
        stack_level=row["stack_level"],
        recurrency_kind=row["recurrency_kind"],
        valid_from=instant(row["valid_from"]),
        valid_to=instant(row["valid_to"]),
        station_transaction_id=row["station_transaction_id"],
        source=row["source"],
        schedules=from_json(row["schedules"]),
        raw=row["raw"],
        updated_at=from_micros(row["updated_at"]),
    )
