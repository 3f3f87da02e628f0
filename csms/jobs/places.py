"""At most so many items of one job at stations of one location at a time."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Mapping

from csms.domain.jobs import Job, JobItem


class Places:
    """Counts by location; items for which there is no room wait here, and hold no slot."""

    def __init__(self, job: Job) -> None:
        self._limit = job.policy.per_location_parallel
        self._otherwise = job.location_id
        self._locations: dict[int, int] = {}
        self._taken: dict[int, int] = {}
        self._flying: Counter[int] = Counter()
        self._waiting: defaultdict[int, deque[JobItem]] = defaultdict(deque)

    @property
    def are_limited(self) -> bool:
        """Whether it matters where a station is."""
        return self._limit is not None

    def learn(self, locations: Mapping[int, int]) -> None:
        """Where stations are, by their row ids; one that moves later counts where it was."""
        for target, location in locations.items():
            self._locations.setdefault(target, location)

    def holds_back(self, item: JobItem) -> bool:
        """Whether there is no room at the item's location; it is kept here then."""
        place = self._place(item)
        if self._limit is None or place is None or self._flying[place] < self._limit:
            return False
        self._waiting[place].append(item)
        return True

    def take(self, item: JobItem) -> None:
        """The item goes out."""
        place = self._place(item)
        if self._limit is not None and place is not None:
            self._taken[item.seq] = place
            self._flying[place] += 1

    def leave(self, item: JobItem) -> None:
        """It is back."""
        place = self._taken.pop(item.seq, None)
        if place is not None:
            self._flying[place] -= 1

    def following(self, item: JobItem) -> JobItem | None:
        """The one that goes next where `item` was, when there is room.

        Asked for whenever an item leaves or goes nowhere, so none waits where there is room.
        """
        place = self._place(item)
        if place is None or self._flying[place] >= (self._limit or 0):
            return None
        waiting = self._waiting.get(place)
        return waiting.popleft() if waiting else None

    def waiting(self) -> list[JobItem]:
        """What waits here."""
        return [item for waiting in self._waiting.values() for item in waiting]

    def forget_waiting(self) -> None:
        """Let go of it."""
        self._waiting.clear()

    def _place(self, item: JobItem) -> int | None:
        if item.target is None:
            return self._otherwise
        return self._locations.get(item.target, self._otherwise)
