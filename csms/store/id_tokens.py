"""Tables `id_tokens` and `id_token_aliases`: every token that was ever shown to us.

A token is unique by folded key and type; aliases are further spellings of one.
"""

from __future__ import annotations

import uuid as uuids
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from csms.clock import from_micros, to_micros
from csms.domain.id_tokens import AuthorizationStatus, IdToken, best_match, id_token_key
from csms.domain.resemblance import known_spellings, may_be_cut_off
from csms.errors import NotFound
from csms.store import columns
from csms.store.columns import instant, micros, to_json
from csms.store.database import ReadTx, Row, Tx

# Seeing a token again within a minute is not worth a write.
_SEEN_STEP_US = 60_000_000
_MAX_RESEMBLING = 10
_CHANGEABLE = frozenset(
    {"status", "group_key", "expires_at", "is_master", "max_open_transactions", "note"}
)


@dataclass(frozen=True, slots=True)
class IdTokenFilter:
    """Which tokens to list; None does not narrow."""

    under_review: bool | None = None
    key: str | None = None
    group: str | None = None


class IdTokenGroup(NamedTuple):
    """A group, and how many tokens are in it."""

    name: str
    tokens: int
    accepted: int
    masters: int


def find(tx: ReadTx, key: str, token_type: str = "") -> IdToken | None:
    """The token that a shown one with this folded key and type means; see `best_match`."""
    return best_match(list_by_key(tx, key), token_type)


def list_by_key(tx: ReadTx, key: str) -> list[IdToken]:
    """The tokens of any type that are spelled so, or have an alias that is."""
    rows = tx.all(
        "SELECT * FROM id_tokens WHERE id IN (SELECT id FROM id_tokens WHERE key = ?1"
        " UNION ALL SELECT id_token_id FROM id_token_aliases WHERE key = ?1) ORDER BY type, id",
        (key,),
    )
    return [_token(row) for row in rows]


def get(tx: ReadTx, token_id: int) -> IdToken:
    """The token with this row id; raises NotFound."""
    return _required(tx.one("SELECT * FROM id_tokens WHERE id = ?", (token_id,)))


def get_by_uuid(tx: ReadTx, uuid: str) -> IdToken:
    """The token with this public id; raises NotFound."""
    return _required(tx.one("SELECT * FROM id_tokens WHERE uuid = ?", (uuid,)))


def list_page(
    tx: ReadTx, wanted: IdTokenFilter, *, limit: int, before_id: int | None = None
) -> list[IdToken]:
    """Tokens, the newest first."""
    terms, params = ["1"], list[Any]()
    if wanted.under_review is not None:
        terms.append("status = 'Unknown'" if wanted.under_review else "status <> 'Unknown'")
    for term, value in (("id < ?", before_id), ("group_key = ?", wanted.group)):
        if value is not None:
            terms.append(term)
            params.append(value)
    if wanted.key is not None:
        terms.append(
            "id IN (SELECT id FROM id_tokens WHERE key = ?"
            " UNION SELECT id_token_id FROM id_token_aliases WHERE key = ?)"
        )
        params += [wanted.key, wanted.key]
    rows = tx.all(
        f"SELECT * FROM id_tokens WHERE {' AND '.join(terms)}"  # noqa: S608 - fixed terms
        " ORDER BY id DESC LIMIT ?",
        (*params, limit),
    )
    return [_token(row) for row in rows]


def list_groups(tx: ReadTx, *, limit: int, after: str = "") -> list[IdTokenGroup]:
    """Groups that tokens are in, by name."""
    rows = tx.all(
        "SELECT group_key, count(*), sum(status = 'Accepted'), sum(is_master) FROM id_tokens"
        " WHERE group_key > ? GROUP BY group_key ORDER BY group_key LIMIT ?",
        (after, limit),
    )
    return [IdTokenGroup(*row) for row in rows]


