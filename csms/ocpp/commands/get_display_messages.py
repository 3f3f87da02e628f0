"""GetDisplayMessages: have a station report the messages it has."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from annotated_types import Ge, Le

from csms.domain.display_messages import STATES_V21, MessagePriority, MessageState
from csms.domain.jobs import CommandClass
from csms.domain.multipart import ReportKind
from csms.domain.stations import Station
from csms.domain.versions import OcppVersion
from csms.errors import NotSupportedByVersion
from csms.ocpp.commands.command import Answer, Command, Order, doc
from csms.ocpp.commands.request_ids import RequestId, request_id
from csms.ocpp.display_messages import forget_unreported, read_request
from csms.ocpp.fields import raw
from csms.ocpp.frames import JsonObject
from csms.services import display_messages, reports
from csms.store.database import Tx


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


def read(payload: JsonObject) -> Answer:
    """That there are none is an answer, too (2.0.1 O03.FR.06)."""
    status = payload.get("status")
    return Answer(status in {"Accepted", "Unknown"}, status, payload)


def settled(tx: Tx, station: Station, payload: JsonObject, answer: Answer) -> None:
    """A report follows, or what we thought was there is not."""
    if answer.status == "Unknown":
        display_messages.forget_unreported(
            tx, station.id, read_request(payload), reported=frozenset()
        )
    elif answer.accepted:
        report_id = reports.expect(
            tx, station.id, ReportKind.DISPLAY_MESSAGES, payload["requestId"], raw(payload)
        )
        forget_unreported(tx, report_id)


COMMAND = Command(
    name="get_display_messages",
    summary="Have the station report the messages it has to show",
    command_class=CommandClass.A,
    params=GetDisplayMessages,
    actions=dict.fromkeys((OcppVersion.V201, OcppVersion.V21), "GetDisplayMessages"),
    encode={OcppVersion.V201: encode_v201, OcppVersion.V21: encode_v21},
    read=read,
    settled=settled,
)
