"""What a station's messages do wrong: the rules by name, and one breach of one."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Any

# Of one message; what is beyond them shows once these are mended.
MAX_FINDINGS = 20


class Rule(str, Enum):
    """What may be broken; the value is stable and is what the API shows."""

    # The frame, before anything of it is known to be a message.
    FRAME_NOT_JSON = "frame-not-json"
    FRAME_MALFORMED = "frame-malformed"
    FRAME_TOO_LARGE = "frame-too-large"
    DUPLICATE_KEY = "duplicate-key"
    INTEGER_OUT_OF_RANGE = "integer-out-of-range"
    INVALID_MESSAGE_ID = "invalid-message-id"
    REPEATED_MESSAGE_ID = "repeated-message-id"
    UNKNOWN_MESSAGE_TYPE = "unknown-message-type"
    # The message as a whole.
    UNKNOWN_ACTION = "unknown-action"
    UNEXPECTED_ACTION = "unexpected-action"
    CALL_BEFORE_ACCEPTANCE = "call-before-acceptance"
    UNKNOWN_ERROR_CODE = "unknown-error-code"
    # Its payload against the schema.
    MISSING_REQUIRED_FIELD = "missing-required-field"
    UNKNOWN_FIELD = "unknown-field"
    WRONG_TYPE = "wrong-type"
    UNKNOWN_ENUM_VALUE = "unknown-enum-value"
    TOO_LONG = "too-long"
    TOO_FEW_ITEMS = "too-few-items"
    TOO_MANY_ITEMS = "too-many-items"
    TOO_SMALL = "too-small"
    TOO_LARGE = "too-large"
    TOO_PRECISE = "too-precise"
    BROKEN_SCHEMA = "broken-schema"
    # Times.
    TIMESTAMP_UNREADABLE = "timestamp-unreadable"
    TIMESTAMP_WITHOUT_ZONE = "timestamp-without-zone"
    TIMESTAMP_SPELLING = "timestamp-spelling"
    TIME_OUT_OF_RANGE = "time-out-of-range"
    # What it means.
    REGISTER_FALLS = "register-falls"


@dataclass(frozen=True, slots=True)
class Finding:
    """One breach of a rule in one message; the same rule at the same place is the same one."""

    rule: Rule
    path: str = ""
    """Where in the payload, as `meterValue[].timestamp`; empty: the message itself."""
    clause: str | None = field(default=None, compare=False)
    """Where the specification says so."""
    value: Any = field(default=None, compare=False)
    """What stood there."""


class Direction(str, Enum):
    """As in the message log: whose CALL it was about. The station wrote what is wrong in both."""

    IN = "in"
    """A CALL of the station, or a frame that is none."""
    OUT = "out"
    """The station's answer to a CALL of ours."""
