"""OCPP 2.0.1: resets, availability, and what a station is asked to tell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.conformance.orders import V201, Told, order
from tests.conformance.orders.profiles import AT
from tests.conformance.orders.v201_lists import begun, status
from tests.conformance.stories import TOKEN, Event, meter_value

SCHEDULED = {"status": "Scheduled"}
UPDATED: Told = (
    "TransactionEvent",
    Event("Updated", "Trigger", "Charging", wh=2000).payload("tx-1", 1),
)


def over(reason: str) -> Told:
    """The end of `tx-1`."""
    trigger = "ResetCommand" if reason == "ImmediateReset" else "StopAuthorized"
    return "TransactionEvent", Event("Ended", trigger, "EVConnected", reason).payload("tx-1", 1)


# ---- reset -----------------------------------------------------------------------------------


def reset(kind: str, word: str, answer: str, reason: str) -> dict[str, Any]:
    """A reset while `tx-1` goes on, which it ends with that reason."""
    return {
        "first": [begun()],
        "version": V201,
        "command": "reset",
        "params": {"type": kind},
        "action": "Reset",
        "payload": {"type": word},
        "answer": {"status": answer},
        "told": [over(reason)],
        "stored": {"transactions": [{"stop_reason": reason}]},
    }


RESETS = [
    order("TC_B_21", **reset("on_idle", "OnIdle", "Scheduled", "Local")),
    order("TC_B_22", **reset("immediate", "Immediate", "Accepted", "ImmediateReset")),
]

# ---- availability ----------------------------------------------------------------------------

PLACES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "station": ({}, {}),
    "EVSE": ({"evse_id": 1}, {"evse": {"id": 1}}),
    "connector": ({"evse_id": 1, "connector_id": 1}, {"evse": {"id": 1, "connectorId": 1}}),
}


def change(place: str, word: str, told: Sequence[Told], **more: Any) -> dict[str, Any]:
    """A change that the connector's statuses follow."""
    params, payload = PLACES[place]
    return {
        "version": V201,
        "command": "change_availability",
        "params": {"operational_status": word, **params},
        "action": "ChangeAvailability",
        "payload": {"operationalStatus": word, **payload},
        "told": told,
        "stored": {"connectors": [{"status": told[-1][1]["connectorStatus"]}]},
        **more,
    }


def close(place: str) -> dict[str, Any]:
    return change(place, "Inoperative", [status("Unavailable")], first=[status("Available")])


def reopen(place: str) -> dict[str, Any]:
    return change(place, "Operative", [status("Available")], first=[status("Unavailable")])


def close_later(place: str) -> dict[str, Any]:
    """The transaction ends before the connector is taken out of operation."""
    return change(
        place,
        "Inoperative",
        [over("Local"), status("Unavailable")],
        first=[status("Occupied"), begun()],
        answer=SCHEDULED,
    )


AVAILABILITY = [
    order("TC_G_03", **close("EVSE")),
    order("TC_G_04", **reopen("EVSE")),
    order("TC_G_05", **close("station")),
    order("TC_G_06", **reopen("station")),
    order("TC_G_07", **close("connector")),
    order("TC_G_08", **reopen("connector")),
    order("TC_G_11", **close_later("EVSE")),
    order("TC_G_14", **close_later("station")),
    order("TC_G_17", **close_later("connector")),
]

# ---- messages that are asked for -------------------------------------------------------------


def trigger(word: str, place: str, *told: Told, **stored: Any) -> dict[str, Any]:
    """A message that comes because it was asked for."""
    params, payload = PLACES[place]
    return {
        "version": V201,
        "command": "trigger_message",
        "params": {"requested_message": word, **params},
        "action": "TriggerMessage",
        "payload": {"requestedMessage": word, **payload},
        "told": told,
        "stored": stored,
    }


def measured(evse_id: int) -> Told:
    reading = meter_value(AT, 1000, "Trigger")
    return "MeterValues", {"evseId": evse_id, "meterValue": [reading]}


