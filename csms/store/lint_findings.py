"""Table `lint_findings`: what each station's messages do wrong, counted; bounded per station."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from csms.clock import from_micros
from csms.domain.lint import Direction
from csms.domain.versions import OcppVersion
from csms.store.columns import to_json
from csms.store.database import ReadTx, Row, Tx

MAX_PER_STATION = 500


class Counted(NamedTuple):
    """A kind of breach and how often it came lately, in the order of the statement."""

    version: str
    direction: str
    action: str
    rule: str
    path: str
    clause: str | None
    example: str | None
    number: int
    first_seen_at: int
    last_seen_at: int
    station_id: int


@dataclass(frozen=True, slots=True)
class LintFinding:
    """A row, with what is known of its station now."""

    id: int
    station_uuid: str
    identity: str
    vendor: str | None
    model: str | None
    version: OcppVersion
    direction: Direction
    action: str
    rule: str
    path: str
    firmware_version: str | None
    clause: str | None
    example: str | None
    count: int
    first_seen_at: datetime
    last_seen_at: datetime


@dataclass(frozen=True, slots=True)
class LintFilter:
    """Which findings to list; None does not narrow."""

    station_id: int | None = None
    location_ids: frozenset[int] | None = None
    firmware: str | None = None
    vendor: str | None = None
    model: str | None = None
    version: OcppVersion | None = None
    action: str | None = None
    rule: str | None = None


def insert_many(tx: Tx, rows: Iterable[Counted]) -> None:
    """Add to the counts, under the firmware each station has now; over the bound old ones go."""
    rows = list(rows)
    before = tx.value("SELECT ifnull(max(id), 0) FROM lint_findings")
    tx.many(
        "INSERT INTO lint_findings (firmware_version, station_id, version, direction, action,"
        " rule, path, clause, example, count, first_seen_at, last_seen_at)"
        " SELECT ifnull(firmware_version, ''), id, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?"
        " FROM stations WHERE id = ?"
        " ON CONFLICT (station_id, version, direction, action, rule, path, firmware_version)"
        " DO UPDATE SET count = count + excluded.count, last_seen_at = excluded.last_seen_at",
        rows,
    )
    if tx.value("SELECT ifnull(max(id), 0) FROM lint_findings") != before:
        for station_id in {row.station_id for row in rows}:
            _delete_surplus(tx, station_id)


def list_page(
    tx: ReadTx, wanted: LintFilter, *, limit: int, before_id: int | None = None
) -> list[LintFinding]:
    """Findings of live stations, the kind that appeared last first."""
    where, params = _where(wanted, before_id)
    rows = tx.all(
        "SELECT lint_findings.*, stations.uuid AS station_uuid, identity, vendor, model"  # noqa: S608
        " FROM lint_findings JOIN stations ON stations.id = station_id"
        f" WHERE {where} ORDER BY lint_findings.id DESC LIMIT ?",
        (*params, limit),
    )
    return [_finding(row) for row in rows]


def _delete_surplus(tx: Tx, station_id: int) -> None:
    tx.run(
        "DELETE FROM lint_findings WHERE id IN (SELECT id FROM lint_findings WHERE station_id = ?1"
        " ORDER BY last_seen_at, id LIMIT"
        " max(0, (SELECT count(*) FROM lint_findings WHERE station_id = ?1) - ?2))",
        (station_id, MAX_PER_STATION),
    )


def _where(wanted: LintFilter, before_id: int | None) -> tuple[str, Sequence[Any]]:
    terms = ["stations.deleted_at IS NULL"]
    params: list[Any] = []
    for term, value in (
        ("lint_findings.id < ?", before_id),
        ("lint_findings.station_id = ?", wanted.station_id),
        ("lint_findings.firmware_version = ?", wanted.firmware),
        ("stations.vendor = ?", wanted.vendor),
        ("stations.model = ?", wanted.model),
        ("lint_findings.version = ?", wanted.version and wanted.version.value),
        ("lint_findings.action = ?", wanted.action),
        ("lint_findings.rule = ?", wanted.rule),
    ):
        if value is not None:
            terms.append(term)
            params.append(value)
    if wanted.location_ids is not None:
        terms.append("stations.location_id IN (SELECT value FROM json_each(?))")
        params.append(to_json(sorted(wanted.location_ids)))
    return " AND ".join(terms), params


def _finding(row: Row) -> LintFinding:
    return LintFinding(
        id=row["id"],
        station_uuid=row["station_uuid"],
        identity=row["identity"],
        vendor=row["vendor"],
        model=row["model"],
        version=OcppVersion(row["version"]),
        direction=Direction(row["direction"]),
        action=row["action"],
        rule=row["rule"],
        path=row["path"],
        firmware_version=row["firmware_version"] or None,
        clause=row["clause"],
        example=row["example"],
        count=row["count"],
        first_seen_at=from_micros(row["first_seen_at"]),
        last_seen_at=from_micros(row["last_seen_at"]),
    )
