"""Station passwords: checking them cheaply, making new ones, storing those of people."""

from __future__ import annotations

import asyncio
import hmac
import math
import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from csms.clock import from_micros
from csms.domain.credentials import (
    Credential,
    CredentialKind,
    Verdict,
    candidates,
    check_supplied,
    derive,
    fast_hash,
    generate,
    slow_hash,
)
from csms.domain.sealing import Seal
from csms.domain.stations import Station
from csms.domain.versions import OcppVersion
from csms.errors import Conflict
from csms.services import password_rotation, station_events
from csms.store import credentials, stations
from csms.store.database import Database, ReadTx, Tx

_NONE_YET = CredentialKind.NONE_YET
_SALT_BYTES = 16
# It is told one at its next boot, so whoever is not there by then needs a person again.
NONE_YET_STANDS = timedelta(hours=24)
# Each takes 16 MiB and tens of milliseconds of a core.
_SLOW_HASHES_AT_ONCE = 2
# A busy or small computer takes a second; what takes longer is a mishap.
_LONGEST_S = 2.0
# It is measured anew after so long, when nobody who has such a password comes meanwhile.
_MEASURED_FOR_S = 5.0


@dataclass(frozen=True, slots=True)
class Hashed:
    """A password of a person, hashed slowly."""

    salt: bytes
    digest: bytes


class Passwords:
    """Checks passwords at the door; remembers, as HMACs, the slow ones that were right."""

    def __init__(self, db: Database, instance_key: bytes) -> None:
        self._db = db
        self._instance_key = instance_key
        self.seal = Seal(instance_key)
        """For passwords that are not ours and have to wait until they are sent."""
        self._slow = asyncio.Semaphore(_SLOW_HASHES_AT_ONCE)
        self._slow_for_strangers = asyncio.Semaphore(_SLOW_HASHES_AT_ONCE)
        self._slow_s = 0.0
        """How long the slowest of the last slow hashes took."""
        self._hashed_at = -math.inf
        self._process_key = secrets.token_bytes(32)
        self._known_good: dict[int, bytes] = {}

    async def verify(
        self,
        station_id: int,
        stored: Iterable[Credential],
        presented: bytes | None,
        *,
        virtual: bool = False,
        at_home: bool = True,
    ) -> Verdict:
        """Compare a presented Basic password with what is stored for the station.

        The first use of one that is on offer makes it the only one. Who comes from where the
        station did not come from last waits among strangers for a slow hash: they never stand
        before a station that is `at_home`, and wait as long for a known name as for any other.
        """
        slow = self._slow if at_home else self._slow_for_strangers
        offers = [one for one in stored if one.offered_at is not None]
        valid = [one for one in stored if one.offered_at is None and one.kind is not _NONE_YET]
        if not valid and virtual:
            valid = [Credential(CredentialKind.DERIVED, 1)]
        taken = await self._find(station_id, offers, presented, slow)
        if taken is not None:
            await self._db.write(lambda tx: password_rotation.take(tx, station_id, taken.rotation))
            return Verdict.OK
        if not valid:
            return Verdict.NONE_SET
        if valid[0].kind is CredentialKind.WAIVED:
            return Verdict.WAIVED
        if await self._find(station_id, valid, presented, slow) is None:
            return Verdict.BAD
        if offers:
            await self._db.write(lambda tx: password_rotation.used_valid_one(tx, station_id))
        return Verdict.OK

    async def spend_as_if(self, presented: bytes) -> None:
        """Take as long as a slow check, and its place among strangers, so that time tells nothing.

        It costs nobody anything: one now and then says how long.
        """
        for candidate in candidates(presented):
            async with self._slow_for_strangers:
                began = time.monotonic()
                if began - self._hashed_at > _MEASURED_FOR_S:
                    await self._hash(bytes(_SALT_BYTES), candidate)
                await self._fill_up(began)

    def rotate(self, tx: Tx, station_id: int) -> str:
        """A new password, the only valid one from now on; shown once.

        A virtual station gets a derived one, so that its own process can work it out.
        """
        if stations.get(tx, station_id).virtual:
            return self.derived(station_id, rotate_derived(tx, station_id))
        return rotate(tx, station_id)

    def derived(self, station_id: int, rotation: int) -> str:
        """The password number `rotation` of a station; nothing of it is stored."""
        return derive(self._instance_key, station_id, rotation)

    async def set_supplied(
        self, station_id: int, password: bytes, version: OcppVersion | None = None
    ) -> None:
        """Make a person's password the only valid one; raises Invalid for its length."""
        hashed = await self.hashed(password, version)
        await self._db.write(lambda tx: store_supplied(tx, station_id, hashed))

    async def hashed(self, password: bytes, version: OcppVersion | None = None) -> Hashed:
        """A person's password as it is stored; raises Invalid for its length."""
        check_supplied(password, version)
        salt = secrets.token_bytes(_SALT_BYTES)
        return Hashed(salt, await self._hash_in_turn(salt, password, self._slow))

    async def _hash_in_turn(self, salt: bytes, password: bytes, slow: asyncio.Semaphore) -> bytes:
        """It keeps its place to its end, also when nobody waits for it any more: so does a core."""
        await slow.acquire()
        hashing = asyncio.ensure_future(self._hash_for(salt, password, slow))
        hashing.add_done_callback(lambda _: slow.release())
        return await asyncio.shield(hashing)

    async def _hash_for(self, salt: bytes, password: bytes, slow: asyncio.Semaphore) -> bytes:
        began = time.monotonic()
        digest = await self._hash(salt, password)
        if slow is self._slow_for_strangers:  # all of them take the same
            await self._fill_up(began)
        return digest

    async def _hash(self, salt: bytes, password: bytes) -> bytes:
        began = self._hashed_at = time.monotonic()
        try:
            return await asyncio.to_thread(slow_hash, salt, password)
        finally:  # also when it took too long for whoever waits
            took = time.monotonic() - began
            self._slow_s = min(max(took, 0.9 * self._slow_s), _LONGEST_S)

    async def _fill_up(self, began: float) -> None:
        await asyncio.sleep(max(0.0, began + self._slow_s - time.monotonic()))

    async def _find(
        self,
        station_id: int,
        stored: Iterable[Credential],
        presented: bytes | None,
        slow: asyncio.Semaphore,
    ) -> Credential | None:
        found = None
        if presented is None:
            return None
        for credential in stored:
            if await self._matches(station_id, credential, presented, slow):
                found = credential
        return found

    async def _matches(
        self, station_id: int, credential: Credential, presented: bytes, slow: asyncio.Semaphore
    ) -> bool:
        if credential.kind is CredentialKind.SUPPLIED:
            return await self._matches_supplied(station_id, credential, presented, slow)
        good = False
        for candidate in candidates(presented):
            if credential.kind is CredentialKind.DERIVED:
                expected = self.derived(station_id, credential.rotation).encode()
                good |= hmac.compare_digest(candidate, expected)
            else:
                assert credential.salt is not None
                assert credential.hash is not None
                good |= hmac.compare_digest(fast_hash(credential.salt, candidate), credential.hash)
        return good

    async def _matches_supplied(
        self, station_id: int, credential: Credential, presented: bytes, slow: asyncio.Semaphore
    ) -> bool:
        assert credential.salt is not None
        assert credential.hash is not None
        # Over the stored hash too, so that a change of password forgets what was right before.
        mark = hmac.digest(self._process_key, credential.hash + presented, "sha256")
        if hmac.compare_digest(self._known_good.get(station_id, b""), mark):
            return True
        good = False
        for candidate in candidates(presented):
            digest = await self._hash_in_turn(credential.salt, candidate, slow)
            good |= hmac.compare_digest(digest, credential.hash)
        if good:
            self._known_good[station_id] = mark
        return good


