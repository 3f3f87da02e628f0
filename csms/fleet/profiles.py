"""Charging profiles of a virtual station: which limit holds when."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from csms.fleet.physics import Supply
from csms.fleet.speech import Transaction
from csms.ocpp.frames import JsonObject

STATION_MAX = "ChargingStationMaxProfile"
TX_DEFAULT = "TxDefaultProfile"
TX = "TxProfile"
_CYCLES = {"Daily": timedelta(days=1), "Weekly": timedelta(days=7)}
# A composite schedule of a year of daily profiles is nobody's business.
MAX_PERIODS = 500


@dataclass(frozen=True, slots=True)
class Period:
    """From `start_s` after the schedule's start until the next one."""

    start_s: float
    limit: float
    phases: int | None = None


@dataclass(frozen=True, slots=True)
class Profile:
    """One charging profile, in the words of OCPP 2.x; of its schedules the first."""

    id: int
    stack_level: int
    purpose: str
    kind: str
    unit: str
    """`W`, or `A` for each phase."""
    periods: tuple[Period, ...]
    duration_s: float | None = None
    start_at: datetime | None = None
    recurrency: str | None = None
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    transaction_id: int | str | None = None
    raw: JsonObject = field(default_factory=dict, repr=False, compare=False)
    """As it was sent, for those who ask for it back."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which profiles are meant; None leaves it open."""

    ids: tuple[int, ...] | None = None
    connector_id: int | None = None
    purpose: str | None = None
    stack_level: int | None = None

    def holds(self, connector_id: int, profile: Profile) -> bool:
        """Whether that profile is one of them."""
        return (
            (self.ids is None or profile.id in self.ids)
            and self.connector_id in {None, connector_id}
            and self.purpose in {None, profile.purpose}
            and self.stack_level in {None, profile.stack_level}
        )


class ProfileStore:
    """What is installed, by profile id; the id is the station's, not the connector's."""

    __slots__ = ("_installed",)

    def __init__(self) -> None:
        self._installed: dict[int, tuple[int, Profile]] | None = None

    def __bool__(self) -> bool:
        return bool(self._installed)

    def install(self, connector_id: int, profile: Profile) -> None:
        """Add the profile; it replaces those that it excludes (1.6 5.16.2, 2.x K01.FR.05)."""
        installed = self._installed or {}
        kept = {
            number: (place, other)
            for number, (place, other) in installed.items()
            if (place, other.purpose, other.stack_level, other.transaction_id)
            != (connector_id, profile.purpose, profile.stack_level, profile.transaction_id)
        }
        kept[profile.id] = (connector_id, profile)
        self._installed = kept

    def __len__(self) -> int:
        return len(self._installed or ())

    def find(self, wanted: Wanted) -> list[tuple[int, Profile]]:
        """Those that are meant, with their connectors; 0 is the whole station."""
        return [
            (place, profile)
            for place, profile in (self._installed or {}).values()
            if wanted.holds(place, profile)
        ]

    def clear(self, wanted: Wanted) -> bool:
        """Forget those that are meant; whether there were any."""
        return self._forget(wanted.holds)

    def forget_transaction(self, tx: Transaction) -> None:
        """Forget what was for this transaction only."""
        self._forget(lambda place, one: one.purpose == TX and place == tx.connector_id)

    def _forget(self, goes: Callable[[int, Profile], bool]) -> bool:
        before = self._installed or {}
        self._installed = {
            number: (place, profile)
            for number, (place, profile) in before.items()
            if not goes(place, profile)
        } or None
        return len(before) > len(self)

    # ---- limits ------------------------------------------------------------------------------

    def limit_w(
        self,
        connector_id: int,
        tx: Transaction | None,
        *,
        supply: Supply,
        sharing: int,
        now: datetime,
    ) -> tuple[float, float | None]:
        """What the connector may draw at `now`, and in how many seconds that changes.

        `sharing` connectors divide what the station as a whole may draw.
        """
        started_at = None if tx is None else tx.started_at
        phases = supply.phases if tx is None or tx.charge is None else tx.charge.phases
        own = [one for place, one in self.find(Wanted()) if place == connector_id]
        everywhere = [one for place, one in self.find(Wanted()) if place == 0]
        ranks = (_of(own, TX), _of(own, TX_DEFAULT), _of(everywhere, TX_DEFAULT))
        found = _first_active(now, started_at, ranks if connector_id else ())
        whole = _first_active(now, started_at, (_of(everywhere, STATION_MAX),))
        limit_w = min(
            _watts(found, supply, phases), _watts(whole, supply, phases) / max(1, sharing)
        )
        edges = [edge for one in own + everywhere for edge in _edges(one, now, started_at)]
        soonest = min((edge for edge in edges if edge > now), default=None)
        return limit_w, None if soonest is None else (soonest - now).total_seconds()

    def composite(
        self,
        connector_id: int,
        tx: Transaction | None,
        *,
        supply: Supply,
        now: datetime,
        duration_s: int,
    ) -> list[tuple[int, float]]:
        """Seconds from `now` and the watts from then on, at least one pair."""
        periods: list[tuple[int, float]] = []
        offset_s = 0.0
        while offset_s < duration_s and len(periods) < MAX_PERIODS:
            at = now + timedelta(seconds=offset_s)
            limit_w, changes_s = self.limit_w(connector_id, tx, supply=supply, sharing=1, now=at)
            limit_w = min(limit_w, supply.max_power_w)
            if not periods or periods[-1][1] != limit_w:
                periods.append((math.ceil(offset_s), limit_w))
            if changes_s is None:
                break
            offset_s += changes_s
        return periods or [(0, supply.max_power_w)]


