"""The configuration keys of a virtual 1.6 station: what may be read, written, and to what."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType

from csms.ocpp.frames import JsonObject

MEASURANDS = (
    "Energy.Active.Import.Register",
    "Power.Active.Import",
    "Current.Import",
    "Voltage",
    "SoC",
)


class Access(str, Enum):
    """What may be done with a key."""

    READ_ONLY = "read_only"
    READ_WRITE = "read_write"
    WRITE_ONLY = "write_only"
    """Never shown: passwords."""
    AFTER_REBOOT = "after_reboot"
    """Written now, used from the next start on."""


@dataclass(frozen=True, slots=True)
class Key:
    """One configuration key as it leaves the factory."""

    default: str
    allows: Callable[[str], bool]
    access: Access = Access.READ_WRITE


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 9


def _is_boolean(text: str) -> bool:
    return text.lower() in {"true", "false"}


def _is_measurand_list(text: str) -> bool:
    return not text or all(part.strip() in MEASURANDS for part in text.split(","))


def _is_password(text: str) -> bool:
    return 16 <= len(text) <= 40 and text.isprintable()


def _anything(text: str) -> bool:
    return True


_READ_ONLY, _REBOOT = Access.READ_ONLY, Access.AFTER_REBOOT
KEYS: Mapping[str, Key] = MappingProxyType(
    {
        "AuthorizationKey": Key("", _is_password, Access.WRITE_ONLY),
        "AuthorizeRemoteTxRequests": Key("true", _is_boolean),
        "ClockAlignedDataInterval": Key("0", _is_number, _READ_ONLY),
        "ConnectionTimeOut": Key("60", _is_number),
        "ConnectorPhaseRotation": Key("NotApplicable", _anything, _REBOOT),
        "GetConfigurationMaxKeys": Key("50", _is_number, _READ_ONLY),
        "HeartbeatInterval": Key("300", _is_number),
        "LocalAuthorizeOffline": Key("false", _is_boolean),
        "LocalPreAuthorize": Key("false", _is_boolean),
        "MeterValuesAlignedData": Key("", _is_measurand_list, _READ_ONLY),
        "MeterValuesSampledData": Key(",".join(MEASURANDS), _is_measurand_list),
        "MeterValueSampleInterval": Key("60", _is_number),
        "NumberOfConnectors": Key("1", _is_number, _READ_ONLY),
        "ResetRetries": Key("1", _is_number),
        "StopTransactionOnEVSideDisconnect": Key("true", _is_boolean),
        "StopTransactionOnInvalidId": Key("true", _is_boolean),
        "StopTxnAlignedData": Key("", _is_measurand_list, _READ_ONLY),
        "StopTxnSampledData": Key("", _is_measurand_list, _READ_ONLY),
        "SupportedFeatureProfiles": Key("Core,RemoteTrigger", _anything, _READ_ONLY),
        "TransactionMessageAttempts": Key("3", _is_number),
        "TransactionMessageRetryInterval": Key("10", _is_number),
        "UnlockConnectorOnEVSideDisconnect": Key("true", _is_boolean),
        "WebSocketPingInterval": Key("0", _is_number, _REBOOT),
    }
)
# Keys are CiString50Type: case does not matter.
_SPELLING = {name.lower(): name for name in KEYS}


class Configuration:
    """The keys of one station; only what differs from the factory takes memory."""

    __slots__ = ("_changed",)

    def __init__(self, changed: Mapping[str, str]) -> None:
        self._changed = {_SPELLING.get(key.lower(), key): value for key, value in changed.items()}

    def text(self, name: str) -> str:
        """The value of a key that exists."""
        return self._changed.get(name, KEYS[name].default)

    def number(self, name: str) -> int:
        """The value of a numeric key."""
        return int(self.text(name))

    def is_on(self, name: str) -> bool:
        """The value of a boolean key."""
        return self.text(name).lower() == "true"

    def put(self, name: str, value: str) -> None:
        """Set from inside, whatever the access."""
        self._changed[name] = value

    def change(self, key: str, value: str) -> str:
        """The answer to a ChangeConfiguration, obeyed when it accepts."""
        name = _SPELLING.get(key.lower())
        if name is None:
            return "NotSupported"
        known = KEYS[name]
        if known.access is Access.READ_ONLY or not known.allows(value):
            return "Rejected"
        self._changed[name] = value
        return "RebootRequired" if known.access is Access.AFTER_REBOOT else "Accepted"

    def report(self, keys: Iterable[str]) -> JsonObject:
        """The answer to a GetConfiguration; no keys means all of them."""
        wanted = list(keys)
        names = [_SPELLING.get(key.lower()) for key in wanted] if wanted else list(KEYS)
        shown = [self._shown(name) for name in dict.fromkeys(names) if name is not None]
        unknown = [key for key, name in zip(wanted, names, strict=False) if name is None]
        answer: JsonObject = {"configurationKey": shown}
        if unknown:
            answer["unknownKey"] = unknown
        return answer

    def _shown(self, name: str) -> JsonObject:
        access = KEYS[name].access
        shown: JsonObject = {"key": name, "readonly": access is Access.READ_ONLY}
        if access is not Access.WRITE_ONLY:
            shown["value"] = self.text(name)
        return shown
