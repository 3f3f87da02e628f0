"""The device model of stations: what they report, and what they answer about variables."""

from __future__ import annotations

from collections.abc import Iterable

from csms.domain.device_model import Attribute, Monitor, Variable, VariableKey
from csms.store import variable_monitors, variables
from csms.store.database import Tx

# More than any station has; it bounds what a station can make us keep.
MAX_VARIABLES = 20_000


def record(tx: Tx, station_id: int, told: Iterable[Variable]) -> None:
    """Keep what a station told about its variables; the rest of its device model stays."""
    for variable in told:
        variable_id = _known(tx, station_id, variable.key)
        if variable_id is None:
            continue
        if variable.characteristics is not None:
            variables.update_characteristics(tx, variable_id, variable.characteristics)
        for attribute in variable.attributes:
            variables.upsert_attribute(tx, variable_id, attribute)


def record_value(
    tx: Tx, station_id: int, key: VariableKey, value: str, attribute_type: str = "Actual"
) -> None:
    """Keep a single value, as a station answered it or accepted it from us."""
    if not variables.update_value(tx, station_id, key, attribute_type, value):
        record(tx, station_id, [Variable(key, (Attribute(type=attribute_type, value=value),))])


def record_monitors(tx: Tx, station_id: int, told: Iterable[Monitor]) -> None:
    """Keep what watches over a station's variables."""
    for monitor in told:
        variable_id = _known(tx, station_id, monitor.key)
        if variable_id is not None:
            variable_monitors.upsert(tx, station_id, variable_id, monitor)


def _known(tx: Tx, station_id: int, key: VariableKey) -> int | None:
    """The variable's row, a new one where there was none; None when there are too many."""
    variable_id = variables.find_id(tx, station_id, key)
    if variable_id is not None:
        return variable_id
    count = tx.memo.get((variables, station_id))
    if count is None:
        count = variables.count(tx, station_id)
    if count >= MAX_VARIABLES:
        return None
    tx.memo[variables, station_id] = count + 1
    return variables.insert(tx, station_id, key)
