"""How an upgrade is refused: the answer, and what is noted about it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus

from csms.domain.onboarding import Cause

RETRY_AFTER_S = 60


@dataclass(frozen=True, slots=True)
class Refusal:
    """The HTTP answer to somebody who may not come in."""

    status: int
    text: str
    retry_after_s: int = RETRY_AFTER_S

    @property
    def headers(self) -> dict[str, str]:
        """Beside those that every answer has."""
        if self.status == 401:
            return {"WWW-Authenticate": 'Basic realm="csms", charset="UTF-8"'}
        if self.status == 426:
            return {"Upgrade": "websocket"}
        return {"Retry-After": str(self.retry_after_s)} if self.status in {429, 503} else {}

    def encode(self) -> bytes:
        """The bytes of the whole answer."""
        headers = {
            **self.headers,
            "Content-Type": "text/plain; charset=utf-8",
            "Content-Length": str(len(self.text.encode())),
            "Date": formatdate(usegmt=True),
            "Connection": "close",
        }
        lines = [f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return "\r\n".join([*lines, "", self.text]).encode()


class NotLetIn(Exception):
    """The upgrade does not happen."""

    def __init__(
        self, status: int, text: str, *, cause: Cause | None = None, detail: str | None = None
    ) -> None:
        super().__init__(text)
        self.status = status
        self.text = text
        self.cause = cause
        self.detail = detail
        self.retry_after_s = RETRY_AFTER_S


class Unauthorized(NotLetIn):
    """The one answer to every wrong or missing credential."""

    def __init__(
        self,
        cause: Cause,
        detail: str | None = None,
        *,
        guess: bool = False,
        hashed: bool = False,
    ) -> None:
        super().__init__(401, "Unauthorized\n", cause=cause, detail=detail)
        self.is_a_guess = guess
        """Whether a password was shown and was wrong."""
        self.is_hashed = hashed
        """Whether that took a slow hash."""


class TooManyGuesses(NotLetIn):
    """Nothing is compared any more for a while."""

    def __init__(self, wait_s: float) -> None:
        super().__init__(429, "too many attempts\n", cause=Cause.TOO_MANY_ATTEMPTS)
        self.retry_after_s = math.ceil(wait_s)
