"""Secrets that must be kept until they are sent: unreadable without the key of the instance."""

from __future__ import annotations

import base64
import hmac
import json
from typing import Any

from cryptography.fernet import Fernet, InvalidToken

from csms.errors import Conflict


class Seal:
    """Closes and opens values; the key itself is in a file beside the database."""

    def __init__(self, instance_key: bytes) -> None:
        key = hmac.digest(instance_key, b"sealed-values", "sha256")
        self._fernet = Fernet(base64.urlsafe_b64encode(key))

    def close(self, value: Any) -> str:
        """The JSON value as text that nobody else reads."""
        return self._fernet.encrypt(json.dumps(value).encode()).decode()

    def open(self, text: str) -> Any:
        """What was closed; raises Conflict when that was with another key."""
        try:
            return json.loads(self._fernet.decrypt(text.encode()))
        except InvalidToken:
            raise Conflict("it was sealed with another instance key", code="sealed") from None
