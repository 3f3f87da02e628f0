"""Id tokens natively: list, decide, review those that nobody decided about."""

from __future__ import annotations

from typing import Annotated

from pydantic import AwareDatetime, Field, StringConstraints, field_validator

from csms.api import cursors, times
from csms.api.models import Page, Shape, Strict, never_null
from csms.api.once import once
from csms.api.routing import Call, Reply
from csms.api.v1.shapes import Instant, cursor_page
from csms.domain.id_tokens import (
    AuthorizationStatus,
    Decision,
    IdToken,
    ShownToken,
    id_token_key,
)
from csms.domain.permissions import Principal
from csms.domain.resemblance import Resemblance
from csms.errors import Forbidden
from csms.services import id_tokens
from csms.services.id_tokens import Settings
from csms.store import id_tokens as store
from csms.store import stations as station_store
from csms.store.database import ReadTx, Tx
from csms.store.id_tokens import IdTokenFilter

# IdTokenType of OCPP 2.1, the longest of the three versions.
Spelling = Annotated[str, StringConstraints(min_length=1, max_length=255)]


class HintShape(Shape):
    """A known token that an unknown one looks like."""

    resemblance: Resemblance = Field(
        description="What the unknown one is, seen from the known one: `reversed` bytes,"
        " `byte_missing`, other `separators`, `cut_off`, `serial_appended`, `garbage_appended`,"
        " or `longer`."
    )
    id: str
    value: str


class IdTokenShape(Shape):
    """A token, and what it is worth."""

    id: str
    value: str = Field(description="As it was shown or given first.")
    type: str | None = Field(description="Null: it has none, as all tags of OCPP 1.6.")
    status: AuthorizationStatus = Field(description="`Unknown`: nobody has decided yet.")
    expires_at: Instant | None
    group_id_token: str | None
    is_master: bool
    max_open_transactions: int | None
    aliases: list[str]
    note: str | None
    hints: list[HintShape] = Field(description="Of an unknown one: what it looks like.")
    last_station_id: str | None = Field(description="Where it was shown last.")
    first_seen_at: Instant
    last_seen_at: Instant

    @classmethod
    def of(cls, tx: ReadTx, token: IdToken) -> IdTokenShape:
        """The token as it is shown."""
        station = None
        if token.last_station_id is not None:
            station = station_store.find(tx, token.last_station_id)
        return cls(
            id=token.uuid,
            value=token.value,
            type=token.type or None,
            status=token.status,
            expires_at=times.micros(token.expires_at),
            group_id_token=token.group_key,
            is_master=token.is_master,
            max_open_transactions=token.max_open_transactions,
            aliases=store.list_aliases(tx, token.id),
            note=token.note,
            hints=[
                HintShape(resemblance=hint.resemblance, id=hint.token.uuid, value=hint.token.value)
                for hint in id_tokens.hints(tx, token)
            ],
            last_station_id=None if station is None else station.uuid,
            first_seen_at=times.micros(token.first_seen_at),
            last_seen_at=times.micros(token.last_seen_at),
        )


class IdTokenPage(Shape):
    """The token that was new last comes first."""

    items: list[IdTokenShape]
    next_cursor: str | None


class IdTokensQuery(Page):
    """Which tokens to list."""

    under_review: bool | None = Field(
        default=None, description="true: only those that nobody decided about; false: the others."
    )
    value: str | None = Field(
        default=None, max_length=255, description="In any case; an alias finds its token."
    )
    group_id_token: str | None = Field(default=None, max_length=255)


class _About(Strict):
    """What is decided about a token besides what it is told."""

    expires_at: AwareDatetime | None = Field(
        default=None, description="From then on it is `Expired`; may be past."
    )
    group_id_token: Spelling | None = Field(
        default=None,
        description="`groupIdToken` on 2.x, `parentIdTag` on 1.6, which takes at most 20.",
    )
    is_master: bool = Field(
        default=False,
        description="It ends the charging of others, and starts none: its group is what stations"
        " hold as MasterPassGroupId.",
    )
    max_open_transactions: int | None = Field(
        default=None,
        ge=1,
        le=1000,
        description="At once, anywhere; null: as `authorization.max_transactions_per_id_token`.",
    )
    aliases: list[Spelling] = Field(
        default_factory=list,
        max_length=id_tokens.MAX_ALIASES,
        description="Further spellings of it; some stations' are learned.",
    )
    note: Annotated[str, StringConstraints(max_length=1000)] | None = None


