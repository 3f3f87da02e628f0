"""OCPP 2.0.1, messages on the display."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.conformance.orders import V201, Order, Told, order
from tests.conformance.orders.profiles import AT, UNTIL
from tests.conformance.orders.v201_lists import begun

REQUEST = 7
ID = {"id": 3}
UNKNOWN = {"status": "Unknown"}


def show(text: str = "Hello", priority: str = "NormalCycle", **more: Any) -> dict[str, Any]:
    """All that setting a message is."""
    content = {"format": "UTF8", "content": text}
    params = {**ID, "priority": priority, "message": content, **more}
    message = {**ID, "priority": priority, "message": content}
    message |= {_WIRE.get(name, name): value for name, value in more.items()}
    return {
        "version": V201,
        "command": "set_display_message",
        "params": params,
        "action": "SetDisplayMessage",
        "payload": {"message": message},
    }


_WIRE = {
    "starts_at": "startDateTime",
    "ends_at": "endDateTime",
    "transaction_id": "transactionId",
}


def kept(**columns: Any) -> dict[str, Any]:
    """That one message is stored, which says this."""
    return {"display_messages": [{"message_id": 3, **columns}]}


def refused(word: str) -> dict[str, Any]:
    """The answer that the station shows no such message."""
    return {"answer": {"status": word}, "ends": "rejected", "stored": {"display_messages": []}}


STARTS_MICROS, ENDS_MICROS = 1_777_636_800_000_000, 2_093_256_000_000_000

SETTING = [
    order("TC_O_01", **show(), stored=kept(content="Hello", priority="NormalCycle")),
    order(
        "TC_O_06",
        first=[begun()],
        **show(transaction_id="tx-1"),
        stored=kept(station_transaction_id="tx-1"),
    ),
    order("TC_O_10", **show(transaction_id="tx-9"), **refused("UnknownTransaction")),
    order("TC_O_12", after=[Order(**show())], **show("Bye"), stored=kept(content="Bye")),
    order("TC_O_13", **show(starts_at=AT), stored=kept(starts_at=STARTS_MICROS, ends_at=None)),
    order("TC_O_14", **show(ends_at=UNTIL), stored=kept(starts_at=None, ends_at=ENDS_MICROS)),
    order("TC_O_17", **show(priority="AlwaysFront"), **refused("NotSupportedPriority")),
    order("TC_O_18", **show(state="Faulted"), **refused("NotSupportedState")),
    order("TC_O_19", **show("Hé"), **refused("NotSupportedMessageFormat")),
    order("TC_O_26", **show(), **refused("Rejected")),
    order(
        "TC_O_27",
        first=[begun()],
        **show(transaction_id="tx-1", starts_at=AT),
        stored=kept(station_transaction_id="tx-1", starts_at=STARTS_MICROS),
    ),
    order(
        "TC_O_28",
        first=[begun()],
        **show(transaction_id="tx-1", ends_at=UNTIL),
        stored=kept(station_transaction_id="tx-1", ends_at=ENDS_MICROS),
    ),
]


def get(params: Mapping[str, Any], payload: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """All that asking for messages is."""
    return {
        "version": V201,
        "command": "get_display_messages",
        "params": {"request_id": REQUEST, **params},
        "action": "GetDisplayMessages",
        "payload": {"requestId": REQUEST, **payload},
        **more,
    }


def reported(**message: Any) -> dict[str, Any]:
    """The report of one message, and that it is stored."""
    whole = {
        **ID,
        "priority": "NormalCycle",
        "message": {"format": "UTF8", "content": "Reported"},
        **message,
    }
    told: Told = ("NotifyDisplayMessages", {"requestId": REQUEST, "messageInfo": [whole]})
    return {
        "told": [told],
        "stored": {
            **kept(content="Reported", **message),
            "reports": [{"request_id": REQUEST, "complete": 1}],
        },
    }


CLEAR: dict[str, Any] = {
    "version": V201,
    "command": "clear_display_message",
    "params": ID,
    "action": "ClearDisplayMessage",
    "payload": ID,
}

ASKING = [
    order("TC_O_02", after=[Order(**show())], **get({}, {}), **reported()),
    order("TC_O_03", **get({}, {}, answer=UNKNOWN), stored={"display_messages": []}),
    order("TC_O_04", after=[Order(**show())], **CLEAR, stored={"display_messages": []}),
    order("TC_O_05", **CLEAR, **refused("Unknown")),
    order("TC_O_07", **get({"ids": [3]}, {"id": [3]}), **reported()),
    order(
        "TC_O_08",
        **get({"priority": "InFront"}, {"priority": "InFront"}),
        **reported(priority="InFront"),
    ),
    order(
        "TC_O_09",
        **get({"state": "Charging"}, {"state": "Charging"}),
        **reported(state="Charging"),
    ),
]

ORDERS = [*SETTING, *ASKING]
