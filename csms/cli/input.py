"""Files that a command is given; `-` is standard input."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import Any

from csms.cli.failures import BadUsage


def read_bytes(file: Path) -> bytes:
    """What the file holds; raises BadUsage."""
    try:
        return sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        raise BadUsage(f"cannot read {file}: {error.strerror}") from error


@contextmanager
def opened(file: Path) -> Iterator[BufferedReader]:
    """A file that is too long to be held as a whole; raises BadUsage."""
    try:
        content = file.open("rb")
    except OSError as error:
        raise BadUsage(f"cannot read {file}: {error.strerror}") from error
    with content:
        yield content


def read_json(file: Path) -> Any:
    """The same as JSON."""
    try:
        return json.loads(read_bytes(file))
    except ValueError as error:
        raise BadUsage(f"{file} is not JSON: {error}") from error
