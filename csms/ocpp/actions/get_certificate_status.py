"""GetCertificateStatus: the station wants the OCSP status of one of its certificates."""

from __future__ import annotations

from collections.abc import Awaitable

from csms.ocpp import provided
from csms.ocpp.context import StationContext
from csms.ocpp.frames import JsonObject


def on_v2x(station: StationContext, payload: JsonObject) -> Awaitable[JsonObject]:
    """The provider asks; csms follows no URL that a station gives (OCPP 2.0.1 M06.FR.04)."""
    return provided.ask(
        station,
        "GetCertificateStatus",
        payload,
        lambda info: {"status": "Failed", "statusInfo": info},
    )
