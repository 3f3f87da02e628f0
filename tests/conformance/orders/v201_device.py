"""OCPP 2.0.1: the device model and what watches over it, logs, what is stored of customers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tests.conformance.orders import V201, Order, Told, order
from tests.conformance.orders.profiles import AT
from tests.conformance.orders.v201_lists import send_list
from tests.conformance.orders.v201_secure import HASH, STORED

REQUEST = 7
COMPONENT, VARIABLE = {"name": "EVSE", "evse": {"id": 1}}, {"name": "Power"}
NAMED = {"component": "EVSE", "evse_id": 1, "variable": "Power"}


def part(action: str, seq_no: int, *, last: bool, **content: Any) -> Told:
    """A part of a report."""
    return action, {
        "requestId": REQUEST,
        "generatedAt": AT,
        "seqNo": seq_no,
        "tbc": not last,
        **content,
    }


def whole(kind: str) -> dict[str, Any]:
    """That the report is stored from its first to its last part."""
    return {"reports": [{"kind": kind, "request_id": REQUEST, "complete": 1}]}


# ---- reports of the device model -------------------------------------------------------------


def variable(name: str, value: str) -> dict[str, Any]:
    """One of a report."""
    return {
        "component": COMPONENT,
        "variable": {"name": name},
        "variableAttribute": [{"value": value, "mutability": "ReadOnly"}],
        "variableCharacteristics": {"dataType": "decimal", "supportsMonitoring": True},
    }


REPORTED: list[Told] = [
    part("NotifyReport", 0, last=False, reportData=[variable("Power", "11")]),
    part("NotifyReport", 1, last=True, reportData=[variable("SupplyPhases", "3")]),
]
MODEL = {
    "variables": [
        {"component": "EVSE", "evse_id": 1, "variable": name, "supports_monitoring": 1}
        for name in ("Power", "SupplyPhases")
    ]
}


def base_report(base: str) -> dict[str, Any]:
    """All that a base report in two parts is."""
    return {
        "version": V201,
        "command": "get_base_report",
        "params": {"report_base": base, "request_id": REQUEST},
        "action": "GetBaseReport",
        "payload": {"requestId": REQUEST, "reportBase": base},
        "told": REPORTED,
        "stored": {**whole("variables"), **MODEL},
    }


REPORTS = [
    order("TC_B_12", **base_report("ConfigurationInventory")),
    order("TC_B_13", **base_report("FullInventory")),
    order("TC_B_14", **base_report("SummaryInventory")),
    order(
        "TC_B_18",
        version=V201,
        command="get_report",
        params={"criteria": ["Available"], "variables": [NAMED], "request_id": REQUEST},
        action="GetReport",
        payload={
            "requestId": REQUEST,
            "componentCriteria": ["Available"],
            "componentVariable": [{"component": COMPONENT, "variable": VARIABLE}],
        },
        told=REPORTED,
        stored={**whole("variables"), **MODEL},
    ),
]

# ---- monitors --------------------------------------------------------------------------------


def monitor(number: int, kind: str = "UpperThreshold", value: float = 10.0) -> dict[str, Any]:
    """One of a report."""
    return {
        "id": number,
        "transaction": False,
        "value": value,
        "type": kind,
        "severity": 5,
    }


def watched(number: int, kind: str = "UpperThreshold", value: float = 10.0) -> dict[str, Any]:
    """The row of one."""
    return {"monitor_id": number, "type": kind, "value": value, "severity": 5}


MONITORED = {
    "told": [
        part(
            "NotifyMonitoringReport",
            number - 1,
            last=number == 2,
            monitor=[
                {
                    "component": COMPONENT,
                    "variable": VARIABLE,
                    "variableMonitoring": [monitor(number)],
                }
            ],
        )
        for number in (1, 2)
    ],
    "stored": {**whole("monitors"), "variable_monitors": [watched(1), watched(2)]},
}


def monitors(
    criteria: Sequence[str] = (), *named: Mapping[str, Any], **more: Any
) -> dict[str, Any]:
    """All that a report of monitors is."""
    params: dict[str, Any] = {"request_id": REQUEST, "criteria": list(criteria)}
    payload: dict[str, Any] = {"requestId": REQUEST}
    if criteria:
        payload["monitoringCriteria"] = list(criteria)
    if named:
        params["variables"] = list(named)
        payload["componentVariable"] = [_sent(one) for one in named]
    return {
        "version": V201,
        "command": "get_monitoring_report",
        "params": params,
        "action": "GetMonitoringReport",
        "payload": payload,
        **MONITORED,
        **more,
    }


def _sent(named: Mapping[str, Any]) -> dict[str, Any]:
    if "variable" in named:
        return {"component": COMPONENT, "variable": VARIABLE}
    return {"component": {"name": named["component"]}}


THRESHOLD, PERIODIC = "ThresholdMonitoring", "PeriodicMonitoring"


def watch(kind: str, value: float, number: int = 1) -> dict[str, Any]:
    """A monitor that the station sets and gives that number."""
    result = {
        "id": number,
        "status": "Accepted",
        "type": kind,
        "severity": 5,
        "component": COMPONENT,
        "variable": VARIABLE,
    }
    return {
        "version": V201,
        "command": "set_variable_monitoring",
        "params": {"monitors": [{**NAMED, "type": kind, "value": value, "severity": 5}]},
        "action": "SetVariableMonitoring",
        "payload": {
            "setMonitoringData": [
                {
                    "component": COMPONENT,
                    "variable": VARIABLE,
                    "type": kind,
                    "value": value,
                    "severity": 5,
                }
            ]
        },
        "answer": {"setMonitoringResult": [result]},
        "wrong": {"setMonitoringResult": [{**result, "status": "NoSuchWord"}]},
    }


def event(number: int, trigger: str, **more: Any) -> Told:
    """What a monitor saw."""
    data = {
        "eventId": number,
        "timestamp": AT,
        "trigger": trigger,
        "actualValue": "12",
        "eventNotificationType": "CustomMonitor",
        "component": COMPONENT,
        "variable": VARIABLE,
        **more,
    }
    return "NotifyEvent", {"generatedAt": AT, "seqNo": 0, "eventData": [data]}


def clear(status: str) -> dict[str, Any]:
    """The station has that one monitor, and is to clear it."""
    return {
        "after": [Order(**watch("UpperThreshold", 10.0))],
        "version": V201,
        "command": "clear_variable_monitoring",
        "params": {"ids": [1]},
        "action": "ClearVariableMonitoring",
        "payload": {"id": [1]},
        "answer": {"clearMonitoringResult": [{"id": 1, "status": status}]},
        "wrong": {"clearMonitoringResult": [{"id": 1, "status": "NoSuchWord"}]},
    }


def level(severity: int, **more: Any) -> dict[str, Any]:
    return {
        "version": V201,
        "command": "set_monitoring_level",
        "params": {"severity": severity},
        "action": "SetMonitoringLevel",
        "payload": {"severity": severity},
        **more,
    }


MONITORS = [
    order("TC_N_01", **monitors([THRESHOLD, PERIODIC])),
    order("TC_N_02", **monitors([], NAMED)),
    order("TC_N_03", **monitors([THRESHOLD], NAMED)),
    order("TC_N_47", **monitors()),
    order("TC_N_60", **monitors([THRESHOLD], NAMED, {"component": "ChargingStation"})),
    order(
        "TC_N_05",
        after=[Order(**watch("UpperThreshold", 10.0))],
        version=V201,
        command="set_monitoring_base",
        params={"monitoring_base": "HardWiredOnly"},
        action="SetMonitoringBase",
        payload={"monitoringBase": "HardWiredOnly"},
        stored={"variable_monitors": []},
    ),
    order(
        "TC_N_08",
        **watch("UpperThreshold", 10.0),
        stored={"variable_monitors": [watched(1)]},
    ),
    order("TC_N_16", **level(4)),
    order("TC_N_17", **level(9, answer={"status": "Rejected"}, ends="rejected")),
    order("TC_N_18", **clear("Accepted"), stored={"variable_monitors": []}),
    order(
        "TC_N_44", **clear("Rejected"), ends="rejected", stored={"variable_monitors": [watched(1)]}
    ),
    order(
        "TC_N_24",
        **watch("Periodic", 60.0),
        told=[event(number, "Periodic", variableMonitoringId=1) for number in (1, 2)],
        stored={
            "variable_monitors": [watched(1, "Periodic", 60.0)],
            "monitoring_events": [
                {"event_id": number, "trigger": "Periodic", "monitor_id": 1, "severity": 5}
                for number in (1, 2)
            ],
        },
    ),
    order(
        "TC_N_50",
        **watch("PeriodicClockAligned", 60.0),
        told=[event(1, "Periodic", variableMonitoringId=1)],
        stored={
            "variable_monitors": [watched(1, "PeriodicClockAligned", 60.0)],
            "monitoring_events": [
                {
                    "trigger": "Periodic",
                    "origin": "CustomMonitor",
                    "actual_value": "12",
                    "cleared": 0,
                    "component": "EVSE",
                    "variable": "Power",
                }
            ],
        },
    ),
]

# ---- logs ------------------------------------------------------------------------------------


def log(kind: str, request_id: int = REQUEST, **more: Any) -> dict[str, Any]:
    """All that an upload is."""
    location = "https://files.example.org/l"
    return {
        "version": V201,
        "command": "get_log",
        "params": {
            "location": location,
            "log_type": kind,
            "oldest_at": AT,
            "request_id": request_id,
        },
        "action": "GetLog",
        "payload": {
            "logType": kind,
            "requestId": request_id,
            "log": {"remoteLocation": location, "oldestTimestamp": AT},
        },
        "answer": {"status": "Accepted", "filename": "log.zip"},
        **more,
    }


def uploaded(*words: str, request_id: int = REQUEST) -> list[Told]:
    return [("LogStatusNotification", {"status": word, "requestId": request_id}) for word in words]


def progress(*words: str, request_id: int = REQUEST) -> list[dict[str, Any]]:
    return [{"task": "log_upload", "status": word, "request_id": request_id} for word in words]


COMPLETE: dict[str, Any] = {
    "told": uploaded("Uploading", "Uploaded"),
    "stored": {"task_progress": progress("Accepted", "Uploading", "Uploaded")},
}
LOGS = [
    order("TC_N_25", **log("DiagnosticsLog", **COMPLETE)),
    order("TC_N_35", **log("SecurityLog", **COMPLETE)),
    order(
        "TC_N_34",
        **log(
            "DiagnosticsLog",
            answer={"status": "Rejected"},
            ends="rejected",
            stored={"task_progress": []},
        ),
    ),
    order(
        "TC_N_36",
        after=[Order(**log("DiagnosticsLog", told=uploaded("Uploading")))],
        **log("DiagnosticsLog", 8)
        | {
            "answer": {"status": "AcceptedCanceled", "filename": "new.zip"},
            "told": [
                *uploaded("AcceptedCanceled"),
                *uploaded("Uploading", "Uploaded", request_id=8),
            ],
            "stored": {
                "task_progress": [
                    *progress("Accepted", "Uploading"),
                    *progress("AcceptedCanceled", request_id=8),
                    *progress("AcceptedCanceled"),
                    *progress("Uploading", "Uploaded", request_id=8),
                ]
            },
        },
    ),
]

# ---- customers -------------------------------------------------------------------------------

TOKEN = {"idToken": {"idToken": "TAG", "type": "ISO14443"}}
BY_TOKEN = ({"id_token": "TAG"}, TOKEN)
BY_IDENTIFIER = ({"customer_identifier": "Jane"}, {"customerIdentifier": "Jane"})
BY_CERTIFICATE = ({"customer_certificate": STORED}, {"customerCertificate": HASH})


def customer(
    by: tuple[dict[str, Any], dict[str, Any]] = BY_TOKEN,
    *,
    report: bool = True,
    clear: bool = False,
    parts: Sequence[str] = (),
    **more: Any,
) -> dict[str, Any]:
    """A request about one customer; `parts` is what the station then tells."""
    params, payload = by
    told = [
        part("NotifyCustomerInformation", number, last=number == len(parts) - 1, data=data)
        for number, data in enumerate(parts)
    ]
    stored = whole("customer_information") if parts else {"reports": []}
    return {
        "version": V201,
        "command": "customer_information",
        "params": {"report": report, "clear": clear, "request_id": REQUEST, **params},
        "action": "CustomerInformation",
        "payload": {"requestId": REQUEST, "report": report, "clear": clear, **payload},
        "told": told,
        "stored": stored,
        **more,
    }


LISTED = Order(**send_list(1, "Full", {"TAG": "Accepted"}))
CUSTOMERS = [
    order("TC_N_27", **customer(parts=["Jane", " Doe"])),
    order("TC_N_28", **customer(parts=[""])),
    order("TC_N_29", **customer(answer={"status": "Rejected"}, ends="rejected")),
    order("TC_N_30", **customer(clear=True, parts=["Jane", " Doe"])),
    order("TC_N_31", **customer(clear=True, parts=[""])),
    order("TC_N_32", **customer(report=False, clear=True)),
    order(
        "TC_N_46",
        after=[LISTED, Order(**customer(report=False, clear=True))],
        **send_list(2, "Differential", {"TAG": None}),
        stored={"local_lists": [{"version": 2}], "local_list_entries": []},
    ),
    order("TC_N_62", **customer(BY_IDENTIFIER, clear=True, parts=["Jane"])),
    order("TC_N_63", **customer(BY_CERTIFICATE, clear=True, parts=["Jane"])),
]

ORDERS = [*REPORTS, *MONITORS, *LOGS, *CUSTOMERS]
