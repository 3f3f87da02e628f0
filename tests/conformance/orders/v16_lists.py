"""OCPP 1.6: local lists and reservations."""

from __future__ import annotations

from typing import Any

from tests.conformance.orders import Order, Told, order
from tests.conformance.orders.profiles import AT, UNTIL

# ---- local lists ------------------------------------------------------------------------------


def full_list(**more: Any) -> dict[str, Any]:
    """All that a Full update with one tag is."""
    return {
        "command": "send_local_list",
        "params": {
            "version_number": 1,
            "update_type": "Full",
            "entries": [{"id_token": "TAG", "status": "Accepted"}],
        },
        "action": "SendLocalList",
        "payload": {
            "listVersion": 1,
            "updateType": "Full",
            "localAuthorizationList": [{"idTag": "TAG", "idTagInfo": {"status": "Accepted"}}],
        },
        **more,
    }


LOCAL_LISTS = [
    order(
        "TC_042_1",
        command="get_local_list_version",
        action="GetLocalListVersion",
        payload={},
        answer={"listVersion": -1},
        wrong={"listVersion": "none"},
        stored={"local_lists": [{"version": -1}], "local_list_entries": []},
    ),
    order(
        "TC_042_2",
        command="get_local_list_version",
        action="GetLocalListVersion",
        payload={},
        answer={"listVersion": 0},
        wrong={},
        stored={"local_lists": [{"version": 0}], "local_list_entries": []},
    ),
    order(
        "TC_043_1",
        **full_list(
            answer={"status": "NotSupported"},
            ends="rejected",
            stored={"local_lists": [{"version": None, "refusal": "NotSupported"}]},
        ),
    ),
    order(
        "TC_043_3",
        **full_list(
            answer={"status": "Failed"},
            ends="rejected",
            stored={
                "local_lists": [{"version": None, "refusal": "Failed"}],
                "local_list_entries": [],
            },
        ),
    ),
    order(
        "TC_043_4",
        **full_list(
            stored={
                "local_lists": [{"version": 1, "known_version": 1, "refusal": None}],
                "local_list_entries": [{"id_token": "TAG", "status": "Accepted"}],
            }
        ),
    ),
    order(
        "TC_043_5",
        after=[Order(**full_list())],
        command="send_local_list",
        params={
            "version_number": 2,
            "update_type": "Differential",
            "entries": [{"id_token": "OTHER", "status": "Blocked"}, {"id_token": "TAG"}],
        },
        action="SendLocalList",
        payload={
            "listVersion": 2,
            "updateType": "Differential",
            "localAuthorizationList": [
                {"idTag": "OTHER", "idTagInfo": {"status": "Blocked"}},
                {"idTag": "TAG"},
            ],
        },
        stored={
            "local_lists": [{"version": 2, "known_version": 2}],
            "local_list_entries": [{"id_token": "OTHER", "status": "Blocked"}],
        },
    ),
]

# ---- reservations -----------------------------------------------------------------------------


def status(word: str, connector_id: int = 1) -> Told:
    payload = {"connectorId": connector_id, "errorCode": "NoError", "status": word, "timestamp": AT}
    return "StatusNotification", payload


def reserve(evse_id: int | None = 1, **more: Any) -> dict[str, Any]:
    """All that a reservation is."""
    params = {"reservation_id": 5, "expires_at": UNTIL, "id_token": "TAG"}
    payload = {
        "connectorId": evse_id or 0,
        "expiryDate": UNTIL,
        "idTag": "TAG",
        "reservationId": 5,
    }
    if evse_id is not None:
        params["evse_id"] = evse_id
    return {
        "command": "reserve_now",
        "params": params,
        "action": "ReserveNow",
        "payload": payload,
        **more,
    }


def refused(word: str) -> dict[str, Any]:
    """A reservation that the station refuses."""
    return reserve(answer={"status": word}, ends="rejected", stored={"reservations": []})


CANCEL: dict[str, Any] = {
    "command": "cancel_reservation",
    "params": {"reservation_id": 5},
    "action": "CancelReservation",
    "payload": {"reservationId": 5},
}
USED: list[Told] = [
    ("Authorize", {"idTag": "TAG"}),
    (
        "StartTransaction",
        {"connectorId": 1, "idTag": "TAG", "meterStart": 0, "timestamp": AT, "reservationId": 5},
    ),
]

RESERVATIONS = [
    order(
        "TC_046",
        **reserve(
            told=[status("Reserved"), *USED],
            stored={
                "reservations": [{"reservation_id": 5, "evse_id": 1, "id_token": "TAG"}],
                "transactions": [{"reservation_id": 5, "evse_id": 1}],
            },
        ),
    ),
    order(
        "TC_047",
        **reserve(
            told=[status("Reserved"), status("Available")],
            stored={
                "reservations": [{"expires_at": 2_093_256_000_000_000}],
                "connectors": [{"status": "Available"}],
                "transactions": [],
            },
        ),
    ),
    order("TC_048_1", **refused("Faulted")),
    order("TC_048_2", **refused("Occupied")),
    order("TC_048_3", **refused("Unavailable")),
    order("TC_048_4", **refused("Rejected")),
    order(
        "TC_049",
        **reserve(
            None,
            told=[status("Reserved", 0), *USED],
            stored={
                "reservations": [{"reservation_id": 5, "evse_id": None}],
                "transactions": [{"reservation_id": 5, "evse_id": 1}],
            },
        ),
    ),
    order(
        "TC_051",
        after=[Order(**reserve(told=[status("Reserved")]))],
        **CANCEL,
        told=[status("Available")],
        stored={"reservations": [{"reservation_id": 5, "state": "cancelled"}]},
    ),
    order(
        "TC_052",
        **CANCEL,
        answer={"status": "Rejected"},
        ends="rejected",
        stored={"reservations": []},
    ),
]

ORDERS = [*LOCAL_LISTS, *RESERVATIONS]
