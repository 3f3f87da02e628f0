"""Pieces that the native resources share."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from csms.api import times
from csms.api.models import Shape
from csms.domain.locations import Location

Instant = str
"""RFC 3339, UTC, microseconds."""


class LocationShape(Shape):
    """A place where stations stand."""

    id: str
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
    created_at: Instant
    updated_at: Instant

    @classmethod
    def of(cls, location: Location) -> LocationShape:
        """The location as it is shown."""
        return cls(
            id=location.uuid,
            slug=location.slug,
            name=location.name,
            address=location.address,
            city=location.city,
            country=location.country,
            latitude=location.latitude,
            longitude=location.longitude,
            timezone=location.timezone,
            owner_name=location.owner_name,
            public=location.public,
            status=location.status,
            created_at=times.micros(location.created_at),
            updated_at=times.micros(location.updated_at),
        )


class ErrorShape(Shape):
    """Why something failed; `code` is stable."""

    code: str
    message: str | None
    retryable: bool = False


class CountersShape(Shape):
    """How many items are where."""

    total: int
    open: int = Field(description="Not final yet.")
    held: int = Field(description="Of these, those whose wave is not open.")
    succeeded: int
    rejected: int
    errored: int
    unknown: int
    offline: int
    expired: int
    cancelled: int
    skipped: int


def cursor_page(
    items: list[Any], next_cursor: str | None, total: int | None = None
) -> dict[str, Any]:
    """The envelope of every native list; `total` is there where it was asked for."""
    page = {"items": items, "next_cursor": next_cursor}
    return page if total is None else {**page, "total": total}


TOTAL = Field(default=None, description="Of all pages; there with `count=true` only.")
