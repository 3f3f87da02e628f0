"""EVSEs natively: state, since when, transaction, power; and the history of their states."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from csms.domain.metering import Reading
from csms.domain.stations import ConnectorStatus, StatusReport
from csms.domain.transactions import StartReport
from csms.ocpp.settings import OcppSettings
from csms.services import connectors, transactions
from csms.store import meter_values
from csms.store import transactions as transaction_store
from tests.api.v1.scene import all_pages, items, make_station, stranger

if TYPE_CHECKING:
    from csms.clock import ManualClock
    from csms.domain.stations import Station
    from tests.api.conftest import Api, ScriptedHub

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
STATUS = {"Charging": ConnectorStatus.OCCUPIED, "Available": ConnectorStatus.AVAILABLE}


@pytest.fixture
async def station(api: Api) -> Station:
    return await make_station(api)


async def tell(api: Api, station: Station, word: str, evse: int = 1) -> None:
    report = StatusReport(evse, 1, STATUS[word], word, "NoError", None, None, None, NOON, "{}")
    await api.deps.db.write(lambda tx: connectors.record(tx, station.id, report))


async def start(api: Api, station: Station, evse: int = 1) -> int:
    report = StartReport(
        evse_id=evse,
        id_token="TAG",
        register_mwh=5_000_000,
        reported_at=NOON,
        reservation_id=None,
        natural_key="1",
        flags=frozenset(),
        raw="{}",
    )
    number, _ = await api.deps.db.write(
        lambda tx: transactions.start_v16(tx, station.id, report, OcppSettings().token_policy)
    )
    found = await api.deps.db.read(lambda tx: transaction_store.find(tx, station.id, str(number)))
    assert found is not None
    return found.id


async def measure(
    api: Api, station: Station, power_w: float | None, minute: int, transaction_id: int | None
) -> None:
    at = NOON.replace(minute=minute)
    reading = Reading(at, None, "Sample.Periodic", None, power_w, None, None, "[]")
    await api.deps.db.write(
        lambda tx: meter_values.insert(tx, station.id, 1, transaction_id, [reading])
    )


async def test_an_evse_says_what_goes_on_and_since_when(
    api: Api, station: Station, hub: ScriptedHub, clock: ManualClock
) -> None:
    await tell(api, station, "Available", 0)
    await tell(api, station, "Available")
    clock.advance(60)
    await tell(api, station, "Charging")
    clock.advance(60)
    await tell(api, station, "Charging")
    transaction_id = await start(api, station)
    await measure(api, station, 7000.5, 3, transaction_id)
    await measure(api, station, 7200.0, 4, transaction_id)
    await measure(api, station, None, 5, transaction_id)
    await measure(api, station, 1.0, 6, None)
    (evse,) = await items(api, f"/api/v1/stations/{station.uuid}/evses", role="operator")
    (connector,) = evse["connectors"]
    assert (connector["reported_status"], connector["since"], connector["updated_at"]) == (
        "Charging",
        "2026-05-01T12:01:00.000000Z",
        "2026-05-01T12:02:00.000000Z",
    )
    assert (evse["power_w"], evse["power_at"]) == (7200.0, "2026-05-01T12:04:00.000000Z")
    assert evse["transaction"]["id_token"] == "TAG"
    assert evse["transaction"]["started_at"] == "2026-05-01T12:00:00.000000Z"


async def test_one_evse_by_its_number(api: Api, station: Station) -> None:
    await start(api, station, 2)
    await tell(api, station, "Charging")
    path = f"/api/v1/stations/{station.uuid}/evses"
    for evse in await items(api, path):
        assert evse == await (await api.get(f"{path}/{evse['evse_id']}")).json()
    for absent in ("0", "3", "01", "x", "%C2%B2"):
        assert 404 == (await api.get(f"{path}/{absent}")).status, absent


async def test_an_evse_is_there_when_only_its_transaction_was_told(
    api: Api, station: Station
) -> None:
    await start(api, station, 2)
    (evse,) = await items(api, "/api/v1/stations/identity:CP-1/evses")
    assert (evse["evse_id"], evse["connectors"], evse["power_w"]) == (2, [], None)
    assert evse["transaction"]["energy_wh"] is None


async def test_the_history_pages_to_its_end_while_more_comes(
    api: Api, station: Station, clock: ManualClock
) -> None:
    for _ in range(3):
        await tell(api, station, "Available")
        await tell(api, station, "Charging")
        clock.advance(60)

    async def more() -> None:
        await tell(api, station, "Charging")

    path = f"/api/v1/stations/{station.uuid}/status-history?limit=2"
    found = await all_pages(api, path, more)
    assert [one["reported_status"] for one in found] == ["Charging", "Available"] * 3


async def test_the_history_is_narrowed_by_evse_and_time(
    api: Api, station: Station, clock: ManualClock
) -> None:
    await tell(api, station, "Available")
    clock.advance(60)
    await tell(api, station, "Charging", 2)
    path = f"/api/v1/stations/{station.uuid}/status-history"
    for query, words in (
        ("evse_id=2", ["Charging"]),
        ("evse_id=3", []),
        ("status=Occupied", ["Charging"]),
        ("status=Occupied&evse_id=1", []),
        ("status=Faulted", []),
        ("from=2026-05-01T12:01:00Z", ["Charging"]),
        ("to=2026-05-01T12:01:00Z", ["Available"]),
    ):
        found = await items(api, f"{path}?{query}")
        assert [one["reported_status"] for one in found] == words, query


async def test_neither_is_told_to_who_does_not_reach_the_station(
    api: Api, station: Station
) -> None:
    role = await stranger(api)
    for name in ("evses", "status-history"):
        path = f"/api/v1/stations/{station.uuid}/{name}"
        assert (await api.get(path, role=role)).status == 404
        assert (await api.get(f"{path}?what=1")).status == (200 if name == "evses" else 422)
    path = f"/api/v1/stations/{station.uuid}/status-history"
    for query in (
        "from=2026-05-01T12:01:00",
        "evse_id=-1",
        "status=Charging",
        "limit=0",
        "cursor=%00",
    ):
        assert (await api.get(f"{path}?{query}")).status == 422, query
