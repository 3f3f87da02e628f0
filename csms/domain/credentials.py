"""Station passwords: their alphabet, how they are derived, hashed and compared.

Passwords are bytes: 16 to 20 of them in OCPP 1.6, 16 to 64 in 2.x, not always UTF-8.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import string
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from csms.domain.versions import OcppVersion
from csms.errors import Invalid

ALPHABET = string.ascii_uppercase + string.ascii_lowercase + string.digits
LENGTH = 20  # 119 bits; valid in 1.6 and 2.x, typable
SHORTEST = 16
LONGEST_V16 = 20
LONGEST = 64


class CredentialKind(str, Enum):
    """Where a password comes from, which decides how it is stored."""

    GENERATED = "generated"
    """By us, shown once; a fast salted hash is enough for 119 bits."""
    SUPPLIED = "supplied"
    """By a person; scrypt."""
    DERIVED = "derived"
    """From the instance key and a rotation number; only the number is stored."""
    WAIVED = "waived"
    """None at all: an admin lets this station in without one."""
    NONE_YET = "none_yet"
    """A person accepted it as it came, without one: it may come back like that to be told one."""


class Verdict(str, Enum):
    """The outcome of a password check."""

    OK = "ok"
    BAD = "bad"
    NONE_SET = "none_set"
    WAIVED = "waived"
    """Whatever it shows: nothing is asked of this station."""


@dataclass(frozen=True, slots=True)
class Credential:
    """A stored password. `salt` and `hash` are None where there is nothing to compare."""

    kind: CredentialKind
    rotation: int
    salt: bytes | None = None
    hash: bytes | None = None
    offered_at: datetime | None = None
    """When it was sent to the station, which has not shown yet that it took it; None: valid."""
    origin: str | None = None
    """From where alone it counts, if it is one that anybody could show."""
    until: datetime | None = None
    """How long it counts."""

    def lets_in_without(self, origin: str, now: datetime) -> bool:
        """Whether the station may come from there with none, because it has none yet."""
        if self.kind is not CredentialKind.NONE_YET or self.until is None:
            return False
        return self.origin == origin and now < self.until


def generate() -> str:
    """A new random password."""
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def derive(instance_key: bytes, station_id: int, rotation: int) -> str:
    """The password number `rotation` of a station, the same at every call."""
    text = f"station-password:{station_id}:{rotation}".encode()
    rest = int.from_bytes(hmac.digest(instance_key, text, "sha512"), "big")
    letters = []
    for _ in range(LENGTH):  # 512 bits over 119: the bias is far below anything measurable
        rest, index = divmod(rest, len(ALPHABET))
        letters.append(ALPHABET[index])
    return "".join(letters)


def fast_hash(salt: bytes, password: bytes) -> bytes:
    """For generated passwords only: nobody guesses 119 bits."""
    return hashlib.sha256(salt + password).digest()


def slow_hash(salt: bytes, password: bytes) -> bytes:
    """For passwords of people; tens of milliseconds and 16 MiB, so never on the loop."""
    return hashlib.scrypt(password, salt=salt, n=2**14, r=8, p=5, dklen=32)


def candidates(presented: bytes) -> tuple[bytes, ...]:
    """What a presented password may stand for: itself, and what it is the hex digits of.

    ChangeConfiguration carries the bytes as hex, and some stations present that text undecoded.
    """
    if 2 * SHORTEST <= len(presented) <= 2 * LONGEST:
        try:
            return presented, bytes.fromhex(presented.decode("ascii"))
        except ValueError:
            pass
    return (presented,)


def check_supplied(password: bytes, version: OcppVersion | None) -> bytes:
    """`password` unchanged; raises Invalid when no station of that version could use it."""
    longest = LONGEST_V16 if version is OcppVersion.V16 else LONGEST
    if not SHORTEST <= len(password) <= longest:
        raise Invalid(
            f"a password has {SHORTEST} to {longest} bytes, this one has {len(password)}",
            loc=("password",),
            code="invalid_password",
        )
    return password
