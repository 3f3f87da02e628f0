"""Cursors: where the next page begins, opaque to the caller."""

from __future__ import annotations

import base64
import binascii

from csms.api.errors import Issue, ValidationFailed


def write(*position: int) -> str:
    """The cursor of a position: one number, or as many as the order of the list takes."""
    text = ",".join(map(str, position))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read(cursor: str | None) -> int | None:
    """The position of a cursor; raises ValidationFailed for one that is not ours."""
    if cursor is None:
        return None
    (position,) = _numbers(cursor, 1)
    if position < -1:
        raise _not_ours(cursor)
    return position


def read_pair(cursor: str | None) -> tuple[int, int] | None:
    """As `read`, where two numbers make a position; either may be negative."""
    if cursor is None:
        return None
    first, second = _numbers(cursor, 2)
    return first, second


def write_text(position: str) -> str:
    """The cursor of a position in a list by name."""
    return base64.urlsafe_b64encode(position.encode()).decode().rstrip("=")


def read_text(cursor: str | None) -> str | None:
    """The name of a cursor; raises ValidationFailed for one that is not ours."""
    if cursor is None:
        return None
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        return base64.urlsafe_b64decode(padded.encode("ascii")).decode()
    except (ValueError, binascii.Error) as error:
        raise _not_ours(cursor) from error


def _numbers(cursor: str, number: int) -> list[int]:
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        text = base64.urlsafe_b64decode(padded.encode("ascii")).decode("ascii")
        numbers = [int(part) for part in text.split(",")]
    except (ValueError, binascii.Error) as error:  # also UnicodeError
        raise _not_ours(cursor) from error
    if len(numbers) != number or any(abs(one) >= 2**62 for one in numbers):
        raise _not_ours(cursor)
    return numbers


def _not_ours(cursor: str) -> ValidationFailed:
    return ValidationFailed(
        [Issue(("query", "cursor"), "not a cursor of this list", "value_error", cursor)]
    )
