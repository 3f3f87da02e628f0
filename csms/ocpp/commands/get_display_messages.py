"""GetDisplayMessages: have a station report the messages it has."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from annotated_types import Ge, Le

from csms.domain.display_messages import STATES_V21, MessagePriority, MessageState
from csms.domain.jobs import CommandClass
from csms.domain.multipart import ReportKind
from csms.domain.versions import OcppVersion
from csms.errors import NotSupportedByVersion
from csms.ocpp.commands.command import Command, Order, also_accepts, doc
from csms.ocpp.commands.report_requests import expects_all
from csms.ocpp.commands.request_ids import RequestId, request_id
from csms.ocpp.display_messages import forget_unreported
from csms.ocpp.frames import JsonObject

# OCPP 2.0.1 O03.FR.06
_EMPTY = "Unknown"


@dataclass(frozen=True, slots=True)
class GetDisplayMessages:
    """Parameters of get_display_messages."""

    ids: list[Annotated[int, Ge(0), Le(2**31 - 1)]] = field(
        default_factory=list, metadata=doc("those with these numbers; empty: all")
    )
    priority: MessagePriority | None = field(default=None, metadata=doc("those of this priority"))
    state: MessageState | None = field(
        default=None, metadata=doc("those for this state of the station")
    )
    request_id: RequestId = request_id()


def encode_v201(params: GetDisplayMessages) -> Order:
    """Without the states of 2.1."""
    if params.state in STATES_V21:
        raise NotSupportedByVersion(f"OCPP 2.0.1 has no messages for {params.state.value}")
    return encode_v21(params)


def encode_v21(params: GetDisplayMessages) -> Order:
    """Without criteria it asks for all."""
    payload: JsonObject = {"requestId": params.request_id}
    if params.ids:
        payload["id"] = params.ids
    if params.priority is not None:
        payload["priority"] = params.priority.value
    if params.state is not None:
        payload["state"] = params.state.value
    return Order("GetDisplayMessages", payload)


COMMAND = Command(
    name="get_display_messages",
    summary="Have the station report the messages it has to show",
    command_class=CommandClass.A,
    params=GetDisplayMessages,
    actions=dict.fromkeys((OcppVersion.V201, OcppVersion.V21), "GetDisplayMessages"),
    encode={OcppVersion.V201: encode_v201, OcppVersion.V21: encode_v21},
    read=also_accepts(_EMPTY),
    settled=expects_all(ReportKind.DISPLAY_MESSAGES, forget_unreported, empty=_EMPTY),
)
