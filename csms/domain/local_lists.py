"""Local authorization lists: what is in one, and whether we know what a station has."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum

from csms.domain.id_tokens import id_token_key


class UpdateType(str, Enum):
    """UpdateEnumType: the whole list, or changes to it."""

    FULL = "Full"
    DIFFERENTIAL = "Differential"


@dataclass(frozen=True, slots=True)
class ListEntry:
    """A token of a list. Without a status, a change that takes it off the list."""

    id_token: str
    id_token_type: str
    """Empty for OCPP 1.6."""
    status: str | None
    expires_at: datetime | None
    group_id_token: str | None

    @property
    def key(self) -> str:
        """The form it is compared in."""
        return id_token_key(self.id_token)


@dataclass(frozen=True, slots=True)
class ListUpdate:
    """An update as it was sent."""

    update_type: UpdateType
    version: int
    entries: tuple[ListEntry, ...]

    @property
    def last_version(self) -> int:
        """The highest that it may take: sent in parts, each has a number and one entry at least."""
        return self.version + max(len(self.entries) - 1, 0)


@dataclass(frozen=True, slots=True)
class LocalList:
    """What we know of a station's list."""

    version: int | None
    """That the station has, by its last word; 0: none, -1: it cannot have one (OCPP 1.6)."""
    known_version: int | None
    """Whose entries we know. Another than `version`: an update to that one may have come through or
    not, and these are the entries without it."""
    refusal: str | None
    """The word with which it refused the last update."""

    @property
    def is_known(self) -> bool:
        """Whether the entries that we know are those the station has."""
        return self.version is not None and self.version == self.known_version


UNHEARD = LocalList(None, None, None)


def next_version(known: LocalList, ahead: Iterable[ListUpdate], *, highest: int) -> int | None:
    """The one after the station's and after those of the updates that are on their way there.

    None when there is nothing to go on from, or it is above the highest.
    """
    taken = [update.last_version for update in ahead]
    if known.version is not None:
        taken.append(max(known.version, 0))
    if not taken or max(taken) >= highest:
        return None
    return max(taken) + 1


def changes(known: Iterable[ListEntry], wanted: Iterable[ListEntry]) -> list[ListEntry]:
    """What makes the wanted list of the known one: new and changed entries, then removals."""
    before = {(entry.key, entry.id_token_type): entry for entry in known}
    after = {(entry.key, entry.id_token_type): entry for entry in wanted}
    changed = [entry for place, entry in after.items() if before.get(place) != entry]
    gone = [entry for place, entry in before.items() if place not in after]
    return changed + [ListEntry(e.id_token, e.id_token_type, None, None, None) for e in gone]


def known_after(before: LocalList, update: ListUpdate) -> int | None:
    """The version whose entries are known once the station has taken the update."""
    if update.update_type is UpdateType.FULL or before.is_known:
        return update.version
    if before.known_version is not None and before.version == update.version:
        return update.version  # the one that was in doubt
    return None  # changes to we know not what


def doubtful_after(before: LocalList, update: ListUpdate) -> LocalList:
    """What is known while nobody knows whether the station took the update."""
    if before.version == update.version and not before.is_known:
        return before  # sent once more
    if before.is_known and before.version is not None and update.version > before.version:
        return replace(before, version=update.version)
    return replace(before, version=max(update.version, before.version or 0), known_version=None)
