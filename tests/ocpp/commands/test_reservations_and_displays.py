"""The commands for reservations and displays: their encodings and what they refuse."""

from __future__ import annotations

import pytest

from csms.domain.jobs import CommandClass
from csms.domain.versions import OcppVersion
from csms.errors import Invalid, NotSupportedByVersion
from csms.ocpp import commands
from csms.ocpp.commands import (
    cancel_reservation,
    clear_display_message,
    get_display_messages,
    parameters,
    reserve_now,
    set_display_message,
)

V16, V201, V21 = OcppVersion
RESERVE = {
    "reservation_id": 7,
    "expires_at": "2026-05-01T15:00:00+02:00",
    "id_token": "TAG1",
    "group_id_token": "FLEET",
}
WIRE_V16 = {
    "connectorId": 0,
    "expiryDate": "2026-05-01T13:00:00.000Z",
    "idTag": "TAG1",
    "parentIdTag": "FLEET",
    "reservationId": 7,
}
WIRE_V2X = {
    "id": 7,
    "expiryDateTime": "2026-05-01T13:00:00.000Z",
    "idToken": {"idToken": "TAG1", "type": "ISO14443"},
    "groupIdToken": {"idToken": "FLEET", "type": "Central"},
}
MESSAGE = {"id": 1, "priority": "InFront", "message": {"content": "Hello"}}


def order(command, version, values):
    found = command.order(version, parameters.parse(command.params, values))
    commands.check(version, found.action, found.payload)
    return found.payload


def test_a_reservation_goes_out_in_every_version():
    assert order(reserve_now.COMMAND, V16, RESERVE) == WIRE_V16
    for version in (V201, V21):
        assert order(reserve_now.COMMAND, version, RESERVE) == WIRE_V2X
        assert order(reserve_now.COMMAND, version, {**RESERVE, "evse_id": 2})["evseId"] == 2
    assert order(reserve_now.COMMAND, V16, {**RESERVE, "evse_id": 2})["connectorId"] == 2


def test_a_reservation_in_the_words_of_1_6_reaches_a_2x_station():
    assert reserve_now.COMMAND.order(V201, reserve_now.decode_v16(WIRE_V16)).payload == WIRE_V2X


@pytest.mark.parametrize(
    ("changes", "lacking"),
    [
        ({"connector_type": "cCCS2"}, {V16}),
        ({"connector_type": "cNACS"}, {V16, V201}),
        ({"id_token": "x" * 21}, {V16}),
        ({"group_id_token": "x" * 37}, {V16, V201}),
        ({"id_token_type": "VIN"}, {V201}),
    ],
)
def test_a_version_that_cannot_reserve_so_is_not_asked_to(changes, lacking):
    for version in OcppVersion:
        if version in lacking:
            with pytest.raises(NotSupportedByVersion):
                order(reserve_now.COMMAND, version, {**RESERVE, **changes})
        else:
            order(reserve_now.COMMAND, version, {**RESERVE, **changes})


@pytest.mark.parametrize(
    ("changes", "loc"),
    [
        ({"expires_at": "tomorrow"}, ("expires_at",)),
        ({"expires_at": 5}, ("expires_at",)),
        ({"reservation_id": -1}, ("reservation_id",)),
        ({"evse_id": 0}, ("evse_id",)),
        ({"id_token": ""}, ("id_token",)),
    ],
)
def test_a_wrong_reservation_is_refused_with_the_place(changes, loc):
    with pytest.raises(Invalid) as refusal:
        order(reserve_now.COMMAND, V16, {**RESERVE, **changes})
    assert refusal.value.loc == loc


def test_cancelling_is_the_same_in_every_version():
    for version in OcppVersion:
        assert order(cancel_reservation.COMMAND, version, {"reservation_id": 7}) == {
            "reservationId": 7
        }
    assert cancel_reservation.decode_v16({"reservationId": 7}).reservation_id == 7
    with pytest.raises(NotSupportedByVersion):
        cancel_reservation.decode_v16({"reservationId": -1})


