"""Authorize: may this id token charge?"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from csms.domain.id_tokens import Authorization, AuthorizationStatus, ShownToken, narrow_v16
from csms.domain.timestamps import format_timestamp
from csms.domain.versions import OcppVersion
from csms.ocpp.context import StationContext, Stored
from csms.ocpp.fields import MAX_TEXT, text
from csms.ocpp.frames import JsonObject
from csms.services import authorization


def on_v16(station: StationContext, payload: JsonObject) -> Stored:
    """Judge the tag; an unknown one is recorded."""
    shown = ShownToken(text(payload, "idTag") or "")
    policy = station.token_policy
    return Stored(
        station.db,
        lambda tx: authorization.authorize(tx, shown, policy, station_id=station.station_id),
        lambda authorized: {"idTagInfo": id_tag_info_v16(authorized)},
    )


def on_v2x(station: StationContext, payload: JsonObject) -> Stored:
    """Judge the token; an unknown one is recorded."""
    shown = id_token_v2x(payload) or ShownToken("")
    policy = station.token_policy
    has_contract = bool(payload.get("certificate") or payload.get("iso15118CertificateHashData"))
    return Stored(
        station.db,
        lambda tx: authorization.authorize(tx, shown, policy, station_id=station.station_id),
        partial(_reply_contract if has_contract else _reply_v2x, station.version),
    )


def _reply_v2x(version: OcppVersion, authorized: Authorization) -> JsonObject:
    return {"idTokenInfo": id_token_info_v2x(version, authorized)}


def _reply_contract(version: OcppVersion, authorized: Authorization) -> JsonObject:
    # OCPP 2.0.1 C07: nobody here can check a contract certificate, and an unchecked one is none.
    if authorized.status is AuthorizationStatus.ACCEPTED:
        authorized = replace(authorized, status=AuthorizationStatus.INVALID)
    return {**_reply_v2x(version, authorized), "certificateStatus": "NoCertificateAvailable"}


def id_token_v2x(payload: JsonObject) -> ShownToken | None:
    """The token of a message; None when it carries none."""
    token = payload.get("idToken")
    if isinstance(token, str):  # the shape of 1.6
        return ShownToken(token[:MAX_TEXT])
    if not isinstance(token, dict):
        return None
    return ShownToken(text(token, "idToken") or "", text(token, "type") or "")


# IdTokenType in the schemas.
_MAX_ID_TOKEN = {OcppVersion.V201: 36, OcppVersion.V21: 255}


def id_token_info_v2x(version: OcppVersion, authorized: Authorization) -> JsonObject:
    """IdTokenInfo, as every answer about a token carries it."""
    info: JsonObject = {"status": authorized.status.value}
    if authorized.expires_at is not None:
        info["cacheExpiryDateTime"] = format_timestamp(authorized.expires_at)
    if authorized.group is not None and len(authorized.group) <= _MAX_ID_TOKEN[version]:
        # A group is a name of ours; it was never read from a card.
        info["groupIdToken"] = {"idToken": authorized.group, "type": "Central"}
    return info


def id_tag_info_v16(authorized: Authorization) -> JsonObject:
    """IdTagInfo, as every answer about a tag carries it."""
    info: JsonObject = {"status": narrow_v16(authorized.status)}
    if authorized.expires_at is not None:
        info["expiryDate"] = format_timestamp(authorized.expires_at)
    if authorized.group is not None and len(authorized.group) <= 20:
        info["parentIdTag"] = authorized.group
    return info
