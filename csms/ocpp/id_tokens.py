"""Id tokens as the versions write them."""

from __future__ import annotations

from typing import Annotated

from annotated_types import MaxLen, MinLen

from csms.errors import NotSupportedByVersion
from csms.ocpp.frames import JsonObject

IdToken = Annotated[str, MinLen(1), MaxLen(255)]
IdTokenType = Annotated[str, MinLen(1), MaxLen(20)]

CARD = "ISO14443"
"""What nearly every tag is that a driver holds to a station."""

_TYPES_V201 = frozenset(
    {
        "Central",
        "eMAID",
        "ISO14443",
        "ISO15693",
        "KeyCode",
        "Local",
        "MacAddress",
        "NoAuthorization",
    }
)


def tag_v16(id_token: str) -> str:
    """The tag, which has no type; raises NotSupportedByVersion when it is too long."""
    if len(id_token) > 20:
        raise NotSupportedByVersion("OCPP 1.6 has id tokens of at most 20 characters")
    return id_token


def token_v201(id_token: str, id_token_type: str) -> JsonObject:
    """IdTokenType; raises NotSupportedByVersion for what came with OCPP 2.1."""
    if len(id_token) > 36:
        raise NotSupportedByVersion("OCPP 2.0.1 has id tokens of at most 36 characters")
    if id_token_type not in _TYPES_V201:
        raise NotSupportedByVersion(f"OCPP 2.0.1 has no id tokens of type {id_token_type}")
    return token_v21(id_token, id_token_type)


def token_v21(id_token: str, id_token_type: str) -> JsonObject:
    """IdTokenType; the types are free."""
    return {"idToken": id_token, "type": id_token_type}
