"""GetDERControl: have a station report its controls of distributed energy resources."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from annotated_types import MaxLen, MinLen

from csms.domain.der_controls import DerControlType
from csms.domain.jobs import CommandClass
from csms.domain.multipart import ReportKind
from csms.domain.versions import OcppVersion
from csms.ocpp.commands import wire
from csms.ocpp.commands.command import Command, also_accepts, doc
from csms.ocpp.commands.report_requests import expects
from csms.ocpp.commands.request_ids import RequestId, request_id


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


COMMAND = Command(
    name="get_der_control",
    summary="Have the station report its controls of distributed energy resources",
    command_class=CommandClass.A,
    params=GetDerControl,
    actions={OcppVersion.V21: "GetDERControl"},
    encode={OcppVersion.V21: wire.encoder("GetDERControl")},
    read=also_accepts("NotFound"),
    settled=expects(ReportKind.DER_CONTROLS),  # OCPP 2.1 R04.FR.31, R04.FR.32
)
