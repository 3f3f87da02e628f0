"""The passwords that virtual stations were told over OCPP, so that they outlive the process."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol

import orjson

from csms.domain.identity import identity_key
from csms.errors import Invalid


class OnPassword(Protocol):
    """Told of a new password before the station says that it took it."""

    def __call__(self, identity: str, password: bytes) -> None:
        """The station will dial with it from now on."""
        ...


class PasswordFile:
    """Lines of `{"identity", "password_hex"}`, the newest last; only its owner may read it.

    A line is on disk before the station answers: the CSMS may refuse the old password then.
    """

    def __init__(self, path: Path) -> None:
        """Raises Invalid when there is something else in it, OSError when it cannot be written."""
        self._path = path
        self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        self._known: dict[str, bytes] = {}
        for number, line in enumerate(path.read_bytes().splitlines(), start=1):
            # A process that is killed may leave half a line at the end of its life.
            if line.strip():
                self._take(line, number)

    def find(self, identity: str) -> bytes | None:
        """The password that the station was told last."""
        return self._known.get(identity_key(identity))

    def write(self, identity: str, password: bytes) -> None:
        """Keep a new one."""
        self._known[identity_key(identity)] = password
        # On a line of its own, whatever the life before left behind.
        line = b"\n" + orjson.dumps({"identity": identity, "password_hex": password.hex()}) + b"\n"
        while line:
            line = line[os.write(self._handle, line) :]
        os.fsync(self._handle)

    def close(self) -> None:
        """Nothing is buffered; this frees the handle."""
        os.close(self._handle)

    def _take(self, line: bytes, number: int) -> None:
        try:
            read = orjson.loads(line)
        except orjson.JSONDecodeError:
            return
        try:
            identity, password = read["identity"], bytes.fromhex(read["password_hex"])
            self._known[identity_key(identity)] = password
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise Invalid(
                f'{self._path}, line {number}: must be an object with "identity" and'
                ' "password_hex"',
                loc=("passwords",),
            ) from error
