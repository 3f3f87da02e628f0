"""What applies to one station: the rows about it, what an operator set, what is withheld."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from csms.errors import Invalid
from csms.ocpp.commands import params
from csms.ocpp.quirks.catalog import NOBODY, Description, Entry
from csms.ocpp.quirks.settings import Quirks

OPERATOR = "operator"
"""Stands for an entry's id where a person made the setting."""
STATION = "station"
"""The same where the station told it; see told.py."""
DEFAULT = Quirks()
NO_SETTINGS: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Applied:
    """One station's quirks; made anew whenever something of it changes."""

    settings: Quirks = DEFAULT
    station: Description = NOBODY
    entries: tuple[Entry, ...] = ()
    origins: Mapping[str, str] = field(default_factory=dict)
    """Setting → the id of the row that made it, or OPERATOR, or STATION."""
    overrides: Mapping[str, Any] = field(default_factory=dict)
    """What an operator set."""
    withheld: frozenset[str] = frozenset()
    """CALLs the station restarted after; see breaker.py."""
    suspected: tuple[str, ...] = ()
    """CALLs it had restarted after once when it connected."""
    told: Mapping[str, Any] = field(default_factory=dict)
    """What it had said of its own limits when it connected."""

    def origin(self, setting: str) -> str:
        """Who made the setting."""
        return self.origins.get(setting, OPERATOR)

    def why(self, setting: str) -> str:
        """A sentence for the operator whom the setting stops."""
        origin = self.origin(setting)
        for entry in self.entries:
            if entry.id == origin:
                return f"{entry.symptom} ({entry.sources[0]})"
        if origin == STATION:
            return "the station says that it cannot"
        return "the settings of this station say so"


NOTHING = Applied()


def apply(
    station: Description,
    entries: tuple[Entry, ...],
    overrides: Mapping[str, Any],
    withheld: Iterable[str] = (),
    told: Mapping[str, Any] = NO_SETTINGS,
) -> Applied:
    """Lists of several rows are united, of other settings the last row's counts.

    What an operator set replaces both; of that, what no setting is any more is left out. What the
    station told counts where neither says anything.
    """
    merged: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for entry in entries:
        for name, value in entry.settings.items():
            known = merged.get(name)
            merged[name] = [*known, *value] if isinstance(known, list) else value
            origins[name] = entry.id
    kept = usable(overrides)
    merged.update(kept)
    origins.update(dict.fromkeys(kept, OPERATOR))
    for name, value in usable(told).items():
        if name not in merged:
            merged[name] = value
            origins[name] = STATION
    quirks: Quirks = params.parse(Quirks, merged) if merged else DEFAULT
    return Applied(quirks, station, entries, origins, kept, frozenset(withheld), told=told)


def usable(overrides: Mapping[str, Any]) -> dict[str, Any]:
    """The settings among them that still mean something."""
    return {name: value for name, value in overrides.items() if _is_setting(name, value)}


def _is_setting(name: str, value: Any) -> bool:
    try:
        params.parse(Quirks, {name: value})
    except Invalid:
        return False
    return True
