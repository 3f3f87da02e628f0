"""What charging at a location costs, natively."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from csms.domain.permissions import Role
from csms.events import Event
from csms.services import locations, tokens

if TYPE_CHECKING:
    from csms.domain.locations import Location
    from tests.api.conftest import Api

FREE = {"per_kwh": "0", "per_minute": "0", "per_session": "0"}


@pytest.fixture
async def place(api: Api) -> Location:
    return await api.deps.db.write(lambda tx: locations.create(tx, name="Depot"))


@pytest.fixture
def path(place: Location) -> str:
    return f"/api/v1/locations/{place.uuid}/prices"


async def test_prices_are_unknown_until_they_are_set_and_after_they_are_taken_away(
    api: Api, path: str
) -> None:
    told: list[Event] = []
    api.deps.bus.subscribe(Event, told.append)
    assert (await api.get(path)).status == 404
    wanted = {"currency": "EUR", "per_kwh": "0.290001", "per_minute": "1.50", "per_session": "3"}
    held = {**wanted, "per_minute": "1.5"}
    for _ in range(2):
        response = await api.put(path, json=wanted)
        assert (response.status, await response.json()) == (200, held)
    assert await (await api.get(path, role="viewer")).json() == held
    for _ in range(2):
        assert (await api.delete(path)).status == 204
    assert (await api.get(path)).status == 404
    assert [(event.type, event.data["changed"]) for event in told] == [
        ("location.updated", ["prices"])
    ] * 2


async def test_what_is_left_out_is_free(api: Api, path: str) -> None:
    answer = await (await api.put(path, json={"currency": "NOK"})).json()
    assert answer == {"currency": "NOK", **FREE}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"currency": "eur"},
        {"currency": "EURO"},
        {"currency": "EUR", "per_kwh": 0.29},
        {"currency": "EUR", "per_kwh": "-1"},
        {"currency": "EUR", "per_kwh": "1e3"},
        {"currency": "EUR", "per_kwh": "0.1234567"},
        {"currency": "EUR", "per_kwh": "1000000"},
        {"currency": "EUR", "per_hour": "1"},
    ],
)
async def test_bad_prices_are_refused(api: Api, path: str, body: dict[str, Any]) -> None:
    assert (await api.put(path, json=body)).status == 422
    assert (await api.get(path)).status == 404


async def test_only_who_may_write_and_reaches_the_location_sets_them(
    api: Api, place: Location, path: str
) -> None:
    other = await api.deps.db.write(lambda tx: locations.create(tx, name="Elsewhere"))
    _, api.bearers["bound"] = await api.deps.db.write(
        lambda tx: tokens.create(
            tx, name="site", role=Role.OPERATOR, location_ids=frozenset({other.id})
        )
    )
    body = {"currency": "EUR"}
    assert (await api.put(path, json=body, role="viewer")).status == 403
    assert (await api.put(path, json=body, role="bound")).status == 404
    assert (await api.delete(path, role="bound")).status == 404
    assert (await api.put(path.replace(place.uuid, "nowhere"), json=body)).status == 404
