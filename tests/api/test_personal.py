"""Id tokens are on cards of people: who may not manage them sees none, wherever they stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from csms.api import routes
from csms.domain.permissions import SCOPES, Role
from csms.events import Event
from tests.api.everything import CARD, make_everything
from tests.api.sse import listening

if TYPE_CHECKING:
    from csms.api.routing import Route
    from tests.api.conftest import Api, ScriptedHub
    from tests.api.everything import Everything

READS = [
    route
    for route in routes.ALL
    if route.method == "GET"
    and route.scope in SCOPES[Role.VIEWER]
    and route.answers.get(200) != "text/event-stream"
]
NDJSON = {"Accept": "application/x-ndjson"}


@pytest.fixture
async def everything(api: Api, hub: ScriptedHub) -> Everything:
    return await make_everything(api, hub)


async def read(everything: Everything, route: Route, role: str) -> str:
    """Every form of what the route answers."""
    path, query, api = everything.path(route), everything.query(route), everything.api
    texts = []
    for headers in ({}, NDJSON):
        response = await api.get(path, role=role, params=query, headers=headers)
        assert response.status < 500
        texts.append(await response.text())
    return "\n".join(texts)


async def test_viewers_read_no_id_token_anywhere(everything: Everything) -> None:
    telling = {}
    for route in READS:
        assert CARD not in await read(everything, route, "viewer"), route.path
        telling[route.path] = CARD in await read(everything, route, "operator")
    # Without these the test would prove nothing.
    told = {path for path, tells in telling.items() if tells}
    assert told >= {
        "/api/v1/messages",
        "/api/v1/reconciliation/{entry_id}",
        "/api/v1/stations/{station_id}/evses",
        "/api/v1/stations/{station_id}/local-list",
        "/api/v1/stations/{station_id}/messages",
        "/api/v1/stations/{station_id}/reservations",
        "/api/v1/transactions",
        "/api/v1/transactions.csv",
        "/api/v1/transactions/{transaction_id}",
        "/api/v3/chargers/{uuid}/logs",
        "/ocpp/chargers/{charger_id}/logs",
        "/ocpp/chargers/{charger_id}/local-auth-list",
    }


async def test_the_rest_of_a_row_is_there(everything: Everything) -> None:
    seen = {}
    for role in ("viewer", "operator"):
        page = await (await everything.api.get("/api/v1/transactions", role=role)).json()
        seen[role] = next(one for one in page["items"] if one["id_token"])
    assert seen["viewer"] == {**seen["operator"], "id_token": "***"}


@pytest.mark.parametrize("path", ["/api/v1/transactions", "/api/v1/transactions.csv"])
async def test_who_sees_no_id_token_cannot_look_for_one(everything: Everything, path: str) -> None:
    api = everything.api
    assert (await api.get(f"{path}?id_token={CARD}", role="viewer")).status == 403
    found = await api.get(f"{path}?id_token={CARD.lower()}", role="operator")
    assert CARD in await found.text()


async def test_events_tell_of_none(everything: Everything) -> None:
    api, path = everything.api, "/api/v1/events"
    async with listening(api, path, role="viewer") as few, listening(api, path) as all_of_it:
        event = Event("test.held", {"idTag": CARD, "evse_id": 1}, station_id=everything.station_id)
        await api.deps.db.write(lambda tx: tx.emit(event))
        assert (await all_of_it.next()).data["data"] == {"idTag": CARD, "evse_id": 1}
        assert (await few.next()).data["data"] == {"idTag": "***", "evse_id": 1}
