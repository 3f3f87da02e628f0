"""Numbered pages: `{"data", "links", "meta"}` with absolute links."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from pydantic import Field

from csms.api.models import LenientQuery, Shape


class CommandsPage(LenientQuery):
    """Which part of a list."""

    page: int = Field(default=1, ge=1, le=1_000_000)
    per_page: int = Field(default=25, ge=1, le=100)

    @property
    def size(self) -> int:
        """The most entries of a page."""
        return self.per_page

    @property
    def offset(self) -> int:
        """How many entries come before the page."""
        return (self.page - 1) * self.size


class LimitedPage(CommandsPage):
    """Pages of the long lists."""

    limit: int | None = Field(
        default=None, ge=1, le=1000, description="Wins over `per_page`, and may be larger."
    )

    @property
    def size(self) -> int:
        """The most entries of a page."""
        return self.limit or self.per_page


class PageLinks(Shape):
    """Addresses of neighbouring pages."""

    first: str
    last: str
    prev: str | None
    next: str | None


class PageMeta(Shape):
    """Where the page lies; `from` and `to` count from 1 and are null on an empty page."""

    current_page: int
    from_: int | None = Field(alias="from")
    last_page: int
    path: str
    per_page: int
    to: int | None
    total: int


def page_body(
    request: web.Request, data: list[dict[str, Any]], total: int, page: CommandsPage
) -> dict[str, Any]:
    """The list's answer."""
    last = max(1, -(-total // page.size))
    first_row = page.offset + 1 if data else None
    return {
        "data": data,
        "links": {
            "first": _link(request, 1),
            "last": _link(request, last),
            "prev": _link(request, min(page.page - 1, last)) if page.page > 1 else None,
            "next": _link(request, page.page + 1) if page.page < last else None,
        },
        "meta": {
            "current_page": page.page,
            "from": first_row,
            "last_page": last,
            "path": str(request.url.with_query(None)),
            "per_page": page.size,
            "to": page.offset + len(data) if data else None,
            "total": total,
        },
    }


def _link(request: web.Request, number: int) -> str:
    return str(request.url.update_query(page=str(number)))
