"""OCPP 2.0.1, smart charging."""

from __future__ import annotations

from typing import Any

from tests.conformance.orders import V201, Order, Told, order
from tests.conformance.orders.profiles import AT, given, sent
from tests.conformance.orders.v201_lists import begun
from tests.conformance.stories import TOKEN

REQUEST = 7


def set_profile(evse_id: int | None = 1, number: int = 1, **more: Any) -> dict[str, Any]:
    """All that setting a profile is; `given` is told the rest."""
    params: dict[str, Any] = {"charging_profile": given(number, **more)}
    if evse_id is not None:
        params["evse_id"] = evse_id
    on_wire = {_WIRE.get(name, name): value for name, value in more.items()}
    return {
        "version": V201,
        "command": "set_charging_profile",
        "params": params,
        "action": "SetChargingProfile",
        "payload": {"evseId": evse_id or 0, "chargingProfile": sent(number, **on_wire)},
    }


_WIRE = {
    "stack_level": "stackLevel",
    "recurrency_kind": "recurrencyKind",
    "transaction_id": "transactionId",
}


def profiles(*rows: tuple[int, int, str]) -> dict[str, Any]:
    """Number, EVSE and purpose of the profiles that are stored."""
    return {
        "charging_profiles": [
            {"profile_id": number, "evse_id": evse_id, "purpose": purpose}
            for number, evse_id, purpose in rows
        ]
    }


DEFAULT, MAX, TX = "TxDefaultProfile", "ChargingStationMaxProfile", "TxProfile"
ONE = Order(**set_profile())

SETTING = [
    order("TC_K_01", **set_profile(), stored=profiles((1, 1, DEFAULT))),
    order("TC_K_03", **set_profile(None, purpose=MAX), stored=profiles((1, 0, MAX))),
    order(
        "TC_K_04",
        after=[ONE],
        **set_profile(stack_level=3),
        stored={"charging_profiles": [{"profile_id": 1, "stack_level": 3}]},
    ),
    order("TC_K_10", **set_profile(None), stored=profiles((1, 0, DEFAULT))),
    order(
        "TC_K_19",
        **set_profile(kind="Recurring", recurrency_kind="Daily"),
        stored={"charging_profiles": [{"kind": "Recurring", "recurrency_kind": "Daily"}]},
    ),
    order(
        "TC_K_60",
        first=[begun()],
        **set_profile(purpose=TX, kind="Relative", transaction_id="tx-1"),
        stored={
            "charging_profiles": [
                {"profile_id": 1, "evse_id": 1, "station_transaction_id": "tx-1", "purpose": TX}
            ]
        },
    ),
    order(
        "TC_K_70",
        after=[ONE, Order(**set_profile(None, 2, purpose=MAX))],
        **set_profile(1, 3, stack_level=1),
        stored=profiles((1, 1, DEFAULT), (2, 0, MAX), (3, 1, DEFAULT)),
    ),
    order(
        "TC_K_37",
        version=V201,
        command="request_start_transaction",
        params={
            "id_token": "TAG",
            "evse_id": 1,
            "remote_start_id": REQUEST,
            "charging_profile": given(purpose=TX, kind="Relative"),
        },
        action="RequestStartTransaction",
        payload={
            "idToken": TOKEN,
            "remoteStartId": REQUEST,
            "evseId": 1,
            "chargingProfile": sent(purpose=TX, kind="Relative"),
        },
        told=[begun()],
        stored={"transactions": [{"evse_id": 1, "station_transaction_id": "tx-1"}]},
    ),
]


def clear(params: dict[str, Any], payload: dict[str, Any]) -> dict[str, Any]:
    """All that clearing is."""
    return {
        "version": V201,
        "command": "clear_charging_profile",
        "params": params,
        "action": "ClearChargingProfile",
        "payload": payload,
    }


CLEARING = [
    order(
        "TC_K_05",
        after=[ONE],
        **clear({"charging_profile_id": 1}, {"chargingProfileId": 1}),
        stored=profiles(),
    ),
    order(
        "TC_K_06",
        after=[ONE, Order(**set_profile(1, 2, stack_level=1))],
        **clear(
            {"purpose": DEFAULT, "stack_level": 1},
            {"chargingProfileCriteria": {"chargingProfilePurpose": DEFAULT, "stackLevel": 1}},
        ),
        stored=profiles((1, 1, DEFAULT)),
    ),
    order(
        "TC_K_08",
        **clear({"charging_profile_id": 1}, {"chargingProfileId": 1}),
        answer={"status": "Unknown"},
        ends="rejected",
        stored=profiles(),
    ),
]


