"""Which stations a native list shows."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from csms.domain.stations import BootReport, ConnectorStatus, StatusReport
from csms.domain.versions import OcppVersion
from csms.services import connectors
from csms.store import engine, stations
from tests.api.v1.scene import all_pages, items, make_station

if TYPE_CHECKING:
    from csms.clock import ManualClock
    from tests.api.conftest import Api

PATH = "/api/v1/stations"


@pytest.fixture
async def three(api: Api, clock: ManualClock) -> None:
    """One that came and is gone, one that is there an hour later, and one that never came."""
    db = api.deps.db
    gone = await make_station(api, "CP-GONE", name="North Gate", tags=("depot", "50% off"))
    there = await make_station(api, "CP-THERE", serial_number="SN-7", virtual=True, tags=("depot",))
    await make_station(api, "CP-NEVER", ocpp_version=OcppVersion.V21)
    report = BootReport("Acme", "One", None, "1.0", None, "{}")
    epoch = await db.read(engine.epoch)
    await db.write(lambda tx: stations.record_boot(tx, gone.id, report))
    await db.write(lambda tx: stations.mark_connected(tx, gone.id, epoch, OcppVersion.V16))
    await db.write(lambda tx: stations.mark_disconnected(tx, gone.id, epoch))
    clock.advance(3600)
    await db.write(lambda tx: stations.mark_connected(tx, there.id, epoch, OcppVersion.V201))
    at = datetime(2026, 5, 1, 12, tzinfo=UTC)
    faulted = StatusReport(
        1, 1, ConnectorStatus.FAULTED, "Faulted", None, None, None, None, at, "{}"
    )
    await db.write(lambda tx: connectors.record(tx, there.id, faulted))


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("connection=online", ["THERE"]),
        ("connection=offline", ["GONE", "NEVER"]),
        ("status=Faulted", ["THERE"]),
        ("status=Reserved", []),
        ("virtual=true", ["THERE"]),
        ("vendor=Acme&model=One&firmware_version=1.0", ["GONE"]),
        ("vendor=Acme&model=Two", []),
        ("ocpp_version=1.6", ["GONE"]),
        ("ocpp_version=2.1", ["NEVER"]),
        ("tag=depot", ["GONE", "THERE"]),
        ("tag=depot&connection=online", ["THERE"]),
        ("tag=50%25 off", ["GONE"]),
        ("tag=Depot", []),
        ("tag=dep", []),
        ("q=cp-", ["GONE", "THERE", "NEVER"]),
        ("q=north", ["GONE"]),
        ("q=sn-7", ["THERE"]),
        ("q=%25", []),
        ("last_seen_before=2026-05-01T12:30:00Z", ["GONE", "NEVER"]),
        ("last_seen_before=2026-05-01T11:00:00Z", ["NEVER"]),
    ],
)
async def test_every_filter_narrows(api: Api, query: str, found: list[str]) -> None:
    shown = await items(api, f"{PATH}?{query}", role="viewer")
    assert [one["identity"] for one in shown] == [f"CP-{name}" for name in found]


@pytest.mark.usefixtures("three")
async def test_a_narrowed_list_pages_to_its_end_while_more_come(api: Api) -> None:
    async def more() -> None:
        await make_station(api, "CP-LATER")

    found = await all_pages(api, f"{PATH}?connection=offline&limit=1", more)
    assert [one["identity"] for one in found] == ["CP-GONE", "CP-NEVER", "CP-LATER"]


@pytest.mark.parametrize(
    "query", ["connection=maybe", "status=Odd", "q=", "last_seen_before=2026-05-01", "what=1"]
)
async def test_what_is_no_filter_is_refused(api: Api, query: str) -> None:
    assert (await api.get(f"{PATH}?{query}")).status == 422
