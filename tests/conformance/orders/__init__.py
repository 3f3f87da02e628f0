"""Cases that are orders of the CSMS and what the station says to them, as rows of tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from csms.domain.versions import OcppVersion

V16, V201 = OcppVersion.V16, OcppVersion.V201
ACCEPTED: Mapping[str, Any] = {"status": "Accepted"}
WRONG: Mapping[str, Any] = {"status": "NoSuchWord"}
Told = tuple[str, Mapping[str, Any]]
"""Action and payload of a CALL of the station."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What the operator wants, what the station must see, what it answers, how that ends."""

    version: OcppVersion = V16
    command: str
    params: Mapping[str, Any] = field(default_factory=dict)
    action: str
    payload: Mapping[str, Any]
    answer: Mapping[str, Any] = field(default_factory=lambda: ACCEPTED)
    ends: str = "succeeded"
    wrong: Mapping[str, Any] = field(default_factory=lambda: WRONG)
    """An answer in the same place that breaks its schema."""
    first: Sequence[Told] = ()
    """What the station says before."""
    after: Sequence[Order] = ()
    """Orders that were carried out before."""
    told: Sequence[Told] = ()
    """What the station says after its answer."""
    stored: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    """Table → what its rows of this station say then; the wrong answer changes none of them."""


def order(case: str, **values: Any) -> Any:
    """A row of the table; `case` is the id in the programme."""
    return pytest.param(Order(**values), id=case)
