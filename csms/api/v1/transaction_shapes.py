"""What is shown of transactions and of what was metered."""

from __future__ import annotations

from pydantic import Field

from csms.api import times
from csms.api.models import Shape
from csms.api.v1.shapes import TOTAL, Instant
from csms.domain.prices import MILLION
from csms.domain.transactions import TransactionFlag
from csms.store.transaction_pages import Closing, ListedTransaction


class ClosingShape(Shape):
    """That a person ended it here."""

    reason: str
    closed_by: str = Field(description="The id of the token.")

    @classmethod
    def of(cls, closing: Closing | None) -> ClosingShape | None:
        """The closing as it is shown, if there is one."""
        return None if closing is None else cls(reason=closing.reason, closed_by=closing.by)


class TransactionShape(Shape):
    """One charging transaction; what the station did not tell is null."""

    id: str
    station_id: str
    identity: str
    location_id: str | None = Field(description="Where its station is now.")
    evse_id: int | None
    connector_id: int | None
    station_transaction_id: str = Field(description="Its id on the wire.")
    open: bool
    id_token: str | None
    id_token_type: str | None
    id_token_status: str | None = Field(description="What we answered at the start.")
    started_at: Instant | None = Field(description="By the station's clock.")
    start_received_at: Instant
    ended_at: Instant | None = Field(description="Null for an end at a time that nobody told.")
    end_received_at: Instant | None
    duration_s: int | None
    start_register_wh: int | None
    end_register_wh: int | None = Field(description="Of an open one: the last that came.")
    energy_wh: int | None = Field(
        description="So far or in all; null when it cannot be known, never negative."
    )
    cost: float | None
    currency: str | None
    stop_reason: str | None
    charging_state: str | None
    reservation_id: int | None
    remote_start_id: int | None
    flags: list[TransactionFlag] = Field(description="What is odd about it.")
    closing: ClosingShape | None = Field(description="That a person ended it here.")

    @classmethod
    def of(cls, listed: ListedTransaction) -> TransactionShape:
        """The transaction as it is shown."""
        told = listed.transaction
        last = told.last_register_mwh if told.is_open else told.end_register_mwh
        duration_s = None
        if told.started_at is not None and told.ended_at is not None:
            duration_s = max(0, round((told.ended_at - told.started_at).total_seconds()))
        return cls(
            id=told.uuid,
            station_id=listed.station_uuid,
            identity=listed.identity,
            location_id=listed.location_uuid,
            evse_id=told.evse_id,
            connector_id=told.connector_id,
            station_transaction_id=told.station_transaction_id,
            open=told.is_open,
            id_token=told.id_token,
            id_token_type=told.id_token_type,
            id_token_status=told.id_token_status,
            started_at=times.micros(told.started_at),
            start_received_at=times.micros(told.start_received_at),
            ended_at=times.micros(told.ended_at),
            end_received_at=times.micros(told.end_received_at),
            duration_s=duration_s,
            start_register_wh=_wh(told.start_register_mwh),
            end_register_wh=_wh(last),
            energy_wh=_wh(told.energy_mwh),
            cost=None if told.cost_micros is None else told.cost_micros / MILLION,
            currency=told.currency,
            stop_reason=told.stop_reason,
            charging_state=told.charging_state,
            reservation_id=told.reservation_id,
            remote_start_id=told.remote_start_id,
            flags=sorted(told.flags),
            closing=ClosingShape.of(listed.closing),
        )


class TransactionPage(Shape):
    """The one that began last comes first."""

    items: list[TransactionShape]
    next_cursor: str | None
    total: int | None = TOTAL


def _wh(mwh: int | None) -> int | None:
    return None if mwh is None else round(mwh / 1000)