def store_supplied(tx: Tx, station_id: int, hashed: Hashed) -> None:
    """Make a person's password the only valid one."""
    rotation = credentials.next_rotation(tx, station_id)
    kept = Credential(CredentialKind.SUPPLIED, rotation, hashed.salt, hashed.digest)
    credentials.replace(tx, station_id, kept)


def store_none_yet(tx: Tx, station_id: int, origin: str) -> None:
    """Let it come back from there as it came, until it has a password; for a day at most."""
    rotation = credentials.next_rotation(tx, station_id)
    until = from_micros(tx.now) + NONE_YET_STANDS
    credentials.replace(tx, station_id, Credential(_NONE_YET, rotation, origin=origin, until=until))


def waive(tx: Tx, station: Station) -> None:
    """Let it in without a password until it gets one (security profile 0); the old one is gone.

    Raises Conflict while it may not come with so little.
    """
    if station.security_profile > 0:
        raise Conflict(f"The station needs security profile {station.security_profile}")
    rotation = credentials.next_rotation(tx, station.id)
    credentials.replace(tx, station.id, Credential(CredentialKind.WAIVED, rotation))
    station_events.emit(tx, station.id, "station.password_waived")


def rotate(tx: Tx, station_id: int) -> str:
    """A new generated password, the only valid one from now on; shown once, stored hashed."""
    password = generate()
    salt = secrets.token_bytes(_SALT_BYTES)
    rotation = credentials.next_rotation(tx, station_id)
    digest = fast_hash(salt, password.encode())
    credentials.replace(
        tx, station_id, Credential(CredentialKind.GENERATED, rotation, salt, digest)
    )
    return password


def rotate_derived(tx: Tx, station_id: int) -> int:
    """A new derived password for a virtual station; returns its number for `derived`."""
    # Number 1 is the one that needs no row.
    rotation = max(2, credentials.next_rotation(tx, station_id))
    credentials.replace(tx, station_id, Credential(CredentialKind.DERIVED, rotation))
    return rotation


def derived_rotation(tx: ReadTx, station_id: int) -> int:
    """The number of a virtual station's present password; 1 when it was never rotated."""
    stored = credentials.list_of_station(tx, station_id)
    return next((one.rotation for one in stored if one.offered_at is None), 1)
