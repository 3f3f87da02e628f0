"""The schemas of every OCPP version, compiled when first asked, and why a payload breaks one.

They are the files that the `ocpp` package ships. Of the formats only `date-time` is looked at, and
only by those who ask for it: real stations send timestamps that no format would pass.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any, Literal

import jsonschema_rs
import orjson
import structlog

from csms.domain.lint import MAX_FINDINGS
from csms.domain.versions import OcppVersion
from csms.ocpp.frames import MAX_DESCRIPTION, has_more_values, is_long_integer

log = structlog.get_logger(__name__)

Kind = Literal["request", "response"]

_FOLDERS = {OcppVersion.V16: "v16", OcppVersion.V201: "v201", OcppVersion.V21: "v21"}


@dataclass(frozen=True, slots=True)
class Violation:
    """What is wrong with a payload; `message` never repeats the payload."""

    code: str
    """The CALLERROR code, in the spelling of the version."""
    keyword: str
    """The schema's word for it, such as `maxLength`."""
    path: tuple[str | int, ...]
    message: str
    subject: tuple[str | int, ...] = ()
    """As `path`, or where the missing field should be."""
    value: Any = field(default=None, compare=False, repr=False)
    """What is wrong, as it came: for those who keep it, never for the other end."""

    @property
    def is_surplus(self) -> bool:
        """Whether the payload only says more than it may, so that nothing is missing or wrong."""
        return self.keyword in _SURPLUS

    @property
    def verdict(self) -> str:
        """One line for the message log."""
        return f"{self.code}: {self.message}"


_SURPLUS = frozenset({"additionalProperties", "format", "maxItems", "maxLength", "multipleOf"})
# So many complaints about one payload are looked through.
_MAX_ERRORS = 1000
# Of a payload with more values only the first complaint is told: there may be three to a value,
# and each takes 10 µs to make, whether or not it is looked at.
_MAX_EXPLAINED = 5000
# OCPP 1.6 6.31, 6.45 and 6.47 say so in words only.
_LEAST_CONNECTOR_V16 = {"MeterValues": 0, "StartTransaction": 1, "StatusNotification": 0}


def knows(version: OcppVersion, action: str) -> bool:
    """Whether the version has an action of this name; names are case-sensitive."""
    return (version, action, "request") in _files()


def actions(version: OcppVersion) -> list[str]:
    """Every action of the version, sorted."""
    return sorted(action for v, action, kind in _files() if v is version and kind == "request")


@cache
def checker(version: OcppVersion, action: str, kind: Kind) -> Callable[[Any], bool] | None:
    """The bare check of one schema, of its times too, for those who ask it often.

    Every action asked for is remembered: ask only for those that exist.
    """
    validator = _validator(version, action, kind)
    return None if validator is None else validator.is_valid


def is_valid(version: OcppVersion, action: str, kind: Kind, payload: Any) -> bool:
    """Whether the payload keeps to its schema; what has no schema is never valid."""
    return violation(version, action, kind, payload) is None


def violation(version: OcppVersion, action: str, kind: Kind, payload: Any) -> Violation | None:
    """The gravest and outermost fault of the payload, or None when there is none but its times."""
    found = breaches(version, action, kind, payload)
    return next((one for one in found if one.keyword != "format"), None)


def breaches(version: OcppVersion, action: str, kind: Kind, payload: Any) -> list[Violation]:
    """All that is wrong with the payload, the gravest first; list entries count as one place."""
    validator = _validator(version, action, kind)
    if validator is None:
        return [_explain(version, "action", ())]
    if validator.is_valid(payload):
        return []
    found: dict[tuple[Any, ...], Violation] = {}
    for error in _errors(validator, payload):
        one = _breach(version, error, payload)
        found.setdefault((one.keyword, *(_entry(part) for part in one.subject)), one)
        if len(found) == MAX_FINDINGS:
            break
    return list(found.values())


