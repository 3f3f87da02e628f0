"""Several answers of one order, read as one."""

from __future__ import annotations

from typing import Any

import pytest

from csms.jobs.courses import together
from csms.ocpp.commands.command import Answer


def answer(payload: dict[str, Any]) -> Answer:
    return Answer(accepted=True, status="Accepted", payload=payload)


def test_lists_are_joined() -> None:
    whole = together([answer({"keys": [1, 2]}), answer({"keys": [3]})])
    assert {"keys": [1, 2, 3]} == whole.payload


@pytest.mark.parametrize("odd", [None, 5, "text", {"x": 1}])
def test_what_is_a_list_in_one_answer_only_is_no_harm(odd: Any) -> None:
    whole = together([answer({"keys": [1], "notes": ["a"]}), answer({"keys": [2], "notes": odd})])
    assert {"keys": [1, 2], "notes": ["a"]} == whole.payload
