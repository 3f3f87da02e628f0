"""How a virtual station of OCPP 2.0.1 or 2.1 turns commands down."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from csms.fleet.duties import status
from csms.ocpp.frames import JsonObject

_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "CancelReservation": "Rejected",
        "ChangeAvailability": "Rejected",
        "ClearCache": "Rejected",
        "ClearChargingProfile": "Unknown",
        "DataTransfer": "Rejected",
        "GetBaseReport": "Rejected",
        "GetChargingProfiles": "NoProfiles",
        "GetCompositeSchedule": "Rejected",
        "GetLog": "Rejected",
        "GetReport": "Rejected",
        "RequestStartTransaction": "Rejected",
        "RequestStopTransaction": "Rejected",
        "ReserveNow": "Rejected",
        "Reset": "Rejected",
        "SendLocalList": "Failed",
        "SetChargingProfile": "Rejected",
        "TriggerMessage": "Rejected",
        "UnlockConnector": "UnlockFailed",
        "UpdateFirmware": "Rejected",
    }
)


def refuse(action: str, payload: JsonObject) -> JsonObject | None:
    """The answer that turns a command down; None: it has none."""
    if action == "SetVariables":
        results = [
            {
                "attributeStatus": "Rejected",
                "component": wanted["component"],
                "variable": wanted["variable"],
            }
            for wanted in payload["setVariableData"]
        ]
        return {"setVariableResult": results}
    word = _WORDS.get(action)
    return None if word is None else status(word)
