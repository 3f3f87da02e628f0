"""What a person has to do at the stations of a maker: the rows of makers.toml beside this file."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cache
from importlib import resources


@dataclass(frozen=True, slots=True, kw_only=True)
class Maker:
    """Where our URL is entered in its stations."""

    name: str
    """As people write it."""
    steps: str
    sources: list[str]
    """`owner/repository#number` on GitHub, the repository alone, or a URL."""
    vendor: list[str]
    """Patterns for what its stations say in a boot."""
    model: tuple[str, ...] | list[str] = ()

    def fits(self, vendor: str | None, model: str | None) -> bool:
        """Whether it is this maker; a person may also have typed its name."""
        return _fits(vendor, [self.name, *self.vendor]) or _fits(model, self.model)


@cache
def load() -> tuple[Maker, ...]:
    """The rows that ship with csms, by name."""
    text = (resources.files(__package__) / "makers.toml").read_text("utf-8")
    return tuple(Maker(**row) for row in tomllib.loads(text)["maker"])


def _fits(said: str | None, patterns: tuple[str, ...] | list[str]) -> bool:
    return said is not None and any(fnmatch(said.lower(), one.lower()) for one in patterns)