def _errors(
    validator: jsonschema_rs.Validator, payload: Any
) -> list[jsonschema_rs.ValidationError]:
    if not has_more_values(payload, _MAX_EXPLAINED):
        return sorted(validator.iter_errors(payload), key=_gravity)[:_MAX_ERRORS]
    try:
        validator.validate(payload)
    except jsonschema_rs.ValidationError as error:
        # Its trace would keep all who called us, and the payload, until garbage is collected.
        return [error.with_traceback(None)]
    return []


def why(version: OcppVersion, action: str, kind: Kind, payload: Any) -> tuple[str, str] | None:
    """The CALLERROR code and description for a payload, or None when it is valid."""
    found = violation(version, action, kind, payload)
    return None if found is None else (found.code, found.message)


def error_codes(version: OcppVersion) -> frozenset[str]:
    """Every CALLERROR code the version knows, in each spelling that is about."""
    return _CODES_V16 if version is OcppVersion.V16 else _CODES_V2X


def spelled(version: OcppVersion, code: str) -> str:
    """A CALLERROR code of OCPP 2.x as the version writes it."""
    return _V16_SPELLING.get(code, code) if version is OcppVersion.V16 else code


_CODES_V2X = frozenset(
    {
        "FormatViolation",
        "GenericError",
        "InternalError",
        "MessageTypeNotSupported",
        "NotImplemented",
        "NotSupported",
        "OccurrenceConstraintViolation",
        "PropertyConstraintViolation",
        "ProtocolError",
        "RpcFrameworkError",
        "SecurityError",
        "TypeConstraintViolation",
    }
)
_CODES_V16 = (_CODES_V2X - {"MessageTypeNotSupported", "RpcFrameworkError"}) | {
    "FormationViolation",
    "OccurenceConstraintViolation",
}
_V16_SPELLING = {
    "FormatViolation": "FormationViolation",
    "OccurrenceConstraintViolation": "OccurenceConstraintViolation",
    # 1.6 has neither of the two; a broken frame is a formation error there.
    "RpcFrameworkError": "FormationViolation",
    "MessageTypeNotSupported": "FormationViolation",
}

# No word of JSON schema: the type is wrong because of what frames.parse makes of such a number.
LONG_INTEGER = "long integer"

# OCPP-J 1.6 4.2.3, 2.x part 4 4.3; keywords that are in neither group hold a wrong value.
_CODES = {
    "type": "TypeConstraintViolation",
    LONG_INTEGER: "TypeConstraintViolation",
    "additionalProperties": "FormatViolation",
    "required": "OccurrenceConstraintViolation",
    "minItems": "OccurrenceConstraintViolation",
    "maxItems": "OccurrenceConstraintViolation",
    "action": "NotImplemented",
}


def _gravity(error: jsonschema_rs.ValidationError) -> tuple[bool, int]:
    return _keyword(error) in _SURPLUS, len(error.instance_path)


def _keyword(error: jsonschema_rs.ValidationError) -> str:
    return str(error.schema_path[-1]) if error.schema_path else ""


def _breach(version: OcppVersion, error: jsonschema_rs.ValidationError, payload: Any) -> Violation:
    keyword, limit = _keyword(error), error.kind.value
    path = tuple(error.instance_path)
    if keyword == "additionalProperties" and limit is None:  # it may have no field at all
        limit = list(_at(payload, path))
    is_long = keyword == "type" and is_long_integer(error.instance)
    found = _explain(version, LONG_INTEGER if is_long else keyword, path, limit)
    if keyword == "required":
        return replace(found, subject=(*path, str(limit)))
    # An object with a field too many is as large as its sender likes; the names say enough.
    value = limit if keyword == "additionalProperties" else error.instance
    return replace(found, subject=path, value=value)


def _at(payload: Any, path: Iterable[str | int]) -> Any:
    for part in path:
        payload = payload[part]
    return payload


def _entry(part: str | int) -> str | int:
    return 0 if isinstance(part, int) else part


