"""Station → CSMS: one file per action; this table is how the router finds them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from csms.domain.versions import OcppVersion
from csms.ocpp.actions import (
    authorize,
    boot_notification,
    data_transfer,
    heartbeat,
    meter_values,
    start_transaction,
    status_notification,
    stop_transaction,
)
from csms.ocpp.context import Handler

HANDLERS: Mapping[tuple[OcppVersion, str], Handler] = MappingProxyType(
    {
        (OcppVersion.V16, "Authorize"): authorize.on_v16,
        (OcppVersion.V16, "BootNotification"): boot_notification.on_v16,
        (OcppVersion.V16, "DataTransfer"): data_transfer.on_v16,
        (OcppVersion.V16, "Heartbeat"): heartbeat.on_v16,
        (OcppVersion.V16, "MeterValues"): meter_values.on_v16,
        (OcppVersion.V16, "StartTransaction"): start_transaction.on_v16,
        (OcppVersion.V16, "StatusNotification"): status_notification.on_v16,
        (OcppVersion.V16, "StopTransaction"): stop_transaction.on_v16,
    }
)
