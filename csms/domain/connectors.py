"""Status words: the nine of OCPP 1.6 become the five of 2.x, which stay as they are."""

from __future__ import annotations

from csms.domain.stations import ConnectorStatus

_FOLD = {
    "available": ConnectorStatus.AVAILABLE,
    "preparing": ConnectorStatus.OCCUPIED,
    "charging": ConnectorStatus.OCCUPIED,
    "suspendedev": ConnectorStatus.OCCUPIED,
    "suspendedevse": ConnectorStatus.OCCUPIED,
    "finishing": ConnectorStatus.OCCUPIED,
    "occupied": ConnectorStatus.OCCUPIED,
    "reserved": ConnectorStatus.RESERVED,
    "unavailable": ConnectorStatus.UNAVAILABLE,
    "faulted": ConnectorStatus.FAULTED,
}
_CHARGING_STATES = frozenset({"Charging", "SuspendedEV", "SuspendedEVSE"})


def fold_status(word: str) -> ConnectorStatus:
    """The status behind a reported word; an unknown word promises nothing: Unavailable."""
    return _FOLD.get(word.strip().lower(), ConnectorStatus.UNAVAILABLE)


def charging_state(word: str) -> str | None:
    """ChargingStateEnumType where a 1.6 status word says it, else None."""
    return word if word in _CHARGING_STATES else None
