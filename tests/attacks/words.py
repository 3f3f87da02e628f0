"""What stations write into their upgrade."""

from __future__ import annotations

import base64


def basic(user: str | bytes, password: str | bytes) -> dict[str, str]:
    """The header with the credentials."""
    pair = _bytes(user) + b":" + _bytes(password)
    return {"Authorization": "Basic " + base64.b64encode(pair).decode()}


def _bytes(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else text
