"""GetMonitoringReport: have a station report what watches its variables."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Annotated

from annotated_types import MaxLen

from csms.domain.jobs import CommandClass
from csms.domain.multipart import ReportKind
from csms.domain.stations import Station
from csms.domain.versions import OcppVersion
from csms.ocpp.commands.command import Answer, Command, Order, doc
from csms.ocpp.commands.component_variables import ComponentVariable, name_component
from csms.ocpp.commands.report_requests import EMPTY, read
from csms.ocpp.commands.request_ids import RequestId, request_id
from csms.ocpp.fields import raw
from csms.ocpp.frames import JsonObject
from csms.ocpp.monitoring_reports import asks_for_all, forget_unreported
from csms.services import reports
from csms.store import variable_monitors
from csms.store.database import Tx


class MonitoringCriterion(str, Enum):
    """MonitoringCriterionEnumType."""

    THRESHOLD = "ThresholdMonitoring"
    DELTA = "DeltaMonitoring"
    PERIODIC = "PeriodicMonitoring"


@dataclass(frozen=True, slots=True)
class GetMonitoringReport:
    """Parameters of get_monitoring_report."""

    variables: list[ComponentVariable] = field(
        default_factory=list, metadata=doc("monitors of these; empty: of all")
    )
    criteria: Annotated[list[MonitoringCriterion], MaxLen(3)] = field(
        default_factory=list, metadata=doc("monitors of these kinds; empty: of all")
    )
    request_id: RequestId = request_id()


def encode_v2x(params: GetMonitoringReport) -> Order:
    """What is not asked for is left out."""
    payload: JsonObject = {"requestId": params.request_id}
    if params.variables:
        payload["componentVariable"] = [name_component(named) for named in params.variables]
    if params.criteria:
        payload["monitoringCriteria"] = [criterion.value for criterion in params.criteria]
    return Order("GetMonitoringReport", payload)


def settled(tx: Tx, station: Station, payload: JsonObject, answer: Answer) -> None:
    """A report follows, or there are none."""
    if answer.status == EMPTY and asks_for_all(payload):
        variable_monitors.delete_others(tx, station.id, kept=())
    elif answer.status == "Accepted":
        report_id = reports.expect(
            tx, station.id, ReportKind.MONITORS, payload["requestId"], raw(payload)
        )
        forget_unreported(tx, report_id)


COMMAND = Command(
    name="get_monitoring_report",
    summary="Have the station report its monitors",
    command_class=CommandClass.A,
    params=GetMonitoringReport,
    actions=dict.fromkeys((OcppVersion.V201, OcppVersion.V21), "GetMonitoringReport"),
    encode=dict.fromkeys((OcppVersion.V201, OcppVersion.V21), encode_v2x),
    read=read,
    settled=settled,
)
