"""CSV in a request: a line of column names, then rows, as the JSON that a model checks."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection

from csms.errors import BadRequest

MEDIA_TYPE = "text/csv"
_DELIMITERS = ",;\t"


def read(data: bytes, columns: Collection[str]) -> list[dict[str, str]]:
    """A dict per row, without empty cells; raises BadRequest for what is no such table.

    Spreadsheet programs write a byte order mark, and semicolons where a comma is in numbers.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _unreadable("it is not UTF-8") from error
    first_line = text.partition("\n")[0]
    delimiter = max(_DELIMITERS, key=first_line.count)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        names = [name.strip().lower() for name in next(rows, [])]
        _check_names(names, columns)
        return [_row(names, cells, rows.line_num) for cells in rows if any(cells)]
    except csv.Error as error:
        raise _unreadable(f"line {rows.line_num}: {error}") from error


def _check_names(names: list[str], columns: Collection[str]) -> None:
    for name in names:
        if name not in columns:
            raise _unreadable(f"unknown column {name[:50]!r}; known are: {', '.join(columns)}")
    if not names or len(set(names)) < len(names):
        raise _unreadable("the first line must name each column once")


def _row(names: list[str], cells: list[str], line: int) -> dict[str, str]:
    if len(cells) != len(names):
        raise _unreadable(f"line {line} has {len(cells)} cells, not {len(names)}")
    stripped = (cell.strip() for cell in cells)
    return {name: cell for name, cell in zip(names, stripped, strict=True) if cell}


def _unreadable(why: str) -> BadRequest:
    return BadRequest(f"the CSV cannot be read: {why}", code="malformed_csv")
