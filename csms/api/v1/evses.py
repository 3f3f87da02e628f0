"""EVSEs of a station natively: how they are now, what goes on at them, and how they were."""

from __future__ import annotations

from itertools import groupby

from pydantic import Field

from csms.api import times
from csms.api.models import Shape
from csms.api.routing import Call, Reply
from csms.api.v1 import paging, stations
from csms.api.v1.paging import Span, Wanted
from csms.api.v1.shapes import Instant
from csms.api.v1.station_shapes import ConnectorShape
from csms.domain.stations import ConnectorStatus
from csms.domain.transactions import Transaction
from csms.errors import NotFound
from csms.store import connectors, meter_values, transactions
from csms.store.connectors import StatusNotification
from csms.store.database import ReadTx
from csms.store.meter_values import Power


class EvseConnector(ConnectorShape):
    """One connector of an EVSE."""

    since: Instant = Field(description="When we first heard of the present state.")


class CurrentTransaction(Shape):
    """What goes on at an EVSE."""

    id: str
    station_transaction_id: str
    id_token: str | None
    connector_id: int | None
    charging_state: str | None
    started_at: Instant | None
    energy_wh: int | None = Field(description="So far; null when it cannot be known.")

    @classmethod
    def of(cls, transaction: Transaction) -> CurrentTransaction:
        """As much of it as tells what goes on."""
        energy_mwh = transaction.energy_mwh
        return cls(
            id=transaction.uuid,
            station_transaction_id=transaction.station_transaction_id,
            id_token=transaction.id_token,
            connector_id=transaction.connector_id,
            charging_state=transaction.charging_state,
            started_at=times.micros(transaction.started_at),
            energy_wh=None if energy_mwh is None else energy_mwh // 1000,
        )


class EvseShape(Shape):
    """One EVSE."""

    evse_id: int
    connectors: list[EvseConnector]
    transaction: CurrentTransaction | None
    power_w: float | None = Field(
        description="As last measured: in the transaction, or by the EVSE while there is none."
    )
    power_at: Instant | None


class EvsesShape(Shape):
    """All that the station has told of."""

    items: list[EvseShape]


async def list_of_station(call: Call[None, None]) -> Reply:
    """Those that the station has told of, in order."""
    return Reply(EvsesShape(items=await call.deps.db.read(lambda tx: _evses(tx, call))))


async def show(call: Call[None, None]) -> Reply:
    """One of them."""
    for evse in await call.deps.db.read(lambda tx: _evses(tx, call)):
        if str(evse.evse_id) == call.path["evse_id"]:
            return Reply(evse)
    raise NotFound("EVSE not found")


def _evses(tx: ReadTx, call: Call[None, None]) -> list[EvseShape]:
    station = stations.find(tx, call.path["station_id"], call.principal)
    is_online = call.deps.hub.is_connected(station.id)
    told_since = station.last_connected_at if is_online else None
    since = connectors.unchanged_since(tx, station.id)
    shown: dict[int, list[EvseConnector]] = {}
    for evse_id, group in groupby(
        connectors.list_of_station(tx, station.id), key=lambda one: one.evse_id
    ):
        shown[evse_id] = [
            EvseConnector(
                **ConnectorShape.of(one, told_since).model_dump(),
                since=times.micros(since.get((evse_id, one.connector_id)) or one.updated_at),
            )
            for one in group
        ]
    current = {one.evse_id: one for one in transactions.list_open(tx, station.id)}
    places = (shown.keys() | current.keys()) - {0, None}
    return [
        _evse(
            evse_id,
            shown.get(evse_id, []),
            current.get(evse_id),
            _power(tx, station.id, evse_id, current.get(evse_id)),
        )
        for evse_id in sorted(place for place in places if place is not None)
    ]


def _power(
    tx: ReadTx, station_id: int, evse_id: int, transaction: Transaction | None
) -> Power | None:
    transaction_id = None if transaction is None else transaction.id
    return meter_values.find_power(tx, station_id, evse_id, transaction_id)


def _evse(
    evse_id: int, told: list[EvseConnector], transaction: Transaction | None, power: Power | None
) -> EvseShape:
    return EvseShape(
        evse_id=evse_id,
        connectors=told,
        transaction=None if transaction is None else CurrentTransaction.of(transaction),
        power_w=None if power is None else power.power_w,
        power_at=None if power is None else times.micros(power.measured_at),
    )


class StatusShape(Shape):
    """One report of a connector's status, as the station made it."""

    evse_id: int
    connector_id: int
    status: ConnectorStatus
    reported_status: str = Field(description="The word the station used.")
    error_code: str | None
    reported_at: Instant | None = Field(description="By the station's clock.")
    received_at: Instant

    @classmethod
    def of(cls, told: StatusNotification) -> StatusShape:
        """The report as it is shown."""
        return cls(
            evse_id=told.evse_id,
            connector_id=told.connector_id,
            status=told.status,
            reported_status=told.reported_status,
            error_code=told.error_code,
            reported_at=times.micros(told.reported_at),
            received_at=times.micros(told.received_at),
        )


class StatusPage(Shape):
    """The newest first."""

    items: list[StatusShape]
    next_cursor: str | None


class StatusQuery(Span):
    """Which reports to list; the times are those of arrival."""

    evse_id: int | None = Field(default=None, ge=0, le=2**31 - 1)
    status: ConnectorStatus | None = Field(default=None, description="`Faulted`: its faults.")


async def status_history(call: Call[None, StatusQuery]) -> Reply:
    """What the station said of its connectors, `evse_id` 0 being itself."""
    query = call.query

    def fetch(tx: ReadTx, wanted: Wanted) -> list[StatusNotification]:
        return connectors.list_history(
            tx,
            wanted.station_id,
            limit=wanted.limit,
            before_id=wanted.before_id,
            evse_id=query.evse_id,
            status=query.status,
            since=query.from_,
            until=query.to,
        )

    return await paging.of_station(call, fetch, StatusShape.of, place=lambda one: one.id)
