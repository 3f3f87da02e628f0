"""Structured logs on stderr: console for people, JSON lines for programs."""

from __future__ import annotations

import logging
import sys
from typing import Any, TextIO, cast

import structlog
from structlog.typing import EventDict


class _Stderr:
    """Whatever sys.stderr is when a line is written; loggers outlive a replaced one."""

    def write(self, text: str) -> int:
        return sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()


def _printable(_: Any, __: str, event: EventDict) -> EventDict:
    """Let nothing that others wrote move a cursor, colour a line or begin another one."""
    for key, value in event.items():
        if isinstance(value, str) and not value.isprintable():
            lines = value.split("\n") if key == "exception" else [value]
            event[key] = "\n".join("".join(map(_escaped, line)) for line in lines)
    return event


def _escaped(character: str) -> str:
    if character.isprintable():
        return character
    return character.encode("unicode_escape").decode()


def configure(*, level: str = "info", as_json: bool = False) -> None:
    """Set up structlog once, at process start."""
    number = logging.getLevelNamesMapping()[level.upper()]
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if as_json
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            *(() if as_json else (_printable,)),  # JSON escapes them, and loses none
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(cast("TextIO", _Stderr())),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=max(number, logging.WARNING), stream=sys.stderr)
    # The endpoint chooses the subprotocol itself and tells aiohttp of none.
    logging.getLogger("aiohttp.websocket").setLevel(logging.ERROR)
