"""CSV that no spreadsheet program runs."""

from __future__ import annotations

import pytest

from csms.api.spreadsheets import Cell, line


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_text_that_could_be_a_formula_is_made_text(text: str):
    assert line([text]).startswith("\"'")


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        (-5, "-5"),
        (0.25, "0.25"),
        (None, '""'),
        (True, '"true"'),
        ("a,b", '"a,b"'),
        ('say "x"', '"say ""x"""'),
        ("two\nlines", '"two lines"'),
        ("\x00\x1b[2J\u202e", '"  [2J "'),
    ],
)
def test_a_cell_is_written_plainly(cell: Cell, written: str):
    assert f"{written}\r\n" == line([cell])
