"""Examples below the help of a command."""

from __future__ import annotations


def examples(*lines: str) -> str:
    """The text; a test runs each line through the parser."""
    # The \b keeps the lines as they are.
    return "\n".join(["\b", "Examples:", *(f"  csms {line}" for line in lines)])
