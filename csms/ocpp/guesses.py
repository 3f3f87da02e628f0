"""What becomes of wrong passwords: how many are looked at, and that no answer tells who exists."""

from __future__ import annotations

import asyncio

from csms.domain.addresses import origin_of
from csms.domain.identity import identity_key
from csms.domain.onboarding import Cause, Onboarding
from csms.ocpp import handshake
from csms.ocpp.attempts import Attempts
from csms.ocpp.handshake import Basic, Upgrade
from csms.ocpp.refusals import NotLetIn, TooManyGuesses, Unauthorized
from csms.ocpp.settings import OcppSettings
from csms.services.credentials import Passwords
from csms.store import connections
from csms.store.database import Database


def key_of(upgrade: Upgrade) -> str:
    """Under which name guesses at it are counted, whether it exists or not."""
    return identity_key(handshake.identity_in(upgrade.target) or "")


class Guesses:
    """Counts them and ends them; whoever shows no password guesses nothing."""

    def __init__(self, db: Database, passwords: Passwords, settings: OcppSettings) -> None:
        self._db = db
        self._passwords = passwords
        self._settings = settings
        self._attempts = Attempts()

    async def check(self, identity: str, origin: str) -> None:
        """Before a password is looked at. Raises TooManyGuesses."""
        now = asyncio.get_running_loop().time()
        wait_s = self._attempts.wait_s(origin, identity_key(identity), now)
        # Where the station came in last it comes in again, whoever else guesses: there its password
        # is looked at, and a wrong one answered as it is here.
        if wait_s and not await self.is_home(identity, origin):
            raise TooManyGuesses(wait_s)

    async def is_home(self, identity: str, origin: str) -> bool:
        """Whether the station of this name came in from there the last time."""
        last = await self._db.read(lambda tx: connections.find_last_address(tx, identity))
        return last is not None and origin_of(last) == origin

    async def count(
        self, upgrade: Upgrade, refused: Unauthorized, origin: str, began: float
    ) -> None:
        """After it was refused. Raises TooManyGuesses when it is one too many."""
        basic = handshake.basic_in(upgrade.headers.get("authorization"))
        if basic is None:
            return
        key = key_of(upgrade)
        # Of too many at once the rest does not queue up: each of them holds a socket.
        wait_s = self._attempts.wait_s(origin, key, began)
        if refused.is_a_guess:
            self._attempts.failed(origin, key, began)
        if wait_s:  # else it would tell that this is where a station of this name came in last
            raise TooManyGuesses(wait_s) from refused
        if refused.is_a_guess and not refused.is_hashed:
            await self._take_as_long(basic)

    def too_late(self, upgrade: Upgrade, origin: str) -> NotLetIn:
        """For who was not looked at by the deadline."""
        now = asyncio.get_running_loop().time()
        guessed = self._attempts.wait_s(origin, key_of(upgrade), now) > 0
        cause = Cause.TOO_MANY_ATTEMPTS if guessed else Cause.SERVER_FULL
        detail = f"it was not its turn within {self._settings.handshake_timeout_s:g} s"
        return NotLetIn(503, "try again later\n", cause=cause, detail=detail)

    async def _take_as_long(self, basic: Basic) -> None:
        """As for a station whose password a person chose: else time tells that it exists."""
        if self._settings.onboarding is Onboarding.CLOSED:
            await self._passwords.spend_as_if(basic.password)
