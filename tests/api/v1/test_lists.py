"""What the native lists share: order, cursors that belong to one list, `Link`, totals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from csms.api import routes
from csms.api.models import Page
from csms.domain.stations import NewStation
from csms.services import stations
from tests.api.v1.test_jobs import make_stations, submit

if TYPE_CHECKING:
    from tests.api.conftest import Api

STATIONS = "/api/v1/stations"


async def fetch(api: Api, path: str) -> dict[str, Any]:
    response = await api.get(path)
    assert response.status == 200, await response.text()
    found: dict[str, Any] = await response.json()
    return found


async def walked(api: Api, path: str) -> list[dict[str, Any]]:
    """Every item of a list, page by page as `Link` leads."""
    found = []
    following: str | None = path
    while following is not None:
        response = await api.get(following)
        page = await response.json()
        found += page["items"]
        link = response.headers.get("Link")
        assert (link is None) == (page["next_cursor"] is None)
        following = None if link is None else link.removeprefix("<").removesuffix('>; rel="next"')
    return found


async def named(api: Api) -> None:
    for identity, name in (("b-2", "Zeta"), ("A-1", "alpha"), ("c-3", None), ("D-4", "Alpha")):
        new = NewStation(identity, name=name)
        await api.deps.db.write(lambda tx, new=new: stations.create(tx, new))


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("created_at", ["b-2", "A-1", "c-3", "D-4"]),
        ("identity", ["A-1", "b-2", "c-3", "D-4"]),
        ("name", ["c-3", "A-1", "D-4", "b-2"]),
    ],
)
@pytest.mark.parametrize("limit", [1, 3, 50])
async def test_stations_come_in_the_order_asked_for(
    api: Api, sort: str, expected: list[str], limit: int
) -> None:
    await named(api)
    forth = await walked(api, f"{STATIONS}?limit={limit}&sort={sort}")
    back = await walked(api, f"{STATIONS}?limit={limit}&sort=-{sort}")
    assert [one["identity"] for one in forth] == expected
    assert [one["identity"] for one in back] == expected[::-1]


async def test_a_page_goes_on_where_it_was_though_stations_come_and_go(api: Api) -> None:
    await named(api)
    first = await fetch(api, f"{STATIONS}?limit=2&sort=identity")
    await api.delete(f"{STATIONS}/identity:b-2")
    await api.deps.db.write(lambda tx: stations.create(tx, NewStation("a-0")))
    rest = await fetch(api, f"{STATIONS}?sort=identity&cursor={first['next_cursor']}")
    assert [one["identity"] for one in rest["items"]] == ["c-3", "D-4"]


@pytest.mark.parametrize("path", [STATIONS, "/api/v1/jobs", "/api/v1/transactions"])
async def test_there_is_no_order_by_anything_else(api: Api, path: str) -> None:
    response = await api.get(f"{path}?sort=id;drop")
    assert response.status == 422
    assert (await response.json())["errors"][0]["pointer"] == "/sort"


async def test_jobs_come_oldest_first_when_asked_for(api: Api) -> None:
    targets = await make_stations(api, 1)
    made = [(await submit(api, targets)).uuid for _ in range(3)]
    assert [job["id"] for job in await walked(api, "/api/v1/jobs?limit=1&sort=created_at")] == made
    assert [job["id"] for job in await walked(api, "/api/v1/jobs?limit=1")] == made[::-1]


async def test_a_total_is_told_when_asked_for(api: Api) -> None:
    targets = await make_stations(api, 3)
    await submit(api, targets)
    assert (await fetch(api, f"{STATIONS}?count=true&limit=1&q=CP-"))["total"] == 3
    assert (await fetch(api, f"{STATIONS}?count=true&q=CP-1"))["total"] == 1
    assert (await fetch(api, "/api/v1/jobs?count=true"))["total"] == 1
    assert (await fetch(api, "/api/v1/jobs?count=true&state=paused"))["total"] == 0
    assert (await fetch(api, "/api/v1/transactions?count=true"))["total"] == 0
    assert "total" not in await fetch(api, STATIONS)


async def test_a_cursor_belongs_to_its_list_and_its_order(api: Api) -> None:
    await make_stations(api, 3)
    cursor = (await fetch(api, f"{STATIONS}?limit=2"))["next_cursor"]
    for path in ("/api/v1/jobs?", "/api/v1/locations?", f"{STATIONS}?sort=name&"):
        response = await api.get(f"{path}cursor={cursor}")
        assert response.status == 422, path
        assert (await response.json())["errors"][0]["pointer"] == "/cursor"
    assert len((await fetch(api, f"{STATIONS}?q=CP&cursor={cursor}"))["items"]) == 1


def test_every_list_with_a_cursor_is_a_page() -> None:
    queries = [route.query for route in routes.ALL if route.query is not None]
    with_cursor = [query for query in queries if "cursor" in query.model_fields]
    assert [query for query in with_cursor if not issubclass(query, Page)] == []
    assert len(with_cursor) > 20
