"""A station's local list made of our own id tokens, as the station's version writes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from csms.domain.id_tokens import IdToken, best_match, narrow_v16
from csms.domain.local_lists import ListEntry
from csms.domain.timestamps import format_timestamp
from csms.domain.versions import OcppVersion
from csms.errors import NotSupportedByVersion
from csms.ocpp.charging_profiles import read_instant
from csms.ocpp.id_tokens import CARD, tag_v16, token_v201
from csms.store import id_tokens
from csms.store.database import ReadTx


def of_id_tokens(tx: ReadTx, version: OcppVersion) -> list[ListEntry]:
    """An entry for each spelling of each token that somebody decided about.

    What stations of the version cannot read from a card is left out.
    """
    tokens = id_tokens.list_decided(tx)
    aliases = id_tokens.list_all_aliases(tx)
    spelled = [
        (value, token) for token in tokens for value in (token.value, *aliases.get(token.id, ()))
    ]
    entries = _entries_v16(spelled) if version is OcppVersion.V16 else _entries_v2x(spelled)
    return [
        replace(entry, group_id_token=None)
        if entry.group_id_token and not _has_room(version, entry.group_id_token, "Central")
        else entry
        for entry in entries
        if _has_room(version, entry.id_token, entry.id_token_type)
    ]


def _entries_v16(spelled: Sequence[tuple[str, IdToken]]) -> list[ListEntry]:
    # Without types, one tag may mean several tokens; it is judged as when it is shown.
    meant: dict[str, list[tuple[str, IdToken]]] = {}
    for value, token in spelled:
        meant.setdefault(_entry(value, token, "").key, []).append((value, token))
    entries = []
    for alike in meant.values():
        best = best_match([token for _, token in alike], "")
        entries += [_entry(value, token, "") for value, token in alike if token is best]
    return entries


def _entries_v2x(spelled: Sequence[tuple[str, IdToken]]) -> list[ListEntry]:
    entries: dict[tuple[str, str], ListEntry] = {}
    for value, token in sorted(spelled, key=lambda one: one[1].type == ""):
        entry = _entry(value, token, token.type or CARD)
        entries.setdefault((entry.key, entry.id_token_type), entry)
    return list(entries.values())


def _entry(value: str, token: IdToken, token_type: str) -> ListEntry:
    status = token.status.value if token_type else narrow_v16(token.status)
    # In the precision of messages, so that it equals what comes back from one.
    expires_at = token.expires_at and read_instant(format_timestamp(token.expires_at))
    return ListEntry(value, token_type, status, expires_at, token.group_key)


def _has_room(version: OcppVersion, value: str, token_type: str) -> bool:
    try:
        if version is OcppVersion.V16:
            tag_v16(value)
        elif version is OcppVersion.V201:
            token_v201(value, token_type)
    except NotSupportedByVersion:
        return False
    return True
