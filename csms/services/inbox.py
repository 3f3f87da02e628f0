"""The inbox: stations that knocked and were not let in, and how a person lets one in."""

from __future__ import annotations

from datetime import datetime

from csms.domain.stations import BootReport, NewStation, Station
from csms.domain.versions import OcppVersion
from csms.events import Event
from csms.services import credentials, stations
from csms.store import inbox
from csms.store.database import Database, ReadTx, Tx
from csms.store.inbox import InboxEntry

WITH_CERTIFICATE = "unknown_with_certificate"
"""An unknown identity whose certificate is good; its serial number is the one in there."""

# Strangers decide how many entries there are, so both their rate and their events are bounded.
MAX_NEW_PER_MINUTE = 600
MAX_EVENTS_PER_MINUTE = 60
_MINUTE_US = 60_000_000
_MAX_TEXT = 255


async def record(
    db: Database,
    identity: str,
    cause: str,
    address: str,
    *,
    detail: str | None = None,
    version: OcppVersion | None = None,
    boot: BootReport | None = None,
) -> bool:
    """Note an attempt; False when it was dropped because strangers write too much."""
    return await db.write(
        lambda tx: note(tx, identity, cause, address, detail=detail, version=version, boot=boot)
    )


def note(
    tx: Tx,
    identity: str,
    cause: str,
    address: str,
    *,
    detail: str | None = None,
    version: OcppVersion | None = None,
    boot: BootReport | None = None,
) -> bool:
    """The same inside a transaction."""
    identity, detail = identity[:_MAX_TEXT], detail and detail[:_MAX_TEXT]
    if inbox.update_seen(tx, identity, cause, address, detail=detail, version=version, boot=boot):
        return True
    recent = inbox.count_new_since(tx, tx.now - _MINUTE_US)
    if recent >= MAX_NEW_PER_MINUTE:
        return False
    uuid = inbox.insert(tx, identity, cause, address, detail=detail, version=version, boot=boot)
    if recent < MAX_EVENTS_PER_MINUTE:
        tx.emit(Event("inbox.added", {"uuid": uuid, "identity": identity, "cause": cause}))
    return True


def list_entries(
    tx: ReadTx, *, limit: int = 100, before: datetime | None = None, cause: str | None = None
) -> list[InboxEntry]:
    """The newest entries first; `before` is the `last_seen_at` of the last one shown."""
    return inbox.list_newest(tx, limit=limit, before=before, cause=cause)


def accept(
    tx: Tx, entry_uuid: str, location_id: int | None = None, name: str | None = None
) -> tuple[Station, str]:
    """Register the station behind an entry, with a new password that is shown once.

    Raises NotFound (entry or location), Invalid for an identity that no station may have,
    DuplicateIdentity.
    """
    station = accept_without_password(tx, entry_uuid, location_id, name)
    return station, credentials.rotate(tx, station.id)


def accept_without_password(
    tx: Tx, entry_uuid: str, location_id: int | None = None, name: str | None = None
) -> Station:
    """The same for a server that lets stations in without one."""
    entry = inbox.get(tx, entry_uuid)
    station = stations.create(
        tx,
        NewStation(
            identity=entry.identity,
            name=name,
            location_id=location_id,
            # Else it is only what a stranger says, and a certificate with it would come in.
            serial_number=entry.serial_number if entry.cause == WITH_CERTIFICATE else None,
        ),
    )
    inbox.delete_identity(tx, entry.identity)
    tx.emit(
        Event(
            "station.accepted",
            {"id": station.uuid, "identity": station.identity},
            station_id=station.id,
            location_id=location_id,
        )
    )
    return station
