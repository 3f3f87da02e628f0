"""POST /api/v1/authorize: what a token would be told, nothing being recorded."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from pydantic import Field, StringConstraints

from csms.api import times
from csms.api.models import Shape, Strict
from csms.api.routing import Call, Reply
from csms.api.v1 import quirks, stations
from csms.api.v1.id_tokens import Spelling, require_unbound
from csms.api.v1.shapes import Instant
from csms.domain.id_tokens import AuthorizationStatus, ShownToken, TokenPolicy
from csms.services import authorization
from csms.services.authorization import Preview
from csms.store.database import ReadTx


class TokenToJudge(Strict):
    """A token as a station would show it."""

    id_token: Spelling
    id_token_type: Annotated[str, StringConstraints(min_length=1, max_length=20)] | None = None
    station_id: str | None = Field(
        default=None,
        max_length=255,
        description="An id or `identity:<x>`; its way of spelling tokens then counts.",
    )


class Verdict(Shape):
    """What would be answered."""

    status: AuthorizationStatus = Field(description="To a station that asks about it.")
    status_at_start: AuthorizationStatus = Field(
        description="At the start of a transaction, where `ConcurrentTx` is possible and a master"
        " starts nothing."
    )
    expires_at: Instant | None
    group_id_token: str | None
    id_token_id: str | None = Field(description="Of the known token that it is or means.")

    @classmethod
    def of(cls, preview: Preview) -> Verdict:
        """The verdict as it is shown."""
        return cls(
            status=preview.asked.status,
            status_at_start=preview.charging.status,
            expires_at=times.micros(preview.asked.expires_at),
            group_id_token=preview.asked.group,
            id_token_id=None if preview.token is None else preview.token.uuid,
        )


async def judge(call: Call[TokenToJudge, None]) -> Reply:
    """For tokens that are not bound, as id tokens are."""
    require_unbound(call.principal)
    body = call.body
    shown = ShownToken(body.id_token, body.id_token_type or "")

    def look(tx: ReadTx) -> Preview:
        return authorization.preview(tx, shown, _policy(tx, call), call.deps.clock.now())

    return Reply(Verdict.of(await call.deps.db.read(look)))


def _policy(tx: ReadTx, call: Call[TokenToJudge, None]) -> TokenPolicy:
    policy = call.deps.hub.settings.token_policy
    if call.body.station_id is None:
        return policy
    station = stations.find(tx, call.body.station_id, call.principal)
    return replace(policy, spellings=frozenset(quirks.in_force(tx, station).tag_spellings))
