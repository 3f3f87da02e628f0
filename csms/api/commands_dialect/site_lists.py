"""What stands at a site of the commands dialect: its chargers and their connectors."""

from __future__ import annotations

from csms.api.commands_dialect import chargers
from csms.api.commands_dialect.charger_shape import CommandsConnector, connector_body
from csms.api.commands_dialect.pages import CommandsPage, PageLinks, PageMeta, page_body
from csms.api.commands_dialect.sites import find_site
from csms.api.models import Shape
from csms.api.routing import Call, Reply
from csms.services import connector_views


class CommandsConnectorList(Shape):
    """A page of connectors, charger by charger."""

    data: list[CommandsConnector]
    links: PageLinks
    meta: PageMeta


async def list_chargers(call: Call[None, CommandsPage]) -> Reply:
    """GET /api/v3/sites/{uuid}/chargers."""
    return await chargers.list_at(call, await find_site(call))


async def list_connectors(call: Call[None, CommandsPage]) -> Reply:
    """GET /api/v3/sites/{uuid}/connectors."""
    query = call.query
    found = await connector_views.list_at(
        call.deps.db, await find_site(call), limit=query.per_page, offset=query.offset
    )
    data = [connector_body(station, connector) for station, connector in found.items]
    return Reply(page_body(call.request, data, found.total, query))
