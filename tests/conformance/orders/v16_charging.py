"""OCPP 1.6: smart charging."""

from __future__ import annotations

from typing import Any

from tests.conformance.orders import Order, order
from tests.conformance.orders.profiles import AT, given, sent_v16


def set_profile(number: int = 1, **more: Any) -> dict[str, Any]:
    """A TxDefaultProfile for connector 1."""
    return {
        "command": "set_charging_profile",
        "params": {"evse_id": 1, "charging_profile": given(number)},
        "action": "SetChargingProfile",
        "payload": {"connectorId": 1, "csChargingProfiles": sent_v16(number)},
        **more,
    }


ORDERS = [
    order(
        "TC_056",
        **set_profile(
            stored={
                "charging_profiles": [
                    {"profile_id": 1, "evse_id": 1, "purpose": "TxDefaultProfile"}
                ]
            }
        ),
    ),
    order(
        "TC_059",
        command="request_start_transaction",
        params={
            "id_token": "TAG",
            "evse_id": 1,
            "charging_profile": given(purpose="TxProfile", kind="Relative"),
        },
        action="RemoteStartTransaction",
        payload={
            "idTag": "TAG",
            "connectorId": 1,
            "chargingProfile": sent_v16(purpose="TxProfile", kind="Relative"),
        },
        told=[
            (
                "StartTransaction",
                {"connectorId": 1, "idTag": "TAG", "meterStart": 0, "timestamp": AT},
            )
        ],
        stored={"transactions": [{"evse_id": 1}]},
    ),
    order(
        "TC_066",
        after=[Order(**set_profile())],
        command="get_composite_schedule",
        params={"evse_id": 1, "duration_s": 3600, "rate_unit": "A"},
        action="GetCompositeSchedule",
        payload={"connectorId": 1, "duration": 3600, "chargingRateUnit": "A"},
        answer={
            "status": "Accepted",
            "connectorId": 1,
            "scheduleStart": AT,
            "chargingSchedule": {
                "duration": 3600,
                "chargingRateUnit": "A",
                "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 16.0}],
            },
        },
        stored={"composite_schedules": [{"evse_id": 1, "rate_unit": "A", "duration_s": 3600}]},
    ),
    order(
        "TC_067",
        after=[
            Order(**set_profile()),
            Order(
                command="clear_charging_profile",
                params={"charging_profile_id": 1},
                action="ClearChargingProfile",
                payload={"id": 1},
                stored={"charging_profiles": []},
            ),
            Order(**set_profile(2)),
        ],
        command="clear_charging_profile",
        params={"evse_id": 1, "purpose": "TxDefaultProfile", "stack_level": 0},
        action="ClearChargingProfile",
        payload={
            "connectorId": 1,
            "chargingProfilePurpose": "TxDefaultProfile",
            "stackLevel": 0,
        },
        stored={"charging_profiles": []},
    ),
]
