"""Every frame virtual stations see, one JSON object a line: the record that outlives any crash."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol

import orjson

from csms.clock import Clock, to_micros
from csms.services.redaction import redacted


class OnFrame(Protocol):
    """Told of every frame, before it is sent or right after it came in."""

    def __call__(self, identity: str, direction: str, data: bytes) -> None:
        """`direction` is the station's: `out` to the CSMS, `in` from it."""
        ...


class FrameFile:
    """Appends `{"t": microseconds, "identity", "dir": "in" or "out", "frame"}`.

    Passwords are left out. Each line is handed to the kernel in one write, so a killed process
    loses none of them.
    """

    def __init__(self, path: Path, *, clock: Clock) -> None:
        self._clock = clock
        self._handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def write(self, identity: str, direction: str, data: bytes) -> None:
        """Record one frame; one that is not JSON is recorded as text."""
        try:
            frame = orjson.loads(data)
        except orjson.JSONDecodeError:
            frame = data.decode(errors="replace")
        if b"AuthorizationKey" in data or b"Password" in data:
            frame = redacted(frame)
        at = to_micros(self._clock.now())
        line = orjson.dumps(
            {"t": at, "identity": identity, "dir": direction, "frame": frame},
            option=orjson.OPT_APPEND_NEWLINE,
        )
        while line:
            line = line[os.write(self._handle, line) :]

    def close(self) -> None:
        """Nothing is buffered; this frees the handle."""
        os.close(self._handle)
