"""Sending stations away natively: for now, for good, and out of the lists."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from csms.domain.transactions import StartReport
from csms.events import Event
from csms.ocpp.settings import OcppSettings
from csms.services import transactions
from csms.store import transactions as transaction_store
from tests.api.v1.scene import make_station, stranger

if TYPE_CHECKING:
    from csms.domain.stations import Station
    from tests.api.conftest import Api, ScriptedHub


@pytest.fixture
async def station(api: Api) -> Station:
    return await make_station(api)


def path_of(station: Station) -> str:
    return f"/api/v1/stations/{station.uuid}"


async def start(api: Api, station: Station) -> None:
    report = StartReport(
        evse_id=1,
        id_token="TAG",
        register_mwh=0,
        reported_at=datetime(2026, 5, 1, 12, tzinfo=UTC),
        reservation_id=None,
        natural_key="1",
        flags=frozenset(),
        raw="{}",
    )
    await api.deps.db.write(
        lambda tx: transactions.start_v16(tx, station.id, report, OcppSettings().token_policy)
    )


async def test_a_station_is_disconnected(api: Api, station: Station, hub: ScriptedHub) -> None:
    hub.connect(station.id)
    assert (await api.post(f"{path_of(station)}/disconnect")).status == 204
    assert hub.disconnected == [(station.id, 1000)]
    again = await api.post(f"{path_of(station)}/disconnect")
    assert (again.status, (await again.json())["code"]) == (409, "station_offline")


async def test_a_station_is_blocked_and_let_in_again(api: Api, station: Station) -> None:
    told: list[str] = []
    api.deps.bus.subscribe(Event, lambda event: told.append(event.type))
    for verb, expected in (
        ("block", "2026-05-01T12:00:00.000000Z"),
        ("block", "2026-05-01T12:00:00.000000Z"),
        ("unblock", None),
        ("unblock", None),
    ):
        response = await api.post(f"{path_of(station)}/{verb}", role="operator")
        assert (response.status, (await response.json())["blocked_at"]) == (200, expected)
    assert told == ["station.blocked", "station.unblocked"]


async def test_a_station_is_deleted_and_its_identity_is_free(api: Api, station: Station) -> None:
    assert (await api.delete(path_of(station))).status == 204
    assert (await api.get(path_of(station))).status == 404
    assert (await api.delete(path_of(station))).status == 404
    await make_station(api)


async def test_a_station_that_charges_is_deleted_by_force_only(api: Api, station: Station) -> None:
    await start(api, station)
    refused = await api.delete(path_of(station))
    assert (refused.status, (await refused.json())["code"]) == (409, "transaction_open")
    assert (await api.delete(f"{path_of(station)}?force=maybe")).status == 422
    assert (await api.delete(f"{path_of(station)}?force=true")).status == 204
    assert await api.deps.db.read(lambda tx: transaction_store.list_open(tx, station.id)) == []


async def test_who_may_not_does_not(api: Api, station: Station, hub: ScriptedHub) -> None:
    hub.connect(station.id)
    role = await stranger(api)
    for method, name in (
        ("POST", "/disconnect"),
        ("POST", "/block"),
        ("POST", "/unblock"),
        ("DELETE", "?force=true"),
    ):
        path = path_of(station) + name
        assert (await api.request(method, path, role=role)).status == 404
        assert (await api.request(method, path, role="viewer")).status == 403
    assert hub.disconnected == []
    assert (await (await api.get(path_of(station))).json())["blocked_at"] is None
