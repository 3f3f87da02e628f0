"""CsmsError → HTTP: one table of status codes, three ways to write the body."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from csms import errors
from csms.api.routing import Dialect
from csms.api.wording import of_chargers
from csms.errors import BadRequest, CsmsError, Invalid

# Told with every 503: nothing was written, and whatever it is passes quickly or not at all.
RETRY_AFTER_S = 2
# The given value comes back with a complaint; a body of 8 MiB does not.
_LARGEST_INPUT = 1000


class MalformedBody(BadRequest):
    """The body is not JSON we accept: syntax, encoding, a repeated key, too deep."""

    code = "malformed_json"


class MethodNotAllowed(CsmsError):
    """The path exists, the method does not."""

    code = "method_not_allowed"

    def __init__(self, allowed: str) -> None:
        super().__init__(f"Method not allowed; use {allowed}")
        self.allowed = allowed


class BodyTooSlow(CsmsError):
    """The body stopped coming."""

    code = "body_too_slow"
    retryable = True


class UnsupportedMediaType(CsmsError):
    """The body is declared as something other than JSON."""

    code = "unsupported_media_type"


class UnsupportedEncoding(UnsupportedMediaType):
    """The body is packed in a way that we do not unpack."""

    code = "unsupported_encoding"


@dataclass(frozen=True, slots=True)
class Issue:
    """One complaint about one place of the request; `loc` starts with where that is."""

    loc: tuple[str | int, ...]
    message: str
    kind: str
    given: Any = None
    context: dict[str, Any] | None = None

    @property
    def sentence(self) -> str:
        """The message, without what pydantic writes before a sentence of ours."""
        return self.message.removeprefix("Value error, ")


class ValidationFailed(CsmsError):
    """The request does not fit its model."""

    code = "invalid"

    def __init__(self, issues: Sequence[Issue]) -> None:
        super().__init__(issues[0].sentence)
        self.issues = issues


@dataclass(frozen=True, slots=True)
class Rendered:
    """An error ready to be sent."""

    status: int
    body: dict[str, Any]
    headers: dict[str, str] = field(default_factory=dict)
    media_type: str = "application/json"


_STATUS: dict[type[CsmsError], int] = {
    errors.BadRequest: 400,
    errors.Invalid: 422,
    ValidationFailed: 422,
    errors.Unauthenticated: 401,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    MethodNotAllowed: 405,
    BodyTooSlow: 408,
    errors.Conflict: 409,
    errors.TooLarge: 413,
    errors.TooManyRequests: 429,
    UnsupportedMediaType: 415,
    errors.NotSupportedByVersion: 422,
    errors.CallFailed: 502,
    errors.CallTimeout: 504,
    errors.ConnectionLost: 504,
    errors.Unavailable: 503,
    CsmsError: 500,
}
# The commands dialect's clients match on these sentences.
_FIXED_SENTENCES: dict[type[CsmsError], str] = {
    errors.Unauthenticated: "Unauthenticated.",
    errors.Forbidden: "This action is unauthorized.",
    errors.TooManyRequests: "Too Many Attempts.",
    errors.StationOffline: "The charger is offline.",
    errors.CallTimeout: "The charger did not respond in time.",
}
_INVALID_SENTENCE = "The given data was invalid."


def dialect_of(path: str) -> Dialect:
    """Whose clients ask for this path, known or not."""
    if path == "/ocpp" or path.startswith("/ocpp/"):
        return Dialect.CHARGERS
    if path == "/api/v3" or path.startswith("/api/v3/"):
        return Dialect.COMMANDS
    return Dialect.NATIVE


def render(error: CsmsError, dialect: Dialect) -> Rendered:
    """Status, body and headers of a refusal in the caller's dialect."""
    status = status_of(error)
    headers = _headers(error, status)
    if dialect is Dialect.CHARGERS:
        return _for_chargers(error, status, headers)
    if dialect is Dialect.COMMANDS:
        return _for_commands(error, status, headers)
    return _native(error, status, headers)


def render_status(status: int, reason: str, dialect: Dialect) -> Rendered:
    """A refusal that is not ours, e.g. the HTTP library's own."""
    if dialect is Dialect.CHARGERS:
        return Rendered(status, {"detail": reason})
    if dialect is Dialect.COMMANDS:
        return Rendered(status, {"message": reason})
    body = problem(status, "http_error", reason)
    return Rendered(status, body, media_type="application/problem+json")


