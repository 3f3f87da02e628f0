"""What the door says to a password."""

from __future__ import annotations

from typing import Any

from csms.domain.credentials import Verdict
from csms.services.credentials import Passwords
from csms.store import credentials


async def verify(
    passwords: Passwords, station_id: int, presented: bytes | None, **more: Any
) -> Verdict:
    """As the endpoint asks: with what is stored for the station now."""
    stored = await passwords._db.read(lambda tx: credentials.list_of_station(tx, station_id))
    return await passwords.verify(station_id, stored, presented, **more)
