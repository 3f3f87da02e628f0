"""The settings of a virtual station: what each version calls them, what may be read and written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from types import MappingProxyType
from typing import NamedTuple

MEASURANDS = (
    "Energy.Active.Import.Register",
    "Power.Active.Import",
    "Current.Import",
    "Voltage",
    "SoC",
)
_REGISTER = MEASURANDS[0]


class Access(str, Enum):
    """What may be done with a setting."""

    READ_ONLY = "read_only"
    READ_WRITE = "read_write"
    WRITE_ONLY = "write_only"
    """Never shown: passwords."""
    AFTER_REBOOT = "after_reboot"
    """Written now, used from the next start on."""


class Kind(Enum):
    """What the text of a setting means."""

    NUMBER = auto()
    BOOLEAN = auto()
    MEASURANDS = auto()
    PASSWORD = auto()
    TEXT = auto()


class Change(str, Enum):
    """What became of a wish to write."""

    ACCEPTED = "Accepted"
    REJECTED = "Rejected"
    REBOOT_REQUIRED = "RebootRequired"


class Variable(NamedTuple):
    """Where OCPP 2.x keeps a setting."""

    component: str
    name: str
    instance: str | None = None


# Compared by identity: there is one of each, and they are looked up for every message.
@dataclass(frozen=True, slots=True, eq=False)
class Knob:
    """One setting as it leaves the factory."""

    kind: Kind
    default: str
    key: str | None = None
    """Its configuration key in OCPP 1.6; None: 1.6 has none."""
    variable: Variable | None = None
    """None: 2.x has none."""
    access: Access = Access.READ_WRITE

    @property
    def name(self) -> str:
        """What a person calls it."""
        if self.key is not None:
            return self.key
        assert self.variable is not None
        return ".".join(self.variable[:2])


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 9


def _is_boolean(text: str) -> bool:
    return text.lower() in {"true", "false"}


def _is_measurand_list(text: str) -> bool:
    return not text or all(part.strip() in MEASURANDS for part in text.split(","))


def _is_password(text: str) -> bool:
    return 16 <= len(text) <= 40 and text.isprintable()


_ALLOWS: Mapping[Kind, Callable[[str], bool]] = MappingProxyType(
    {
        Kind.NUMBER: _is_number,
        Kind.BOOLEAN: _is_boolean,
        Kind.MEASURANDS: _is_measurand_list,
        Kind.PASSWORD: _is_password,
        Kind.TEXT: lambda text: len(text) <= 500,
    }
)

_NUMBER, _BOOLEAN, _TEXT = Kind.NUMBER, Kind.BOOLEAN, Kind.TEXT
_READ_ONLY, _REBOOT = Access.READ_ONLY, Access.AFTER_REBOOT
_COMM, _TX, _AUTH = "OCPPCommCtrlr", "TxCtrlr", "AuthCtrlr"
_SAMPLED, _ALIGNED = "SampledDataCtrlr", "AlignedDataCtrlr"
_LIST, _SMART, _DATA = "LocalAuthListCtrlr", "SmartChargingCtrlr", "DeviceDataCtrlr"

# ---- those that change what a station does -------------------------------------------------------

PASSWORD = Knob(
    Kind.PASSWORD,
    "",
    "AuthorizationKey",
    Variable("SecurityCtrlr", "BasicAuthPassword"),
    Access.WRITE_ONLY,
)
AUTHORIZE_REMOTE_START = Knob(
    _BOOLEAN, "true", "AuthorizeRemoteTxRequests", Variable(_AUTH, "AuthorizeRemoteStart")
)
HEARTBEAT_INTERVAL = Knob(_NUMBER, "300", "HeartbeatInterval", Variable(_COMM, "HeartbeatInterval"))
LOCAL_AUTHORIZE_OFFLINE = Knob(
    _BOOLEAN, "false", "LocalAuthorizeOffline", Variable(_AUTH, "LocalAuthorizeOffline")
)
LOCAL_PRE_AUTHORIZE = Knob(
    _BOOLEAN, "false", "LocalPreAuthorize", Variable(_AUTH, "LocalPreAuthorize")
)
LOCAL_LIST_ENABLED = Knob(_BOOLEAN, "true", "LocalAuthListEnabled", Variable(_LIST, "Enabled"))
LOCAL_LIST_MAX_LENGTH = Knob(_NUMBER, "1000", "LocalAuthListMaxLength", access=_READ_ONLY)
SEND_LOCAL_LIST_MAX_LENGTH = Knob(
    _NUMBER,
    "100",
    "SendLocalListMaxLength",
    Variable(_LIST, "ItemsPerMessage"),
    _READ_ONLY,
)
MESSAGE_ATTEMPTS = Knob(
    _NUMBER,
    "3",
    "TransactionMessageAttempts",
    Variable(_COMM, "MessageAttempts", "TransactionEvent"),
)
MESSAGE_ATTEMPT_INTERVAL = Knob(
    _NUMBER,
    "10",
    "TransactionMessageRetryInterval",
    Variable(_COMM, "MessageAttemptInterval", "TransactionEvent"),
)
PROFILE_MAX_STACK_LEVEL = Knob(
    _NUMBER, "10", "ChargeProfileMaxStackLevel", Variable(_SMART, "ProfileStackLevel"), _READ_ONLY
)
PROFILE_MAX_PERIODS = Knob(
    _NUMBER,
    "100",
    "ChargingScheduleMaxPeriods",
    Variable(_SMART, "PeriodsPerSchedule"),
    _READ_ONLY,
)
MAX_PROFILES = Knob(
    _NUMBER,
    "20",
    "MaxChargingProfilesInstalled",
    Variable(_SMART, "Entries", "ChargingProfiles"),
    _READ_ONLY,
)
SAMPLED_MEASURANDS = Knob(
    Kind.MEASURANDS,
    ",".join(MEASURANDS),
    "MeterValuesSampledData",
    Variable(_SAMPLED, "TxUpdatedMeasurands"),
)
SAMPLE_INTERVAL = Knob(
    _NUMBER, "60", "MeterValueSampleInterval", Variable(_SAMPLED, "TxUpdatedInterval")
)
STARTED_MEASURANDS = Knob(
    Kind.MEASURANDS, _REGISTER, variable=Variable(_SAMPLED, "TxStartedMeasurands")
)
ENDED_MEASURANDS = Knob(
    Kind.MEASURANDS, _REGISTER, variable=Variable(_SAMPLED, "TxEndedMeasurands")
)
STOP_ON_INVALID_TOKEN = Knob(
    _BOOLEAN, "true", "StopTransactionOnInvalidId", Variable(_TX, "StopTxOnInvalidId")
)
OFFLINE_THRESHOLD = Knob(_NUMBER, "60", variable=Variable(_COMM, "OfflineThreshold"))
CONNECTORS = Knob(_NUMBER, "1", "NumberOfConnectors", access=_READ_ONLY)
REPORT_ITEMS = Knob(
    _NUMBER, "20", variable=Variable(_DATA, "ItemsPerMessage", "GetReport"), access=_READ_ONLY
)

KNOBS: tuple[Knob, ...] = (
    PASSWORD,
    AUTHORIZE_REMOTE_START,
    PROFILE_MAX_STACK_LEVEL,
    Knob(
        _TEXT,
        "Current,Power",
        "ChargingScheduleAllowedChargingRateUnit",
        access=_READ_ONLY,
    ),
    PROFILE_MAX_PERIODS,
    Knob(_NUMBER, "0", "ClockAlignedDataInterval", Variable(_ALIGNED, "Interval"), _READ_ONLY),
    Knob(_NUMBER, "60", "ConnectionTimeOut", Variable(_TX, "EVConnectionTimeOut")),
    Knob(_TEXT, "NotApplicable", "ConnectorPhaseRotation", access=_REBOOT),
    Knob(_NUMBER, "50", "GetConfigurationMaxKeys", access=_READ_ONLY),
    HEARTBEAT_INTERVAL,
    LOCAL_LIST_ENABLED,
    LOCAL_LIST_MAX_LENGTH,
    LOCAL_AUTHORIZE_OFFLINE,
    LOCAL_PRE_AUTHORIZE,
    MAX_PROFILES,
    Knob(
        Kind.MEASURANDS, "", "MeterValuesAlignedData", Variable(_ALIGNED, "Measurands"), _READ_ONLY
    ),
    SAMPLED_MEASURANDS,
    SAMPLE_INTERVAL,
    CONNECTORS,
    Knob(_BOOLEAN, "false", "ReserveConnectorZeroSupported", access=_READ_ONLY),
    Knob(_NUMBER, "1", "ResetRetries", Variable(_COMM, "ResetRetries")),
    SEND_LOCAL_LIST_MAX_LENGTH,
    Knob(
        _BOOLEAN,
        "true",
        "StopTransactionOnEVSideDisconnect",
        Variable(_TX, "StopTxOnEVSideDisconnect"),
    ),
    STOP_ON_INVALID_TOKEN,
    Knob(
        Kind.MEASURANDS,
        "",
        "StopTxnAlignedData",
        Variable(_ALIGNED, "TxEndedMeasurands"),
        _READ_ONLY,
    ),
    Knob(Kind.MEASURANDS, "", "StopTxnSampledData", access=_READ_ONLY),
    Knob(
        _TEXT,
        "Core,FirmwareManagement,LocalAuthListManagement,Reservation,SmartCharging,RemoteTrigger",
        "SupportedFeatureProfiles",
        access=_READ_ONLY,
    ),
    MESSAGE_ATTEMPTS,
    MESSAGE_ATTEMPT_INTERVAL,
    Knob(
        _BOOLEAN,
        "true",
        "UnlockConnectorOnEVSideDisconnect",
        Variable(_COMM, "UnlockOnEVSideDisconnect"),
    ),
    Knob(_NUMBER, "0", "WebSocketPingInterval", Variable(_COMM, "WebSocketPingInterval"), _REBOOT),
    STARTED_MEASURANDS,
    ENDED_MEASURANDS,
    REPORT_ITEMS,
    Knob(_NUMBER, "0", variable=Variable(_ALIGNED, "TxEndedInterval"), access=_READ_ONLY),
    Knob(_TEXT, "CS", variable=Variable("ClockCtrlr", "TimeSource"), access=_READ_ONLY),
    Knob(
        _NUMBER,
        "20",
        variable=Variable(_DATA, "ItemsPerMessage", "GetVariables"),
        access=_READ_ONLY,
    ),
    Knob(
        _NUMBER,
        "20",
        variable=Variable(_DATA, "ItemsPerMessage", "SetVariables"),
        access=_READ_ONLY,
    ),
    Knob(
        _NUMBER,
        "65536",
        variable=Variable(_DATA, "BytesPerMessage", "GetReport"),
        access=_READ_ONLY,
    ),
    Knob(
        _NUMBER,
        "65536",
        variable=Variable(_DATA, "BytesPerMessage", "GetVariables"),
        access=_READ_ONLY,
    ),
    Knob(
        _NUMBER,
        "65536",
        variable=Variable(_DATA, "BytesPerMessage", "SetVariables"),
        access=_READ_ONLY,
    ),
    Knob(_NUMBER, "65536", variable=Variable(_LIST, "BytesPerMessage"), access=_READ_ONLY),
    Knob(
        _TEXT,
        "FTP,HTTP,HTTPS",
        variable=Variable(_COMM, "FileTransferProtocols"),
        access=_READ_ONLY,
    ),
    Knob(_NUMBER, "30", variable=Variable(_COMM, "MessageTimeout", "Default"), access=_READ_ONLY),
    Knob(_TEXT, "0", variable=Variable(_COMM, "NetworkConfigurationPriority"), access=_READ_ONLY),
    Knob(
        _NUMBER,
        "3",
        variable=Variable(_COMM, "NetworkProfileConnectionAttempts"),
        access=_READ_ONLY,
    ),
    OFFLINE_THRESHOLD,
    Knob(
        _BOOLEAN,
        "false",
        variable=Variable("ReservationCtrlr", "NonEvseSpecific"),
        access=_READ_ONLY,
    ),
    Knob(_NUMBER, "0", variable=Variable("SecurityCtrlr", "CertificateEntries"), access=_READ_ONLY),
    Knob(_TEXT, "csms", variable=Variable("SecurityCtrlr", "OrganizationName")),
    Knob(_NUMBER, "1", variable=Variable("SecurityCtrlr", "SecurityProfile"), access=_READ_ONLY),
    Knob(_TEXT, "A,W", variable=Variable(_SMART, "RateUnit"), access=_READ_ONLY),
    Knob(_NUMBER, "0", variable=Variable(_SAMPLED, "TxEndedInterval"), access=_READ_ONLY),
    Knob(_TEXT, "Authorized", variable=Variable(_TX, "TxStartPoint"), access=_READ_ONLY),
    Knob(_TEXT, "Authorized", variable=Variable(_TX, "TxStopPoint"), access=_READ_ONLY),
)
# Neither version minds case in these names.
BY_KEY: Mapping[str, Knob] = MappingProxyType(
    {knob.key.lower(): knob for knob in KNOBS if knob.key is not None}
)
_BY_NAME = {knob.name.lower(): knob for knob in KNOBS}


class Configuration:
    """The settings of one station; only what differs from the factory takes memory."""

    __slots__ = ("_changed",)

    def __init__(self, changed: Mapping[str, str]) -> None:
        self._changed = {_BY_NAME[name.lower()]: value for name, value in changed.items()}

    def text(self, knob: Knob) -> str:
        """The value as it is written."""
        return self._changed.get(knob, knob.default)

    def number(self, knob: Knob) -> int:
        """The value of a number."""
        return int(self.text(knob))

    def is_on(self, knob: Knob) -> bool:
        """The value of a boolean."""
        return self.text(knob).lower() == "true"

    def put(self, knob: Knob, value: str) -> None:
        """Set from inside, whatever the access."""
        self._changed[knob] = value

    def change(self, knob: Knob, value: str) -> Change:
        """Set from outside, if that may be."""
        if knob.access is Access.READ_ONLY or not _ALLOWS[knob.kind](value):
            return Change.REJECTED
        self._changed[knob] = value
        return Change.REBOOT_REQUIRED if knob.access is Access.AFTER_REBOOT else Change.ACCEPTED
