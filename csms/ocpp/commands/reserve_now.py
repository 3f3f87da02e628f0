"""ReserveNow: keep an EVSE for a driver."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated

from annotated_types import Ge, Le, MaxLen, MinLen

from csms.domain.jobs import CommandClass
from csms.domain.reservations import Reservation
from csms.domain.timestamps import format_timestamp
from csms.domain.versions import OcppVersion
from csms.errors import NotSupportedByVersion
from csms.ocpp.charging_profiles import read_instant
from csms.ocpp.commands.command import Answer, Command, EvseId, Order, doc, evse_of_v16
from csms.ocpp.fields import integer, objects, text
from csms.ocpp.frames import JsonObject
from csms.ocpp.id_tokens import CARD, IdToken, IdTokenType, tag_v16, token_v21, token_v201
from csms.services import reservations
from csms.store.database import Tx

_ACTION = "ReserveNow"
# ConnectorEnumType; 2.1 takes any word.
_CONNECTORS_V201 = frozenset(
    {
        "cCCS1",
        "cCCS2",
        "cG105",
        "cTesla",
        "cType1",
        "cType2",
        "s309-1P-16A",
        "s309-1P-32A",
        "s309-3P-16A",
        "s309-3P-32A",
        "sBS1361",
        "sCEE-7-7",
        "sType2",
        "sType3",
        "Other1PhMax16A",
        "Other1PhOver16A",
        "Other3Ph",
        "Pan",
        "wInductive",
        "wResonant",
        "Undetermined",
        "Unknown",
    }
)


@dataclass(frozen=True, slots=True)
class ReserveNow:
    """Parameters of reserve_now."""

    reservation_id: Annotated[int, Ge(0), Le(2**31 - 1)] = field(
        metadata=doc("its number at the station; one with the same number is replaced")
    )
    expires_at: datetime = field(metadata=doc("until when"))
    id_token: IdToken = field(
        metadata=doc("for whom; at most 20 characters on OCPP 1.6, 36 on 2.0.1")
    )
    id_token_type: IdTokenType = field(
        default=CARD, metadata=doc("what the driver will present; OCPP 1.6 has no types")
    )
    group_id_token: IdToken | None = field(
        default=None, metadata=doc("the group whose tokens may use it as well")
    )
    group_id_token_type: IdTokenType = field(
        default="Central", metadata=doc("the type of the group's token; OCPP 1.6 has no types")
    )
    evse_id: EvseId | None = field(
        default=None, metadata=doc("which EVSE; left out: one of them, whichever is free")
    )
    connector_type: Annotated[str, MinLen(1), MaxLen(20)] | None = field(
        default=None, metadata=doc("only an EVSE with such a connector; OCPP 2.x only")
    )


def encode_v16(params: ReserveNow) -> Order:
    """Connector 0 is any."""
    if params.connector_type is not None:
        raise NotSupportedByVersion("OCPP 1.6 cannot reserve a type of connector")
    payload: JsonObject = {
        "connectorId": params.evse_id or 0,
        "expiryDate": format_timestamp(params.expires_at),
        "idTag": tag_v16(params.id_token),
        "reservationId": params.reservation_id,
    }
    if params.group_id_token is not None:
        payload["parentIdTag"] = tag_v16(params.group_id_token)
    return Order(_ACTION, payload)


def encode_v201(params: ReserveNow) -> Order:
    """With the connectors and token types that 2.0.1 lists."""
    connector = params.connector_type
    if connector is not None and connector not in _CONNECTORS_V201:
        raise NotSupportedByVersion(f"OCPP 2.0.1 has no connector type {connector}")
    return _order_v2x(params, token_v201)


def encode_v21(params: ReserveNow) -> Order:
    """With any type."""
    return _order_v2x(params, token_v21)


def _order_v2x(params: ReserveNow, token: Callable[[str, str], JsonObject]) -> Order:
    payload: JsonObject = {
        "id": params.reservation_id,
        "expiryDateTime": format_timestamp(params.expires_at),
        "idToken": token(params.id_token, params.id_token_type),
    }
    if params.connector_type is not None:
        payload["connectorType"] = params.connector_type
    if params.evse_id is not None:
        payload["evseId"] = params.evse_id
    if params.group_id_token is not None:
        payload["groupIdToken"] = token(params.group_id_token, params.group_id_token_type)
    return Order(_ACTION, payload)


def decode_v16(payload: JsonObject) -> ReserveNow:
    """A tag is taken for a card."""
    expires_at = read_instant(payload["expiryDate"])
    if expires_at is None or payload["reservationId"] < 0:
        raise NotSupportedByVersion("a reservation of OCPP 2.x has a number from 0 and an end")
    return ReserveNow(
        payload["reservationId"],
        expires_at,
        payload["idTag"],
        group_id_token=payload.get("parentIdTag"),
        evse_id=evse_of_v16(payload),
    )


def ends_at(action: str, payload: JsonObject) -> datetime | None:
    """When the reservation that a CALL asks for is over; None: it asks for none."""
    if action != _ACTION:
        return None
    return read_instant(payload.get("expiryDate") or payload.get("expiryDateTime"))


def settled(tx: Tx, station_id: int, payload: JsonObject, answer: Answer) -> None:
    """The station keeps it."""
    reservation = _reserved_v16(payload) if "idTag" in payload else _reserved_v2x(payload)
    if answer.accepted and reservation is not None:
        reservations.make(tx, station_id, reservation)


def _reserved_v16(payload: JsonObject) -> Reservation | None:
    reservation_id = integer(payload, "reservationId")
    if reservation_id is None:
        return None
    return Reservation(
        reservation_id=reservation_id,
        evse_id=integer(payload, "connectorId") or None,
        connector_type=None,
        id_token=text(payload, "idTag"),
        id_token_type=None,
        group_id_token=text(payload, "parentIdTag"),
        expires_at=read_instant(payload.get("expiryDate")),
    )


def _reserved_v2x(payload: JsonObject) -> Reservation | None:
    reservation_id = integer(payload, "id")
    if reservation_id is None:
        return None
    (token, *_) = objects(payload.get("idToken")) or [{}]
    (group, *_) = objects(payload.get("groupIdToken")) or [{}]
    return Reservation(
        reservation_id=reservation_id,
        evse_id=integer(payload, "evseId") or None,
        connector_type=text(payload, "connectorType"),
        id_token=text(token, "idToken"),
        id_token_type=text(token, "type"),
        group_id_token=text(group, "idToken"),
        expires_at=read_instant(payload.get("expiryDateTime")),
    )


COMMAND = Command(
    name="reserve_now",
    summary="Reserve an EVSE for an id token",
    command_class=CommandClass.A,
    params=ReserveNow,
    actions=dict.fromkeys(OcppVersion, _ACTION),
    encode={
        OcppVersion.V16: encode_v16,
        OcppVersion.V201: encode_v201,
        OcppVersion.V21: encode_v21,
    },
    decode_v16={_ACTION: decode_v16},
    settled=settled,
)
