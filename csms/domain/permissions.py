"""Who may see and do what: roles, scopes, and reach by location."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum


class Scope(str, Enum):
    """One right; routes name the one they need."""

    STATIONS_READ = "stations:read"
    STATIONS_WRITE = "stations:write"
    COMMANDS_SEND = "commands:send"
    JOBS_READ = "jobs:read"
    JOBS_WRITE = "jobs:write"
    TRANSACTIONS_READ = "transactions:read"
    TRANSACTIONS_WRITE = "transactions:write"
    EVENTS_READ = "events:read"
    METRICS_READ = "metrics:read"
    ID_TOKENS_READ = "id_tokens:read"
    ID_TOKENS_WRITE = "id_tokens:write"
    FIRMWARE_WRITE = "firmware:write"
    LOGS_READ = "logs:read"
    TOKENS_MANAGE = "tokens:manage"
    WEBHOOKS_MANAGE = "webhooks:manage"
    AUDIT_READ = "audit:read"
    SELF_READ = "self:read"
    """What every token may: see what it is."""
    SELF_WRITE = "self:write"
    """And sign itself in to the page, and out."""


class Role(str, Enum):
    """Presets of scopes."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"


_SELF = frozenset({Scope.SELF_READ, Scope.SELF_WRITE})
_VIEWER = frozenset(
    {
        Scope.STATIONS_READ,
        Scope.JOBS_READ,
        Scope.TRANSACTIONS_READ,
        Scope.EVENTS_READ,
        Scope.METRICS_READ,
        *_SELF,
    }
)
_OPERATOR = _VIEWER | {
    Scope.STATIONS_WRITE,
    Scope.COMMANDS_SEND,
    Scope.JOBS_WRITE,
    Scope.TRANSACTIONS_WRITE,
    Scope.ID_TOKENS_READ,
    Scope.ID_TOKENS_WRITE,
    Scope.FIRMWARE_WRITE,
    Scope.LOGS_READ,
}
SCOPES: dict[Role, frozenset[Scope]] = {
    Role.VIEWER: _VIEWER,
    Role.OPERATOR: _OPERATOR,
    Role.ADMIN: frozenset(Scope),
}


def least_role(scopes: frozenset[Scope]) -> Role:
    """The lowest role that includes them all."""
    return next(role for role in Role if scopes <= SCOPES[role])


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller: a token's public id, what it may do, and the locations it is bound to."""

    id: str
    name: str
    role: Role
    location_ids: frozenset[int] | None = None
    """None: not bound, sees everything."""
    only: frozenset[Scope] | None = None
    """The scopes of its role that it has; None: all of them."""
    expires_at: datetime | None = None
    session_id: str | None = None
    """Whoever shows a cookie is signed in to the page by it."""

    @property
    def scopes(self) -> frozenset[Scope]:
        """All that it may do."""
        of_role = SCOPES[self.role]
        return of_role if self.only is None else of_role & (self.only | _SELF)

    def may(self, scope: Scope) -> bool:
        """Whether it has the scope."""
        return scope in self.scopes

    def reaches(self, location_id: int | None) -> bool:
        """A station or location is seen by its current location; none is seen by unbound only."""
        if self.location_ids is None:
            return True
        return location_id is not None and location_id in self.location_ids


SYSTEM = Principal("csms", "csms", Role.ADMIN)
"""Ourselves, for what we do because a station asked; no token has this id."""
