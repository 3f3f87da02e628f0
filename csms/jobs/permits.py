"""Whether the one who submitted a job may still do what it does."""

from __future__ import annotations

from csms.clock import from_micros
from csms.domain.jobs import Job
from csms.domain.permissions import SYSTEM, Principal, Scope
from csms.errors import NotFound
from csms.store import tokens
from csms.store.database import Tx


def may_act(tx: Tx, job: Job, scope: Scope, location_id: int | None) -> bool:
    """The token is valid, has the scope, and reaches the location: now, and when it submitted."""
    if job.reach is not None and location_id not in job.reach:
        return False
    principal = _principal(tx, job.principal)
    return principal is not None and principal.may(scope) and principal.reaches(location_id)


def _principal(tx: Tx, public_id: str) -> Principal | None:
    """Whoever the token stands for, while it is valid; looked up once a transaction."""
    if public_id == SYSTEM.id:
        return SYSTEM
    key = ("principal", public_id)
    if key not in tx.memo:
        try:
            token = tokens.get(tx, public_id)
        except NotFound:
            tx.memo[key] = None
        else:
            tx.memo[key] = token.principal if token.valid_at(from_micros(tx.now)) else None
    found: Principal | None = tx.memo[key]
    return found
