"""Sign-in links: codes that are good once, for an hour, for a session of a token."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from datetime import datetime, timedelta

from csms.clock import Clock
from csms.errors import Invalid
from csms.services.tokens import digest

VALID_FOR = timedelta(hours=1)
# One more, and the oldest is dead.
MOST_CODES = 100
_BYTES = 24


class SignIn:
    """Codes, in memory only: a start of the server is the end of those from before."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._codes: OrderedDict[bytes, tuple[str | None, datetime]] = OrderedDict()

    def open(self, token_id: str | None = None) -> tuple[str, datetime]:
        """A code and its end; without a token it is for the first admin of all."""
        code, until = secrets.token_urlsafe(_BYTES), self._clock.now() + VALID_FOR
        self._codes[digest(code)] = (token_id, until)
        while len(self._codes) > MOST_CODES:
            self._codes.popitem(last=False)
        return code, until

    def take(self, code: str) -> str | None:
        """Use the code up, and say for which token it is; raises Invalid when it is not good."""
        # Looked up by its digest, so that the time it takes tells nothing of the others.
        token_id, until = self._codes.pop(digest(code), (None, None))
        if until is None or until <= self._clock.now():
            raise Invalid(
                "the sign-in link was used, is more than an hour old, or never was one",
                loc=("code",),
                code="sign_in_over",
            )
        return token_id