class IdTokenSettings(_About):
    """All that is decided about a token; what is left out is not set."""

    status: Decision


class IdTokenChanges(_About):
    """What is left out stays as it is; null clears."""

    status: Decision | None = Field(
        default=None, description="Needed for one that nobody decided about yet."
    )

    _is_always_known = field_validator("status")(never_null)


class NewIdToken(IdTokenSettings):
    """A token to decide about."""

    value: Spelling
    type: Annotated[str, StringConstraints(min_length=1, max_length=20)] | None = Field(
        default=None,
        description="Of OCPP 2.x, such as `ISO14443`; without one it means tokens of any type.",
    )


async def list_id_tokens(call: Call[None, IdTokensQuery]) -> Reply:
    """For tokens that are not bound: a card belongs to no location."""
    require_unbound(call.principal)
    query = call.query
    before_id = cursors.read(query.cursor)
    wanted = IdTokenFilter(
        under_review=query.under_review,
        key=None if query.value is None else id_token_key(query.value),
        group=query.group_id_token,
    )

    def look(tx: ReadTx) -> tuple[list[IdTokenShape], int | None]:
        found = store.list_page(tx, wanted, limit=query.limit + 1, before_id=before_id)
        shown = found[: query.limit]
        more = shown[-1].id if len(found) > len(shown) else None
        return [IdTokenShape.of(tx, token) for token in shown], more

    shapes, more = await call.deps.db.read(look)
    return Reply(cursor_page(shapes, None if more is None else cursors.write(more)))


async def show(call: Call[None, None]) -> Reply:
    """One token."""
    require_unbound(call.principal)
    return Reply(
        await call.deps.db.read(
            lambda tx: IdTokenShape.of(tx, store.get_by_uuid(tx, call.path["id_token_id"]))
        )
    )


async def create(call: Call[NewIdToken, None]) -> Reply:
    """201, also for one that waited for review; 409 when somebody decided about it before."""
    require_unbound(call.principal)
    wanted = call.body
    shown, settings = ShownToken(wanted.value, wanted.type or ""), settings_of(wanted)

    def make(tx: Tx) -> tuple[str, IdTokenShape]:
        made = id_tokens.create(tx, shown, settings)
        return made.uuid, IdTokenShape.of(tx, made)

    made, headers = await once(
        call,
        "id_token",
        make,
        again=lambda tx, uuid: IdTokenShape.of(tx, store.get_by_uuid(tx, uuid)),
    )
    headers["Location"] = f"/api/v1/id-tokens/{made.id}"
    return Reply(made, status=201, headers=headers)


async def change(call: Call[IdTokenChanges, None]) -> Reply:
    """As `replace`, of what is given."""
    require_unbound(call.principal)
    changes = call.body.model_dump(exclude_unset=True)
    if "group_id_token" in changes:
        changes["group"] = changes.pop("group_id_token")

    def write(tx: Tx) -> IdTokenShape:
        token = store.get_by_uuid(tx, call.path["id_token_id"])
        changed = id_tokens.change(tx, token, changes) if changes else token
        return IdTokenShape.of(tx, changed)

    return Reply(await call.deps.db.write(write))


async def replace(call: Call[IdTokenSettings, None]) -> Reply:
    """Counts at once for what stations ask; their local lists and caches are their own."""
    require_unbound(call.principal)
    settings = settings_of(call.body)
    return Reply(
        await call.deps.db.write(
            lambda tx: IdTokenShape.of(tx, id_tokens.update(tx, call.path["id_token_id"], settings))
        )
    )


async def delete(call: Call[None, None]) -> Reply:
    """204; shown again, it is unknown."""
    require_unbound(call.principal)
    await call.deps.db.write(lambda tx: id_tokens.delete(tx, call.path["id_token_id"]))
    return Reply(status=204)


def require_unbound(principal: Principal) -> None:
    """Cards belong to no location. Raises Forbidden."""
    if principal.location_ids is not None:
        raise Forbidden("A token bound to locations does not see id tokens")


def settings_of(body: IdTokenSettings) -> Settings:
    """What is decided; raises Invalid for what does not go together."""
    return Settings(
        status=body.status,
        expires_at=body.expires_at,
        group=body.group_id_token,
        is_master=body.is_master,
        max_open_transactions=body.max_open_transactions,
        note=body.note,
        aliases=tuple(body.aliases),
    )
