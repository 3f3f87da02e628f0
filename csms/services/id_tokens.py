"""Id tokens as people keep them: decide about one, give it further spellings, forget it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from csms.domain.id_tokens import (
    AuthorizationStatus,
    Decision,
    IdToken,
    ShownToken,
    id_token_key,
)
from csms.domain.resemblance import Resemblance, plain, resemblance
from csms.errors import Conflict, Invalid
from csms.events import Event
from csms.store import id_tokens as store
from csms.store.database import ReadTx, Tx

MAX_ALIASES = 50


@dataclass(frozen=True, slots=True)
class Settings:
    """All that a person says about a token."""

    status: Decision
    expires_at: datetime | None = None
    group: str | None = None
    is_master: bool = False
    max_open_transactions: int | None = None
    note: str | None = None
    aliases: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.is_master and self.group is None:
            # OCPP 2.0.1 C16: a station knows a master by its group, its MasterPassGroupId.
            raise Invalid("is what tells stations of a master", loc=("group_id_token",))


@dataclass(frozen=True, slots=True)
class Hint:
    """A known token that an unknown one may be."""

    resemblance: Resemblance
    token: IdToken


def create(tx: Tx, shown: ShownToken, settings: Settings) -> IdToken:
    """A new token, or one that waits for review; raises Conflict when it was decided about."""
    if not shown.key:
        raise Invalid("has nothing to compare", loc=("value",))
    same = _spelled_so(tx, shown)
    if any(_is_decided(token) for token in same):
        raise Conflict("this id token exists, or is an alias of another one")
    token_id = same[0].id if same else store.insert(tx, shown.value, token_type=shown.type)
    return _decide(tx, store.get(tx, token_id), settings, "id_token.created")


def find_decided(tx: ReadTx, shown: ShownToken) -> IdToken | None:
    """The token of this very type and value that somebody decided about."""
    same = (token for token in _spelled_so(tx, shown) if token.key == shown.key)
    return next((token for token in same if _is_decided(token)), None)


def list_decided(tx: ReadTx, key: str) -> list[IdToken]:
    """Those that somebody decided about and that are spelled so, also as an alias."""
    return [token for token in store.list_by_key(tx, key) if _is_decided(token)]


def update(tx: Tx, uuid: str, settings: Settings) -> IdToken:
    """Decide anew; raises NotFound."""
    return _decide(tx, store.get_by_uuid(tx, uuid), settings, "id_token.updated")


def change(tx: Tx, token: IdToken, changes: Mapping[str, Any]) -> IdToken:
    """Decide anew about what is given, by the names of `Settings`; the rest stays."""
    if not _is_decided(token) and "status" not in changes:
        raise Invalid("is needed: nobody decided about it yet", loc=("status",), kind="missing")
    wanted: dict[str, Any] = {
        "status": token.status,
        "expires_at": token.expires_at,
        "group": token.group_key,
        "is_master": token.is_master,
        "max_open_transactions": token.max_open_transactions,
        "note": token.note,
        "aliases": store.list_aliases(tx, token.id),
        **changes,
    }
    wanted["status"] = Decision(wanted["status"])
    wanted["aliases"] = tuple(wanted["aliases"])
    return _decide(tx, token, Settings(**wanted), "id_token.updated")


def delete(tx: Tx, uuid: str) -> None:
    """Forget it; shown again, it is unknown. Raises NotFound."""
    token = store.get_by_uuid(tx, uuid)
    store.delete(tx, token.id)
    _emit(tx, "id_token.deleted", token)


def hints(tx: ReadTx, token: IdToken) -> list[Hint]:
    """What a token may be that nobody decided about."""
    if _is_decided(token):
        return []
    shown = plain(token.key)
    found = ((resemblance(shown, plain(t.key)), t) for t in store.list_resembling(tx, shown))
    return [Hint(how, known) for how, known in found if how is not None]


def find_meant(tx: ReadTx, shown: ShownToken, spellings: Collection[Resemblance]) -> Hint | None:
    """The one known token that differs from the shown one in one of these ways alone."""
    if not spellings:
        return None
    key = plain(shown.key)
    alike = [
        (resemblance(key, plain(token.key)), token)
        for token in store.list_resembling(tx, key)
        if token.type in {shown.type, ""} or not shown.type
    ]
    found = [Hint(how, token) for how, token in alike if how is not None and how in spellings]
    return found[0] if len(found) == 1 else None


def learn(tx: Tx, token: IdToken, shown: ShownToken) -> None:
    """Keep a spelling that a station uses as an alias, while there is room for one more."""
    aliases = tuple(store.list_aliases(tx, token.id))
    if len(aliases) < MAX_ALIASES:
        _take_spellings(tx, token, (*aliases, shown.value))
        store.replace_aliases(tx, token.id, (*aliases, shown.value))
        _emit(tx, "id_token.updated", token)


def _decide(tx: Tx, token: IdToken, settings: Settings, event: str) -> IdToken:
    _take_spellings(tx, token, settings.aliases)
    store.update(
        tx,
        token.id,
        status=settings.status.value,
        expires_at=settings.expires_at,
        group_key=settings.group,
        is_master=settings.is_master,
        max_open_transactions=settings.max_open_transactions,
        note=settings.note,
    )
    store.replace_aliases(tx, token.id, settings.aliases)
    decided = store.get(tx, token.id)
    _emit(tx, event, decided)
    return decided


def _take_spellings(tx: Tx, token: IdToken, aliases: tuple[str, ...]) -> None:
    """Each must be free; who waited for review under one of them was this token."""
    seen = {token.key}
    for index, alias in enumerate(aliases):
        key, loc = id_token_key(alias), ("aliases", index)
        if not key:
            raise Invalid("has nothing to compare", loc=loc)
        if key in seen:
            raise Invalid("is spelled so already", loc=loc, given=alias)
        seen.add(key)
        for other in store.list_by_key(tx, key):
            if other.id == token.id or other.type not in {token.type, ""}:
                continue
            if _is_decided(other):
                raise Conflict(f"the alias {alias} means another id token")
            store.delete(tx, other.id)


def _spelled_so(tx: ReadTx, shown: ShownToken) -> list[IdToken]:
    return [token for token in store.list_by_key(tx, shown.key) if token.type == shown.type]


def _is_decided(token: IdToken) -> bool:
    return token.status is not AuthorizationStatus.UNKNOWN


def _emit(tx: Tx, kind: str, token: IdToken) -> None:
    # Without its value: that is personal, and events are read by all.
    tx.emit(Event(kind, {"id": token.uuid, "status": token.status.value}))