READ = {"register_mwh": 1_000_000, "context": "Trigger"}
GOES_ON = [{"last_register_mwh": 2_000_000, "end_received_at": None}]
TRIGGERS = [
    order(
        "TC_F_11",
        **trigger("MeterValues", "EVSE", measured(1), meter_values=[{"evse_id": 1, **READ}]),
    ),
    order(
        "TC_F_12",
        **trigger(
            *("MeterValues", "station", measured(1), measured(2)),
            meter_values=[{"evse_id": number, **READ} for number in (1, 2)],
        ),
    ),
    order(
        "TC_F_13",
        first=[begun()],
        **trigger("TransactionEvent", "EVSE", UPDATED, transactions=GOES_ON),
    ),
    order(
        "TC_F_14",
        first=[begun()],
        **trigger("TransactionEvent", "station", UPDATED, transactions=GOES_ON),
    ),
    order(
        "TC_F_15",
        **trigger(
            *("LogStatusNotification", "station"),
            ("LogStatusNotification", {"status": "Idle"}),
            task_progress=[{"task": "log_upload", "status": "Idle", "request_id": None}],
        ),
    ),
    order(
        "TC_F_18",
        **trigger(
            *("FirmwareStatusNotification", "station"),
            ("FirmwareStatusNotification", {"status": "Idle"}),
            task_progress=[{"task": "firmware_update", "status": "Idle", "request_id": None}],
        ),
    ),
    order("TC_F_20", **trigger("Heartbeat", "station", ("Heartbeat", {}))),
    order(
        "TC_F_23",
        **trigger(
            *("StatusNotification", "connector", status("Available")),
            connectors=[{"evse_id": 1, "connector_id": 1, "status": "Available"}],
        ),
    ),
    order(
        "TC_F_24",
        **trigger(
            *("StatusNotification", "connector", status("Occupied")),
            connectors=[{"evse_id": 1, "connector_id": 1, "status": "Occupied"}],
        ),
    ),
]

# ---- transactions from here ------------------------------------------------------------------


def start(*told: Event, before: Sequence[Event] = (), **stored: Any) -> dict[str, Any]:
    """A request in the middle of the events of `tx-1`."""
    events = [named(event, number) for number, event in enumerate([*before, *told])]
    return {
        "first": events[: len(before)],
        "version": V201,
        "command": "request_start_transaction",
        "params": {"id_token": "TAG", "evse_id": 1, "remote_start_id": 42},
        "action": "RequestStartTransaction",
        "payload": {"idToken": TOKEN, "remoteStartId": 42, "evseId": 1},
        "told": events[len(before) :],
        "stored": {"transactions": [{"id_token": "TAG", "remote_start_id": 42, **stored}]},
    }


def named(event: Event, seq_no: int) -> Told:
    """The event that the request brought about names it."""
    payload = event.payload("tx-1", seq_no)
    if event.trigger == "RemoteStart":
        payload["transactionInfo"]["remoteStartId"] = 42
    return "TransactionEvent", payload


PLUGGED = Event("Started", "CablePluggedIn", "EVConnected")
ASKED = Event("Updated", "RemoteStart", "EVConnected", token=TOKEN)
STARTED = Event("Started", "RemoteStart", token=TOKEN)
CHARGING = Event("Updated", "ChargingStateChanged", "Charging")
TIMED_OUT = Event("Ended", "EVConnectTimeout", "Idle", "Timeout")
AUTHORIZED = start(STARTED, CHARGING, id_token_status="Accepted")
AUTHORIZED["told"] = [("Authorize", {"idToken": TOKEN}), *AUTHORIZED["told"]]

REMOTE = [
    order("TC_F_01", **start(ASKED, CHARGING, before=[PLUGGED], charging_state="Charging")),
    order("TC_F_02", **AUTHORIZED),
    order("TC_F_03", **start(STARTED, CHARGING, id_token_status="Accepted")),
    order("TC_F_04", **start(STARTED, TIMED_OUT, stop_reason="Timeout")),
    order(
        "TC_E_21",
        first=[begun()],
        version=V201,
        command="request_stop_transaction",
        params={"transaction_id": "tx-1"},
        action="RequestStopTransaction",
        payload={"transactionId": "tx-1"},
        told=[
            (
                "TransactionEvent",
                Event("Ended", "RemoteStop", "EVConnected", "Remote").payload("tx-1", 1),
            )
        ],
        stored={"transactions": [{"stop_reason": "Remote"}]},
    ),
]

# ---- how far a transaction is ----------------------------------------------------------------


def ask(*, ongoing: bool, queued: bool) -> dict[str, Any]:
    """About `tx-1`."""
    return {
        "first": [begun()] if ongoing else [begun(), over("Local")],
        "version": V201,
        "command": "get_transaction_status",
        "params": {"transaction_id": "tx-1"},
        "action": "GetTransactionStatus",
        "payload": {"transactionId": "tx-1"},
        "answer": {"ongoingIndicator": ongoing, "messagesInQueue": queued},
        "wrong": {"ongoingIndicator": ongoing},
        "stored": {"transactions": [{"stop_reason": None if ongoing else "Local"}]},
    }


STATUSES = [
    order("TC_E_29", **ask(ongoing=True, queued=True)),
    order("TC_E_30", **ask(ongoing=True, queued=False)),
    order("TC_E_31", **ask(ongoing=False, queued=True)),
]

ORDERS = [*RESETS, *AVAILABILITY, *TRIGGERS, *REMOTE, *STATUSES]
