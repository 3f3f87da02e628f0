"""VatNumberValidation: a driver typed a VAT number at the station's terminal."""

from __future__ import annotations

from collections.abc import Awaitable

from csms.ocpp import provided
from csms.ocpp.context import StationContext
from csms.ocpp.fields import integer, text
from csms.ocpp.frames import JsonObject

_MAX_LENGTH = 20


def on_v21(station: StationContext, payload: JsonObject) -> Awaitable[JsonObject]:
    """The provider looks it up; what nobody has validated is Rejected."""
    asked: JsonObject = {"vatNumber": (text(payload, "vatNumber") or "")[:_MAX_LENGTH]}
    evse_id = integer(payload, "evseId")
    if evse_id is not None and evse_id >= 0:
        asked["evseId"] = evse_id
    return provided.ask(
        station,
        "VatNumberValidation",
        payload,
        lambda info: {**asked, "status": "Rejected", "statusInfo": info},
    )
