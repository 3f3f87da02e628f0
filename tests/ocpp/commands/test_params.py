"""Parameters from JSON: what fits, and where the fault is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from csms.errors import Invalid
from csms.ocpp.commands import parameters


@dataclass(frozen=True, slots=True)
class Pair:
    """Two that do not go together."""

    left: int | None = None
    right: int | None = None

    def __post_init__(self) -> None:
        if self.left is not None and self.right is not None:
            raise Invalid("not both", loc=("right",), code="both")


@dataclass(frozen=True, slots=True)
class Holder:
    """Anything, and a list of pairs."""

    content: Any = None
    pairs: list[Pair] | None = None


@pytest.mark.parametrize("content", ["text", 1, [1, {"a": None}], {"b": True}])
def test_any_json_is_taken_where_any_is_wanted(content):
    params = parameters.parse(Holder, {"content": content})
    assert content == params.content
    assert {"content": content} == parameters.dump(params)


def test_what_does_not_go_together_is_told_with_its_whole_path():
    with pytest.raises(Invalid) as refusal:
        parameters.parse(Holder, {"pairs": [{"left": 1}, {"left": 1, "right": 2}]})
    assert ("pairs", 1, "right") == refusal.value.loc
    assert "both" == refusal.value.code
