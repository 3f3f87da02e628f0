"""Times as people write them on a command line."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from csms.cli.failures import BadUsage

_SPAN = re.compile(r"(\d{1,6})([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}

Since = Annotated[
    str | None,
    typer.Option(
        "--since", metavar="TIME", help="From then on: 2026-05-01T12:00; 7d: so long ago."
    ),
]
Until = Annotated[
    str | None, typer.Option("--until", metavar="TIME", help="Up to then, itself not included.")
]


def instant(text: str | None) -> str | None:
    """`7d` is seven days ago; a time without an offset is this machine's. Raises BadUsage."""
    return _read(text, -1)


def upcoming(text: str | None) -> str | None:
    """The same, but `7d` is in seven days."""
    return _read(text, +1)


def _read(text: str | None, direction: int) -> str | None:
    if text is None:
        return None
    span = _SPAN.fullmatch(text)
    if span is not None:
        at = datetime.now(UTC) + direction * timedelta(**{_UNITS[span[2]]: int(span[1])})
    else:
        try:
            at = datetime.fromisoformat(text).astimezone(UTC)
        except (ValueError, OverflowError) as error:
            raise BadUsage(f"{text!r} is no time; write 2026-05-01T12:00, or 7d, 12h") from error
    return at.isoformat()
