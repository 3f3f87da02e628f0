"""Quirks that csms notices by itself, whoever the maker is: ids of rows in the files."""

from __future__ import annotations

from enum import Enum


class Observed(str, Enum):
    """Each is fired in one place, and described by the row of that id."""

    BROKEN_ANSWER = "truncated-answer"
    DEAF = "deaf"
    EMPTY_FRAME = "empty-frame"
    FLAPPING = "flapping"
    LATE_ANSWER = "late-answer"
    NO_SUBPROTOCOL = "no-subprotocol"
    NO_UPGRADE_HEADER = "no-upgrade-header"
    OTHER_VERSION = "payload-of-another-version"
    REPEATED_CALL = "repeated-message-id"
    RESERVED_BITS = "reserved-bits"
    RESTARTS_AFTER_CALL = "restarts-after-call"
    TRIGGER_REFUSED = "refuses-triggers"
