"""GetDERControl: have a station report its controls of distributed energy resources."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from annotated_types import MaxLen, MinLen

from csms.domain.der_controls import DerControlType
from csms.domain.jobs import CommandClass
from csms.domain.multipart import ReportKind
from csms.domain.stations import Station
from csms.domain.versions import OcppVersion
from csms.ocpp.commands import wire
from csms.ocpp.commands.command import Answer, Command, doc, read_status
from csms.ocpp.commands.request_ids import RequestId, request_id
from csms.ocpp.fields import raw
from csms.ocpp.frames import JsonObject
from csms.services import reports
from csms.store.database import Tx


@dataclass(frozen=True, slots=True)
class GetDerControl:
    """Parameters of get_der_control."""

    is_default: bool | None = field(
        default=None, metadata=doc("defaults; false: scheduled controls; left out: both")
    )
    control_type: DerControlType | None = field(
        default=None, metadata=doc("of this type only; left out: of every type")
    )
    control_id: Annotated[str, MinLen(1), MaxLen(36)] | None = field(
        default=None, metadata=doc("this one only")
    )
    request_id: RequestId = request_id()


def read(payload: JsonObject) -> Answer:
    """NotFound answers the question: there are none."""
    answer = read_status(payload)
    return Answer(answer.accepted or answer.status == "NotFound", answer.status, payload)


def settled(tx: Tx, station: Station, payload: JsonObject, answer: Answer) -> None:
    """ReportDERControl follows, in parts (OCPP 2.1 R04.FR.31, R04.FR.32)."""
    if answer.status == "Accepted":
        reports.expect(tx, station.id, ReportKind.DER_CONTROLS, payload["requestId"], raw(payload))


COMMAND = Command(
    name="get_der_control",
    summary="Have the station report its controls of distributed energy resources",
    command_class=CommandClass.A,
    params=GetDerControl,
    actions={OcppVersion.V21: "GetDERControl"},
    encode={OcppVersion.V21: wire.encoder("GetDERControl")},
    read=read,
    settled=settled,
)
