"""GetReport: have a station report some of its components and variables."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Annotated

from annotated_types import MaxLen

from csms.domain.jobs import CommandClass
from csms.domain.multipart import ReportKind
from csms.domain.versions import OcppVersion
from csms.ocpp.commands.command import Batch, Command, also_accepts, doc
from csms.ocpp.commands.component_variables import ComponentVariable
from csms.ocpp.commands.device_variables import ITEMS_PER_MESSAGE, items_per_message
from csms.ocpp.commands.report_requests import EMPTY, asking, expects
from csms.ocpp.commands.request_ids import RequestId, following, request_id
from csms.ocpp.frames import JsonObject


class ComponentCriterion(str, Enum):
    """ComponentCriterionEnumType."""

    ACTIVE = "Active"
    AVAILABLE = "Available"
    ENABLED = "Enabled"
    PROBLEM = "Problem"


@dataclass(frozen=True, slots=True)
class GetReport:
    """Parameters of get_report."""

    variables: list[ComponentVariable] = field(
        default_factory=list, metadata=doc("these components and variables; empty: all")
    )
    criteria: Annotated[list[ComponentCriterion], MaxLen(4)] = field(
        default_factory=list, metadata=doc("only components that are one of these; empty: all")
    )
    request_id: RequestId = request_id()


def _part(payload: JsonObject, number: int, total: int) -> JsonObject:
    # Each part is answered by a report of its own, which needs a name of its own.
    return {**payload, "requestId": following(payload["requestId"], number)}


COMMAND = Command(
    name="get_report",
    summary="Have the station report some of its components and variables",
    command_class=CommandClass.A,
    params=GetReport,
    actions=dict.fromkeys((OcppVersion.V201, OcppVersion.V21), "GetReport"),
    encode=dict.fromkeys(
        (OcppVersion.V201, OcppVersion.V21), asking("GetReport", "componentCriteria")
    ),
    read=also_accepts(EMPTY),
    settled=expects(ReportKind.VARIABLES),
    batches={
        "GetReport": Batch(
            "componentVariable",
            items_per_message("GetReport"),
            otherwise=ITEMS_PER_MESSAGE,
            part=_part,
        )
    },
)
