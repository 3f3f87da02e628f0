"""Get15118EVCertificate: a vehicle wants its contract certificate installed or updated."""

from __future__ import annotations

from collections.abc import Awaitable

from csms.ocpp import provided
from csms.ocpp.context import StationContext
from csms.ocpp.frames import JsonObject


def on_v2x(station: StationContext, payload: JsonObject) -> Awaitable[JsonObject]:
    """The provider hands the EXI data on and returns what came back (OCPP 2.0.1 M01, M02)."""
    return provided.ask(
        station,
        "Get15118EVCertificate",
        payload,
        lambda info: {"status": "Failed", "statusInfo": info, "exiResponse": ""},
    )
