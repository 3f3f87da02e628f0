"""GetLog, on 1.6 also GetDiagnostics: have a station upload a log."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from csms.domain.jobs import CommandClass
from csms.domain.tasks import Task
from csms.domain.timestamps import format_timestamp
from csms.domain.versions import OcppVersion
from csms.errors import NotSupportedByVersion
from csms.ocpp.commands.command import Command, Order, doc
from csms.ocpp.commands.request_ids import RequestId, request_id
from csms.ocpp.commands.task_requests import (
    Count,
    Location,
    read_params,
    read_retries,
    retries,
)
from csms.ocpp.frames import JsonObject


class LogType(str, Enum):
    """LogEnumType; the last one came with OCPP 2.1."""

    DIAGNOSTICS = "DiagnosticsLog"
    SECURITY = "SecurityLog"
    DATA_COLLECTOR = "DataCollectorLog"


@dataclass(frozen=True, slots=True)
class GetLog:
    """Parameters of get_log."""

    location: Location = field(metadata=doc("the URL to upload to"))
    log_type: LogType = field(
        default=LogType.DIAGNOSTICS,
        metadata=doc("which log; SecurityLog on OCPP 1.6 needs its security extension"),
    )
    oldest_at: datetime | None = field(default=None, metadata=doc("no entries before"))
    latest_at: datetime | None = field(default=None, metadata=doc("no entries after"))
    retries: Count | None = field(default=None, metadata=doc("how often to try again"))
    retry_interval_s: Count | None = field(default=None, metadata=doc("how long to wait between"))
    request_id: RequestId = request_id()


def encode_v16(params: GetLog) -> Order:
    """GetDiagnostics, which every station has, where it can say it."""
    if params.log_type is LogType.DATA_COLLECTOR:
        raise NotSupportedByVersion("OCPP 1.6 has no DataCollectorLog")
    if params.log_type is LogType.SECURITY:
        return encode_v21(params)
    payload = {"location": params.location} | retries(params.retries, params.retry_interval_s)
    return Order("GetDiagnostics", payload | _period(params, "startTime", "stopTime"))


def encode_v201(params: GetLog) -> Order:
    """Without the log of 2.1."""
    if params.log_type is LogType.DATA_COLLECTOR:
        raise NotSupportedByVersion("OCPP 2.0.1 has no DataCollectorLog")
    return encode_v21(params)


def encode_v21(params: GetLog) -> Order:
    """Place and period are in an object of their own."""
    log = {"remoteLocation": params.location}
    payload: JsonObject = {
        "logType": params.log_type.value,
        "requestId": params.request_id,
        "log": log | _period(params, "oldestTimestamp", "latestTimestamp"),
    }
    return Order("GetLog", payload | retries(params.retries, params.retry_interval_s))


def _period(params: GetLog, oldest: str, latest: str) -> JsonObject:
    found = {oldest: params.oldest_at, latest: params.latest_at}
    return {name: format_timestamp(at) for name, at in found.items() if at is not None}


def decode_diagnostics_v16(payload: JsonObject) -> GetLog:
    """GetDiagnostics asks for the DiagnosticsLog, and names no request."""
    found: GetLog = read_params(
        GetLog,
        location=payload["location"],
        oldest_at=payload.get("startTime"),
        latest_at=payload.get("stopTime"),
        **read_retries(payload),
    )
    return found


def decode_log_v16(payload: JsonObject) -> GetLog:
    """The security extension took it from 2.x."""
    log = payload["log"]
    found: GetLog = read_params(
        GetLog,
        location=log["remoteLocation"],
        log_type=payload["logType"],
        oldest_at=log.get("oldestTimestamp"),
        latest_at=log.get("latestTimestamp"),
        request_id=payload["requestId"],
        **read_retries(payload),
    )
    return found


COMMAND = Command(
    name="get_log",
    summary="Have the station upload a log",
    command_class=CommandClass.A,
    params=GetLog,
    actions={
        OcppVersion.V16: "GetDiagnostics",
        OcppVersion.V201: "GetLog",
        OcppVersion.V21: "GetLog",
    },
    encode={
        OcppVersion.V16: encode_v16,
        OcppVersion.V201: encode_v201,
        OcppVersion.V21: encode_v21,
    },
    decode_v16={"GetDiagnostics": decode_diagnostics_v16, "GetLog": decode_log_v16},
    starts=Task.LOG_UPLOAD,
)
