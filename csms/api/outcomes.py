"""Why an order to one station has no answer, as the error that says so in every dialect."""

from __future__ import annotations

from csms.domain.jobs import ItemState, JobItem
from csms.errors import (
    CallRefused,
    CallTimeout,
    Conflict,
    CsmsError,
    NotFound,
    NotSupportedByVersion,
    StationOffline,
)
from csms.jobs.kinds.command import NOT_READY

NEVER_SENT = frozenset({ItemState.OFFLINE, ItemState.EXPIRED, ItemState.CANCELLED})
# Of an error. What was never sent has a state of its own: these came after an attempt.
_UNANSWERED = frozenset(
    {
        "cancelled",
        "connection_lost",
        "crash_loop",
        "expired",
        "interrupted",
        NOT_READY,
        "offline",
        "partly_done",
        "timeout",
    }
)


def may_have_run(item: JobItem) -> bool:
    """Whether it is over without an answer, and the station may have run it all the same."""
    return item.state is ItemState.ERROR and item.code in _UNANSWERED


def why_not_sent(item: JobItem) -> CsmsError:
    """Of an item that was never sent: no socket, or one and no turn within the time."""
    if item.state is not ItemState.OFFLINE:
        told = "The station was busy or not ready in time, or it was cancelled"
    elif item.code == NOT_READY:
        told = f"Not ready in time: {item.message}"
    else:
        return StationOffline("The station is offline")
    return Conflict(told, code="station_busy")


def why_unanswered(item: JobItem) -> CsmsError:
    """Of an item that is over, or not within the time, and was neither accepted nor rejected."""
    if item.state in NEVER_SENT:
        why = why_not_sent(item)
        # A station that is there did not answer, whatever kept it from that.
        kind = StationOffline if isinstance(why, StationOffline) else CallTimeout
        return kind(f"{why.message}.", code=why.code)
    if item.state is ItemState.SKIPPED_FORBIDDEN:
        return NotFound("Station not found")
    if item.state is not ItemState.ERROR or may_have_run(item):
        return CallTimeout("The station did not answer in time; it may have run the command.")
    if item.code == "call_error":
        told = item.response or {}
        return CallRefused(str(told.get("error_code")), str(told.get("error_description") or ""))
    if item.code == "internal":
        return CsmsError("Internal error; the station may have run the command.")
    return NotSupportedByVersion(item.message or "The station cannot do this.")
