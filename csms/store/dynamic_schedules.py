"""Table `dynamic_schedules`: the present values of charging profiles of the kind Dynamic."""

from __future__ import annotations

from typing import Any

from csms.store.columns import from_json, to_json
from csms.store.database import ReadTx, Tx


def upsert(tx: Tx, station_id: int, charging_profile_id: int, schedule: dict[str, Any]) -> None:
    """The newest values count."""
    tx.run(
        "INSERT OR REPLACE INTO dynamic_schedules (station_id, charging_profile_id,"
        " schedule_update, updated_at) VALUES (?, ?, ?, ?)",
        (station_id, charging_profile_id, to_json(schedule), tx.now),
    )


def find(tx: ReadTx, station_id: int, charging_profile_id: int) -> dict[str, Any] | None:
    """The values of a profile, as OCPP spells them."""
    found: dict[str, Any] | None = from_json(
        tx.value(
            "SELECT schedule_update FROM dynamic_schedules"
            " WHERE station_id = ? AND charging_profile_id = ?",
            (station_id, charging_profile_id),
        )
    )
    return found
