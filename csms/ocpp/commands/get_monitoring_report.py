"""GetMonitoringReport: have a station report what watches its variables."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Annotated

from annotated_types import MaxLen

from csms.domain.jobs import CommandClass
from csms.domain.multipart import ReportKind
from csms.domain.versions import OcppVersion
from csms.ocpp.commands.command import Command, also_accepts, doc
from csms.ocpp.commands.component_variables import ComponentVariable
from csms.ocpp.commands.report_requests import EMPTY, asking, expects_all
from csms.ocpp.commands.request_ids import RequestId, request_id
from csms.ocpp.monitoring_reports import forget_unreported


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


COMMAND = Command(
    name="get_monitoring_report",
    summary="Have the station report its monitors",
    command_class=CommandClass.A,
    params=GetMonitoringReport,
    actions=dict.fromkeys((OcppVersion.V201, OcppVersion.V21), "GetMonitoringReport"),
    encode=dict.fromkeys(
        (OcppVersion.V201, OcppVersion.V21), asking("GetMonitoringReport", "monitoringCriteria")
    ),
    read=also_accepts(EMPTY),
    settled=expects_all(ReportKind.MONITORS, forget_unreported, empty=EMPTY),
)
