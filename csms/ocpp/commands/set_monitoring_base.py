"""SetMonitoringBase: which of its built-in monitors a station uses."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from csms.domain.jobs import CommandClass
from csms.domain.versions import OcppVersion
from csms.ocpp.commands.command import Answer, Command, doc
from csms.ocpp.commands.wire import encoder
from csms.ocpp.frames import JsonObject
from csms.store import variable_monitors
from csms.store.database import Tx


class MonitoringBase(str, Enum):
    """MonitoringBaseEnumType."""

    ALL = "All"
    FACTORY_DEFAULT = "FactoryDefault"
    HARD_WIRED_ONLY = "HardWiredOnly"


@dataclass(frozen=True, slots=True)
class SetMonitoringBase:
    """Parameters of set_monitoring_base."""

    monitoring_base: MonitoringBase = field(
        metadata=doc("All keeps those that were set, the others take them away")
    )


def settled(tx: Tx, station_id: int, payload: JsonObject, answer: Answer) -> None:
    """All but All take away what was set (OCPP 2.0.1 N03.FR.04, FR.05)."""
    if answer.accepted and payload["monitoringBase"] != MonitoringBase.ALL.value:
        variable_monitors.delete_custom(tx, station_id)


COMMAND = Command(
    name="set_monitoring_base",
    summary="Choose which built-in monitors the station uses",
    command_class=CommandClass.A,
    params=SetMonitoringBase,
    actions=dict.fromkeys((OcppVersion.V201, OcppVersion.V21), "SetMonitoringBase"),
    encode=dict.fromkeys((OcppVersion.V201, OcppVersion.V21), encoder("SetMonitoringBase")),
    settled=settled,
)
