"""The matrix says what is so, and no test drives a case that does not exist."""

from __future__ import annotations

from tests.conformance import matrix
from tests.conformance.cases import load


def test_every_test_drives_a_case_that_exists() -> None:
    assert set(matrix.driven()) <= set(load())


def test_every_case_that_is_driven_has_its_negative_twin() -> None:
    assert [] == [one for one, kinds in matrix.driven().items() if kinds != {"case", "twin"}]


def test_the_page_shows_what_is_driven() -> None:
    text = matrix.PAGE.read_text("utf-8")
    assert matrix.table() == text.split(matrix.BEGIN)[1].split(matrix.END)[0]
