"""SetVariableMonitoring: have a station watch its variables."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Annotated

from annotated_types import Ge, Le, MinLen

from csms.domain.device_model import Monitor
from csms.domain.jobs import CommandClass
from csms.domain.versions import OcppVersion
from csms.errors import NotSupportedByVersion
from csms.ocpp.commands import wire
from csms.ocpp.commands.command import Answer, Batch, Command, Order, doc
from csms.ocpp.commands.component_variables import (
    ComponentVariable,
    Severity,
    items_per_message,
    name_component,
)
from csms.ocpp.commands.device_variables import ITEMS_PER_MESSAGE, Name
from csms.ocpp.commands.monitor_results import reader
from csms.ocpp.device_model import named, read_monitor
from csms.ocpp.fields import integer, text
from csms.ocpp.frames import JsonObject
from csms.services import device_model
from csms.store.database import Tx

_RESULTS = "setMonitoringResult"
# OCPP 2.0.1 SetMonitoringStatusEnumType: one of this type and severity is there already.
_GONE = frozenset({"Duplicate"})
_Count = Annotated[int, Ge(0), Le(2**31 - 1)]


class MonitorType(str, Enum):
    """MonitorEnumType; the last two came with OCPP 2.1."""

    UPPER_THRESHOLD = "UpperThreshold"
    LOWER_THRESHOLD = "LowerThreshold"
    DELTA = "Delta"
    PERIODIC = "Periodic"
    PERIODIC_CLOCK_ALIGNED = "PeriodicClockAligned"
    TARGET_DELTA = "TargetDelta"
    TARGET_DELTA_RELATIVE = "TargetDeltaRelative"


_ONLY_V21 = frozenset({MonitorType.TARGET_DELTA, MonitorType.TARGET_DELTA_RELATIVE})


@dataclass(frozen=True, slots=True)
class EventStream:
    """PeriodicEventStreamParamsType: how a periodic monitor's values are sent together."""

    interval_s: _Count | None = field(default=None, metadata=doc("send at the latest after"))
    values: _Count | None = field(default=None, metadata=doc("send with so many values"))


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedMonitor(ComponentVariable):
    """A variable and what shall watch it."""

    variable: Name = field(metadata=doc("name of the variable"))
    type: MonitorType = field(metadata=doc("when there is something to report"))
    value: float = field(metadata=doc("the limit or the change; of periodic ones the seconds"))
    severity: Severity = field(metadata=doc("of the events: 0 is danger, 9 debug"))
    id: _Count | None = field(default=None, metadata=doc("the monitor to replace"))
    in_transaction: bool = field(default=False, metadata=doc("watch during transactions only"))
    event_stream: EventStream | None = field(
        default=None, metadata=doc("send the values as a stream; OCPP 2.1 only")
    )


@dataclass(frozen=True, slots=True)
class SetVariableMonitoring:
    """Parameters of set_variable_monitoring."""

    monitors: Annotated[list[WantedMonitor], MinLen(1)] = field(metadata=doc("what to watch"))


def encode_v201(params: SetVariableMonitoring) -> Order:
    """Without the targets and the streams of 2.1."""
    for wanted in params.monitors:
        if wanted.type in _ONLY_V21:
            raise NotSupportedByVersion(f"OCPP 2.0.1 has no monitors of type {wanted.type.value}")
        if wanted.event_stream is not None:
            raise NotSupportedByVersion("OCPP 2.0.1 has no event streams")
    return encode_v21(params)


def encode_v21(params: SetVariableMonitoring) -> Order:
    """One entry each."""
    wanted = [_entry(monitor) for monitor in params.monitors]
    return Order("SetVariableMonitoring", {"setMonitoringData": wanted})


def _entry(wanted: WantedMonitor) -> JsonObject:
    entry = name_component(wanted) | {
        "type": wanted.type.value,
        "value": wanted.value,
        "severity": wanted.severity,
    }
    if wanted.id is not None:
        entry["id"] = wanted.id
    if wanted.in_transaction:
        entry["transaction"] = True
    if wanted.event_stream is not None:
        entry["periodicEventStream"] = wire.payload(wanted.event_stream)
    return entry


def settled(tx: Tx, station_id: int, payload: JsonObject, answer: Answer) -> None:
    """Keep the monitors that the station set, by the ids it gave them."""
    device_model.record_monitors(tx, station_id, _monitors(payload, answer.payload))


def _monitors(payload: JsonObject, answer: JsonObject) -> Iterator[Monitor]:
    # The results repeat names, type and severity, and add the id; the rest is in the request.
    wanted = [
        (key, monitor, integer(entry, "id") is None)
        for key, entry in named(payload.get("setMonitoringData"))
        if (monitor := read_monitor(key, {**entry, "id": 0})) is not None
    ]
    for key, result in named(answer.get(_RESULTS)):
        told = read_monitor(key, result)
        if told is None or text(result, "status") != "Accepted":
            continue
        for wanted_key, monitor, is_new in wanted:
            if (wanted_key.folded, monitor.type, monitor.severity) == (
                key.folded,
                told.type,
                told.severity,
            ):
                yield replace(monitor, id=told.id, origin="CustomMonitor" if is_new else None)
                break


COMMAND = Command(
    name="set_variable_monitoring",
    summary="Have the station watch its variables",
    command_class=CommandClass.B,
    params=SetVariableMonitoring,
    actions=dict.fromkeys((OcppVersion.V201, OcppVersion.V21), "SetVariableMonitoring"),
    encode={OcppVersion.V201: encode_v201, OcppVersion.V21: encode_v21},
    read=reader(_RESULTS, gone=_GONE),
    gone=_GONE,
    settled=settled,
    batches={
        "SetVariableMonitoring": Batch(
            "setMonitoringData",
            items_per_message("SetVariableMonitoring"),
            otherwise=ITEMS_PER_MESSAGE,
        )
    },
)
