"""How instants are written: whole seconds or microseconds, always UTC with a Z."""

from __future__ import annotations

from datetime import datetime
from typing import overload


@overload
def seconds(at: datetime) -> str: ...
@overload
def seconds(at: None) -> None: ...
@overload
def seconds(at: datetime | None) -> str | None: ...
def seconds(at: datetime | None) -> str | None:
    """`2026-05-01T12:00:00Z`, the chargers dialect's form."""
    return None if at is None else at.strftime("%Y-%m-%dT%H:%M:%SZ")


@overload
def micros(at: datetime) -> str: ...
@overload
def micros(at: None) -> None: ...
@overload
def micros(at: datetime | None) -> str | None: ...
def micros(at: datetime | None) -> str | None:
    """`2026-05-01T12:00:00.000000Z`, the form of the commands dialect and the native one."""
    return None if at is None else at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
