"""Security events, and which of them somebody has to hear of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

# OCPP 2.0.1 and 2.1 part 2, appendix 1, column "Critical"; the two names of 1.6 that were changed.
CRITICAL = frozenset(
    {
        "DiscardedRenewedClientCertificate",
        "FirmwareUpdated",
        "InvalidCentralSystemCertificate",
        "InvalidChargePointCertificate",
        "InvalidChargingStationCertificate",
        "InvalidCsmsCertificate",
        "InvalidFirmwareSignature",
        "InvalidFirmwareSigningCertificate",
        "InvalidTLSCipherSuite",
        "InvalidTLSVersion",
        "MaintenanceLoginAccepted",
        "MaintenanceLoginFailed",
        "MemoryExhaustion",
        "ResetOrReboot",
        "SecurityLogWasCleared",
        "SettingSystemTime",
        "StartupOfTheDevice",
        "TamperDetectionActivated",
    }
)


@dataclass(frozen=True, slots=True)
class SecurityEvent:
    """One event as a station reported it."""

    type: str
    tech_info: str | None
    reported_at: datetime | None
    raw: str

    @property
    def critical(self) -> bool:
        """Whether the specification calls it critical."""
        return self.type in CRITICAL
