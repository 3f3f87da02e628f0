"""Secrets that are known again wherever they turn up, and a station that repeats what it is told."""

from __future__ import annotations

import base64
import contextlib
import json
import re
import secrets
import string
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import Any

from tests.attacks.raw import Raw, frame

_LONG = re.compile(rb"[A-Za-z0-9+/_-]{16,}")
_LETTERS = string.ascii_letters + string.digits


class Canaries:
    """Every secret has a name, so that a find tells which way it came."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}

    def new(self, name: str) -> str:
        """One that a password may be: 20 letters and digits."""
        secret = "Cn" + "".join(secrets.choice(_LETTERS) for _ in range(18))
        return self.watch(name, secret)

    def watch(self, name: str, secret: str) -> str:
        """One that somebody else made."""
        assert _LONG.fullmatch(secret.encode()), (name, secret)
        self._names[secret] = name
        return secret

    @property
    def names(self) -> set[str]:
        """Which ways were gone."""
        return set(self._names.values())

    def in_text(self, text: bytes) -> set[str]:
        """The names of all that are in it: as they are, in hexadecimal digits and in base64."""
        # Nothing shorter can hold one, and most of a database is shorter, or there already.
        text = b"\n".join(set(_LONG.findall(text)))
        folded = text.lower()
        return {
            name
            for secret, name in self._names.items()
            if any(form in text for form in _exact(secret))
            or secret.encode().hex().encode() in folded
        }


def _exact(secret: str) -> Iterator[bytes]:
    yield secret.encode()
    for shift in range(3):  # wherever it begins in what was encoded
        encoded = base64.b64encode(b"x" * shift + secret.encode())
        yield encoded[4 if shift else 0 : -4]
        yield base64.urlsafe_b64encode(b"x" * shift + secret.encode())[4 if shift else 0 : -4]


class Everything:
    """What the process told anybody, by where it was told."""

    def __init__(self) -> None:
        self._told: list[tuple[str, bytes]] = []

    def add(self, where: str, data: bytes | str) -> None:
        """One more."""
        self._told.append((where, data.encode() if isinstance(data, str) else data))

    def add_files(self, folder: Path) -> None:
        """Every file below it."""
        for path in folder.rglob("*"):
            if path.is_file():
                self.add(f"file {path.relative_to(folder)}", path.read_bytes())

    @property
    def places(self) -> int:
        """How many there are."""
        return len({where for where, _ in self._told})

    def finds(self, canaries: Canaries) -> dict[str, set[str]]:
        """Canary → places."""
        found: dict[str, set[str]] = {}
        for where, data in self._told:
            for name in canaries.in_text(data):
                found.setdefault(name, set()).add(where)
        return found


class Listening(threading.Thread):
    """Reads a stream of events until the server ends it."""

    def __init__(self, url: str, token: str) -> None:
        super().__init__(daemon=True)
        self._request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})
        self.heard = bytearray()

    def run(self) -> None:
        with contextlib.suppress(OSError), urllib.request.urlopen(self._request) as answer:
            for line in answer:
                self.heard += line


@dataclass
class Opened:
    """An answer, whatever it is."""

    status: int
    headers: Message
    text: bytes


def ask(url: str, method: str, headers: dict[str, str], body: Any = None) -> tuple[int, bytes]:
    """Status and text of an answer."""
    answer = opened(url, method, headers, body)
    return answer.status, answer.text


def opened(url: str, method: str, headers: dict[str, str], body: Any = None) -> Opened:
    """An answer with its headers."""
    data = None if body is None else json.dumps(body).encode()
    if data is not None:
        headers = {"Content-Type": "application/json", **headers}
    request = urllib.request.Request(url, data, headers, method=method)
    try:
        with urllib.request.urlopen(request) as answer:
            return Opened(answer.status, answer.headers, answer.read())
    except urllib.error.HTTPError as error:
        return Opened(error.code, error.headers, error.read())


class Parrot:
    """A station that answers orders, and repeats in the answer what was in the order."""

    def __init__(self, raw: Raw, canaries: Canaries, *, refuses: bool) -> None:
        self._raw = raw
        self._canaries = canaries
        self._refuses = refuses

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            call = await self._raw.next_call()
            told = json.dumps(call[3])
            for link in re.findall(r"/files/(\w+)", told):
                self._canaries.watch(f"a link to a file, {self._raw.version}", link)
            self._note_password(call)
            answer = [3, call[1], {"status": "Accepted", "info": told, "echo": call[3]}]
            if call[2] in {"SetVariables", "GetVariables"}:
                kind = call[2][0].lower() + call[2][1:-1]
                answer[2] = {
                    f"{kind}Result": [
                        {**one, "attributeStatus": "Accepted", "statusInfo": {"reasonCode": told}}
                        for one in call[3][f"{kind}Data"]
                    ]
                }
            if self._refuses:
                answer = [4, call[1], "GenericError", f"cannot {told}"[:255], {"order": call[3]}]
            self._raw.write(frame(json.dumps(answer).encode()))

    def _note_password(self, call: list[Any]) -> None:
        """What it was told by us and by nobody else."""
        for key, value in _pairs(call[3]):
            if key == "AuthorizationKey" and re.fullmatch("[0-9A-Fa-f]{40}", value):
                self._canaries.watch("a pushed password, 1.6", bytes.fromhex(value).decode())
            elif key == "BasicAuthPassword" and not value.startswith("Cn"):
                self._canaries.watch("a pushed password, 2.x", value)


def _pairs(payload: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if "key" in payload:
        yield payload["key"], payload.get("value", "")
    for one in payload.get("setVariableData", ()):
        yield one["variable"]["name"], one["attributeValue"]
