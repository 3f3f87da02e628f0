"""Uptime: how much of a time a station was connected, and how much of it nobody can tell."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

NOTHING = timedelta(0)


@dataclass(frozen=True, slots=True)
class Stretch:
    """One connection: from when to when, and until when nobody looked after its end."""

    connected_at: datetime
    disconnected_at: datetime | None
    """None: it goes on."""
    unobserved_until: datetime | None


@dataclass(frozen=True, slots=True)
class Uptime:
    """The parts of a time; together they are all of it."""

    connected: timedelta
    disconnected: timedelta
    unobserved: timedelta
    """The server did not run, or it is before the first connection that we know of."""
    outages: int
    """How often the connection went away while the server ran."""

    @property
    def percent(self) -> float | None:
        """Of the time that was observed; None when none was."""
        observed = self.connected + self.disconnected
        return None if observed == NOTHING else 100 * (self.connected / observed)


def uptime(
    stretches: Iterable[Stretch], since: datetime, until: datetime, *, known_since: datetime
) -> Uptime:
    """What the connections, in order, say of the time between two instants."""
    end = max(since, until)
    connected, unobserved, outages = NOTHING, NOTHING, 0
    at = min(max(since, known_since), end)
    unobserved += at - since
    for one in stretches:
        begin = _within(one.connected_at, at, end)
        gone = end if one.disconnected_at is None else _within(one.disconnected_at, begin, end)
        connected += gone - begin
        at = gone
        if one.unobserved_until is None:
            outages += one.disconnected_at is not None and since <= one.disconnected_at < end
        else:
            back = _within(one.unobserved_until, gone, end)
            unobserved += back - gone
            at = back
    disconnected = (end - since) - connected - unobserved
    return Uptime(connected, disconnected, unobserved, outages)


def _within(at: datetime, since: datetime, until: datetime) -> datetime:
    return min(max(at, since), until)
