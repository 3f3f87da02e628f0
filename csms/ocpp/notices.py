"""How an action whose message is only kept is served."""

from __future__ import annotations

from csms.domain.notices import Notice
from csms.ocpp.context import StationContext, Stored
from csms.ocpp.fields import raw
from csms.ocpp.frames import JsonObject
from csms.services import notices


def keep(
    station: StationContext,
    action: str,
    payload: JsonObject,
    *,
    event: str,
    reference: str | int | None,
    status: str | None,
    time: str | None = None,
) -> Stored:
    """Store the message, then answer with nothing; `time` names its timestamp."""
    reported_at = None if time is None else station.instant(payload.get(time), time)[0]
    notice = Notice(
        action=action,
        reference=None if reference is None else str(reference),
        status=status,
        reported_at=reported_at,
        raw=raw(payload),
    )
    return Stored(
        station.db, lambda tx: notices.record(tx, station.station_id, notice, event), lambda _: {}
    )
