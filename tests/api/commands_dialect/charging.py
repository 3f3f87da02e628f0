"""Transactions as a station of OCPP 1.6 tells them, minute by minute after noon."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson

from csms.domain.metering import Reading
from csms.domain.stations import Station
from csms.domain.transactions import StartReport, StopReport, Transaction
from csms.ocpp.settings import OcppSettings
from csms.services import transactions
from csms.store import meter_values
from csms.store import transactions as store
from tests.api.live import Live

POLICY = OcppSettings().token_policy


def noon(minute: int) -> datetime:
    return datetime(2026, 5, 1, 12, minute, tzinfo=UTC)


async def start(
    live: Live, station: Station, minute: int = 0, evse: int = 1, id_token: str = "TAG"
) -> Transaction:
    report = StartReport(
        evse_id=evse,
        id_token=id_token,
        register_mwh=1_000_000,
        reported_at=noon(minute),
        reservation_id=None,
        natural_key=f"{evse}|{minute}",
        flags=frozenset(),
        raw="{}",
    )
    number, _ = await live.deps.db.write(
        lambda tx: transactions.start_v16(tx, station.id, report, POLICY)
    )
    found = await live.deps.db.read(lambda tx: store.find(tx, station.id, str(number)))
    assert found is not None
    return found


async def stop(
    live: Live, station: Station, going_on: Transaction, minute: int, register_mwh: int = 3_500_000
) -> None:
    report = StopReport(
        station_transaction_id=going_on.station_transaction_id,
        id_token=None,
        register_mwh=register_mwh,
        reported_at=noon(minute),
        reason="Local",
        readings=(),
        flags=frozenset(),
        raw="{}",
    )
    await live.deps.db.write(lambda tx: transactions.stop(tx, station.id, report, POLICY))


async def measure(
    live: Live,
    station: Station,
    minute: int,
    samples: list[Any],
    *,
    of: Transaction | None = None,
    evse: int = 1,
) -> None:
    text = orjson.dumps(samples).decode()
    reading = Reading(noon(minute), None, "Sample.Periodic", None, None, None, None, text)
    transaction_id = None if of is None else of.id
    await live.deps.db.write(
        lambda tx: meter_values.insert(tx, station.id, evse, transaction_id, [reading])
    )