def list_resembling(tx: ReadTx, plain: str) -> list[IdToken]:
    """Tokens that somebody decided about and that a plain key may be; the closest ones first."""
    rows = tx.all(
        "SELECT * FROM id_tokens WHERE status <> 'Unknown'"
        " AND plain IN (SELECT value FROM json_each(?)) ORDER BY length(plain) DESC LIMIT ?",
        (to_json(known_spellings(plain)), _MAX_RESEMBLING),
    )
    if may_be_cut_off(plain):
        rows += tx.all(
            "SELECT * FROM id_tokens WHERE status <> 'Unknown' AND plain > ?1"
            " AND plain < ?1 || char(1114111) ORDER BY plain LIMIT ?2",
            (plain, _MAX_RESEMBLING),
        )
    return [_token(row) for row in rows]


def list_decided(tx: ReadTx) -> list[IdToken]:
    """Every token that somebody decided about."""
    rows = tx.all("SELECT * FROM id_tokens WHERE status <> 'Unknown' ORDER BY id")
    return [_token(row) for row in rows]


def insert(
    tx: Tx,
    value: str,
    *,
    token_type: str = "",
    status: AuthorizationStatus = AuthorizationStatus.UNKNOWN,
    group: str | None = None,
    expires_at: datetime | None = None,
    station_id: int | None = None,
) -> int:
    """A new token; returns its row id."""
    return tx.insert(
        "INSERT INTO id_tokens (uuid, value, key, type, status, group_key, expires_at,"
        " last_station_id, first_seen_at, last_seen_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            str(uuids.uuid4()),
            value,
            id_token_key(value),
            token_type,
            status.value,
            group,
            micros(expires_at),
            station_id,
            tx.now,
            tx.now,
        ),
    )


def update(
    tx: Tx, token_id: int, *, expires_at: datetime | None, **changes: str | int | None
) -> None:
    """Change the named columns, and until when the token is valid."""
    changes["expires_at"] = micros(expires_at)
    columns.update(tx, "id_tokens", token_id, changes, _CHANGEABLE)


def update_seen(tx: Tx, token: IdToken, station_id: int | None = None) -> None:
    """The token was shown again, at this station."""
    moved = station_id is not None and station_id != token.last_station_id
    if moved or to_micros(token.last_seen_at) < tx.now - _SEEN_STEP_US:
        tx.run(
            "UPDATE id_tokens SET last_seen_at = ?, last_station_id = ifnull(?, last_station_id)"
            " WHERE id = ?",
            (tx.now, station_id, token.id),
        )


def delete(tx: Tx, token_id: int) -> None:
    """Forget a token and its aliases."""
    tx.run("DELETE FROM id_tokens WHERE id = ?", (token_id,))


def list_aliases(tx: ReadTx, token_id: int) -> list[str]:
    """The further spellings of a token, as they were given."""
    rows = tx.all(
        "SELECT value FROM id_token_aliases WHERE id_token_id = ? ORDER BY position", (token_id,)
    )
    return [row["value"] for row in rows]


def list_all_aliases(tx: ReadTx) -> dict[int, list[str]]:
    """The further spellings of all tokens, by row id."""
    aliases: dict[int, list[str]] = {}
    for row in tx.all("SELECT * FROM id_token_aliases ORDER BY id_token_id, position"):
        aliases.setdefault(row["id_token_id"], []).append(row["value"])
    return aliases


def replace_aliases(tx: Tx, token_id: int, values: Sequence[str]) -> None:
    """Set the further spellings of a token."""
    tx.run("DELETE FROM id_token_aliases WHERE id_token_id = ?", (token_id,))
    tx.many(
        "INSERT INTO id_token_aliases (id_token_id, position, value, key) VALUES (?, ?, ?, ?)",
        [(token_id, at, value, id_token_key(value)) for at, value in enumerate(values)],
    )


def _required(row: Row | None) -> IdToken:
    if row is None:
        raise NotFound("Id token not found")
    return _token(row)


def _token(row: Row) -> IdToken:
    return IdToken(
        id=row["id"],
        uuid=row["uuid"],
        value=row["value"],
        key=row["key"],
        type=row["type"],
        status=AuthorizationStatus(row["status"]),
        group_key=row["group_key"],
        expires_at=instant(row["expires_at"]),
        is_master=bool(row["is_master"]),
        max_open_transactions=row["max_open_transactions"],
        note=row["note"],
        last_station_id=row["last_station_id"],
        first_seen_at=from_micros(row["first_seen_at"]),
        last_seen_at=from_micros(row["last_seen_at"]),
    )
