"""GetBaseReport: have a station report its device model."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from csms.domain.jobs import CommandClass
from csms.domain.multipart import ReportKind
from csms.domain.versions import OcppVersion
from csms.ocpp.commands.command import Command, also_accepts, doc
from csms.ocpp.commands.report_requests import EMPTY, expects
from csms.ocpp.commands.request_ids import RequestId, request_id
from csms.ocpp.commands.wire import encoder


class ReportBase(str, Enum):
    """ReportBaseEnumType."""

    CONFIGURATION_INVENTORY = "ConfigurationInventory"
    FULL_INVENTORY = "FullInventory"
    SUMMARY_INVENTORY = "SummaryInventory"


@dataclass(frozen=True, slots=True)
class GetBaseReport:
    """Parameters of get_base_report."""

    report_base: ReportBase = field(
        default=ReportBase.FULL_INVENTORY,
        metadata=doc("all variables, those that can be set, or a summary of the state"),
    )
    request_id: RequestId = request_id()


COMMAND = Command(
    name="get_base_report",
    summary="Have the station report its device model",
    command_class=CommandClass.A,
    params=GetBaseReport,
    actions=dict.fromkeys((OcppVersion.V201, OcppVersion.V21), "GetBaseReport"),
    encode=dict.fromkeys((OcppVersion.V201, OcppVersion.V21), encoder("GetBaseReport")),
    read=also_accepts(EMPTY),
    settled=expects(ReportKind.VARIABLES),
)
