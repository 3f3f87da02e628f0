"""Cursors: where the next page begins, opaque to the caller."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re

from csms.api.errors import Issue, ValidationFailed

# Row ids and microseconds, of which more digits would be beyond what a date can be.
_POSITION = re.compile(r"-?[0-9]{1,16}(,-?[0-9]{1,16})*")
# Of four characters: enough to tell lists apart, which is all that it is for.
_MARK_BYTES = 3


def sealed(cursor: str, listed: str) -> str:
    """A cursor as it goes out, marked with the list that it belongs to."""
    return _mark(listed) + cursor


def opened(cursor: str, listed: str) -> str:
    """A cursor as it was before `sealed`; raises ValidationFailed for one of another list."""
    if not cursor.startswith(_mark(listed)):
        raise _not_ours(cursor)
    return cursor.removeprefix(_mark(listed))


def _mark(listed: str) -> str:
    digest = hashlib.blake2b(listed.encode(), digest_size=_MARK_BYTES).digest()
    return base64.urlsafe_b64encode(digest).decode()


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


def write_named(name: str, row_id: int) -> str:
    """The cursor of a row in a list by a name that several may have."""
    return write_text(f"{row_id},{name}")


def read_named(cursor: str | None) -> tuple[str, int] | None:
    """As `read`, for a cursor of `write_named`."""
    if cursor is None:
        return None
    row_id, comma, name = (read_text(cursor) or "").partition(",")
    if not comma or _POSITION.fullmatch(row_id) is None:
        raise _not_ours(cursor)
    return name, int(row_id)


def _numbers(cursor: str, number: int) -> list[int]:
    text = read_text(cursor) or ""
    numbers = [int(part) for part in text.split(",")] if _POSITION.fullmatch(text) else []
    if len(numbers) != number:
        raise _not_ours(cursor)
    return numbers


def _not_ours(cursor: str) -> ValidationFailed:
    return ValidationFailed(
        [Issue(("query", "cursor"), "not a cursor of this list", "value_error", cursor)]
    )
