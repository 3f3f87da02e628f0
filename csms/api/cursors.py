"""Cursors: where the next page begins, opaque to the caller."""

from __future__ import annotations

import base64
import binascii

from csms.api.errors import Issue, ValidationFailed


def write(position: int) -> str:
    """The cursor of a position."""
    return base64.urlsafe_b64encode(str(position).encode()).decode().rstrip("=")


def read(cursor: str | None) -> int | None:
    """The position of a cursor; raises ValidationFailed for one that is not ours."""
    if cursor is None:
        return None
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        position = int(base64.urlsafe_b64decode(padded.encode("ascii")))
    except (ValueError, binascii.Error, UnicodeEncodeError) as error:
        issue = Issue(("query", "cursor"), "not a cursor of this list", "value_error", cursor)
        raise ValidationFailed([issue]) from error
    if not -1 <= position < 2**62:
        raise ValidationFailed(
            [Issue(("query", "cursor"), "not a cursor of this list", "value_error", cursor)]
        )
    return position
