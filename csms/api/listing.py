"""Pages of native lists on their way in and out: whose cursor it is, and where the next page is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pydantic import BaseModel

from csms.api import cursors
from csms.api.models import Page
from csms.api.routing import Call, Reply, Route


def open_cursor(route: Route, query: BaseModel | None) -> None:
    """From here on the cursor is a position; raises ValidationFailed for one of another list."""
    if isinstance(query, Page) and query.cursor is not None:
        query.cursor = cursors.opened(query.cursor, list_of(route, query))


def with_link(call: Call[Any, Any], reply: Reply) -> Reply:
    """The cursor marked as one of this list, and the header `Link` to the next page."""
    query, page = call.query, reply.body
    if not isinstance(query, Page) or not isinstance(page, dict) or not page.get("next_cursor"):
        return reply
    cursor = cursors.sealed(page["next_cursor"], list_of(call.route, query))
    link = f'<{call.request.rel_url.update_query(cursor=cursor)}>; rel="next"'
    return replace(
        reply,
        body={**page, "next_cursor": cursor},
        headers={**reply.headers, "Link": link},
    )


def list_of(route: Route, query: Page) -> str:
    """What a cursor is a cursor of."""
    # Filters may change from page to page, the order may not.
    return f"{route.path} {getattr(query, 'sort', '')}"
