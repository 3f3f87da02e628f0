"""CSV that spreadsheet programs read as text and numbers, and never as formulas."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Sequence

from aiohttp import web

from csms.api import downloads

MEDIA_TYPE = "text/csv"
# What a cell that begins with one of these says is run by spreadsheet programs.
_FORMULAS = ("=", "+", "-", "@", "\t", "\r")

Cell = str | int | float | bool | None


def line(cells: Sequence[Cell]) -> str:
    """One row: text quoted and harmless, numbers as they are, None empty."""
    written = io.StringIO()
    writer = csv.writer(written, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\r\n")
    writer.writerow([_harmless(cell) for cell in cells])
    return written.getvalue()


async def stream(
    request: web.Request,
    name: str,
    header: Sequence[str],
    pages: AsyncIterator[Sequence[Sequence[Cell]]],
) -> web.StreamResponse:
    """Answer `request` with a file, page by page."""

    async def lines() -> AsyncIterator[str]:
        first: Sequence[Sequence[Cell]] = await anext(pages, [])
        yield "".join(map(line, [header, *first]))
        async for page in pages:
            yield "".join(map(line, page))

    return await downloads.send(request, name, MEDIA_TYPE, lines())


def _harmless(cell: Cell) -> Cell:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if not isinstance(cell, str):
        return cell
    text = "".join(c if c.isprintable() else " " for c in cell)
    return f"'{text}" if cell.startswith(_FORMULAS) else text