def get(
    params: dict[str, Any],
    payload: dict[str, Any],
    *found: tuple[int, int, str],
    source: str = "CSO",
) -> dict[str, Any]:
    """A request and the report of number, EVSE and purpose of each profile, one a message."""
    evse = {} if "evse_id" not in params else {"evseId": params["evse_id"]}
    return {
        "version": V201,
        "command": "get_charging_profiles",
        "params": {**params, "request_id": REQUEST},
        "action": "GetChargingProfiles",
        "payload": {"requestId": REQUEST, "chargingProfile": payload, **evse},
        "told": [
            _report(one, source, more=place < len(found)) for place, one in enumerate(found, 1)
        ],
        "stored": {**profiles(*found), "reports": [{"request_id": REQUEST, "complete": 1}]},
    }


def _report(one: tuple[int, int, str], source: str, *, more: bool) -> Told:
    number, evse_id, purpose = one
    payload = {
        "requestId": REQUEST,
        "chargingLimitSource": source,
        "tbc": more,
        "evseId": evse_id,
        "chargingProfile": [sent(number, purpose, stackLevel=number)],
    }
    return "ReportChargingProfiles", payload


GETTING = [
    order(
        "TC_K_29",
        **get(
            {"evse_id": 0, "purpose": MAX},
            {"chargingProfilePurpose": MAX},
            (1, 0, MAX),
        ),
    ),
    order(
        "TC_K_30",
        **get(
            {"evse_id": 1, "sources": ["CSO"]},
            {"chargingLimitSource": ["CSO"]},
            *((1, 1, DEFAULT), (2, 1, DEFAULT)),
        ),
    ),
    order(
        "TC_K_31",
        **get(
            {"sources": ["CSO"]},
            {"chargingLimitSource": ["CSO"]},
            *((1, 0, MAX), (2, 1, DEFAULT)),
        ),
    ),
    order(
        "TC_K_32",
        **get({"charging_profile_ids": [4]}, {"chargingProfileId": [4]}, (4, 1, DEFAULT)),
    ),
    order(
        "TC_K_33",
        **get({"evse_id": 1, "stack_level": 4}, {"stackLevel": 4}, (4, 1, DEFAULT)),
    ),
    order(
        "TC_K_34",
        **get(
            {"evse_id": 1, "sources": ["EMS"]},
            {"chargingLimitSource": ["EMS"]},
            (1, 1, "ChargingStationExternalConstraints"),
            source="EMS",
        ),
    ),
    order(
        "TC_K_35",
        **get(
            {"evse_id": 1, "purpose": DEFAULT}, {"chargingProfilePurpose": DEFAULT}, (1, 1, DEFAULT)
        ),
    ),
    order(
        "TC_K_36",
        **get(
            {"evse_id": 1, "purpose": DEFAULT, "stack_level": 4},
            {"chargingProfilePurpose": DEFAULT, "stackLevel": 4},
            (4, 1, DEFAULT),
        ),
    ),
]


def composite(params: dict[str, Any], evse_id: int) -> dict[str, Any]:
    """A question for a schedule of an hour, and its answer."""
    schedule = {
        "evseId": evse_id,
        "duration": 3600,
        "scheduleStart": AT,
        "chargingRateUnit": "A",
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 16.0}],
    }
    return {
        "version": V201,
        "command": "get_composite_schedule",
        "params": {"duration_s": 3600, "rate_unit": "A", **params},
        "action": "GetCompositeSchedule",
        "payload": {"evseId": evse_id, "duration": 3600, "chargingRateUnit": "A"},
        "answer": {"status": "Accepted", "schedule": schedule},
        "stored": {
            "composite_schedules": [{"evse_id": evse_id, "rate_unit": "A", "duration_s": 3600}]
        },
    }


SCHEDULES = [
    order("TC_K_43", **composite({"evse_id": 1}, 1)),
    order("TC_K_44", **composite({}, 0)),
]

ORDERS = [*SETTING, *CLEARING, *GETTING, *SCHEDULES]
