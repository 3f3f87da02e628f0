"""Tables `variables` and `variable_attributes`: the device model of every station."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from csms.clock import from_micros
from csms.domain.device_model import Attribute, Characteristics, Variable, VariableKey
from csms.store.columns import to_json
from csms.store.database import ReadTx, Row, Tx

_FIND_ID = (
    "SELECT id FROM variables WHERE station_id = ? AND component = ? AND component_instance = ?"
    " AND evse_id = ? AND connector_id = ? AND variable = ? AND variable_instance = ?"
)


def find_id(tx: ReadTx, station_id: int, key: VariableKey) -> int | None:
    """The row id of a variable."""
    found: int | None = tx.value(_FIND_ID, (station_id, *_columns(key)))
    return found


def insert(tx: Tx, station_id: int, key: VariableKey) -> int:
    """A variable of which only the name is known; returns its row id."""
    return tx.insert(
        "INSERT INTO variables (station_id, component, component_instance, evse_id, connector_id,"
        " variable, variable_instance) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (station_id, *_columns(key)),
    )


def count(tx: ReadTx, station_id: int) -> int:
    """How many variables of a station are known."""
    number: int = tx.value("SELECT count(*) FROM variables WHERE station_id = ?", (station_id,))
    return number


def update_characteristics(tx: Tx, variable_id: int, told: Characteristics) -> None:
    """What the station says now replaces what it said before."""
    tx.run(
        "UPDATE variables SET unit = ?, data_type = ?, min_limit = ?, max_limit = ?,"
        " max_elements = ?, values_list = ?, supports_monitoring = ? WHERE id = ?",
        (
            told.unit,
            told.data_type,
            told.min_limit,
            told.max_limit,
            told.max_elements,
            told.values_list,
            told.supports_monitoring,
            variable_id,
        ),
    )


def upsert_attribute(tx: Tx, variable_id: int, attribute: Attribute) -> None:
    """The newest value counts; what a report told besides stays until another one tells it."""
    tx.run(
        "INSERT INTO variable_attributes (variable_id, type, value, mutability, persistent,"
        " constant, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT DO UPDATE SET value = excluded.value,"
        " mutability = ifnull(excluded.mutability, mutability),"
        " persistent = ifnull(excluded.persistent, persistent),"
        " constant = ifnull(excluded.constant, constant), updated_at = excluded.updated_at",
        (
            variable_id,
            attribute.type,
            attribute.value,
            attribute.mutability,
            attribute.persistent,
            attribute.constant,
            tx.now,
        ),
    )


def update_value(
    tx: Tx, station_id: int, key: VariableKey, attribute_type: str, value: str
) -> bool:
    """The newest value of an attribute that is known; False when it is not."""
    changed = tx.run(
        f"UPDATE variable_attributes SET value = ?, updated_at = ?"  # noqa: S608 - a constant
        f" WHERE type = ? AND variable_id = ({_FIND_ID})",
        (value, tx.now, attribute_type, station_id, *_columns(key)),
    )
    return changed > 0


def find_value(
    tx: ReadTx, station_id: int, key: VariableKey, attribute_type: str = "Actual"
) -> str | None:
    """A value as last heard; None when it is not known."""
    value: str | None = tx.value(
        "SELECT value FROM variable_attributes WHERE variable_id = ? AND type = ?",
        (find_id(tx, station_id, key), attribute_type),
    )
    return value


def list_of_station(tx: ReadTx, station_id: int) -> list[Variable]:
    """The whole device model, by component."""
    attributes: dict[int, list[Attribute]] = {}
    for row in tx.all(
        "SELECT a.* FROM variables v JOIN variable_attributes a ON a.variable_id = v.id"
        " WHERE v.station_id = ? ORDER BY a.variable_id, a.type",
        (station_id,),
    ):
        attributes.setdefault(row["variable_id"], []).append(_attribute(row))
    rows = tx.all(
        "SELECT * FROM variables WHERE station_id = ? ORDER BY component, component_instance,"
        " evse_id, connector_id, variable, variable_instance",
        (station_id,),
    )
    return [
        Variable(key_of(row), tuple(attributes.get(row["id"], ())), _characteristics(row))
        for row in rows
    ]


@dataclass(frozen=True, slots=True)
class StoredVariable:
    """A variable, and when each of its attributes was last heard."""

    id: int
    variable: Variable
    heard_at: dict[str, datetime]


def list_page(
    tx: ReadTx,
    station_id: int,
    *,
    limit: int,
    after_id: int = 0,
    component: str | None = None,
    variable: str | None = None,
    evse_id: int | None = None,
    or_keys: Sequence[str] = (),
) -> list[StoredVariable]:
    """A part of the device model, in the order in which it was first told.

    Also what is called `or_keys` in 1.6, whatever else is narrowed.
    """
    rows = tx.all(
        "SELECT * FROM variables WHERE station_id = ?1 AND id > ?2"
        " AND ((?3 IS NULL OR component = ?3) AND (?4 IS NULL OR variable = ?4)"
        " AND (?5 IS NULL OR evse_id = ?5)"
        " OR component = 'v16' AND variable IN (SELECT value FROM json_each(?6)))"
        " ORDER BY id LIMIT ?7",
        (station_id, after_id, component, variable, evse_id, to_json(or_keys), limit),
    )
    attributes: dict[int, list[Row]] = {row["id"]: [] for row in rows}
    for row in tx.all(
        "SELECT * FROM variable_attributes"
        " WHERE variable_id IN (SELECT value FROM json_each(?)) ORDER BY variable_id, type",
        (to_json(list(attributes)),),
    ):
        attributes[row["variable_id"]].append(row)
    return [
        StoredVariable(
            row["id"],
            Variable(
                key_of(row),
                tuple(_attribute(one) for one in attributes[row["id"]]),
                _characteristics(row),
            ),
            {one["type"]: from_micros(one["updated_at"]) for one in attributes[row["id"]]},
        )
        for row in rows
    ]


def key_of(row: Row) -> VariableKey:
    """The names in a row that has the columns of `variables`."""
    return VariableKey(
        component=row["component"],
        variable=row["variable"],
        component_instance=row["component_instance"] or None,
        variable_instance=row["variable_instance"] or None,
        evse_id=row["evse_id"] or None,
        connector_id=row["connector_id"] or None,
    )


def _columns(key: VariableKey) -> tuple[str, str, int, int, str, str]:
    return (
        key.component,
        key.component_instance or "",
        key.evse_id or 0,
        key.connector_id or 0,
        key.variable,
        key.variable_instance or "",
    )


def _attribute(row: Row) -> Attribute:
    return Attribute(
        type=row["type"],
        value=row["value"],
        mutability=row["mutability"],
        persistent=_flag(row["persistent"]),
        constant=_flag(row["constant"]),
    )


def _characteristics(row: Row) -> Characteristics:
    return Characteristics(
        unit=row["unit"],
        data_type=row["data_type"],
        min_limit=row["min_limit"],
        max_limit=row["max_limit"],
        max_elements=row["max_elements"],
        values_list=row["values_list"],
        supports_monitoring=_flag(row["supports_monitoring"]),
    )


def _flag(column: int | None) -> bool | None:
    return None if column is None else bool(column)
