"""Reservations: made, cancelled, used, ended by the station."""

from __future__ import annotations

from datetime import timedelta

import pytest

from csms.domain.reservations import ReservationState, state_of
from csms.domain.versions import OcppVersion
from csms.ocpp import schemas
from csms.ocpp.actions import reservation_status_update
from csms.ocpp.commands import cancel_reservation, reserve_now
from csms.services import reservations as service
from csms.store import reservations

V201, V21 = OcppVersion.V201, OcppVersion.V21
V16_RESERVED = {
    "connectorId": 0,
    "expiryDate": "2026-05-01T13:00:00Z",
    "idTag": "TAG1",
    "parentIdTag": "FLEET",
    "reservationId": 7,
}
V2X_RESERVED = {
    "id": 7,
    "expiryDateTime": "2026-05-01T13:00:00Z",
    "idToken": {"idToken": "TAG1", "type": "ISO14443"},
    "groupIdToken": {"idToken": "FLEET", "type": "Central"},
    "evseId": 2,
    "connectorType": "cCCS2",
}


async def settle(station, command, payload, status):
    def settled(tx):
        command.settled(tx, station.station_id, payload, command.read({"status": status}))

    await station.db.write(settled)


async def reserve(station, payload=V2X_RESERVED, status="Accepted"):
    await settle(station, reserve_now.COMMAND, payload, status)


async def cancel(station, status):
    await settle(station, cancel_reservation.COMMAND, {"reservationId": 7}, status)


async def update(station, status, reservation_id=7):
    return await reservation_status_update.on_v2x(
        station, {"reservationId": reservation_id, "reservationUpdateStatus": status}
    )


async def use(station, *, reservation_id=7, at=0):
    def begin(tx):
        tx.insert(
            "INSERT INTO transactions (uuid, station_id, evse_id, station_transaction_id,"
            " start_received_at, reservation_id) VALUES (?, ?, 2, 'T1', ?, ?)",
            (f"u{station.station_id}", station.station_id, tx.now + at, reservation_id),
        )

    await station.db.write(begin)


async def found(station):
    return await station.db.read(lambda tx: reservations.list_of_station(tx, station.station_id))


async def state(station, clock, **later):
    (one,) = await found(station)
    return state_of(one, clock.now() + timedelta(**later))


async def told(rows):
    return [row["type"] for row in await rows("SELECT type FROM events ORDER BY id")]


async def test_an_accepted_reservation_stands_until_it_expires(station, clock, rows):
    await reserve(station)
    assert await state(station, clock) is ReservationState.RESERVED
    assert await state(station, clock, hours=1) is ReservationState.EXPIRED
    assert await told(rows) == ["reservation.made"]


async def test_a_reservation_is_read_from_the_words_of_its_version(station):
    await reserve(station, V16_RESERVED)
    (one,) = await found(station)
    assert (one.evse_id, one.id_token, one.id_token_type) == (None, "TAG1", None)
    assert (one.group_id_token, one.connector_type) == ("FLEET", None)
    await reserve(station, V2X_RESERVED)
    (one,) = await found(station)
    assert (one.evse_id, one.id_token, one.id_token_type) == (2, "TAG1", "ISO14443")
    assert (one.group_id_token, one.connector_type) == ("FLEET", "cCCS2")


@pytest.mark.parametrize("status", ["Occupied", "Rejected", "Faulted", "Unavailable"])
async def test_a_refused_reservation_is_none(station, status):
    await reserve(station, status=status)
    assert await found(station) == []


async def test_a_reservation_with_the_same_number_is_replaced(station, clock):
    await reserve(station)
    await cancel(station, "Accepted")
    await reserve(station, {**V2X_RESERVED, "evseId": 1})
    (one,) = await found(station)
    assert one.evse_id == 1
    assert await state(station, clock) is ReservationState.RESERVED


async def test_a_cancelled_reservation_is_over(station, clock, rows):
    await reserve(station)
    await cancel(station, "Accepted")
    assert await state(station, clock) is ReservationState.CANCELLED
    assert await told(rows) == ["reservation.made", "reservation.ended"]


async def test_a_reservation_that_the_station_does_not_have_is_lost(station, clock):
    await reserve(station)
    await cancel(station, "Rejected")
    assert await state(station, clock) is ReservationState.REMOVED


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("Expired", ReservationState.EXPIRED),
        ("Removed", ReservationState.REMOVED),
        ("NoTransaction", ReservationState.NO_TRANSACTION),
    ],
)
async def test_the_station_ends_a_reservation(station, clock, rows, word, expected):
    await reserve(station)
    for _ in range(2):
        answer = await update(station, word)
        for version in (V201, V21):
            assert schemas.is_valid(version, "ReservationStatusUpdate", "response", answer)
    assert await state(station, clock) is expected
    assert await told(rows) == ["reservation.made", "reservation.ended"]


async def test_a_transaction_that_names_the_reservation_has_used_it(station, clock):
    await reserve(station)
    await use(station)
    assert await state(station, clock, hours=2) is ReservationState.USED
    (one,) = await found(station)
    assert one.used_by == "T1"


async def test_a_transaction_from_before_has_used_another_one(station, clock):
    await use(station, at=-1)
    await reserve(station)
    assert await state(station, clock) is ReservationState.RESERVED


async def test_a_neighbour_has_reservations_of_its_own(station, neighbour, clock):
    await reserve(neighbour)
    await use(station)
    await update(station, "Removed", reservation_id=8)
    await cancel(station, "Accepted")
    assert await state(neighbour, clock) is ReservationState.RESERVED


async def test_an_unknown_reservation_and_an_unknown_word_are_kept(station):
    await update(station, "Expired", reservation_id=99)
    await reserve(station)
    await update(station, "Evaporated")
    assert {
        (one.reservation_id, one.id_token, one.recorded.value, one.reported_status)
        for one in await found(station)
    } == {(99, None, "expired", "Expired"), (7, "TAG1", "reserved", "Evaporated")}


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"reservationId": "x"},
        {"reservationId": 2**62},
        {"reservationId": 7, "reservationUpdateStatus": []},
    ],
)
async def test_a_message_of_any_shape_is_answered(station, payload):
    assert await reservation_status_update.on_v2x(station, payload) == {}
    await found(station)


async def test_a_station_keeps_so_many_reservations_and_those_to_come(station, rows, monkeypatch):
    monkeypatch.setattr(service, "KEPT", 3)
    await reserve(station)
    for number in range(100, 110):
        await update(station, "Removed", number)
    found = await rows("SELECT reservation_id FROM reservations ORDER BY reservation_id")
    assert [row["reservation_id"] for row in found] == [7, 107, 108, 109]
