"""Payloads as they may be stored and shown: without passwords.

What has a secret name loses its value, and an answer also loses the secrets of the order that it
answers, wherever it quotes them: stations do that.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from csms.domain.file_transfers import LINK_PREFIX

REDACTED = "***"
NOTHING: frozenset[str] = frozenset()


def as_text(payload: Any, told: frozenset[str] = NOTHING) -> str:
    """The payload as it may be stored and shown: without passwords, nor what we `told` before."""
    text = orjson.dumps(payload).decode()
    if not told and not mentioned_in(text):
        return text
    return orjson.dumps(redacted(payload, told)).decode()


def as_word(text: str) -> str:
    """A message id, an action, a field of text: in each a station may put what it likes."""
    return _only_name(text, set()) if mentioned_in(text) else text


def mentions_a_secret(payload: Any) -> bool:
    """Whether a password may be somewhere in it, so that no part of it is to be shown."""
    if payload is None:
        return False
    try:
        return mentioned_in(payload if isinstance(payload, str) else orjson.dumps(payload).decode())
    except TypeError:  # no JSON: nobody has looked at it yet
        return True


def redacted(value: Any, told: frozenset[str] = NOTHING) -> Any:
    """The same without the values of AuthorizationKey, BasicAuthPassword and their like."""
    return struck(_without_secrets(value, set()) if mentions_a_secret(value) else value, told)


def struck(value: Any, told: frozenset[str]) -> Any:
    """A copy without the `told` secrets, as text or as its hexadecimal digits."""
    if not told or value is None:
        return value
    forms = sorted({form for secret in told for form in _forms(secret)}, key=len, reverse=True)
    return _struck(value, re.compile("|".join(map(re.escape, forms)), re.IGNORECASE))


def secrets_of(payload: Any) -> frozenset[str]:
    """The secrets in it, by which to know them again; too short ones would be in every text."""
    if not mentions_a_secret(payload):
        return NOTHING
    found: set[str] = set()
    _without_secrets(payload, found)
    return frozenset(secret for secret in found if len(secret) >= _SHORTEST)


_SHORTEST = 4
# Between the halves of a word; JSON has a letter for a line's end.
_GAP = r"[\W_]*(?:(?<=\\)(?:[bfnrt]|u00[01][0-9a-f])[\W_]*)*"
_WORD = (
    rf"(?:authorization{_GAP}key|pass{_GAP}(?:word|wd|phrase)|sim{_GAP}pin|private{_GAP}key|secret)"
)
_SECRET = re.compile(_WORD, re.IGNORECASE)
# A name where a value could be, as in the list of keys that GetConfiguration asks for.
_ONLY_A_NAME = re.compile(
    r"\s*(?:\w*password|authorization_?key|sim_?pin)\s*", re.IGNORECASE | re.ASCII
)
_AFTER_THE_NAME = re.compile(_WORD + r"[\w.]{0,40}[\s\"'=:]+([^\s\"',;&}\]]+)", re.IGNORECASE)
_USER_IN_URL = re.compile(r"(?<=://)([^/?#\s\"@]*)(?:@[^/?#\s\"@]*)*(?=@)")
# What opens a link to a file.
_LINK = re.compile(LINK_PREFIX + r"\w+", re.IGNORECASE | re.ASCII)
# Where a pair or a variable has its name, plainly or as an object with `name` and `instance`.
_NAMES = ("key", "name", "variable", "component", "instance")


def _without_secrets(value: Any, found: set[str]) -> Any:
    """The copy; what it lacks is added to `found`."""
    if isinstance(value, list):
        return [_without_secrets(item, found) for item in value]
    if isinstance(value, dict):
        if any(_is_secret_name(name) for name in _names(value)):
            return {
                _only_name(key, found): _without_values(key, item, found)
                for key, item in value.items()
            }
        return {
            _only_name(key, found): _taken(item, found)
            # A VPN has a key beside its password.
            if _is_secret_name(key) or key.lower() == "vpn"
            else _without_secrets(item, found)
            for key, item in value.items()
        }
    if not isinstance(value, str):
        return value
    if _mentions_a_word(value) and not _ONLY_A_NAME.fullmatch(value):
        found.update(_AFTER_THE_NAME.findall(value))
        return _taken(value, found)  # free text of a vendor, JSON in a string
    return _without_user(value, found)


def _without_values(key: str, item: Any, found: set[str]) -> Any:
    if "value" in key.lower():
        return _taken(item, found)
    if isinstance(item, list):
        return [_without_values("", below, found) for below in item]
    if isinstance(item, dict):
        return {
            _only_name(name, found): _without_values(name, below, found)
            for name, below in item.items()
        }
    return _only_name(item, found) if isinstance(item, str) else item


def _only_name(text: str, found: set[str]) -> str:
    """The name of a field or a variable, unless there is a secret behind it."""
    behind = _AFTER_THE_NAME.findall(text) if _mentions_a_word(text) else ()
    if behind:
        found.update(behind)
        return REDACTED
    return _without_user(text, found)


def _without_user(text: str, found: set[str]) -> str:
    """An address without the user and password before its host, and a link without its secret."""
    if LINK_PREFIX in text.lower():
        found.update(_LINK.findall(text))
        text = _LINK.sub(REDACTED, text)
    if "://" not in text:
        return text
    for match in _USER_IN_URL.finditer(text):
        found.update((match[0], match[0].partition(":")[2]))
    return _USER_IN_URL.sub(REDACTED, text)


def _taken(item: Any, found: set[str]) -> Any:
    if item is None:
        return None
    found.update(_leaves(item))
    return REDACTED


def _leaves(item: Any) -> Iterator[str]:
    if isinstance(item, dict | list):
        for below in item.values() if isinstance(item, dict) else item:
            yield from _leaves(below)
    elif isinstance(item, str) or type(item) is int:
        yield str(item)


def _forms(secret: str) -> Iterable[str]:
    yield secret
    yield secret.encode(errors="replace").hex()
    try:  # 1.6 has the bytes of a password as digits
        decoded = bytes.fromhex(secret).decode()
    except ValueError:
        return
    if len(decoded) >= _SHORTEST:
        yield decoded


def _struck(value: Any, told: re.Pattern[str]) -> Any:
    if isinstance(value, str):
        return told.sub(REDACTED, value)
    if isinstance(value, list):
        return [_struck(item, told) for item in value]
    if isinstance(value, dict):
        return {told.sub(REDACTED, key): _struck(item, told) for key, item in value.items()}
    return REDACTED if type(value) is int and told.fullmatch(str(value)) else value


def _names(value: dict[str, Any]) -> Iterator[Any]:
    for place in _NAMES:
        name = value.get(place)
        if isinstance(name, dict):
            yield name.get("name")
            yield name.get("instance")
        else:
            yield name


def mentioned_in(text: str) -> bool:
    """`mentions_a_secret` of what is text already."""
    # Most texts hold none of these, and need no closer look; `any` would be twice as dear.
    lowered = text.lower()
    # The patterns take more letters for an i and an s than those of ASCII.
    if lowered.isascii() and not (
        "pass" in lowered
        or "authorization" in lowered
        or "private" in lowered
        or "secret" in lowered
        or ("sim" in lowered and "pin" in lowered)
        or "vpn" in lowered
        or "://" in lowered
        or LINK_PREFIX in lowered
    ):
        return False
    return (
        _SECRET.search(text) is not None
        or '"vpn"' in lowered
        or LINK_PREFIX in lowered
        or ("://" in lowered and _USER_IN_URL.search(lowered) is not None)
    )


def _mentions_a_word(text: str) -> bool:
    return mentioned_in(text) and _SECRET.search(text) is not None


def _is_secret_name(name: Any) -> bool:
    return isinstance(name, str) and _SECRET.search(name) is not None
