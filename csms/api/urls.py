"""URLs in requests: which a station could dial."""

from __future__ import annotations

from urllib.parse import urlsplit

from pydantic_core import PydanticCustomError


def websocket_url(text: str) -> str:
    """`text` unchanged when a station could dial it."""
    try:
        parts = urlsplit(text)
        _ = parts.port  # raises when it is not a number
    except ValueError as error:
        raise PydanticCustomError("url_parsing", "Input should be a valid URL") from error
    if parts.scheme not in {"ws", "wss"}:
        raise PydanticCustomError("url_scheme", "URL scheme should be 'ws' or 'wss'")
    if not parts.hostname or not text.isprintable() or " " in text:
        raise PydanticCustomError("url_parsing", "Input should be a valid URL")
    if parts.username is not None or parts.fragment:
        raise PydanticCustomError(
            "url_parsing", "URL should have neither a user name nor a fragment"
        )
    return text
