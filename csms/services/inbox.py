"""The inbox: stations that knocked and were not let in, and how a person lets one in."""

from __future__ import annotations

from dataclasses import dataclass

from csms.domain.addresses import origin_of
from csms.domain.onboarding import Cause, is_word_of_the_path
from csms.domain.stations import BootReport, NewStation, Station
from csms.domain.versions import OcppVersion
from csms.errors import Invalid
from csms.events import Event
from csms.services import credentials, stations
from csms.services.credentials import Hashed
from csms.store import inbox
from csms.store.database import Database, ReadTx, Tx
from csms.store.inbox import About, InboxEntry

# Strangers decide how many entries there are, so both their rate and their events are bounded.
MAX_NEW_PER_MINUTE = 600
# So that nobody alone keeps all others out of it.
MAX_NEW_OF_ORIGIN = 100
MAX_EVENTS_PER_MINUTE = 60
_MINUTE_US = 60_000_000
_MAX_TEXT = 255
# What such an entry shows is not what came: parts that are secret or unprintable are replaced.
_NAMELESS = frozenset({Cause.NO_IDENTITY, Cause.INVALID_IDENTITY})


async def record(
    db: Database,
    identity: str,
    cause: Cause,
    address: str,
    *,
    detail: str | None = None,
    sent: str | None = None,
    version: OcppVersion | None = None,
    boot: BootReport | None = None,
) -> bool:
    """Note an attempt; False when it was dropped because strangers write too much."""
    about = About(_cut(detail), _cut(sent), version, boot)
    return await db.write(lambda tx: note(tx, identity, cause, address, about))


async def learn(db: Database, identity: str, cause: Cause, address: str, about: About) -> bool:
    """Add to an attempt that was noted what came later on its connection."""
    return await db.write(lambda tx: note(tx, identity, cause, address, about, attempts=0))


def note(
    tx: Tx,
    identity: str,
    cause: Cause,
    address: str,
    about: About | None = None,
    *,
    attempts: int = 1,
) -> bool:
    """The same inside a transaction."""
    about, identity = about or About(), identity[:_MAX_TEXT]
    if inbox.update_seen(tx, identity, cause, address, about, attempts=attempts):
        return True
    recent, of_origin = inbox.count_new_since(tx, tx.now - _MINUTE_US, origin_of(address))
    if recent >= MAX_NEW_PER_MINUTE or of_origin >= MAX_NEW_OF_ORIGIN:
        return False
    uuid = inbox.insert(tx, identity, cause, address, about)
    if recent < MAX_EVENTS_PER_MINUTE:
        said = {"uuid": uuid, "identity": identity, "cause": cause.value, "address": address}
        tx.emit(Event("inbox.added", said))
    return True


def list_entries(
    tx: ReadTx,
    *,
    limit: int = 100,
    before: tuple[int, int] | None = None,
    cause: Cause | None = None,
) -> list[InboxEntry]:
    """The newest entries first; `before` are microseconds and id of the last one shown."""
    return inbox.list_newest(tx, limit=limit, before=before, cause=cause)


def forget(tx: Tx, entry_uuid: str) -> None:
    """Delete an entry; the next attempt makes a new one. Raises NotFound."""
    gone = inbox.delete(tx, entry_uuid)
    said = {"uuid": gone.uuid, "identity": gone.identity, "cause": gone.cause.value}
    tx.emit(Event("inbox.forgotten", said))


@dataclass(frozen=True, slots=True)
class Place:
    """Where an accepted station belongs, and what it is called."""

    location_id: int | None = None
    name: str | None = None


def accept(tx: Tx, entry_uuid: str, place: Place | None = None) -> tuple[Station, str]:
    """Register the station behind an entry, with a new password that is shown once.

    Raises NotFound (entry or location), Invalid for an identity that no station may have,
    DuplicateIdentity.
    """
    station = accept_without_password(tx, entry_uuid, place)
    return station, credentials.rotate(tx, station.id)


def accept_with_password(tx: Tx, entry_uuid: str, place: Place | None, password: Hashed) -> Station:
    """The same with a password that a person chose, or that the station has already."""
    station = accept_without_password(tx, entry_uuid, place)
    credentials.store_supplied(tx, station.id, password)
    return station


def accept_untold(tx: Tx, entry_uuid: str, place: Place | None = None) -> Station:
    """The same without one: it may come again from where it came, and is told one over OCPP."""
    origin = origin_of(inbox.get(tx, entry_uuid).address)
    station = accept_without_password(tx, entry_uuid, place)
    credentials.store_none_yet(tx, station.id, origin)
    return station


def accept_without_password(tx: Tx, entry_uuid: str, place: Place | None = None) -> Station:
    """The same for one that needs none: it has a certificate, or the server asks for none."""
    place = place or Place()
    entry = inbox.get(tx, entry_uuid)
    if entry.cause in _NAMELESS or is_word_of_the_path(entry.identity):
        raise Invalid(
            "The attempt named no station: its URL has to end with an identity",
            loc=("identity",),
            code="invalid_identity",
        )
    # Without a certificate it is only what a stranger says, and one with it would come in.
    certified = entry.cause is Cause.UNKNOWN_WITH_CERTIFICATE
    serial_number = entry.serial_number if certified else None
    station = stations.create(
        tx,
        NewStation(
            identity=entry.identity,
            name=place.name,
            location_id=place.location_id,
            serial_number=serial_number,
        ),
    )
    inbox.delete_identity(tx, entry.identity)
    tx.emit(
        Event(
            "station.accepted",
            {"id": station.uuid, "identity": station.identity},
            station_id=station.id,
            location_id=place.location_id,
        )
    )
    return station


def _cut(text: str | None) -> str | None:
    return text and text[:_MAX_TEXT]
