"""The overview natively: counted over what the caller reaches."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from csms.domain.stations import ConnectorStatus, StatusReport
from csms.domain.transactions import StartReport
from csms.ocpp.settings import OcppSettings
from csms.services import connectors, stations, transactions
from csms.store.ocpp_messages import Message
from tests.api.v1.scene import make_station, stranger

if TYPE_CHECKING:
    from csms.clock import ManualClock
    from csms.domain.stations import Station
    from tests.api.conftest import Api

PATH = "/api/v1/stats/overview"
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


async def start(api: Api, station: Station) -> None:
    report = StartReport(
        evse_id=1,
        id_token="TAG",
        register_mwh=0,
        reported_at=NOON,
        reservation_id=None,
        natural_key=str(api.deps.clock.micros()),
        flags=frozenset(),
        raw="{}",
    )
    await api.deps.db.write(
        lambda tx: transactions.start_v16(tx, station.id, report, OcppSettings().token_policy)
    )


async def status(api: Api, station: Station, evse: int, now: ConnectorStatus) -> None:
    report = StatusReport(evse, 1, now, now.value, None, None, None, None, NOON, "{}")
    await api.deps.db.write(lambda tx: connectors.record(tx, station.id, report))


def log(api: Api, station: Station, state: str) -> None:
    now = api.deps.clock.micros()
    api.deps.message_log.record(
        Message(station.id, "in", "1.6", "A", "m", "{}", None, None, state, None, now, None)
    )


async def test_of_nothing_there_is_nothing(api: Api) -> None:
    assert await (await api.get(PATH, role="viewer")).json() == {
        "stations": {
            "total": 0,
            "online": 0,
            "virtual": 0,
            "blocked": 0,
            "never_connected": 0,
        },
        "connectors": {
            "Available": 0,
            "Occupied": 0,
            "Reserved": 0,
            "Unavailable": 0,
            "Faulted": 0,
        },
        "transactions": {"open": 0, "begun_24h": 0, "energy_wh_24h": 0},
        "messages": {"total": 0, "by_state": {}, "error_rate": None},
    }


async def test_all_that_is_reached_is_counted(api: Api, clock: ManualClock) -> None:
    first, second = await make_station(api, "CP-1"), await make_station(api, "CP-2", virtual=True)
    await api.deps.db.write(lambda tx: stations.block(tx, second))
    await start(api, first)
    clock.advance(25 * 3600)
    await start(api, second)
    await status(api, first, 0, ConnectorStatus.FAULTED)
    await status(api, first, 1, ConnectorStatus.OCCUPIED)
    for state in ("done", "done", "timeout", "failed"):
        log(api, first, state)
    found = await (await api.get(PATH)).json()
    assert found["stations"] == {
        "total": 2,
        "online": 0,
        "virtual": 1,
        "blocked": 1,
        "never_connected": 2,
    }
    assert found["connectors"]["Occupied"] == 1
    assert found["connectors"]["Faulted"] == 0
    assert (found["transactions"]["open"], found["transactions"]["begun_24h"]) == (2, 1)
    assert found["messages"]["error_rate"] == 0.5
    role = await stranger(api)
    elsewhere = await (await api.get(PATH, role=role)).json()
    assert (elsewhere["stations"]["total"], elsewhere["messages"]["total"]) == (0, 0)
    assert elsewhere["transactions"] == {"open": 0, "begun_24h": 0, "energy_wh_24h": 0}
