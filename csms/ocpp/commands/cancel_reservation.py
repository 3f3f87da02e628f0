"""CancelReservation: give a reservation up."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from annotated_types import Ge, Le

from csms.domain.jobs import CommandClass
from csms.domain.versions import OcppVersion
from csms.errors import NotSupportedByVersion
from csms.ocpp.commands.command import Answer, Command, Order, doc
from csms.ocpp.fields import integer
from csms.ocpp.frames import JsonObject
from csms.services import reservations
from csms.store.database import Tx


@dataclass(frozen=True, slots=True)
class CancelReservation:
    """Parameters of cancel_reservation."""

    reservation_id: Annotated[int, Ge(0), Le(2**31 - 1)] = field(
        metadata=doc("its number at the station")
    )


def encode(params: CancelReservation) -> Order:
    """The same in every version."""
    return Order("CancelReservation", {"reservationId": params.reservation_id})


def decode_v16(payload: JsonObject) -> CancelReservation:
    """The numbers of OCPP 1.6 may be below zero."""
    if payload["reservationId"] < 0:
        raise NotSupportedByVersion("a reservation of OCPP 2.x has a number from 0")
    return CancelReservation(payload["reservationId"])


def settled(tx: Tx, station_id: int, payload: JsonObject, answer: Answer) -> None:
    """It is over; a station that refuses does not have it."""
    reservation_id = integer(payload, "reservationId")
    if reservation_id is None:
        return
    if answer.accepted:
        reservations.cancel(tx, station_id, reservation_id)
    else:
        reservations.lose(tx, station_id, reservation_id)


COMMAND = Command(
    name="cancel_reservation",
    summary="Cancel a reservation",
    command_class=CommandClass.B,
    params=CancelReservation,
    actions=dict.fromkeys(OcppVersion, "CancelReservation"),
    encode=dict.fromkeys(OcppVersion, encode),
    decode_v16={"CancelReservation": decode_v16},
    # A station refuses the number of a reservation that it no longer has (2.0.1 H02.FR.01).
    gone=frozenset({"Rejected"}),
    settled=settled,
)
