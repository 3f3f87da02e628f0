"""ClearVariableMonitoring: take monitors away."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from annotated_types import Ge, Le, MinLen

from csms.domain.jobs import CommandClass
from csms.domain.versions import OcppVersion
from csms.ocpp.commands.command import Answer, Batch, Command, Order, doc
from csms.ocpp.commands.component_variables import items_per_message
from csms.ocpp.commands.device_variables import ITEMS_PER_MESSAGE
from csms.ocpp.commands.monitor_results import reader
from csms.ocpp.fields import integer, objects, text
from csms.ocpp.frames import JsonObject
from csms.store import variable_monitors
from csms.store.database import Tx

_RESULTS = "clearMonitoringResult"
_GONE = frozenset({"NotFound"})


@dataclass(frozen=True, slots=True)
class ClearVariableMonitoring:
    """Parameters of clear_variable_monitoring."""

    ids: Annotated[list[Annotated[int, Ge(0), Le(2**31 - 1)]], MinLen(1)] = field(
        metadata=doc("the station's ids of the monitors, as get_monitoring_report tells them")
    )


def encode_v2x(params: ClearVariableMonitoring) -> Order:
    """The field is a list under a singular name."""
    return Order("ClearVariableMonitoring", {"id": params.ids})


def settled(tx: Tx, station_id: int, payload: JsonObject, answer: Answer) -> None:
    """What is gone, or never was, is no longer known."""
    gone = [
        monitor_id
        for result in objects(answer.payload.get(_RESULTS))
        if text(result, "status") in _GONE | {"Accepted"}
        and (monitor_id := integer(result, "id")) is not None
    ]
    variable_monitors.delete(tx, station_id, gone)


COMMAND = Command(
    name="clear_variable_monitoring",
    summary="Take monitors away",
    command_class=CommandClass.B,
    params=ClearVariableMonitoring,
    actions=dict.fromkeys((OcppVersion.V201, OcppVersion.V21), "ClearVariableMonitoring"),
    encode=dict.fromkeys((OcppVersion.V201, OcppVersion.V21), encode_v2x),
    read=reader(_RESULTS, gone=_GONE),
    single_target=True,
    gone=_GONE,
    settled=settled,
    batches={
        "ClearVariableMonitoring": Batch(
            "id", items_per_message("ClearVariableMonitoring"), otherwise=ITEMS_PER_MESSAGE
        )
    },
)
