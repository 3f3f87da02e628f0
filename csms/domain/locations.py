"""Locations: where charging stations stand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Location:
    """A site with charging stations."""

    id: int
    uuid: str
    slug: str
    name: str
    address: str | None
    city: str | None
    country: str | None
    latitude: float | None
    longitude: float | None
    timezone: str | None
    owner_name: str | None
    public: bool
    status: str
    created_at: datetime
    updated_at: datetime
