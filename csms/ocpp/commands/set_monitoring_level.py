"""SetMonitoringLevel: up to which severity a station reports events."""

from __future__ import annotations

from dataclasses import dataclass, field

from csms.domain.jobs import CommandClass
from csms.domain.versions import OcppVersion
from csms.ocpp.commands.command import Command, doc
from csms.ocpp.commands.component_variables import Severity
from csms.ocpp.commands.wire import encoder


@dataclass(frozen=True, slots=True)
class SetMonitoringLevel:
    """Parameters of set_monitoring_level."""

    severity: Severity = field(metadata=doc("0 is danger, 9 debug; what is less grave is not sent"))


COMMAND = Command(
    name="set_monitoring_level",
    summary="Choose up to which severity the station reports events",
    command_class=CommandClass.A,
    params=SetMonitoringLevel,
    actions=dict.fromkeys((OcppVersion.V201, OcppVersion.V21), "SetMonitoringLevel"),
    encode=dict.fromkeys((OcppVersion.V201, OcppVersion.V21), encoder("SetMonitoringLevel")),
)
