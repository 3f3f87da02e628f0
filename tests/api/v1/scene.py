"""What tests of one station's resources begin with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from csms.domain.permissions import Role
from csms.domain.stations import NewStation
from csms.services import locations, stations, tokens

if TYPE_CHECKING:
    from csms.domain.stations import Station
    from tests.api.conftest import Api


async def make_station(api: Api, identity: str = "CP-1", **more: Any) -> Station:
    return await api.deps.db.write(lambda tx: stations.create(tx, NewStation(identity, **more)))


async def stranger(api: Api, role: Role = Role.OPERATOR) -> str:
    """The name of a token that reaches another location only."""
    elsewhere = await api.deps.db.write(lambda tx: locations.create(tx, name="Elsewhere"))
    _, api.bearers["stranger"] = await api.deps.db.write(
        lambda tx: tokens.create(tx, name="site", role=role, location_ids=frozenset({elsewhere.id}))
    )
    return "stranger"


async def items(api: Api, path: str, **more: Any) -> list[dict[str, Any]]:
    response = await api.get(path, **more)
    assert response.status == 200, await response.text()
    found: list[dict[str, Any]] = (await response.json())["items"]
    return found


async def all_pages(api: Api, path: str, while_reading: Any = None) -> list[dict[str, Any]]:
    """Every item, page by page; `while_reading` is awaited after the first page."""
    found: list[dict[str, Any]] = []
    cursor = ""
    while True:
        response = await api.get(f"{path}{cursor}")
        assert response.status == 200, await response.text()
        page = await response.json()
        found += page["items"]
        if page["next_cursor"] is None:
            return found
        if not cursor and while_reading is not None:
            await while_reading()
        cursor = f"&cursor={page['next_cursor']}"
