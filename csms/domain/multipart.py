"""Reports that come in parts: which parts make one, and what is known of one that never ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

# Longer than any station was seen to pause between two parts; a later part is still taken.
QUIET = timedelta(minutes=5)
# More than any station has to say; a higher number is nonsense.
MAX_PARTS = 10_000


class ReportKind(str, Enum):
    """What a report is about; each has its own request ids."""

    VARIABLES = "variables"
    """NotifyReport."""
    MONITORS = "monitors"
    """NotifyMonitoringReport."""
    CUSTOMER_INFORMATION = "customer_information"
    """NotifyCustomerInformation."""
    CHARGING_PROFILES = "charging_profiles"
    """ReportChargingProfiles."""
    DISPLAY_MESSAGES = "display_messages"
    """NotifyDisplayMessages."""
    DER_CONTROLS = "der_controls"
    """ReportDERControl."""


class ReportState(str, Enum):
    """How much of a report there is."""

    RECEIVING = "receiving"
    COMPLETE = "complete"
    PARTIAL = "partial"
    """Parts are missing and none has come for a while."""


@dataclass(frozen=True, slots=True)
class Part:
    """One message of a report."""

    kind: ReportKind
    request_id: int
    seq_no: int | None
    """None: the action does not number its parts, or the number is no good."""
    more: bool
    """To be continued."""
    generated_at: datetime | None
    raw: str


@dataclass(frozen=True, slots=True)
class Report:
    """What came, or is to come, for one request."""

    id: int
    station_id: int
    kind: ReportKind
    request_id: int
    requested_at: datetime | None
    """When the station accepted our request; None when it reports unasked."""
    request: str | None
    """The payload of that request, JSON."""
    complete: bool
    last_activity_at: datetime


def is_place(seq_no: int | None) -> bool:
    """Whether a part's number can be believed."""
    return seq_no is not None and 0 <= seq_no < MAX_PARTS


def state_of(report: Report, now: datetime) -> ReportState:
    """Judged when it is looked at, so a part that comes late still completes the report."""
    if report.complete:
        return ReportState.COMPLETE
    if now - report.last_activity_at > QUIET:
        return ReportState.PARTIAL
    return ReportState.RECEIVING
