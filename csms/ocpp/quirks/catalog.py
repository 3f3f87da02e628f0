"""The rows of `*.toml` beside this file: loaded, validated, and matched with a station."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import translate
from functools import cache, lru_cache
from importlib import resources
from typing import Any

from csms.domain.stations import Station
from csms.errors import Invalid
from csms.ocpp.commands import params
from csms.ocpp.quirks.settings import Quirks

_FIELDS = frozenset(
    {"id", "who", "symptom", "handling", "sources", "match", "match_guessed", "settings"}
)
_MATCHED = frozenset({"vendor", "model", "firmware", "user_agent"})
_REQUIRED = ("id", "who", "symptom", "handling", "sources")
_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*\Z")
_SOURCE = re.compile(r"[\w.-]+/[\w.-]+(#\d+)?\Z")


@dataclass(frozen=True, slots=True)
class Description:
    """How a station presents itself: its last boot, and its websocket library."""

    vendor: str | None = None
    model: str | None = None
    firmware: str | None = None
    user_agent: str | None = None
    virtual: bool = False
    """One of ours; it has no quirks of its maker."""


NOBODY = Description()


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that some stations do."""

    id: str
    who: str
    """Makers and models, for people."""
    symptom: str
    handling: str
    sources: tuple[str, ...]
    """`owner/repository#number` on GitHub, or the repository alone."""
    match: Mapping[str, tuple[re.Pattern[str], ...]]
    """Field of a description → patterns, any of which must fit; empty: fits nobody by itself."""
    match_guessed: tuple[str, ...]
    """Those of the fields whose spelling nobody has shown in a boot."""
    settings: Mapping[str, Any]
    """As written; what `Quirks` is made of."""

    def fits(self, station: Description) -> bool:
        """Whether every field that is asked for fits."""
        return bool(self.match) and all(
            _fits(patterns, getattr(station, field)) for field, patterns in self.match.items()
        )


@dataclass(frozen=True, slots=True)
class Catalog:
    """All rows, in order of file and place."""

    entries: tuple[Entry, ...]

    def matching(self, station: Description) -> tuple[Entry, ...]:
        """The rows that are about such a station."""
        if station.virtual:
            return ()
        return tuple(entry for entry in self.entries if entry.fits(station))

    def get(self, entry_id: str) -> Entry | None:
        """The row of that id."""
        return next((entry for entry in self.entries if entry.id == entry_id), None)


def describe(station: Station | None, user_agent: str | None) -> Description:
    """What is known of a station that knocks."""
    if station is None:
        return Description(user_agent=user_agent)
    return Description(
        station.vendor, station.model, station.firmware_version, user_agent, station.virtual
    )


@cache
def load() -> Catalog:
    """The rows that ship with csms; raises Invalid for a file that is wrong."""
    folder = resources.files(__package__)
    files = sorted(
        (file for file in folder.iterdir() if file.name.endswith(".toml")),
        key=lambda file: file.name,
    )
    return Catalog(tuple(_unique(one for file in files for one in read(file.read_text("utf-8")))))


@lru_cache(maxsize=1024)
def known_of(station: Description) -> tuple[Entry, ...]:
    """The rows about such a station; there are few kinds of stations and many of each."""
    return load().matching(station)


def read(text: str) -> list[Entry]:
    """The rows of one file; raises Invalid with what is wrong in which row."""
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Invalid(f"not valid TOML: {error}") from error
    rows = content.pop("quirk", [])
    if content or not isinstance(rows, list):
        raise Invalid("a file of quirks has tables [[quirk]] and nothing else")
    return [_entry(row) for row in rows]


def _unique(entries: Iterable[Entry]) -> Iterable[Entry]:
    seen: set[str] = set()
    for entry in entries:
        if entry.id in seen:
            raise Invalid(f"two quirks are called {entry.id}")
        seen.add(entry.id)
        yield entry


def _entry(row: Mapping[str, Any]) -> Entry:
    name = str(row.get("id"))
    missing = [field for field in _REQUIRED if not row.get(field)]
    unknown = row.keys() - _FIELDS
    if missing or unknown:
        raise Invalid(f"quirk {name}: missing {missing}, unknown {sorted(unknown)}")
    if not _ID.match(name):
        raise Invalid(f"quirk {name}: an id is lower case words joined by hyphens")
    wrong = [source for source in row["sources"] if not _SOURCE.match(source)]
    if wrong:
        raise Invalid(f"quirk {name}: not owner/repository#number: {wrong}")
    settings = row.get("settings", {})
    try:
        params.parse(Quirks, settings)
    except Invalid as error:
        where = ".".join(str(part) for part in error.loc)
        raise Invalid(f"quirk {name}: settings.{where} {error.message}") from error
    match = {field: _patterns(name, field, value) for field, value in row.get("match", {}).items()}
    guessed = row.get("match_guessed", [])
    if not set(guessed) <= match.keys():
        raise Invalid(f"quirk {name}: match_guessed names what is not matched")
    if settings and not match:
        raise Invalid(f"quirk {name}: settings without a match apply to nobody")
    return Entry(
        id=name,
        who=row["who"],
        symptom=row["symptom"],
        handling=row["handling"],
        sources=tuple(row["sources"]),
        match=match,
        match_guessed=tuple(guessed),
        settings=settings,
    )


def _patterns(name: str, field: str, globs: Any) -> tuple[re.Pattern[str], ...]:
    if field not in _MATCHED:
        raise Invalid(f"quirk {name}: a station has no {field!r} to match")
    if not isinstance(globs, list) or not all(isinstance(glob, str) for glob in globs):
        raise Invalid(f"quirk {name}: match.{field} is a list of patterns")
    return tuple(re.compile(translate(glob), re.IGNORECASE) for glob in globs)


def _fits(patterns: tuple[re.Pattern[str], ...], value: str | None) -> bool:
    return value is not None and any(pattern.match(value) for pattern in patterns)
