"""Which end sends each action: OCPP 1.6 chapters 4, 5 and the security whitepaper; 2.x part 2."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from csms.domain.versions import OcppVersion

_BOTH = frozenset({"DataTransfer"})

_FROM_STATION_V16 = frozenset(
    {
        "Authorize",
        "BootNotification",
        "DiagnosticsStatusNotification",
        "FirmwareStatusNotification",
        "Heartbeat",
        "LogStatusNotification",
        "MeterValues",
        "SecurityEventNotification",
        "SignCertificate",
        "SignedFirmwareStatusNotification",
        "StartTransaction",
        "StatusNotification",
        "StopTransaction",
    }
)
_FROM_STATION_V201 = frozenset(
    {
        "Authorize",
        "BootNotification",
        "ClearedChargingLimit",
        "FirmwareStatusNotification",
        "Get15118EVCertificate",
        "GetCertificateStatus",
        "Heartbeat",
        "LogStatusNotification",
        "MeterValues",
        "NotifyChargingLimit",
        "NotifyCustomerInformation",
        "NotifyDisplayMessages",
        "NotifyEVChargingNeeds",
        "NotifyEVChargingSchedule",
        "NotifyEvent",
        "NotifyMonitoringReport",
        "NotifyReport",
        "PublishFirmwareStatusNotification",
        "ReportChargingProfiles",
        "ReservationStatusUpdate",
        "SecurityEventNotification",
        "SignCertificate",
        "StatusNotification",
        "TransactionEvent",
    }
)
_FROM_STATION_V21 = _FROM_STATION_V201 | {
    "BatterySwap",
    "ClosePeriodicEventStream",
    "GetCertificateChainStatus",
    "NotifyDERAlarm",
    "NotifyDERStartStop",
    "NotifyPeriodicEventStream",  # a SEND
    "NotifyPriorityCharging",
    "NotifySettlement",
    "OpenPeriodicEventStream",
    "PullDynamicScheduleUpdate",
    "ReportDERControl",
    "VatNumberValidation",
}

FROM_STATION: Mapping[OcppVersion, frozenset[str]] = MappingProxyType(
    {
        OcppVersion.V16: _FROM_STATION_V16 | _BOTH,
        OcppVersion.V201: _FROM_STATION_V201 | _BOTH,
        OcppVersion.V21: _FROM_STATION_V21 | _BOTH,
    }
)
"""What a station sends; all else of the version goes to it, and DataTransfer both ways."""


def goes_to_station(version: OcppVersion, action: str) -> bool:
    """Whether the CSMS may send the action."""
    return action in _BOTH or action not in FROM_STATION[version]