def test_what_is_gone_was_cancelled_before():
    for command, word in (
        (cancel_reservation.COMMAND, "Rejected"),
        (clear_display_message.COMMAND, "Unknown"),
    ):
        assert command.command_class is CommandClass.B
        assert not command.read({"status": word}).accepted
        assert command.read_repeat({"status": word}).accepted


def test_a_message_goes_out_to_2x_stations():
    values = {
        **MESSAGE,
        "state": "Idle",
        "starts_at": "2026-05-01T12:00:00Z",
        "ends_at": "2026-05-02T12:00:00Z",
        "display": {"name": "Display", "evse_id": 1},
    }
    values["message"] = {"content": "Hello", "language": "en", "format": "ASCII"}
    for version in (V201, V21):
        assert order(set_display_message.COMMAND, version, values) == {
            "message": {
                "id": 1,
                "priority": "InFront",
                "state": "Idle",
                "startDateTime": "2026-05-01T12:00:00.000Z",
                "endDateTime": "2026-05-02T12:00:00.000Z",
                "display": {"name": "Display", "evse": {"id": 1}},
                "message": {"format": "ASCII", "language": "en", "content": "Hello"},
            }
        }
        assert (
            order(set_display_message.COMMAND, version, {**MESSAGE, "transaction_id": "T1"})[
                "message"
            ]["transactionId"]
            == "T1"
        )


@pytest.mark.parametrize(
    "command",
    [set_display_message.COMMAND, get_display_messages.COMMAND, clear_display_message.COMMAND],
)
def test_1_6_has_no_messages(command):
    values = {"id": 1} if command is not set_display_message.COMMAND else MESSAGE
    values = {} if command is get_display_messages.COMMAND else values
    with pytest.raises(NotSupportedByVersion, match=r"OCPP 1\.6"):
        order(command, V16, values)


@pytest.mark.parametrize(
    "changes",
    [
        {"state": "Suspended"},
        {"message": {"content": "x" * 513}},
        {"message": {"content": "https://example.com", "format": "QRCODE"}},
        {"translations": [{"content": "Hallo", "language": "de"}]},
    ],
)
def test_what_came_with_2_1_is_for_2_1(changes):
    order(set_display_message.COMMAND, V21, {**MESSAGE, **changes})
    with pytest.raises(NotSupportedByVersion, match=r"OCPP 2\.0\.1"):
        order(set_display_message.COMMAND, V201, {**MESSAGE, **changes})


@pytest.mark.parametrize(
    ("changes", "loc"),
    [
        (
            {"starts_at": "2026-05-01T12:00:00Z", "ends_at": "2026-05-01T12:00:00Z"},
            ("ends_at",),
        ),
        ({"priority": "Top"}, ("priority",)),
        ({"message": {}}, ("message", "content")),
    ],
)
def test_a_wrong_message_is_refused_with_the_place(changes, loc):
    with pytest.raises(Invalid) as refusal:
        order(set_display_message.COMMAND, V201, {**MESSAGE, **changes})
    assert refusal.value.loc == loc


def test_asks_for_all_messages_or_some():
    command = get_display_messages.COMMAND
    assert order(command, V201, {"request_id": 5}) == {"requestId": 5}
    values = {"request_id": 5, "ids": [1, 2], "priority": "InFront", "state": "Idle"}
    assert order(command, V21, values) == {
        "requestId": 5,
        "id": [1, 2],
        "priority": "InFront",
        "state": "Idle",
    }
    with pytest.raises(NotSupportedByVersion):
        order(command, V201, {"state": "Suspended"})
    assert command.read({"status": "Unknown"}).accepted


def test_clears_a_message():
    for version in (V201, V21):
        assert order(clear_display_message.COMMAND, version, {"id": 1}) == {"id": 1}