def status_of(error: CsmsError) -> int:
    """The nearest class in the table decides."""
    return next(_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS)


def problem(status: int, code: str, detail: str, **more: Any) -> dict[str, Any]:
    """An RFC 9457 body; `code` is the stable part."""
    title = HTTPStatus(status).phrase
    return {
        "type": "about:blank",
        "title": title,
        "status": status,
        "code": code,
        "detail": detail,
        **more,
    }


def issues_of(error: CsmsError) -> Sequence[Issue]:
    """The complaints behind a refusal of the request's content."""
    if isinstance(error, ValidationFailed):
        return error.issues
    if isinstance(error, Invalid):
        return [Issue((error.where, *error.loc), error.message, error.kind, error.given)]
    if isinstance(error, MalformedBody):
        context = {"error": error.message}
        return [Issue(("body",), "JSON decode error", "json_invalid", {}, context)]
    return ()


def _native(error: CsmsError, status: int, headers: dict[str, str]) -> Rendered:
    more: dict[str, Any] = {}
    if isinstance(error, Invalid | ValidationFailed):
        more["errors"] = [
            {
                "in": issue.loc[0],
                "pointer": "".join(f"/{_escaped(part)}" for part in issue.loc[1:]),
                "detail": issue.sentence,
                "type": issue.kind,
            }
            for issue in issues_of(error)
        ]
    if isinstance(error, errors.CallRefused):
        more["ocpp_error"] = {"code": error.error_code, "description": error.description}
    body = problem(status, error.code, error.message, **more)
    return Rendered(status, body, headers, "application/problem+json")


def _in_their_words(error: CsmsError) -> str:
    told = isinstance(error, errors.CallRefused) and not isinstance(error, errors.CallWithheld)
    return error.message if told else of_chargers(error.message)  # the station's text stays


def _for_chargers(error: CsmsError, status: int, headers: dict[str, str]) -> Rendered:
    issues = issues_of(error)
    if not issues:
        return Rendered(status, {"detail": _in_their_words(error)}, headers)
    return Rendered(422, {"detail": [_chargers_issue(issue) for issue in issues]}, headers)


def _chargers_issue(issue: Issue) -> dict[str, Any]:
    written = {
        "type": issue.kind,
        "loc": list(issue.loc),
        "msg": of_chargers(issue.message),
        "input": _bounded(issue.given),
    }
    return written if issue.context is None else {**written, "ctx": issue.context}


def _for_commands(error: CsmsError, status: int, headers: dict[str, str]) -> Rendered:
    issues = issues_of(error)
    if issues:
        fields: dict[str, list[str]] = {}
        for issue in issues:
            name = ".".join(str(part) for part in issue.loc[1:]) or str(issue.loc[0])
            told = issue.context["error"] if issue.kind == "json_invalid" and issue.context else ""
            fields.setdefault(name, []).append(told or of_chargers(issue.sentence))
        return Rendered(422, {"message": _INVALID_SENTENCE, "errors": fields}, headers)
    sentence = next(
        (text for kind, text in _FIXED_SENTENCES.items() if isinstance(error, kind)),
        _in_their_words(error),
    )
    if isinstance(error, errors.StationOffline):
        status = 400
    return Rendered(status, {"message": sentence}, headers)


def _headers(error: CsmsError, status: int) -> dict[str, str]:
    if status == 401:
        return {"WWW-Authenticate": "Bearer"}
    if status == 503:
        return {"Retry-After": str(RETRY_AFTER_S)}
    if isinstance(error, errors.TooManyRequests):
        return {"Retry-After": str(error.retry_after_s)}
    if isinstance(error, UnsupportedEncoding):
        return {"Accept-Encoding": "gzip, deflate"}  # RFC 9110 15.5.16
    if isinstance(error, MethodNotAllowed):
        return {"Allow": error.allowed}
    return {}


def _bounded(given: Any) -> Any:
    if isinstance(given, str):
        return given[:_LARGEST_INPUT]
    if isinstance(given, dict | list) and len(str(given)[: _LARGEST_INPUT + 1]) > _LARGEST_INPUT:
        return None
    return given


def _escaped(part: str | int) -> str:
    # RFC 6901
    return str(part).replace("~", "~0").replace("/", "~1")
