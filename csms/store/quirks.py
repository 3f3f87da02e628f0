"""Tables `quirk_overrides`, `fired_quirks`, `suspected_calls` and `withheld_calls`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from csms.clock import from_micros
from csms.domain.quirks import FiredQuirk, WithheldCall
from csms.store.columns import from_json, to_json
from csms.store.database import ReadTx, Tx


def get_overrides(tx: ReadTx, station_id: int) -> Mapping[str, Any]:
    """What an operator set for the station; empty when nothing."""
    found = tx.value("SELECT settings FROM quirk_overrides WHERE station_id = ?", (station_id,))
    return from_json(found) or {}


def update_overrides(tx: Tx, station_id: int, settings: Mapping[str, Any]) -> None:
    """Replace what an operator set."""
    tx.run(
        "INSERT INTO quirk_overrides (station_id, settings, updated_at) VALUES (?, ?, ?)"
        " ON CONFLICT (station_id) DO UPDATE SET settings = excluded.settings,"
        " updated_at = excluded.updated_at",
        (station_id, to_json(settings), tx.now),
    )


def insert_fired(tx: Tx, station_id: int, quirk: str, detail: str | None) -> bool:
    """Count that a quirk fired on one more connection; returns whether it never did before."""
    known = tx.run(
        "UPDATE fired_quirks SET detail = ?, connections = connections + 1, last_fired_at = ?"
        " WHERE station_id = ? AND quirk = ?",
        (detail, tx.now, station_id, quirk),
    )
    if known:
        return False
    tx.run(
        "INSERT INTO fired_quirks (station_id, quirk, detail, connections, first_fired_at,"
        " last_fired_at) VALUES (?, ?, ?, 1, ?, ?)",
        (station_id, quirk, detail, tx.now, tx.now),
    )
    return True


def list_fired(tx: ReadTx, station_id: int) -> list[FiredQuirk]:
    """Every quirk that ever fired, the latest first."""
    rows = tx.all(
        "SELECT * FROM fired_quirks WHERE station_id = ? ORDER BY last_fired_at DESC, quirk",
        (station_id,),
    )
    return [
        FiredQuirk(
            row["quirk"],
            row["detail"],
            row["connections"],
            from_micros(row["first_fired_at"]),
            from_micros(row["last_fired_at"]),
        )
        for row in rows
    ]


def insert_suspected(tx: Tx, station_id: int, call: str) -> None:
    """The station restarted after a CALL, for the first time."""
    tx.run(
        "INSERT INTO suspected_calls (station_id, call, since) VALUES (?, ?, ?)"
        " ON CONFLICT DO NOTHING",
        (station_id, call, tx.now),
    )


def delete_suspected(tx: Tx, station_id: int, call: str) -> None:
    """The CALL had no consequences this time, or more than enough."""
    tx.run("DELETE FROM suspected_calls WHERE station_id = ? AND call = ?", (station_id, call))


def list_suspected(tx: ReadTx, station_id: int) -> list[str]:
    """What the station restarted after once."""
    rows = tx.all("SELECT call FROM suspected_calls WHERE station_id = ?", (station_id,))
    return [row["call"] for row in rows]


def insert_withheld(tx: Tx, station_id: int, call: str) -> bool:
    """Withhold a CALL from now on; returns whether it was not withheld before."""
    return bool(
        tx.run(
            "INSERT INTO withheld_calls (station_id, call, since) VALUES (?, ?, ?)"
            " ON CONFLICT DO NOTHING",
            (station_id, call, tx.now),
        )
    )


def delete_withheld(tx: Tx, station_id: int, call: str) -> bool:
    """Send a CALL again; returns whether it was withheld."""
    return bool(
        tx.run("DELETE FROM withheld_calls WHERE station_id = ? AND call = ?", (station_id, call))
    )


def list_withheld(tx: ReadTx, station_id: int) -> list[WithheldCall]:
    """What is withheld, by name."""
    rows = tx.all(
        "SELECT call, since FROM withheld_calls WHERE station_id = ? ORDER BY call", (station_id,)
    )
    return [WithheldCall(row["call"], from_micros(row["since"])) for row in rows]
