"""New passwords that stations are told over OCPP: on offer, then taken or not.

What was told is derived from its number, so nothing that is stored reveals it. From the moment it
may have left until the station shows which one it uses, it is valid beside the old one.
"""

from __future__ import annotations

import secrets
from datetime import timedelta

from csms.domain.credentials import Credential, CredentialKind
from csms.events import Event
from csms.store import credentials, stations
from csms.store.database import Tx

# A station that still comes with the old one after so long has not taken what it was told.
OFFER_STANDS = timedelta(hours=24)
_MOST_OFFERS = 5


def draw_number() -> int:
    """The number of a new password: never one that a station was told before."""
    return secrets.randbits(62)


def offer(tx: Tx, station_id: int, rotation: int) -> bool:
    """Make the password valid beside the old one; True when the station uses it already."""
    known = credentials.find(tx, station_id, rotation)
    if known is None:
        credentials.insert_offer(tx, station_id, rotation, keep=_MOST_OFFERS)
    return known is not None and known.offered_at is None


def take(tx: Tx, station_id: int, rotation: int) -> None:
    """The station uses it from now on: no other is valid any more (OCPP 2.0.1 A01.FR.03)."""
    known = credentials.find(tx, station_id, rotation)
    if known is None or known.offered_at is None:
        return
    credentials.replace(tx, station_id, Credential(CredentialKind.DERIVED, rotation))
    _tell(tx, station_id, "station.credentials_rotated", pushed=True)


def accepted(tx: Tx, station_id: int, rotation: int) -> None:
    """The station says that it took it; an answer that comes late may be older than an offer."""
    newest = next(
        (one for one in credentials.list_of_station(tx, station_id) if one.offered_at), None
    )
    if newest is not None and newest.rotation == rotation:
        take(tx, station_id, rotation)


def rotated_by_hand(tx: Tx, station_id: int) -> None:
    """Somebody made a new password and will enter it: the connection with the old one ends."""
    _tell(tx, station_id, "station.credentials_rotated", pushed=False)


def decline(tx: Tx, station_id: int, rotation: int) -> None:
    """The station keeps the one it has (OCPP 2.0.1 A01.FR.04)."""
    credentials.delete_offer(tx, station_id, rotation)


def leave_open(tx: Tx, station_id: int) -> None:
    """Nobody knows which one the station uses: both stay valid until it shows."""
    _tell(tx, station_id, "station.credentials_uncertain")


def used_valid_one(tx: Tx, station_id: int) -> None:
    """The station came with the old password: what it was told long ago it did not take."""
    before = tx.now - round(OFFER_STANDS.total_seconds() * 1e6)
    credentials.delete_offers(tx, station_id, before=before)


def _tell(tx: Tx, station_id: int, what: str, **more: bool) -> None:
    station = stations.find(tx, station_id)
    if station is not None:
        told = {"id": station.uuid, "identity": station.identity, **more}
        tx.emit(Event(what, told, station_id=station.id, location_id=station.location_id))
