"""Station passwords: checking them cheaply, making new ones, storing those of people."""

from __future__ import annotations

import asyncio
import hmac
import secrets
from collections.abc import Iterable

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
from csms.domain.versions import OcppVersion
from csms.services import password_rotation
from csms.store import credentials, stations
from csms.store.database import Database, ReadTx, Tx

_SALT_BYTES = 16
# Each takes 16 MiB and tens of milliseconds of a core.
_SLOW_HASHES_AT_ONCE = 2


class Passwords:
    """Checks passwords at the door; remembers, as HMACs, the slow ones that were right."""

    def __init__(self, db: Database, instance_key: bytes) -> None:
        self._db = db
        self._instance_key = instance_key
        self.seal = Seal(instance_key)
        """For passwords that are not ours and have to wait until they are sent."""
        self._slow = asyncio.Semaphore(_SLOW_HASHES_AT_ONCE)
        self._process_key = secrets.token_bytes(32)
        self._known_good: dict[int, bytes] = {}

    async def verify(
        self,
        station_id: int,
        stored: Iterable[Credential],
        presented: bytes | None,
        *,
        virtual: bool = False,
    ) -> Verdict:
        """Compare a presented Basic password with what is stored for the station.

        The first use of one that is on offer makes it the only one.
        """
        offers = [one for one in stored if one.offered_at is not None]
        valid = [one for one in stored if one.offered_at is None]
        if not valid and virtual:
            valid = [Credential(CredentialKind.DERIVED, 1)]
        taken = await self._find(station_id, offers, presented)
        if taken is not None:
            await self._db.write(lambda tx: password_rotation.take(tx, station_id, taken.rotation))
            return Verdict.OK
        if not valid:
            return Verdict.NONE_SET
        if await self._find(station_id, valid, presented) is None:
            return Verdict.BAD
        if offers:
            await self._db.write(lambda tx: password_rotation.used_valid_one(tx, station_id))
        return Verdict.OK

    @staticmethod
    def spend_as_if(presented: bytes) -> None:
        """Do the work of a check for a station that does not exist, so that time tells nothing."""
        fast_hash(bytes(_SALT_BYTES), presented)

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
        check_supplied(password, version)
        salt = secrets.token_bytes(_SALT_BYTES)
        digest = await self._slow_hash(salt, password)

        def store(tx: Tx) -> None:
            rotation = credentials.next_rotation(tx, station_id)
            credentials.replace(
                tx, station_id, Credential(CredentialKind.SUPPLIED, rotation, salt, digest)
            )

        await self._db.write(store)

    async def _find(
        self, station_id: int, stored: Iterable[Credential], presented: bytes | None
    ) -> Credential | None:
        found = None
        if presented is None:
            return None
        for credential in stored:
            if await self._matches(station_id, credential, presented):
                found = credential
        return found

    async def _matches(self, station_id: int, credential: Credential, presented: bytes) -> bool:
        if credential.kind is CredentialKind.SUPPLIED:
            return await self._matches_supplied(station_id, credential, presented)
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
        self, station_id: int, credential: Credential, presented: bytes
    ) -> bool:
        assert credential.salt is not None
        assert credential.hash is not None
        # Over the stored hash too, so that a change of password forgets what was right before.
        mark = hmac.digest(self._process_key, credential.hash + presented, "sha256")
        if hmac.compare_digest(self._known_good.get(station_id, b""), mark):
            return True
        good = False
        for candidate in candidates(presented):
            digest = await self._slow_hash(credential.salt, candidate)
            good |= hmac.compare_digest(digest, credential.hash)
        if good:
            self._known_good[station_id] = mark
        return good

    async def _slow_hash(self, salt: bytes, password: bytes) -> bytes:
        async with self._slow:
            return await asyncio.to_thread(slow_hash, salt, password)


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
