"""Letting unknown stations in for a while, natively."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from csms.clock import to_micros
from csms.domain.permissions import Role
from csms.domain.stations import NewStation
from csms.services import locations, stations, tokens

if TYPE_CHECKING:
    from tests.api.conftest import Api, ScriptedHub

PATH = "/api/v1/onboarding"


async def test_it_is_open_for_as_long_as_was_asked(api: Api) -> None:
    place = await api.deps.db.write(lambda tx: locations.create(tx, name="Depot"))
    assert not (await (await api.get(PATH)).json())["open"]
    opened = await (
        await api.post(PATH, json={"minutes": 7, "location_id": place.uuid}, role="operator")
    ).json()
    until = api.deps.clock.now() + timedelta(minutes=7)
    assert (opened["open"], opened["location_id"], opened["mode"]) == (True, place.uuid, "manual")
    assert until.strftime("%H:%M:%S") in opened["until"]
    api.deps.clock.advance(7 * 60)  # type: ignore[attr-defined]
    assert not (await (await api.get(PATH)).json())["open"]


async def test_it_names_those_that_came_in(api: Api) -> None:
    await api.post(PATH)
    made = [
        await api.deps.db.write(lambda tx, name=name: stations.create(tx, NewStation(name)))
        for name in ("CP-1", "CP-2")
    ]
    api.deps.endpoint.window.came_in(made[0].id, is_guest=False)
    api.deps.endpoint.window.came_in(made[1].id, is_guest=True)
    shown = (await (await api.get(PATH)).json())["stations"]
    assert [(one["identity"], one["password_from"]) for one in shown] == [
        ("CP-1", "station"),
        ("CP-2", "none"),
    ]


async def test_those_that_are_held_come_again_and_are_let_in(api: Api, hub: ScriptedHub) -> None:
    await api.post(PATH)
    assert hub.accepted == ["everybody"]


async def test_it_is_closed_by_hand_and_told(api: Api) -> None:
    await api.post(PATH, json={"minutes": 60})
    for _ in range(2):
        assert (await api.delete(PATH)).status == 204
    events = await api.deps.db.read(
        lambda tx: tx.all("SELECT type FROM events WHERE type LIKE 'onboarding.%' ORDER BY id")
    )
    assert [row["type"] for row in events] == ["onboarding.opened", "onboarding.closed"]


async def test_who_opened_it_is_in_the_audit(api: Api) -> None:
    began = to_micros(api.deps.clock.now())
    await api.post(PATH, json={"minutes": 1}, role="operator")
    (entry,) = (await (await api.get("/api/v1/audit", role="admin")).json())["items"]
    assert entry["path"] == PATH
    assert began <= to_micros(api.deps.clock.now())


@pytest.mark.parametrize(
    "body", [{"minutes": 0}, {"minutes": 61}, {"minutes": "x"}, {"location_id": 1}, {"a": 1}]
)
async def test_what_cannot_be_is_refused(api: Api, body: dict[str, Any]) -> None:
    assert (await api.post(PATH, json=body)).status == 422
    assert not (await (await api.get(PATH)).json())["open"]


async def test_only_who_may_write_everywhere_opens_it(api: Api) -> None:
    place = await api.deps.db.write(lambda tx: locations.create(tx, name="Depot"))
    _, api.bearers["bound"] = await api.deps.db.write(
        lambda tx: tokens.create(
            tx, name="site", role=Role.OPERATOR, location_ids=frozenset({place.id})
        )
    )
    assert (await api.post(PATH, role="viewer")).status == 403
    assert (await api.post(PATH, role="bound")).status == 403
    assert (await api.get(PATH, role="bound")).status == 403
    assert (await api.delete(PATH, role="bound")).status == 403


async def test_a_location_that_does_not_exist_is_not_found(api: Api) -> None:
    assert (await api.post(PATH, json={"minutes": 5, "location_id": "x"})).status == 404
