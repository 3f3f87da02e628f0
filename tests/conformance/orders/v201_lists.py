"""OCPP 2.0.1: local lists, reservations and what a transaction costs."""

from __future__ import annotations

from typing import Any

from tests.conformance.orders import V201, Order, Told, order
from tests.conformance.orders.profiles import AT, UNTIL
from tests.conformance.stories import TOKEN, Event


def begun(**more: Any) -> Told:
    """A transaction `tx-1` at EVSE 1."""
    event = Event("Started", "Authorized", "Charging", token=TOKEN, more=more)
    return "TransactionEvent", event.payload("tx-1", 0)


def status(word: str) -> Told:
    payload = {"timestamp": AT, "connectorStatus": word, "evseId": 1, "connectorId": 1}
    return "StatusNotification", payload


# ---- local lists -----------------------------------------------------------------------------


def send_list(version: int, update_type: str, tokens: dict[str, str | None]) -> dict[str, Any]:
    """An update: tokens and what they are worth, None: off the list."""
    entries: list[dict[str, Any]] = []
    listed: list[dict[str, Any]] = []
    for token, word in tokens.items():
        entries.append({"id_token": token})
        listed.append({"idToken": {"idToken": token, "type": "ISO14443"}})
        if word is not None:
            entries[-1]["status"] = word
            listed[-1]["idTokenInfo"] = {"status": word}
    payload: dict[str, Any] = {"versionNumber": version, "updateType": update_type}
    if listed:
        payload["localAuthorizationList"] = listed
    return {
        "version": V201,
        "command": "send_local_list",
        "params": {"version_number": version, "update_type": update_type, "entries": entries},
        "action": "SendLocalList",
        "payload": payload,
    }


FULL = Order(**send_list(1, "Full", {"TAG": "Accepted", "GONE": "Accepted"}))


def lists(version: int, *tokens: tuple[str, str]) -> dict[str, Any]:
    """What is stored of a list that is known."""
    return {
        "local_lists": [{"version": version, "known_version": version}],
        "local_list_entries": [{"id_token": token, "status": word} for token, word in tokens],
    }


LOCAL_LISTS = [
    order(
        "TC_D_01",
        **send_list(1, "Full", {"TAG": "Accepted"}),
        stored=lists(1, ("TAG", "Accepted")),
    ),
    order(
        "TC_D_02",
        after=[FULL],
        **send_list(2, "Differential", {"NEW": "Blocked", "TAG": "Expired"}),
        stored=lists(2, ("GONE", "Accepted"), ("NEW", "Blocked"), ("TAG", "Expired")),
    ),
    order(
        "TC_D_03",
        after=[FULL],
        **send_list(2, "Differential", {"GONE": None}),
        stored=lists(2, ("TAG", "Accepted")),
    ),
    order("TC_D_04", after=[FULL], **send_list(2, "Full", {}), stored=lists(2)),
    order(
        "TC_D_08",
        after=[FULL],
        version=V201,
        command="get_local_list_version",
        action="GetLocalListVersion",
        payload={},
        answer={"versionNumber": 1},
        wrong={},
        stored=lists(1, ("GONE", "Accepted"), ("TAG", "Accepted")),
    ),
    order(
        "TC_D_09",
        version=V201,
        command="get_local_list_version",
        action="GetLocalListVersion",
        payload={},
        answer={"versionNumber": 0},
        wrong={"versionNumber": "none"},
        stored=lists(0),
    ),
]

# ---- reservations ----------------------------------------------------------------------------


def reserve(number: int = 5, evse_id: int | None = 1, **more: Any) -> dict[str, Any]:
    """All that a reservation is."""
    params: dict[str, Any] = {"reservation_id": number, "expires_at": UNTIL, "id_token": "TAG"}
    payload: dict[str, Any] = {"id": number, "expiryDateTime": UNTIL, "idToken": TOKEN}
    if evse_id is not None:
        params["evse_id"] = payload["evseId"] = evse_id
    return {
        "version": V201,
        "command": "reserve_now",
        "params": params,
        "action": "ReserveNow",
        "payload": payload,
        **more,
    }


def of_type(kind: str) -> dict[str, Any]:
    """A reservation of a connector of that type, at no EVSE in particular."""
    whole = reserve(evse_id=None)
    whole["params"]["connector_type"] = whole["payload"]["connectorType"] = kind
    return whole


def over(word: str) -> Told:
    return "ReservationStatusUpdate", {"reservationId": 5, "reservationUpdateStatus": word}


RESERVED = status("Reserved")
USED = {
    "reservations": [{"reservation_id": 5, "id_token": "TAG", "id_token_type": "ISO14443"}],
    "transactions": [{"reservation_id": 5, "evse_id": 1}],
}

RESERVATIONS = [
    order("TC_H_01", **reserve(told=[RESERVED, begun(reservationId=5)], stored=USED)),
    order(
        "TC_H_07",
        **reserve(
            told=[RESERVED, over("Expired"), status("Available")],
            stored={"reservations": [{"state": "expired", "reported_status": "Expired"}]},
        ),
    ),
    order("TC_H_08", **reserve(evse_id=None, told=[begun(reservationId=5)], stored=USED)),
    order(
        "TC_H_14",
        after=[Order(**reserve(6, None, told=[RESERVED]))],
        **reserve(
            evse_id=None,
            told=[RESERVED],
            stored={
                "reservations": [
                    {"reservation_id": 5, "evse_id": None, "state": "reserved"},
                    {"reservation_id": 6, "evse_id": None, "state": "reserved"},
                ],
                "connectors": [{"status": "Reserved"}],
            },
        ),
    ),
    order(
        "TC_H_15",
        **of_type("sType2"),
        stored={"reservations": [{"evse_id": None, "connector_type": "sType2"}]},
    ),
    order(
        "TC_H_17",
        after=[Order(**reserve(told=[RESERVED]))],
        version=V201,
        command="cancel_reservation",
        params={"reservation_id": 5},
        action="CancelReservation",
        payload={"reservationId": 5},
        told=[status("Available")],
        stored={"reservations": [{"state": "cancelled"}], "connectors": [{"status": "Available"}]},
    ),
    order(
        "TC_H_20",
        **reserve(
            told=[RESERVED, status("Faulted"), over("Removed")],
            stored={
                "reservations": [{"state": "removed", "reported_status": "Removed"}],
                "connectors": [{"status": "Faulted"}],
            },
        ),
    ),
    order(
        "TC_H_22",
        **reserve(answer={"status": "Rejected"}, ends="rejected", stored={"reservations": []}),
    ),
]

# ---- costs -----------------------------------------------------------------------------------

COSTS = [
    order(
        "TC_I_01",
        first=[begun()],
        version=V201,
        command="cost_updated",
        params={"transaction_id": "tx-1", "total_cost": 3.45},
        action="CostUpdated",
        payload={"totalCost": 3.45, "transactionId": "tx-1"},
        answer={},
        wrong={"customData": "none"},
    ),
]

ORDERS = [*LOCAL_LISTS, *RESERVATIONS, *COSTS]