def _explain(
    version: OcppVersion, keyword: str, path: tuple[str | int, ...], limit: Any = None
) -> Violation:
    code = _CODES.get(keyword, "PropertyConstraintViolation")
    if version is OcppVersion.V16 and keyword == "required":
        code = "ProtocolError"  # 1.6: "Payload for Action is incomplete"
    culprit = path
    if keyword == "required":
        culprit = (*path, str(limit))
    elif keyword == "additionalProperties":
        culprit = (*path, str(limit[0]))
    message = f"{_dotted(culprit) or 'the payload'} {_complaint(keyword, limit)}"
    return Violation(spelled(version, code), keyword, path, message[:MAX_DESCRIPTION])


# A key inside free data comes from the sender and is not repeated to it.
_OUR_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,49}\Z")


def _dotted(path: Iterable[str | int]) -> str:
    return ".".join(str(part) if isinstance(part, int) else shown_key(part) for part in path)


def shown_key(key: str) -> str:
    """The key, or a question mark where it can be none of ours."""
    return key if _OUR_KEY.match(key) else "?"


def _complaint(keyword: str, limit: Any) -> str:
    if isinstance(limit, float) and limit.is_integer():
        limit = int(limit)
    return _COMPLAINTS.get(keyword, "is not what the schema allows").format(limit)


_COMPLAINTS = {
    "action": "has no schema",
    "required": "is missing",
    "type": "has the wrong type",
    LONG_INTEGER: "is beyond 64 bits",
    "additionalProperties": "is not a field that the schema knows",
    "enum": "is not one of the values that the schema allows",
    "format": "is not a date and time of RFC 3339",
    "maxLength": "has more than {} characters",
    "minLength": "has fewer than {} characters",
    "maxItems": "has more than {} entries",
    "minItems": "has fewer than {} entries",
    "maximum": "is more than {}",
    "minimum": "is less than {}",
    "multipleOf": "is not a multiple of {}",
}


def _validator(version: OcppVersion, action: str, kind: Kind) -> jsonschema_rs.Validator | None:
    # Stations name actions as they like; only what exists is kept.
    return _compiled(version, action, kind) if (version, action, kind) in _files() else None


@cache
def _files() -> dict[tuple[OcppVersion, str, Kind], Traversable]:
    return {
        (version, *_of_file(file.name)): file
        for version, folder in _FOLDERS.items()
        for file in (resources.files("ocpp") / folder / "schemas").iterdir()
    }


@cache
def _compiled(version: OcppVersion, action: str, kind: Kind) -> jsonschema_rs.Validator:
    file = _files()[version, action, kind]
    try:
        schema = _only_times(orjson.loads(file.read_bytes().removeprefix(b"\xef\xbb\xbf")))
        if (version, kind) == (OcppVersion.V16, "request") and action in _LEAST_CONNECTOR_V16:
            schema["properties"]["connectorId"]["minimum"] = _LEAST_CONNECTOR_V16[action]
        return jsonschema_rs.validator_for(schema, validate_formats=True)
    except Exception:
        # Somebody upgrades the package under us. No station is to lose a message to that; what a
        # handler cannot read is answered for as everywhere.
        log.exception(
            "a schema is unreadable; until a restart its messages are not checked",
            file=str(file),
        )
        return jsonschema_rs.validator_for(True)


def _only_times(schema: Any) -> Any:
    """The schema without its other formats: 1.6 has two `uri`, and stations take paths there."""
    if isinstance(schema, list):
        return [_only_times(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: _only_times(item)
        for key, item in schema.items()
        if key != "format" or item == "date-time" or isinstance(item, dict)
    }


def _of_file(name: str) -> tuple[str, Kind]:
    stem = name.removesuffix(".json")
    if stem.endswith("Response"):
        return stem.removesuffix("Response"), "response"
    # 1.6 files carry the bare action, and so does the one SEND message of 2.1.
    return stem.removesuffix("Request"), "request"
