"""What an order may not say to this station, and how it may be said instead.

The rule of the commands holds: nothing is approximated. An order that is known to do harm stays
here, and the operator reads why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from csms.ocpp.frames import JsonObject
from csms.ocpp.quirks.applied import DEFAULT, Applied
from csms.ocpp.quirks.observed import Observed

# Where connector 0 is said by naming none.
_NAMELESS_ZERO = frozenset({"RemoteStartTransaction", "TriggerMessage"})


@dataclass(frozen=True, slots=True)
class Objection:
    """Why an order is not sent."""

    quirk: str
    """The id of the row, or OPERATOR."""
    reason: str


def objection(applied: Applied, action: str, payload: JsonObject) -> Objection | None:
    """What speaks against an order to this station; None: nothing."""
    if applied.settings is DEFAULT and not applied.withheld:
        return None
    named = {name.casefold() for name in names(action, payload)}
    if any(call.casefold() in named for call in applied.withheld):
        reason = "it is withheld, because the station restarted twice after it"
        return Objection(Observed.RESTARTS_AFTER_CALL.value, reason)
    if any(call.casefold() in named for call in applied.settings.deny):
        return Objection(applied.origin("deny"), applied.why("deny"))
    for setting, is_wrong in _RULES.items():
        if is_wrong(applied, action, payload):
            return Objection(applied.origin(setting), applied.why(setting))
    return None


def subject(action: str, payload: JsonObject) -> str:
    """The CALL in a word or two: its action, and the keys it names."""
    keys = sorted(_keys(action, payload))
    return f"{action} {','.join(keys)}" if keys else action


def names(action: str, payload: JsonObject) -> Iterator[str]:
    """Everything the CALL is known by: the action, with each of its keys, with all of them."""
    yield action
    yield subject(action, payload)
    yield from (f"{action} {key}" for key in _keys(action, payload))


def for_other_connector(applied: Applied, action: str, payload: JsonObject) -> JsonObject | None:
    """The same order for connector 1 instead of 0 or 0 instead of 1; None: that is no remedy."""
    if action not in applied.settings.connector_fallback:
        return None
    connector = payload.get("connectorId", 0)
    if connector not in {0, 1}:
        return None
    other = {**payload, "connectorId": 1 - connector}
    if connector == 1 and action in _NAMELESS_ZERO:
        del other["connectorId"]
    return other


def _keys(action: str, payload: JsonObject) -> list[str]:
    found = _KEYS.get(action)
    return [] if found is None else [key for key in found(payload) if isinstance(key, str)]


_KEYS: dict[str, Callable[[JsonObject], Iterable[Any]]] = {
    "GetConfiguration": lambda payload: payload.get("key", []),
    "ChangeConfiguration": lambda payload: [payload.get("key")],
    "GetVariables": lambda payload: _variables(payload.get("getVariableData", [])),
    "SetVariables": lambda payload: _variables(payload.get("setVariableData", [])),
    "TriggerMessage": lambda payload: [payload.get("requestedMessage")],
    "ExtendedTriggerMessage": lambda payload: [payload.get("requestedMessage")],
}


def _variables(data: Iterable[Any]) -> Iterator[Any]:
    return (one.get("variable", {}).get("name") for one in data)


# ---- charging profiles -----------------------------------------------------------------------


def _profile(payload: JsonObject) -> JsonObject:
    profile = payload.get("csChargingProfiles") or payload.get("chargingProfile")
    return profile if isinstance(profile, dict) else {}


def _schedules(payload: JsonObject) -> list[JsonObject]:
    schedules = _profile(payload).get("chargingSchedule", [])
    return [schedules] if isinstance(schedules, dict) else schedules


def _limits(payload: JsonObject, unit: str | None = None) -> Iterator[float]:
    for schedule in _schedules(payload):
        if unit in {None, schedule.get("chargingRateUnit")}:
            yield from (period["limit"] for period in schedule.get("chargingSchedulePeriod", []))


def _stack_level_too_high(applied: Applied, action: str, payload: JsonObject) -> bool:
    highest = applied.settings.max_stack_level
    return highest is not None and _profile(payload).get("stackLevel", 0) > highest


def _kind_does_not_work(applied: Applied, action: str, payload: JsonObject) -> bool:
    kinds, profile = applied.settings.profile_kinds, _profile(payload)
    return bool(kinds and profile) and profile.get("chargingProfileKind") not in kinds


def _unit_does_not_work(applied: Applied, action: str, payload: JsonObject) -> bool:
    units = applied.settings.rate_units
    return bool(units) and any(
        schedule.get("chargingRateUnit") not in units for schedule in _schedules(payload)
    )


def _limit_does_not_work(applied: Applied, action: str, payload: JsonObject) -> bool:
    allowed = applied.settings.limits_a
    return bool(allowed) and any(limit not in {0, *allowed} for limit in _limits(payload, unit="A"))


def _zero_does_harm(applied: Applied, action: str, payload: JsonObject) -> bool:
    return not applied.settings.zero_limit and 0 in _limits(payload)


def _starts_with_profile(applied: Applied, action: str, payload: JsonObject) -> bool:
    starts = action in {"RemoteStartTransaction", "RequestStartTransaction"}
    return starts and not applied.settings.profile_in_start and bool(_profile(payload))


def _firmware_out_of_reach(applied: Applied, action: str, payload: JsonObject) -> bool:
    if action not in _FETCHING:
        return False
    location = payload.get("location") or payload.get("firmware", {}).get("location")
    return _is_other(applied.settings.firmware_protocols, location)


def _log_out_of_reach(applied: Applied, action: str, payload: JsonObject) -> bool:
    if action not in {"GetDiagnostics", "GetLog"}:
        return False
    location = payload.get("location") or payload.get("log", {}).get("remoteLocation")
    return _is_other(applied.settings.log_protocols, location)


_FETCHING = frozenset({"PublishFirmware", "SignedUpdateFirmware", "UpdateFirmware"})


def _is_other(protocols: list[str], location: Any) -> bool:
    """Whether the URL names a protocol, and none of these."""
    scheme, separator, _ = str(location).partition("://")
    return bool(protocols and separator) and scheme.casefold() not in map(str.casefold, protocols)


def _meters_too_often(applied: Applied, action: str, payload: JsonObject) -> bool:
    shortest = applied.settings.min_meter_interval_s
    return shortest is not None and any(
        value.isdigit() and 0 < int(value) < shortest for value in _intervals(action, payload)
    )


def _intervals(action: str, payload: JsonObject) -> Iterator[str]:
    """The intervals of meter values that an order sets."""
    if action == "ChangeConfiguration" and payload.get("key") == "MeterValueSampleInterval":
        yield str(payload.get("value"))
    elif action == "SetVariables":
        for data in payload.get("setVariableData", []):
            if data.get("variable", {}).get("name") == "TxUpdatedInterval":
                yield str(data.get("attributeValue"))


_RULES: dict[str, Callable[[Applied, str, JsonObject], bool]] = {
    "max_stack_level": _stack_level_too_high,
    "profile_kinds": _kind_does_not_work,
    "rate_units": _unit_does_not_work,
    "limits_a": _limit_does_not_work,
    "zero_limit": _zero_does_harm,
    "profile_in_start": _starts_with_profile,
    "firmware_protocols": _firmware_out_of_reach,
    "log_protocols": _log_out_of_reach,
    "min_meter_interval_s": _meters_too_often,
}
