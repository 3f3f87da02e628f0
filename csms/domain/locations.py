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
    """In one line."""
    street: str | None
    house_number: str | None
    house_number_addition: str | None
    postal_code: str | None
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

    @property
    def street_line(self) -> str | None:
        """The street; the whole line where nobody gave the address in parts."""
        in_parts = self.street or self.house_number or self.house_number_addition
        return self.street if in_parts else self.address


# What the line of an address is made of, where somebody gave it in parts.
ADDRESS_PARTS = ("street", "house_number", "house_number_addition")


def address_line(
    street: str | None, house_number: str | None, house_number_addition: str | None
) -> str | None:
    """The parts of an address in one line; None when there are none."""
    parts = (street, house_number, house_number_addition)
    return " ".join(part for part in parts if part) or None
