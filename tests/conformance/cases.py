"""Which cases there are: the 1.6 test case document of 2025-09 and part 5 of OCPP 2.0.1, edition 3.

`cases.tsv` has one row per case: M is mandatory in a profile, C conditional on a feature.
A test says with `@case("TC_013")` which case it drives and with `@twin("TC_013")` that it puts a
wrong message in the same place.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

TABLE = Path(__file__).with_name("cases.tsv")
OTHER_PROFILES = frozenset({"ISO 15118 Support"})
"""Not claimed."""

case: Any = pytest.mark.case
twin: Any = partial(pytest.mark.case, twin=True)


@dataclass(frozen=True, slots=True)
class Case:
    """One row."""

    version: str
    id: str
    mandatory: bool
    profiles: tuple[str, ...]
    """None in 1.6, whose certification has other names for them."""
    title: str

    @property
    def claimed(self) -> bool:
        """Whether it must pass: mandatory in a profile that we claim."""
        return self.mandatory and not (self.profiles and set(self.profiles) <= OTHER_PROFILES)


def load() -> dict[str, Case]:
    """Every case by id; the ids of the two versions look different."""
    with TABLE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file, delimiter="\t"))[1:]
    return {
        identifier: Case(
            version, identifier, kind == "M", tuple(filter(None, profiles.split(", "))), title
        )
        for version, identifier, kind, profiles, title in rows
    }
