"""Groups of a bulk create become single stations: suffixes drawn once, identities judged."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

from csms.domain.identity import identity_key, why_not_an_identity

DUPLICATE_IDENTITY = "duplicate_identity"
INVALID_IDENTITY = "invalid_identity"
DUPLICATE_MESSAGE = "Duplicate station identity"


@dataclass(frozen=True, slots=True)
class Group:
    """Stations that share a template: explicit suffixes, a number, or both."""

    identity_prefix: str = ""
    display_name: str = ""
    suffixes: tuple[str, ...] | None = None
    number: int | None = None

    @property
    def size(self) -> int:
        """How many stations the group asks for, duplicates included."""
        if self.number is not None:
            return self.number
        return len(self.suffixes or ())


@dataclass(frozen=True, slots=True)
class Planned:
    """One station to make. `code` and `message` are set when it cannot be made at all."""

    group: int
    index: int
    suffix: str
    identity: str
    name: str
    code: str | None = None
    message: str | None = None

    @property
    def step(self) -> str:
        """The name of its durable workflow step."""
        return f"charger-{self.group}-{self.index}-{self.suffix}"


def total(groups: Iterable[Group]) -> int:
    """How many stations the groups ask for, before anything is expanded."""
    return sum(group.size for group in groups)


def draw_suffix() -> str:
    """Eight random hex digits: two of a thousand are equal once in ten thousand batches."""
    return secrets.token_hex(4)


def expand(
    groups: Sequence[Group],
    *,
    draw: Callable[[], str],
    taken: Callable[[Sequence[str]], Collection[str]],
) -> list[Planned]:
    """One Planned per requested station, in order of group and index.

    Explicit suffixes are cut to the group's number first; the first of several equal
    identities wins. Drawn ones avoid the whole request and what `taken` returns: the
    identity keys, of those it is asked about, that live stations have.
    """
    kept = [group.suffixes[: group.size] if group.suffixes else () for group in groups]
    used = {
        identity_key(group.identity_prefix + suffix)
        for group, suffixes in zip(groups, kept, strict=True)
        for suffix in suffixes
    }
    drawn = [
        _draw_free(group.identity_prefix, group.size - len(suffixes), used, draw=draw, taken=taken)
        for group, suffixes in zip(groups, kept, strict=True)
    ]
    seen: set[str] = set()
    return [
        _plan(group, position, index, suffix, seen)
        for position, group in enumerate(groups)
        for index, suffix in enumerate((*kept[position], *drawn[position]))
    ]


def _draw_free(
    prefix: str,
    number: int,
    used: set[str],
    *,
    draw: Callable[[], str],
    taken: Callable[[Sequence[str]], Collection[str]],
) -> list[str]:
    """`number` suffixes whose identities nobody has; `used` grows by them."""
    free: list[str] = []
    while len(free) < number:
        fresh: dict[str, str] = {}
        while len(fresh) < number - len(free):
            suffix = draw()
            key = identity_key(prefix + suffix)
            if key not in used:
                used.add(key)
                fresh[key] = suffix
        gone = frozenset(taken([prefix + suffix for suffix in fresh.values()]))
        free += [suffix for key, suffix in fresh.items() if key not in gone]
    return free


def _plan(group: Group, position: int, index: int, suffix: str, seen: set[str]) -> Planned:
    identity = group.identity_prefix + suffix
    key = identity_key(identity)
    code: str | None = None
    message = why_not_an_identity(identity)
    if message is not None:
        code = INVALID_IDENTITY
    elif key in seen:
        code, message = DUPLICATE_IDENTITY, DUPLICATE_MESSAGE
    else:
        seen.add(key)
    name = f"{group.display_name} {suffix}".strip() if group.display_name else identity
    return Planned(position, index, suffix, identity, name, code, message)
