"""Authorize: may this id token charge?"""

from __future__ import annotations

from csms.domain.id_tokens import Authorization, narrow_v16
from csms.domain.timestamps import format_timestamp
from csms.ocpp.context import StationContext, Stored
from csms.ocpp.fields import text
from csms.ocpp.frames import JsonObject
from csms.services import authorization


def on_v16(station: StationContext, payload: JsonObject) -> Stored:
    """Judge the tag; an unknown one is recorded."""
    value = text(payload, "idTag") or ""
    policy = station.settings.token_policy
    return Stored(
        station.db,
        lambda tx: authorization.authorize(tx, value, policy),
        lambda authorized: {"idTagInfo": id_tag_info_v16(authorized)},
    )


def id_tag_info_v16(authorized: Authorization) -> JsonObject:
    """IdTagInfo, as every answer about a tag carries it."""
    info: JsonObject = {"status": narrow_v16(authorized.status)}
    if authorized.expires_at is not None:
        info["expiryDate"] = format_timestamp(authorized.expires_at)
    if authorized.group is not None and len(authorized.group) <= 20:
        info["parentIdTag"] = authorized.group
    return info
