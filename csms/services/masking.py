"""Payloads as those see them who do not manage id tokens: without what names a person.

An id token is on the card or in the phone of somebody; a contract's and a customer's name are too.
What has the name of one loses its value, in JSON inside of texts too.
"""

from __future__ import annotations

import re
from typing import Any

import orjson

MASKED = "***"
_NAMES = frozenset(
    {
        "additionalidtoken",
        "customeridentifier",
        "emaid",
        "groupidtoken",
        "idtag",
        "idtoken",
        "parentidtag",
    }
)
# Inside of an id token of OCPP 2.x.
_TELLS_NOTHING = frozenset({"type"})
# NotifyCustomerInformation says in plain text what a station knows of somebody.
_OF_A_CUSTOMER = frozenset({"data", "generatedAt", "requestId", "seqNo"})
_MARK = re.compile(rb"id[_-]?t(?:ag|oken)|emaid|customer[_-]?identifier|generatedAt", re.IGNORECASE)
_NO_LETTER = re.compile(r"[^a-z]")


def masked_json(text: bytes) -> bytes:
    """JSON without id tokens; what is not JSON comes back as it is."""
    if not _MARK.search(text):
        return text
    try:
        return orjson.dumps(masked(orjson.loads(text)))
    except orjson.JSONDecodeError:
        return text


def masked(value: Any) -> Any:
    """A copy without id tokens."""
    return _masked(value, inside=False)


def _masked(value: Any, *, inside: bool) -> Any:
    if isinstance(value, list):
        return [_masked(one, inside=inside) for one in value]
    if isinstance(value, dict):
        of_a_customer = value.keys() >= _OF_A_CUSTOMER
        return {
            name: _masked(
                one,
                inside=(inside and name not in _TELLS_NOTHING)
                or _is_personal(name)
                or (of_a_customer and name == "data"),
            )
            for name, one in value.items()
        }
    if value is None or isinstance(value, bool) or value == "":
        return value
    if inside:
        return MASKED
    return _inner(value) if isinstance(value, str) else value


def _inner(text: str) -> str:
    raw = text.encode("utf-8", "surrogatepass")
    if text[:1] not in {"{", "["} or not _MARK.search(raw):
        return text
    try:
        return orjson.dumps(masked(orjson.loads(raw))).decode()
    except orjson.JSONDecodeError:  # a message that was cut short, perhaps
        return MASKED


def _is_personal(name: str) -> bool:
    return _NO_LETTER.sub("", name.lower()) in _NAMES
