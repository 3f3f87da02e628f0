"""A station that restarts after a CALL of ours, twice, is not sent that CALL again.

ABB Terra AC restarts for ever once a certain key is read (lbbrhzn/ocpp#1275), others do the same
with other orders, and a retry that follows every boot never ends. Only the last CALL before a
boot is suspected: an innocent one clears itself by staying without consequences once.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

SUSPECT_S = 60.0
"""A boot so soon after a CALL may be its work."""
STRIKES = 2

# A boot is what these ask for, or at least a new connection (OCPP 2.0.1 A02.FR.08).
_EXPECTED = frozenset(
    {
        "CertificateSigned",
        "Reset",
        "SetNetworkProfile",
        "SignedUpdateFirmware",
        "TriggerMessage BootNotification",
        "ExtendedTriggerMessage BootNotification",
        "UpdateFirmware",
    }
)


@dataclass(frozen=True, slots=True)
class Suspicion:
    """A CALL that a boot followed too soon."""

    call: str
    proven: bool
    """It happened often enough to withhold the CALL from now on."""


@dataclass(frozen=True, slots=True)
class _Sent:
    subject: str
    generation: int
    at: float


class Breaker:
    """Remembers each station's last CALL, and what it restarted after; monotonic seconds."""

    def __init__(self) -> None:
        self._last: dict[int, _Sent] = {}
        self._strikes: dict[int, dict[str, int]] = {}
        self._acquitted: list[tuple[int, str]] = []

    def remember(self, station_id: int, calls: Iterable[str]) -> None:
        """What the station restarted after once, perhaps in an earlier life of ours."""
        for call in calls:
            self._strikes.setdefault(station_id, {}).setdefault(call, 1)

    def sent(self, station_id: int, subject: str, generation: int, now: float) -> None:
        """A CALL went out on the connection of that number."""
        self._acquit(station_id, now)
        self._last[station_id] = _Sent(subject, generation, now)

    def excuse(self, station_id: int) -> None:
        """The station said that it has to restart."""
        self._last.pop(station_id, None)

    def booted(self, station_id: int, generation: int, now: float) -> Suspicion | None:
        """A boot came in; returns the CALL that may be to blame, if any."""
        self._acquit(station_id, now)
        last = self._last.get(station_id)
        # One who restarts loses its socket: a boot on the same connection is only a message.
        if last is None or generation <= last.generation:
            return None
        del self._last[station_id]
        if last.subject in _EXPECTED:
            return None
        strikes = self._strikes.setdefault(station_id, {})
        strikes[last.subject] = strikes.get(last.subject, 0) + 1
        proven = strikes[last.subject] >= STRIKES
        if proven:
            del strikes[last.subject]
        return Suspicion(last.subject, proven)

    def forget_old(self, now: float) -> list[tuple[int, str]]:
        """Acquit every CALL that had no consequences; returns those that had been suspected."""
        for station_id in list(self._last):
            self._acquit(station_id, now)
        acquitted, self._acquitted = self._acquitted, []
        return acquitted

    def _acquit(self, station_id: int, now: float) -> None:
        last = self._last.get(station_id)
        if last is None or now - last.at <= SUSPECT_S:
            return
        del self._last[station_id]
        strikes = self._strikes.get(station_id)
        if strikes is None:
            return
        if strikes.pop(last.subject, None) is not None:
            self._acquitted.append((station_id, last.subject))
        if not strikes:
            del self._strikes[station_id]
