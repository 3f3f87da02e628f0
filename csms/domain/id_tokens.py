"""Id tokens: when two are the same one, and what we say about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import NamedTuple

from csms.domain.resemblance import Resemblance


class UnknownIdTokens(str, Enum):
    """The policy for a token we never heard of."""

    ACCEPT = "accept"
    REFUSE = "refuse"


class AuthorizationStatus(str, Enum):
    """AuthorizationStatusEnumType of OCPP 2.x."""

    ACCEPTED = "Accepted"
    BLOCKED = "Blocked"
    CONCURRENT_TX = "ConcurrentTx"
    EXPIRED = "Expired"
    INVALID = "Invalid"
    NO_CREDIT = "NoCredit"
    NOT_ALLOWED_TYPE_EVSE = "NotAllowedTypeEVSE"
    NOT_AT_THIS_LOCATION = "NotAtThisLocation"
    NOT_AT_THIS_TIME = "NotAtThisTime"
    UNKNOWN = "Unknown"


class Decision(str, Enum):
    """What a person may decide about a token; the other statuses come of themselves."""

    ACCEPTED = "Accepted"
    BLOCKED = "Blocked"
    INVALID = "Invalid"
    NO_CREDIT = "NoCredit"
    NOT_ALLOWED_TYPE_EVSE = "NotAllowedTypeEVSE"
    NOT_AT_THIS_LOCATION = "NotAtThisLocation"
    NOT_AT_THIS_TIME = "NotAtThisTime"


@dataclass(frozen=True, slots=True)
class IdToken:
    """A token we have seen. `status` is what a person decided; Unknown: nobody has yet."""

    id: int
    uuid: str
    value: str
    key: str
    type: str
    status: AuthorizationStatus
    group_key: str | None
    expires_at: datetime | None
    is_master: bool
    """It stops charging, and never starts it (OCPP 2.0.1 C16)."""
    max_open_transactions: int | None
    """None: as the server's setting says."""
    note: str | None
    last_station_id: int | None
    first_seen_at: datetime
    last_seen_at: datetime


class ShownToken(NamedTuple):
    """A token as a station shows it. OCPP 1.6 knows no types: its tokens have an empty one."""

    value: str
    type: str = ""

    @property
    def key(self) -> str:
        """The form it is compared in; empty when there is nothing to compare."""
        # OCPP 2.0.1 C02: a charge without authorization shows a token of this type, and no value.
        return "" if self.type == "NoAuthorization" else id_token_key(self.value)


@dataclass(frozen=True, slots=True)
class TokenPolicy:
    """The server's rules for tokens."""

    unknown: UnknownIdTokens
    max_open_transactions: int | None
    """How many transactions one token may have open at once; None: any number."""
    spellings: frozenset[Resemblance] = frozenset()
    """How the tokens of this station may differ from the known ones that they mean."""
    spellings_by: str | None = None
    """The quirk that says so."""


@dataclass(frozen=True, slots=True)
class Authorization:
    """What we answer about a token."""

    status: AuthorizationStatus
    expires_at: datetime | None = None
    group: str | None = None


_V16_WORDS = frozenset({"Accepted", "Blocked", "ConcurrentTx", "Expired", "Invalid"})


def id_token_key(value: str) -> str:
    """The form tokens are compared in: trimmed, without control characters, case folded."""
    # Ocular LTE Plus v3 appends garbage bytes to 20-character tags.
    kept = value if value.isprintable() else "".join(c for c in value if c.isprintable())
    return kept.strip().casefold()


def best_match(tokens: Sequence[IdToken], token_type: str) -> IdToken | None:
    """Which of the stored tokens with one key a shown one of this type means.

    One of its own type, else one that was stored without. A shown token without a type means the
    stored one without, else the only one there is. What a person decided about goes before what
    was merely seen.
    """
    same = [token for token in tokens if token.type == token_type]
    if token_type:
        near = [token for token in tokens if not token.type]
    else:
        typed = [token for token in tokens if token.type]
        typed = _decided(typed) or typed
        near = typed if len(typed) == 1 else []
    candidates = same + near
    return next(iter(_decided(candidates) + candidates), None)


def _decided(tokens: Sequence[IdToken]) -> list[IdToken]:
    return [token for token in tokens if token.status is not AuthorizationStatus.UNKNOWN]


def narrow_v16(status: AuthorizationStatus) -> str:
    """One of the five words of OCPP 1.6."""
    return status.value if status.value in _V16_WORDS else "Invalid"


def standing(token: IdToken, policy: TokenPolicy, now: datetime) -> AuthorizationStatus:
    """What a stored token is worth at `now`; open transactions are not counted here."""
    status = token.status
    if status is AuthorizationStatus.UNKNOWN:
        status = standing_unknown(policy)
    if (
        status is AuthorizationStatus.ACCEPTED
        and token.expires_at is not None
        and token.expires_at <= now
    ):
        return AuthorizationStatus.EXPIRED
    return status


def standing_unknown(policy: TokenPolicy) -> AuthorizationStatus:
    """What a token is worth that nobody has decided about."""
    if policy.unknown is UnknownIdTokens.ACCEPT:
        return AuthorizationStatus.ACCEPTED
    return AuthorizationStatus.UNKNOWN
