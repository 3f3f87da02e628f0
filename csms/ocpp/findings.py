"""What is wrong with a message → findings: rule, place and clause."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import cache

from csms.domain.lint import Direction, Finding, Rule
from csms.domain.timestamps import TimestampFlag, read_timestamp
from csms.domain.versions import OcppVersion
from csms.ocpp import schemas
from csms.ocpp.frames import FrameError
from csms.ocpp.schemas import Violation

_RULES = {
    "required": Rule.MISSING_REQUIRED_FIELD,
    "additionalProperties": Rule.UNKNOWN_FIELD,
    "type": Rule.WRONG_TYPE,
    schemas.LONG_INTEGER: Rule.INTEGER_OUT_OF_RANGE,
    "enum": Rule.UNKNOWN_ENUM_VALUE,
    "maxLength": Rule.TOO_LONG,
    "minItems": Rule.TOO_FEW_ITEMS,
    "maxItems": Rule.TOO_MANY_ITEMS,
    "minimum": Rule.TOO_SMALL,
    "maximum": Rule.TOO_LARGE,
    "multipleOf": Rule.TOO_PRECISE,
}
_TIME_RULES = {
    TimestampFlag.NO_ZONE: Rule.TIMESTAMP_WITHOUT_ZONE,
    TimestampFlag.UNREADABLE: Rule.TIMESTAMP_UNREADABLE,
    TimestampFlag.OUT_OF_RANGE: Rule.TIME_OUT_OF_RANGE,
    None: Rule.TIMESTAMP_SPELLING,
}
_SECTIONS = {
    # OCPP-J 1.6 and part 4 of 2.x number these alike.
    Rule.FRAME_NOT_JSON: "4.1.2",
    Rule.FRAME_MALFORMED: "4.2",
    Rule.INVALID_MESSAGE_ID: "4.1.4",
    Rule.REPEATED_MESSAGE_ID: "4.1.4",
    Rule.UNKNOWN_MESSAGE_TYPE: "4.1.3",
}


def of_violations(
    version: OcppVersion,
    direction: Direction,
    action: str,
    violations: Iterable[Violation],
    now: datetime,
) -> list[Finding]:
    """Findings about a payload."""
    clause = message_clause(version, action, direction)
    return [_of_violation(version, clause, violation, now) for violation in violations]


def of_time(version: OcppVersion, path: str, value: object, now: datetime) -> Finding:
    """The finding about a timestamp that is not what it should be."""
    _, flag = read_timestamp(value, now)
    if value == "":
        flag = TimestampFlag.UNREADABLE
    clause = "OCPP 1.6 3.15" if version is OcppVersion.V16 else f"{_part(version, 2)}, 3.1"
    return Finding(_TIME_RULES[flag], path, clause, value)


def of_frame(version: OcppVersion, error: FrameError) -> Finding:
    """The finding about bytes that are no frame."""
    return framework(version, error.rule, error.excerpt.decode(errors="replace") or None)


def framework(version: OcppVersion, rule: Rule, value: str | None = None) -> Finding:
    """A finding about what OCPP-J itself asks for."""
    section = _SECTIONS.get(rule)
    return Finding(rule, "", section and _rpc(version, section), value)


def of_error_code(version: OcppVersion, code: str) -> Finding | None:
    """The finding about the code of a station's CALLERROR, when it is none of the version's."""
    if code in schemas.error_codes(version):
        return None
    section = "4.2.3" if version is OcppVersion.V16 else "4.3"
    return Finding(Rule.UNKNOWN_ERROR_CODE, "", _rpc(version, section), code)


@cache
def message_clause(version: OcppVersion, action: str, direction: Direction) -> str | None:
    """Where the specification defines the message; its chapters are in alphabetical order."""
    if not schemas.knows(version, action):
        return None
    if version is not OcppVersion.V16:
        names = sorted(schemas.actions(version), key=str.casefold)
        return f"{_part(version, 2)}, messages 1.{names.index(action) + 1}"
    is_security = action in _SECURITY_V16
    names = [name for name in schemas.actions(version) if (name in _SECURITY_V16) == is_security]
    number = 2 * names.index(action) + (1 if direction is Direction.IN else 2)
    return f"OCPP 1.6 security whitepaper 5.{number}" if is_security else f"OCPP 1.6 6.{number}"


# Added to 1.6 by the whitepaper; its chapter 5 lists them as chapter 6 does the others.
_SECURITY_V16 = frozenset(
    {
        "CertificateSigned",
        "DeleteCertificate",
        "ExtendedTriggerMessage",
        "GetInstalledCertificateIds",
        "GetLog",
        "InstallCertificate",
        "LogStatusNotification",
        "SecurityEventNotification",
        "SignCertificate",
        "SignedFirmwareStatusNotification",
        "SignedUpdateFirmware",
    }
)


def place(path: Iterable[str | int]) -> str:
    """A path without the numbers of list entries: `meterValue[].timestamp`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += "[]"
        else:
            text += f".{schemas.shown_key(part)}" if text else schemas.shown_key(part)
    return text


def _of_violation(
    version: OcppVersion, clause: str | None, violation: Violation, now: datetime
) -> Finding:
    path = place(violation.subject)
    if violation.keyword == "format":
        return of_time(version, path, violation.value, now)
    rule = _RULES.get(violation.keyword, Rule.BROKEN_SCHEMA)
    return Finding(rule, path, clause, violation.value)


def _part(version: OcppVersion, part: int) -> str:
    return f"OCPP {version.value} part {part}"


def _rpc(version: OcppVersion, section: str) -> str:
    if version is OcppVersion.V16:
        return f"OCPP-J 1.6 {section}"
    return f"{_part(version, 4)}, {section}"