def _of(profiles: list[Profile], purpose: str) -> list[Profile]:
    """Those of one purpose, the highest stack level first."""
    found = [one for one in profiles if one.purpose == purpose]
    return sorted(found, key=lambda one: -one.stack_level)


def _first_active(
    now: datetime, started_at: datetime | None, ranks: Iterable[list[Profile]]
) -> tuple[Profile, Period] | None:
    for rank in ranks:
        for profile in rank:
            period = _period(profile, now, started_at)
            if period is not None:
                return profile, period
    return None


def _watts(found: tuple[Profile, Period] | None, supply: Supply, phases: int) -> float:
    if found is None:
        return math.inf
    profile, period = found
    if profile.unit == "W":
        return period.limit
    return period.limit * supply.volts * min(phases, period.phases or 3)


def _period(profile: Profile, now: datetime, started_at: datetime | None) -> Period | None:
    """The period that holds now."""
    if profile.valid_from is not None and now < profile.valid_from:
        return None
    if profile.valid_to is not None and now >= profile.valid_to:
        return None
    start_at = _start(profile, now, started_at)
    if start_at is None:
        return None
    offset_s = (now - start_at).total_seconds()
    if profile.duration_s is not None and offset_s >= profile.duration_s:
        return None
    begun = [period for period in profile.periods if period.start_s <= offset_s]
    return max(begun, key=lambda period: period.start_s, default=None)


def _start(profile: Profile, now: datetime, started_at: datetime | None) -> datetime | None:
    """When the schedule that may hold now began."""
    if profile.kind == "Relative":
        return started_at
    start_at = profile.start_at
    if start_at is None or profile.kind != "Recurring":
        return start_at
    cycle = _CYCLES.get(profile.recurrency or "Daily", _CYCLES["Daily"])
    # Also when the first one lies ahead: then it is not begun, and the offset negative.
    return start_at + max(0, (now - start_at) // cycle) * cycle


def _edges(profile: Profile, now: datetime, started_at: datetime | None) -> Iterator[datetime]:
    """Moments at which the profile may begin to say something else."""
    for edge in (profile.valid_from, profile.valid_to):
        if edge is not None:
            yield edge
    start_at = _start(profile, now, started_at)
    if start_at is None:
        return
    for period in profile.periods:
        yield start_at + timedelta(seconds=period.start_s)
    if profile.duration_s is not None:
        yield start_at + timedelta(seconds=profile.duration_s)
    if profile.kind == "Recurring":
        yield start_at + _CYCLES.get(profile.recurrency or "Daily", _CYCLES["Daily"])
