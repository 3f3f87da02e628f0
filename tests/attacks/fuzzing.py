"""Frames made by chance from a seed: valid ones, and valid ones that were damaged."""

from __future__ import annotations

import copy
import json
import random
from typing import Any

from csms.domain.versions import OcppVersion
from csms.ocpp.directions import FROM_STATION
from tests.attacks.bad_frames import everything
from tests.attacks.raw import BINARY, CLOSE, FIN, PING, PONG, TEXT, frame
from tests.ocpp.corpus.payloads import full, least
from tests.ocpp.corpus.timestamps import CORPUS

LEAVES: list[Any] = [
    None, True, False, 0, -1, 1, 1.5, 2**31, 2**63 - 1, -(2**63), 1e308, "", "x", "x" * 300, "x" * 5000, "\x00",
    "\u202e", "\ud83d\udd0c", "<script>", "' --", [], {}, [[]], [None], {"a": {"b": []}}, "2026-02-30T00:00:00Z",
    *(at for at, _, _ in CORPUS),
]  # fmt: skip
TEXT_BYTES = b'[]{}",:0123456789.-+eE\\/utrfalsn \t\r\n\x00\x7f'
FIRST_BYTES = [FIN | TEXT] * 40 + [TEXT, 0, FIN, FIN | BINARY, FIN | CLOSE, FIN | PING, FIN | PONG]


class Fuzzer:
    """An endless supply for one version; the same seed gives the same frames."""

    def __init__(self, version: str, seed: str) -> None:
        self._random = random.Random(f"{seed}/{version}")
        self._version = OcppVersion(version)
        self._actions = sorted(FROM_STATION[self._version])
        self._known = [bad.data for bad in everything() if len(bad.data) < 20_000]
        self._number = 0
        self.is_wild = False
        """Whether a frame since this was set to False may have been no frame, or one without end."""

    def next(self) -> bytes:
        """The bytes of one frame, or of what should have been one."""
        self._number += 1
        make = self._random.choice(
            [
                self._sane,
                self._twisted,
                self._twisted,
                self._scratched,
                self._scratched,
                self._known_one,
                self._answer,
            ]
        )
        data = make()
        if self._random.random() < 0.02:
            self.is_wild = True
            first = self._random.choice([*FIRST_BYTES, self._random.randrange(256)])
            lie = self._random.choice([None, None, 0, 126, 2**16, 2**40])
            masked = self._random.random() < 0.9
            return frame(data, first=first, masked=masked, declared=lie)
        if self._random.random() < 0.05:
            cut = self._random.randrange(len(data) + 1)
            return frame(data[:cut], first=TEXT) + frame(data[cut:], first=FIN)
        return frame(data)

    def _call(self) -> list[Any]:
        action = self._random.choice(self._actions)
        payload = self._random.choice([full, least])(self._version, action)
        # A copy: the values are shared with the next one.
        return [2, f"f{self._number}", action, json.loads(json.dumps(payload))]

    def _sane(self) -> bytes:
        return json.dumps(self._call()).encode()

    def _twisted(self) -> bytes:
        """Well-formed, with other values in it, at any depth."""
        call = self._call()
        for _ in range(self._random.randint(1, 4)):
            self._twist(call if self._random.random() < 0.2 else call[-1])
        return json.dumps(call, ensure_ascii=self._random.random() < 0.5).encode(
            "utf-8", "surrogatepass"
        )

    def _twist(self, value: Any) -> None:
        while True:
            if not isinstance(value, list | dict):
                return
            keys = list(range(len(value)) if isinstance(value, list) else value)
            if not keys:
                return
            key = self._random.choice(keys)
            below = value[key]
            if isinstance(below, list | dict) and below and self._random.random() < 0.7:
                value = below
                continue
            action = self._random.randrange(5)
            if action == 0:
                del value[key]
            elif action == 1 and isinstance(value, dict):
                value[self._random.choice(["", "x" * 60, "\u202e", "__proto__"])] = below
            elif action == 2 and isinstance(value, list):
                value.extend([below] * self._random.choice([1, 10, 1000]))
            else:
                value[key] = copy.deepcopy(self._random.choice(LEAVES))
            return

    def _scratched(self) -> bytes:
        """With bytes changed, left out, put in or repeated."""
        data = bytearray(self._random.choice([self._sane, self._twisted])())
        for _ in range(self._random.randint(1, 6)):
            place = self._random.randrange(len(data) + 1)
            action = self._random.randrange(5)
            if action == 0:
                data[place : place + 1] = bytes([self._random.choice(TEXT_BYTES)])
            elif action == 1:
                del data[place : place + self._random.choice([1, 1, 5, 50])]
            elif action == 2:
                data[place:place] = bytes([self._random.choice(TEXT_BYTES)])
            elif action == 3:
                data[place:place] = data[place : place + self._random.choice([2, 20, 200])]
            elif self._random.random() < 0.05:  # no UTF-8, mostly: that ends a socket
                data[place : place + 1] = bytes([self._random.randrange(256)])
        return bytes(data)

    def _known_one(self) -> bytes:
        return self._random.choice(self._known).replace(b"$ID", f"f{self._number}".encode())

    def _answer(self) -> bytes:
        """To nothing, or to the CALL that a waiting server may have sent."""
        kind = self._random.choice([3, 4, 5])
        return json.dumps([kind, f"f{self._number}", self._random.choice(LEAVES), "", {}]).encode()
