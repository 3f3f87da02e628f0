"""Component and variable of OCPP 2.x ⇄ the flat configuration keys of 1.6."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from csms.errors import NotSupportedByVersion

V16_COMPONENT = "v16"
"""Reserved: holds the 1.6 keys that have no counterpart in OCPP 2.x."""

# Only what means the same, in the same unit and with the same values: StopTransactionOnInvalidId,
# which stops, is not StopTxOnInvalidId, which deauthorizes.
SAME: Mapping[tuple[str, str], str] = MappingProxyType(
    {
        ("AlignedDataCtrlr", "Interval"): "ClockAlignedDataInterval",
        ("AuthCacheCtrlr", "Enabled"): "AuthorizationCacheEnabled",
        ("AuthCtrlr", "AuthorizeRemoteStart"): "AuthorizeRemoteTxRequests",
        ("AuthCtrlr", "LocalAuthorizeOffline"): "LocalAuthorizeOffline",
        ("AuthCtrlr", "LocalPreAuthorize"): "LocalPreAuthorize",
        ("AuthCtrlr", "OfflineTxForUnknownIdEnabled"): "AllowOfflineTxForUnknownId",
        ("LocalAuthListCtrlr", "Enabled"): "LocalAuthListEnabled",
        ("LocalAuthListCtrlr", "ItemsPerMessage"): "SendLocalListMaxLength",
        ("OCPPCommCtrlr", "HeartbeatInterval"): "HeartbeatInterval",
        ("OCPPCommCtrlr", "ResetRetries"): "ResetRetries",
        ("OCPPCommCtrlr", "UnlockOnEVSideDisconnect"): "UnlockConnectorOnEVSideDisconnect",
        ("OCPPCommCtrlr", "WebSocketPingInterval"): "WebSocketPingInterval",
        ("SampledDataCtrlr", "TxUpdatedInterval"): "MeterValueSampleInterval",
        ("SecurityCtrlr", "BasicAuthPassword"): "AuthorizationKey",
        ("TxCtrlr", "EVConnectionTimeOut"): "ConnectionTimeOut",
        ("TxCtrlr", "MaxEnergyOnInvalidId"): "MaxEnergyOnInvalidId",
    }
)
"""(component, variable) → key."""
# Every version compares these names without case.
_KEY_OF = {(c.casefold(), v.casefold()): key for (c, v), key in SAME.items()}
_VARIABLE_OF = {key.casefold(): pair for pair, key in SAME.items()}


def key_v16(component: str, variable: str) -> str:
    """The 1.6 key of a variable; raises NotSupportedByVersion when there is none."""
    if component.casefold() == V16_COMPONENT:
        return variable
    key = _KEY_OF.get((component.casefold(), variable.casefold()))
    if key is None:
        raise NotSupportedByVersion(
            f"{component}.{variable} has no configuration key in OCPP 1.6;"
            f" name the key itself with component {V16_COMPONENT!r}"
        )
    return key


def keys_v16(component: str | None, variable: str | None) -> list[str]:
    """The 1.6 keys of these variables; None narrows nothing."""
    asked = [name and name.casefold() for name in (component, variable)]
    return [
        key
        for names, key in _KEY_OF.items()
        if all(one in {None, name} for one, name in zip(asked, names, strict=True))
    ]


def variable_v2x(component: str, variable: str) -> tuple[str, str]:
    """Component and variable for a 2.x station, also of a 1.6 key; raises as `key_v16`."""
    if component.casefold() != V16_COMPONENT:
        return component, variable
    pair = _VARIABLE_OF.get(variable.casefold())
    if pair is None:
        raise NotSupportedByVersion(
            f"the configuration key {variable} has no counterpart in OCPP 2.x;"
            " name a component and its variable"
        )
    return pair
