"""The audit natively: who wrote what through the API, and what came of it."""

from __future__ import annotations

from pydantic import AwareDatetime, Field

from csms.api import cursors, times
from csms.api.deps import Deps
from csms.api.models import Page, Query, Shape
from csms.api.routing import Call, Reply
from csms.api.v1.shapes import Instant, cursor_page
from csms.domain.permissions import Principal, Role
from csms.errors import Forbidden, NotFound
from csms.store import audit as store
from csms.store import audit_chain, tokens
from csms.store.audit import AuditEntry, AuditFilter
from csms.store.audit_chain import Walk
from csms.store.database import ReadTx


class AuditPrincipal(Shape):
    """A token, as it was then."""

    id: str
    name: str
    role: Role


class AuditShape(Shape):
    """A request that changed something, tried to, or was refused."""

    id: str
    at: Instant
    principal: AuditPrincipal | None = Field(description="null: no valid token.")
    address: str | None = Field(description="Behind one of `trusted_proxies`, as the proxy tells.")
    request_id: str | None
    method: str
    route: str = Field(description="`*`: too many were refused to tell them apart.")
    path: str
    events: list[str] = Field(
        description="What its first transaction told of itself, by the types of GET /api/v1/events."
    )
    station_id: str | None = Field(
        description="The one that it was for, deleted or not; null: none, or several."
    )
    location_id: str | None
    job_id: str | None
    status: int | None = Field(
        description="Of the answer; null: not yet, or the server stopped before it was known."
    )
    code: str | None = Field(description="The error's.")
    created_id: str | None = Field(description="Of what it made, as its answer told it.")
    stations: int = Field(description="How many it was for; `station_id` finds it by each.")
    count: int = Field(description="Of refusals alike within a minute; else 1.")

    @classmethod
    def of(cls, entry: AuditEntry) -> AuditShape:
        """The entry as it is shown."""
        who = entry.principal
        return cls(
            id=str(entry.id),
            at=times.micros(entry.at),
            principal=who and AuditPrincipal(id=who.id, name=who.name, role=who.role),
            address=entry.address,
            request_id=entry.request_id,
            method=entry.method,
            route=entry.route,
            path=entry.path,
            events=list(entry.events),
            station_id=entry.station_uuid,
            location_id=entry.location_uuid,
            job_id=entry.job_uuid,
            status=entry.status,
            code=entry.code,
            created_id=entry.created_id,
            stations=entry.stations,
            count=entry.count,
        )


class AuditPage(Shape):
    """The newest first."""

    items: list[AuditShape]
    next_cursor: str | None


class AuditQuery(Page):
    """Which entries to list."""

    principal: str | None = Field(default=None, max_length=100, description="Id of a token.")
    station_id: str | None = Field(
        default=None, max_length=255, description="An id or `identity:<x>`, deleted or not."
    )
    failed: bool | None = Field(default=None, description="Whether it was answered with an error.")
    from_: AwareDatetime | None = Field(default=None, alias="from")
    to: AwareDatetime | None = Field(default=None, description="Not itself included.")


class AuditCheck(Shape):
    """Whether the audit is as it was written."""

    intact: bool
    broken_at: str | None = Field(description="The first entry where it is not.")
    entries: int = Field(description="How many were found to be as written.")
    hash: str = Field(description="Of the newest link; note it elsewhere, and ask for it later.")
    known_hash_found: bool | None = Field(
        description="false: the audit is not a continuation of the one that you noted."
    )


class CheckQuery(Query):
    """What is known from before."""

    known_hash: str | None = Field(default=None, pattern="^[0-9a-f]{64}$")


async def check(call: Call[None, CheckQuery]) -> Reply:
    """Follow the chain of hashes from the oldest entry to the newest."""
    _require_unbound(call.principal)
    known = call.query.known_hash
    walked = await _walked(call.deps, known)
    if walked.broken_at is not None:  # unless old entries were dropped while we walked
        walked = await _walked(call.deps, known)
    return Reply(
        AuditCheck(
            intact=walked.broken_at is None,
            broken_at=None if walked.broken_at is None else str(walked.broken_at),
            entries=walked.entries,
            hash=walked.hash.hex(),
            known_hash_found=None if known is None else walked.found_known,
        )
    )


async def _walked(deps: Deps, known: str | None) -> Walk:
    noted = None if known is None else bytes.fromhex(known)
    walked, is_over = Walk(), False
    while not is_over:
        walked, is_over = await deps.db.read(
            lambda tx: audit_chain.walk(tx, walked, known=noted)  # noqa: B023 - read before the next
        )
    return walked


def _require_unbound(principal: Principal) -> None:
    if principal.location_ids is not None:
        raise Forbidden("A token bound to locations does not see the audit")


async def list_entries(call: Call[None, AuditQuery]) -> Reply:
    """A page."""
    query, principal = call.query, call.principal
    _require_unbound(principal)
    before_id = cursors.read(query.cursor)

    def look(tx: ReadTx) -> list[AuditEntry]:
        tokens.check_principal(tx, query.principal)
        station_ids = None
        if query.station_id is not None:
            station_ids = tuple(store.station_ids(tx, query.station_id))
            if not station_ids:
                raise NotFound("Station not found")
        wanted = AuditFilter(
            principal=query.principal,
            station_ids=station_ids,
            since=query.from_,
            until=query.to,
            failed=query.failed,
        )
        return store.list_page(tx, wanted, before_id=before_id, limit=query.limit + 1)

    found = await call.deps.db.read(look)
    shown = found[: query.limit]
    more = cursors.write(shown[-1].id) if len(found) > query.limit else None
    return Reply(cursor_page([AuditShape.of(entry) for entry in shown], more))
