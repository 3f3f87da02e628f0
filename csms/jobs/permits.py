"""Whether the one who submitted a job may still do what it does."""

from __future__ import annotations

from csms.clock import from_micros
from csms.domain.jobs import Job
from csms.domain.permissions import Scope
from csms.errors import NotFound
from csms.store import tokens
from csms.store.database import ReadTx, Tx


def may_act(tx: ReadTx, job: Job, scope: Scope, location_id: int | None) -> bool:
    """The token is valid, has the scope, and reaches the location: now, and when it submitted."""
    if job.reach is not None and location_id not in job.reach:
        return False
    try:
        token = tokens.get(tx, job.principal)
    except NotFound:
        return False
    now = from_micros(tx.now) if isinstance(tx, Tx) else job.updated_at
    principal = token.principal
    return token.valid_at(now) and principal.may(scope) and principal.reaches(location_id)
