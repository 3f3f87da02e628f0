"""Numbered pages: `{"data", "total", "page", "limit"}`."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from csms.api.models import LenientQuery


class ChargersPage(LenientQuery):
    """Which part of a list."""

    page: int = Field(default=1, ge=1, le=1_000_000)
    limit: int = Field(default=50, ge=1, le=100)

    @property
    def offset(self) -> int:
        """How many entries come before the page."""
        return (self.page - 1) * self.limit


def page_body(data: list[dict[str, Any]], total: int, page: ChargersPage) -> dict[str, Any]:
    """The list's answer."""
    return {"data": data, "total": total, "page": page.page, "limit": page.limit}
