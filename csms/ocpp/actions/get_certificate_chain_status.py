"""GetCertificateChainStatus: the station wants to know whether a vehicle's chain is revoked."""

from __future__ import annotations

from collections.abc import Awaitable

from csms.errors import Invalid
from csms.ocpp import provided, schemas
from csms.ocpp.context import StationContext
from csms.ocpp.fields import objects
from csms.ocpp.frames import JsonObject

_ACTION = "GetCertificateChainStatus"
_MAX = 4


def on_v21(station: StationContext, payload: JsonObject) -> Awaitable[JsonObject]:
    """The provider asks; a status that nobody retrieved is Failed (OCPP 2.1 M07.FR.02)."""
    now = station.timestamp(station.clock.now())
    failed: JsonObject = {
        "certificateStatus": [
            {
                "certificateHashData": one.get("certificateHashData"),
                "source": one.get("source"),
                "status": "Failed",
                "nextUpdate": now,
            }
            for one in objects(payload.get("certificateStatusRequests"))[:_MAX]
        ]
    }
    if not schemas.is_valid(station.version, _ACTION, "response", failed):
        raise Invalid("the certificates asked for cannot be named in an answer")
    return provided.ask(station, _ACTION, payload, lambda _: failed)
