"""Reservations natively: list those of a station, make one, cancel one."""

from __future__ import annotations

from typing import Annotated

from pydantic import AwareDatetime, Field, StringConstraints

from csms.api import times
from csms.api.models import Shape, Strict
from csms.api.routing import Call, Reply
from csms.api.v1 import commands, orders, stations
from csms.api.v1.shapes import Instant, cursor_page
from csms.clock import Clock
from csms.domain.jobs import ItemState
from csms.domain.reservations import Reservation, ReservationState, state_of
from csms.domain.stations import Station
from csms.errors import NotFound
from csms.services import reservations
from csms.store import reservations as store
from csms.store.database import ReadTx

Word = Annotated[str, StringConstraints(min_length=1, max_length=20)]
Token = Annotated[str, StringConstraints(min_length=1, max_length=255)]


class ReservationShape(Shape):
    """Who may charge where until when, and what came of it."""

    reservation_id: int = Field(description="Its number at the station.")
    evse_id: int | None = Field(description="Null: any EVSE.")
    connector_type: str | None
    id_token: str | None = Field(description="Null: it was not made here.")
    id_token_type: str | None
    group_id_token: str | None
    expires_at: Instant | None
    state: ReservationState
    reported_status: str | None = Field(description="The station's word for how it ended.")
    station_transaction_id: str | None = Field(description="Of the transaction that used it.")

    @classmethod
    def of(cls, reservation: Reservation, clock: Clock) -> ReservationShape:
        """The reservation as it is shown."""
        return cls(
            reservation_id=reservation.reservation_id,
            evse_id=reservation.evse_id,
            connector_type=reservation.connector_type,
            id_token=reservation.id_token,
            id_token_type=reservation.id_token_type,
            group_id_token=reservation.group_id_token,
            expires_at=times.micros(reservation.expires_at),
            state=state_of(reservation, clock.now()),
            reported_status=reservation.reported_status,
            station_transaction_id=reservation.used_by,
        )


class ReservationPage(Shape):
    """The newest first; all that are kept."""

    items: list[ReservationShape]
    next_cursor: str | None


class NewReservation(Strict):
    """A reservation to make."""

    expires_at: AwareDatetime
    id_token: Token = Field(description="For whom; at most 20 characters on OCPP 1.6, 36 on 2.0.1.")
    id_token_type: Word | None = None
    group_id_token: Token | None = Field(
        default=None, description="The group whose tokens may use it as well."
    )
    group_id_token_type: Word | None = None
    evse_id: int | None = Field(default=None, ge=1, le=2**31 - 1, description="Left out: any.")
    connector_type: Word | None = Field(default=None, description="OCPP 2.x only.")
    reservation_id: int | None = Field(
        default=None,
        ge=0,
        le=2**31 - 1,
        description="One with the same number is replaced; left out, we draw one.",
    )
    timeout_s: float | None = orders.TIMEOUT


async def list_of_station(call: Call[None, None]) -> Reply:
    """Also those that are over, and those that others made as far as the station told."""

    def look(tx: ReadTx) -> list[Reservation]:
        station = stations.find(tx, call.path["station_id"], call.principal)
        return store.list_of_station(tx, station.id)

    found = await call.deps.db.read(look)
    return Reply(cursor_page([ReservationShape.of(one, call.deps.clock) for one in found], None))


async def create(call: Call[NewReservation, None]) -> Reply:
    """201 once the station has accepted it, 409 `rejected` with its answer when it has not."""
    body = call.body
    params = body.model_dump(mode="json", exclude_none=True, exclude={"timeout_s"})

    def look(tx: ReadTx) -> tuple[Station, int]:
        station = stations.find(tx, call.path["station_id"], call.principal)
        return station, reservations.draw_id(tx, station.id)

    station, drawn = await call.deps.db.read(look)
    params.setdefault("reservation_id", drawn)
    carried = await orders.carry(call, station, "reserve_now", params, timeout_s=body.timeout_s)
    if carried.item.state is not ItemState.SUCCEEDED:
        return commands.failure(carried)
    # Of a repeated request, the number that the first one drew.
    reservation_id = carried.job.params["params"]["reservation_id"]
    made = await call.deps.db.read(lambda tx: _get(tx, station, reservation_id))
    return Reply(ReservationShape.of(made, call.deps.clock), status=201, headers=carried.headers)


async def cancel(call: Call[None, None]) -> Reply:
    """204 once the station has cancelled it; 409 `rejected` when it has none such any more."""

    def look(tx: ReadTx) -> tuple[Station, Reservation]:
        station = stations.find(tx, call.path["station_id"], call.principal)
        return station, _get(tx, station, orders.number(call.path["reservation_id"]))

    station, found = await call.deps.db.read(look)
    params = {"reservation_id": found.reservation_id}
    carried = await orders.carry(call, station, "cancel_reservation", params)
    if carried.item.state is not ItemState.SUCCEEDED:
        return commands.failure(carried)
    return Reply(status=204, headers=carried.headers)


def _get(tx: ReadTx, station: Station, reservation_id: int | None) -> Reservation:
    found = None if reservation_id is None else store.find(tx, station.id, reservation_id)
    if found is None:
        raise NotFound("Reservation not found")
    return found
