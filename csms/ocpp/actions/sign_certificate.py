"""SignCertificate: the station wants a certificate for a key pair of its own."""

from __future__ import annotations

from collections.abc import Callable

from csms.domain.certificates import SigningUse
from csms.ocpp.context import StationContext, Stored
from csms.ocpp.fields import integer, raw, text
from csms.ocpp.frames import JsonObject
from csms.services import certificates
from csms.services.certificates import Asked, Cause, Refusal


def on_v16(station: StationContext, payload: JsonObject) -> Stored:
    """Accepted once it is checked and stored (OCPP 2.0.1 A02.FR.11, A02.FR.12)."""
    return _judged(station, payload, _reply_v16)


def on_v2x(station: StationContext, payload: JsonObject) -> Stored:
    """As 1.6, with the reason."""
    return _judged(station, payload, _reply_v2x)


def _judged(
    station: StationContext, payload: JsonObject, reply: Callable[[Refusal | None], JsonObject]
) -> Stored:
    csr, root = payload.get("csr"), payload.get("hashRootCertificate")
    asked = Asked(
        csr=csr if isinstance(csr, str) else "",
        use=text(payload, "certificateType") or SigningUse.STATION.value,
        request_id=integer(payload, "requestId"),
        root=raw(root) if isinstance(root, dict) else None,
    )
    return Stored(
        station.db,
        lambda tx: certificates.request(
            tx, station.station_id, asked, signs=station.settings.signs_certificates
        ),
        reply,
    )


def _reply_v16(refusal: Refusal | None) -> JsonObject:
    return {"status": "Accepted" if refusal is None else "Rejected"}


def _reply_v2x(refusal: Refusal | None) -> JsonObject:
    answer = _reply_v16(refusal)
    if refusal is not None:
        answer["statusInfo"] = {
            "reasonCode": _REASON_CODES[refusal.cause],
            "additionalInfo": refusal.reason,
        }
    return answer


# OCPP 2.1 part 2 appendices, reason codes.
_REASON_CODES = {
    Cause.BAD_CSR: "InvalidCSR",
    Cause.NO_SIGNER: "NotEnabled",
    Cause.TOO_MANY: "RateLimitExceeded",
}
