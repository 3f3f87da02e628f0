"""Transactions of the commands dialect: of a charger, of a site."""

from __future__ import annotations

from enum import Enum
from typing import Any

from pydantic import AwareDatetime, Field

from csms.api.commands_dialect.charger_shape import row_id_of_connector
from csms.api.commands_dialect.pages import CommandsPage, PageLinks, PageMeta, page_body
from csms.api.commands_dialect.sites import find_site
from csms.api.models import Shape
from csms.api.routing import Call, Reply
from csms.api.times import micros
from csms.domain.transactions import Transaction, TransactionFlag
from csms.services import stations, transaction_views
from csms.services.transaction_views import Wanted


class TransactionStatus(str, Enum):
    """Whether it goes on."""

    ACTIVE = "active"
    FINISHED = "finished"


class CommandsTransactions(CommandsPage):
    """Which transactions."""

    status: TransactionStatus | None = Field(default=None, alias="filter[status]")
    started_from: AwareDatetime | None = Field(default=None, alias="filter[started_from]")
    stopped_until: AwareDatetime | None = Field(default=None, alias="filter[stopped_until]")

    def narrowed(
        self, *, station_id: int | None = None, location_ids: frozenset[int] | None = None
    ) -> Wanted:
        """As the store looks for them."""
        return Wanted(
            station_id=station_id,
            location_ids=location_ids,
            is_open=None if self.status is None else self.status is TransactionStatus.ACTIVE,
            since=self.started_from,
            ended_until=self.stopped_until,
        )


class CommandsTransaction(Shape):
    """A transaction; its meters are in Wh."""

    id: int
    charger_id: int
    charger_connector_id: int | None
    reservation_id: int | None
    id_tag: str | None
    meter_start: int | None
    meter_stop: int | None = Field(description="Null while it goes on.")
    total_kwh: float | None = Field(description="So far or in all; null when it is not known.")
    started_at: str | None
    stopped_at: str | None
    stop_reason: str | None
    is_valid: bool = Field(description="False when it ended and its energy is not known.")
    created_at: str
    updated_at: str


class CommandsTransactionList(Shape):
    """A page of transactions, the newest first."""

    data: list[CommandsTransaction]
    links: PageLinks
    meta: PageMeta


async def list_of_charger(call: Call[None, CommandsTransactions]) -> Reply:
    """GET /api/v3/chargers/{uuid}/transactions."""
    found = await stations.show_station(call.deps.db, call.path["uuid"], call.principal)
    return await _reply(call, call.query.narrowed(station_id=found.station.id))


async def list_of_site(call: Call[None, CommandsTransactions]) -> Reply:
    """GET /api/v3/sites/{uuid}/transactions."""
    site = await find_site(call)
    return await _reply(call, call.query.narrowed(location_ids=frozenset({site.id})))


async def _reply(call: Call[None, CommandsTransactions], wanted: Wanted) -> Reply:
    query = call.query
    found = await transaction_views.list_transactions(
        call.deps.db, wanted, limit=query.per_page, offset=query.offset
    )
    data = [transaction_body(item) for item in found.items]
    return Reply(page_body(call.request, data, found.total, query))


def transaction_body(transaction: Transaction) -> dict[str, Any]:
    """A transaction; our clock stands in where the station told no time."""
    energy_mwh = transaction.energy_mwh
    began_unseen = TransactionFlag.START_MISSING in transaction.flags
    started_at = transaction.started_at
    if started_at is None and not began_unseen:
        started_at = transaction.start_received_at
    evse_id = transaction.evse_id
    return {
        "id": transaction.id,
        "charger_id": transaction.station_id,
        "charger_connector_id": None
        if evse_id is None
        else row_id_of_connector(transaction.station_id, evse_id, transaction.connector_id),
        "reservation_id": transaction.reservation_id,
        "id_tag": transaction.id_token,
        "meter_start": _wh(transaction.start_register_mwh),
        "meter_stop": _wh(transaction.end_register_mwh),
        "total_kwh": None if energy_mwh is None else energy_mwh / 1_000_000,
        "started_at": micros(started_at),
        "stopped_at": micros(transaction.ended_at or transaction.end_received_at),
        "stop_reason": transaction.stop_reason,
        "is_valid": transaction.is_open or energy_mwh is not None,
        "created_at": micros(transaction.start_received_at),
        "updated_at": micros(transaction.end_received_at or transaction.start_received_at),
    }


def _wh(register_mwh: int | None) -> int | None:
    return None if register_mwh is None else round(register_mwh / 1000)
