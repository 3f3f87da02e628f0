"""API tokens: who may call, in which role, within which locations."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from csms.domain.permissions import Principal, Role, Scope


class TokenSource(str, Enum):
    """Where a token came from; each has its own way to go."""

    CREATED = "created"
    ENVIRONMENT = "environment"
    CLI = "cli"


@dataclass(frozen=True, slots=True)
class Token:
    """A bearer token without its secret, which nobody keeps."""

    id: int
    public_id: str
    name: str
    role: Role
    location_ids: frozenset[int] | None
    source: TokenSource
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None
    scopes: frozenset[Scope] | None = None
    """Those of its role that it has; None: all."""

    def valid_at(self, now: datetime) -> bool:
        """Neither revoked nor expired."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)

    @property
    def principal(self) -> Principal:
        """The caller this token stands for."""
        return Principal(
            id=self.public_id,
            name=self.name,
            role=self.role,
            location_ids=self.location_ids,
            only=self.scopes,
            expires_at=self.expires_at,
        )
