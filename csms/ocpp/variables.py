"""Component and variable of OCPP 2.x ⇄ the flat configuration keys of 1.6."""

from __future__ import annotations

from csms.errors import NotSupportedByVersion

V16_COMPONENT = "v16"
"""Reserved: holds the 1.6 keys that have no counterpart in OCPP 2.x."""

_KEYS: dict[tuple[str, str], str] = {
    ("OCPPCommCtrlr", "HeartbeatInterval"): "HeartbeatInterval",
    ("SampledDataCtrlr", "TxUpdatedInterval"): "MeterValueSampleInterval",
    ("TxCtrlr", "EVConnectionTimeOut"): "ConnectionTimeOut",
    ("SecurityCtrlr", "BasicAuthPassword"): "AuthorizationKey",
}
# OCPP 2.x compares these names without case.
_FOLDED = {(c.casefold(), v.casefold()): key for (c, v), key in _KEYS.items()}


def key_v16(component: str, variable: str) -> str:
    """The 1.6 key of a variable; raises NotSupportedByVersion when there is none."""
    if component.casefold() == V16_COMPONENT:
        return variable
    key = _FOLDED.get((component.casefold(), variable.casefold()))
    if key is None:
        raise NotSupportedByVersion(
            f"{component}.{variable} has no configuration key in OCPP 1.6;"
            f" name the key itself with component {V16_COMPONENT!r}"
        )
    return key
