"""Who may see and do what: roles, scopes, and reach by location."""

from __future__ import annotations

from dataclasses import dataclass
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
    TOKENS_MANAGE = "tokens:manage"


class Role(str, Enum):
    """Presets of scopes."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"


_VIEWER = frozenset(
    {
        Scope.STATIONS_READ,
        Scope.JOBS_READ,
        Scope.TRANSACTIONS_READ,
        Scope.EVENTS_READ,
        Scope.METRICS_READ,
    }
)
_OPERATOR = _VIEWER | {
    Scope.STATIONS_WRITE,
    Scope.COMMANDS_SEND,
    Scope.JOBS_WRITE,
    Scope.TRANSACTIONS_WRITE,
    Scope.ID_TOKENS_READ,
    Scope.ID_TOKENS_WRITE,
}
SCOPES: dict[Role, frozenset[Scope]] = {
    Role.VIEWER: _VIEWER,
    Role.OPERATOR: _OPERATOR,
    Role.ADMIN: frozenset(Scope),
}


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller: a token's public id, its role, and the locations it is bound to."""

    id: str
    name: str
    role: Role
    location_ids: frozenset[int] | None = None
    """None: not bound, sees everything."""

    def may(self, scope: Scope) -> bool:
        """Whether the role includes the scope."""
        return scope in SCOPES[self.role]

    def reaches(self, location_id: int | None) -> bool:
        """A station or location is seen by its current location; none is seen by unbound only."""
        if self.location_ids is None:
            return True
        return location_id is not None and location_id in self.location_ids


SYSTEM = Principal("csms", "csms", Role.ADMIN)
"""Ourselves, for what we do because a station asked; no token has this id."""
