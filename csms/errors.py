"""Refusals the caller can act on; `code` is part of the public API.

CsmsError
├── BadRequest            the request makes no sense as it stands
│   └── Invalid           a field has a value we refuse; carries where and why
├── Unauthenticated       no token, or not a valid one
├── Forbidden             visible, but not allowed
├── NotFound              absent, or not visible to the caller
├── Conflict              the state of things refuses it
│   ├── DuplicateIdentity
│   │   └── IdentityIsSerialNumber
│   ├── StationOffline
│   └── TransactionOpen
├── TooLarge
├── TooManyRequests       the caller has used up what one may ask in a minute
├── Unavailable           try again: draining, full disk, full queue
│   ├── StorageFull
│   └── StorageFailed     the disk lied; this process writes nothing more
├── CallFailed            a CALL to a station did not end in a CALLRESULT
│   ├── CallTimeout
│   ├── ConnectionLost
│   └── CallRefused       the station answered CALLERROR
│       └── CallWithheld  we did not send it: it does harm to this station
├── NotSupportedByVersion the station's OCPP version cannot express it
└── ProgramFailed         a program of the operator's gave no usable answer
"""

from __future__ import annotations

from typing import Any


class CsmsError(Exception):
    """A refusal with a stable `code`; the message is written for the caller."""

    code = "internal"
    retryable = False

    def __init__(self, message: str = "", *, code: str | None = None) -> None:
        super().__init__(message or self.__class__.__name__)
        if code is not None:
            self.code = code

    @property
    def message(self) -> str:
        """The sentence shown to the caller."""
        return str(self.args[0])


class BadRequest(CsmsError):
    """The request cannot be understood."""

    code = "bad_request"


class Invalid(BadRequest):
    """A value we refuse. `loc` is its path inside `where`: body, query, path or header."""

    code = "invalid"

    def __init__(
        self,
        message: str,
        *,
        loc: tuple[str | int, ...] = (),
        where: str = "body",
        kind: str = "value_error",
        given: Any = None,
        code: str | None = None,
    ) -> None:
        super().__init__(message, code=code)
        self.loc = loc
        self.where = where
        self.kind = kind
        self.given = given


class Unauthenticated(CsmsError):
    """No bearer token, or one we do not know."""

    code = "unauthenticated"


class Forbidden(CsmsError):
    """The caller may see it but not do it."""

    code = "forbidden"


class NotFound(CsmsError):
    """Absent or out of the caller's reach; the two look the same."""

    code = "not_found"


class Conflict(CsmsError):
    """The present state refuses the request."""

    code = "conflict"


class DuplicateIdentity(Conflict):
    """A live station has this identity already."""

    code = "duplicate_identity"


class IdentityIsSerialNumber(DuplicateIdentity):
    """A live station has this identity as its serial number."""


class StationOffline(Conflict):
    """No socket to the station, or it is not ready."""

    code = "station_offline"


class TransactionOpen(Conflict):
    """A transaction is open, so the thing cannot go."""

    code = "transaction_open"


class TooLarge(CsmsError):
    """The body is over the limit."""

    code = "too_large"


class TooManyRequests(CsmsError):
    """The caller asked too often; the same request will be heard after `retry_after_s`."""

    code = "rate_limited"
    retryable = True

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(f"Too many requests; try again in {retry_after_s} s.")
        self.retry_after_s = retry_after_s


class Unavailable(CsmsError):
    """Nothing was written; the same request may work later."""

    code = "unavailable"
    retryable = True


class StorageFull(Unavailable):
    """The disk is full. Every unit of the commit group failed."""

    code = "storage_full"


class StorageFailed(Unavailable):
    """The disk reported an I/O error on commit; no further write is trusted."""

    code = "storage_failed"
    retryable = False


class CallFailed(CsmsError):
    """A CALL did not end in a CALLRESULT."""

    code = "call_failed"
    retryable = True


class CallTimeout(CallFailed):
    """The station did not answer in time; it may still do so."""

    code = "call_timeout"


class ConnectionLost(CallFailed):
    """The socket went away after the CALL was handed to it."""

    code = "connection_lost"


class CallRefused(CallFailed):
    """The station answered CALLERROR with `error_code`."""

    code = "call_refused"

    def __init__(self, error_code: str, description: str = "") -> None:
        super().__init__(f"{error_code}: {description}" if description else error_code)
        self.error_code = error_code
        self.description = description


class CallWithheld(CallRefused):
    """The CALL never left: this station does not bear it. The description says why."""

    code = "call_withheld"
    retryable = False

    def __init__(self, reason: str) -> None:
        super().__init__("Withheld", reason)


class NotSupportedByVersion(CsmsError):
    """The command has no form in the station's OCPP version."""

    code = "not_supported_by_version"


class ProgramFailed(CsmsError):
    """A program of the operator's failed, took too long, or said what makes no sense."""

    code = "program_failed"
    retryable = True
