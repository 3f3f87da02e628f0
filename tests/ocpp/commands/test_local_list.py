"""send_local_list and get_local_list_version: encodings, rules, and the books they keep."""

from __future__ import annotations

import pytest

from csms.domain.jobs import CommandClass
from csms.domain.stations import NewStation
from csms.domain.versions import OcppVersion
from csms.errors import Invalid, NotSupportedByVersion
from csms.ocpp import commands
from csms.ocpp.commands import get_local_list_version, parameters, send_local_list
from csms.store import local_lists, stations

V16, V201, V21 = OcppVersion
ENTRIES = [
    {
        "id_token": "TAG1",
        "status": "NoCredit",
        "expires_at": "2026-06-01T00:00:00Z",
        "group_id_token": "FLEET",
    },
    {"id_token": "TAG2"},
]
VALUES = {"version_number": 3, "update_type": "Differential", "entries": ENTRIES}
WIRE_V16 = {
    "listVersion": 3,
    "updateType": "Differential",
    "localAuthorizationList": [
        {
            "idTag": "TAG1",
            "idTagInfo": {
                "status": "Invalid",
                "expiryDate": "2026-06-01T00:00:00.000Z",
                "parentIdTag": "FLEET",
            },
        },
        {"idTag": "TAG2"},
    ],
}
WIRE_V2X = {
    "versionNumber": 3,
    "updateType": "Differential",
    "localAuthorizationList": [
        {
            "idToken": {"idToken": "TAG1", "type": "ISO14443"},
            "idTokenInfo": {
                "status": "NoCredit",
                "cacheExpiryDateTime": "2026-06-01T00:00:00.000Z",
                "groupIdToken": {"idToken": "FLEET", "type": "Central"},
            },
        },
        {"idToken": {"idToken": "TAG2", "type": "ISO14443"}},
    ],
}


def order(command, version, values):
    found = command.order(version, parameters.parse(command.params, values))
    commands.check(version, found.action, found.payload)
    return found


@pytest.mark.parametrize(
    ("version", "payload"), [(V16, WIRE_V16), (V201, WIRE_V2X), (V21, WIRE_V2X)]
)
def test_one_list_goes_out_in_every_version(version, payload):
    assert order(send_local_list.COMMAND, version, VALUES).payload == payload


def test_an_empty_list_has_no_entries_on_the_wire():
    values = {"version_number": 1, "update_type": "Full"}
    assert order(send_local_list.COMMAND, V16, values).payload == {
        "listVersion": 1,
        "updateType": "Full",
    }
    assert "localAuthorizationList" not in order(send_local_list.COMMAND, V201, values).payload


def test_a_list_in_the_words_of_1_6_reaches_a_2x_station():
    found = send_local_list.COMMAND.order(V201, send_local_list.decode_v16(WIRE_V16)).payload
    assert found["versionNumber"] == 3
    assert [one["idToken"] for one in found["localAuthorizationList"]] == [
        {"idToken": "TAG1", "type": "ISO14443"},
        {"idToken": "TAG2", "type": "ISO14443"},
    ]


@pytest.mark.parametrize(
    ("entry", "lacking"),
    [
        ({"id_token": "x" * 21}, {V16}),
        ({"id_token": "x" * 37}, {V16, V201}),
        ({"id_token": "x", "id_token_type": "DirectPayment"}, {V201}),
    ],
)
def test_a_version_without_such_tokens_is_not_sent_them(entry, lacking):
    values = {**VALUES, "entries": [entry]}
    for version in OcppVersion:
        if version in lacking:
            with pytest.raises(NotSupportedByVersion):
                order(send_local_list.COMMAND, version, values)
        else:
            order(send_local_list.COMMAND, version, values)


@pytest.mark.parametrize(
    ("changes", "loc"),
    [
        ({"version_number": 0}, ("version_number",)),
        ({"entries": [{"id_token": "A"}, {"id_token": " a"}]}, ("entries", 1, "id_token")),
        ({"update_type": "Full", "entries": [{"id_token": "A"}]}, ("entries", 0, "status")),
        ({"entries": [{"id_token": str(n)} for n in range(301)]}, ("entries",)),
    ],
)
def test_a_wrong_list_is_refused_with_the_place(changes, loc):
    with pytest.raises(Invalid) as refusal:
        order(send_local_list.COMMAND, V16, {**VALUES, **changes})
    assert refusal.value.loc == loc


def test_the_longest_list_fits_into_one_message():
    entry = {
        "status": "Accepted",
        "expires_at": "2026-06-01T00:00:00Z",
        "group_id_token": "G" * 20,
    }
    entries = [
        {**entry, "id_token": f"{number:020}"} for number in range(send_local_list.MAX_ENTRIES)
    ]
    values = {"version_number": 1, "update_type": "Full", "entries": entries}
    for version in OcppVersion:
        order(send_local_list.COMMAND, version, values)


@pytest.mark.parametrize(
    ("version", "name"), [(V16, "listVersion"), (V201, "versionNumber"), (V21, "versionNumber")]
)
def test_a_long_list_goes_out_as_a_full_part_and_changes_to_it(version, name):
    entries = [accepted(str(number)) for number in range(5)]
    values = {"version_number": 7, "update_type": "Full", "entries": entries}
    whole = order(send_local_list.COMMAND, version, values)
    batch = send_local_list.COMMAND.batches[whole.action]
    parts = [batch.part(whole.payload, number, 3) for number in range(3)]
    assert [(one["updateType"], one[name]) for one in parts] == [
        ("Full", 7),
        ("Differential", 8),
        ("Differential", 9),
    ]
    assert len(whole.payload[batch.items]) == 5
    assert send_local_list.COMMAND.stops_when_refused


def test_only_the_whole_list_may_be_sent_again_and_again():
    full = send_local_list.COMMAND.class_of(
        parameters.parse(
            send_local_list.SendLocalList, {"version_number": 1, "update_type": "Full"}
        )
    )
    changes = send_local_list.COMMAND.class_of(
        parameters.parse(send_local_list.SendLocalList, VALUES)
    )
    assert (full, changes) == (CommandClass.A, CommandClass.B)


def test_a_mismatch_says_what_to_do():
    answer = send_local_list.COMMAND.read({"status": "VersionMismatch"})
    assert not answer.accepted
    assert "send the Full list" in answer.detail
    assert send_local_list.COMMAND.read_repeat({"status": "VersionMismatch"}).accepted


def test_asks_for_the_version_in_every_version():
    for version in OcppVersion:
        assert order(get_local_list_version.COMMAND, version, {}).payload == {}


# ---- the books -------------------------------------------------------------------------------


@pytest.fixture
async def station(db):
    return await db.write(lambda tx: stations.insert(tx, NewStation("GARAGE-1")))


@pytest.fixture
def send(db, station):
    async def settle(version, update_type, *entries, status="Accepted"):
        values = {"version_number": version, "update_type": update_type, "entries": list(entries)}
        payload = order(send_local_list.COMMAND, V201, values).payload
        answer = send_local_list.COMMAND.read({"status": status})
        await db.write(lambda tx: send_local_list.settled(tx, station.id, payload, answer))

    return settle


@pytest.fixture
def ask(db, station):
    async def settle(answer):
        read = get_local_list_version.COMMAND.read(answer)
        await db.write(lambda tx: get_local_list_version.settled(tx, station.id, {}, read))

    return settle


@pytest.fixture
def books(db, station):
    async def read():
        def both(tx):
            found = local_lists.find(tx, station.id)
            return found, [one.id_token for one in local_lists.list_entries(tx, station.id)]

        found, tokens = await db.read(both)
        return found.version, found.is_known, tokens

    return read


def accepted(token):
    return {"id_token": token, "status": "Accepted"}


async def test_a_full_list_replaces_and_changes_change(send, books):
    await send(1, "Full", accepted("A"), accepted("B"))
    await send(2, "Differential", {"id_token": "a"}, accepted("C"))
    assert await books() == (2, True, ["B", "C"])
    await send(3, "Full")
    assert await books() == (3, True, [])


async def test_changes_to_an_unknown_list_leave_it_unknown(send, books):
    await send(2, "Differential", accepted("C"))
    assert await books() == (2, False, [])
    await send(3, "Full", accepted("A"))
    assert await books() == (3, True, ["A"])


async def test_a_refused_update_changes_nothing_but_is_noted(send, books, db, station):
    await send(1, "Full", accepted("A"))
    await send(1, "Differential", accepted("B"), status="VersionMismatch")
    assert await books() == (1, True, ["A"])
    found = await db.read(lambda tx: local_lists.find(tx, station.id))
    assert found.refusal == "VersionMismatch"
    types = await db.read(lambda tx: tx.all("SELECT type FROM events ORDER BY id"))
    assert [row[0] for row in types] == ["local_list.updated", "local_list.refused"]
    await send(2, "Full")
    assert (await db.read(lambda tx: local_lists.find(tx, station.id))).refusal is None


async def test_a_station_with_another_version_has_a_list_that_we_do_not_know(send, ask, books):
    await send(1, "Full", accepted("A"))
    await ask({"versionNumber": 9})
    assert await books() == (9, False, ["A"])
    await ask({"listVersion": 1})
    assert await books() == (1, False, ["A"])  # somebody else changed it


@pytest.fixture
def lose(db, station):
    async def settle(version, update_type, *entries):
        values = {"version_number": version, "update_type": update_type, "entries": list(entries)}
        payload = order(send_local_list.COMMAND, V201, values).payload
        await db.write(lambda tx: send_local_list.unanswered(tx, station.id, payload))

    return settle


async def test_after_changes_without_an_answer_nobody_knows_what_is_on_the_list(send, lose, books):
    await send(1, "Full", accepted("A"))
    for _ in range(2):
        await lose(2, "Differential", accepted("B"))
    assert await books() == (2, False, ["A"])
    await send(3, "Differential", accepted("C"))
    assert await books() == (3, False, ["A"])
    await send(4, "Full", accepted("D"))
    assert await books() == (4, True, ["D"])


async def test_the_answer_to_the_repeat_tells_what_is_on_the_list(send, lose, books):
    await send(1, "Full", accepted("A"))
    await lose(2, "Differential", accepted("B"))
    await send(2, "Differential", accepted("B"))
    assert await books() == (2, True, ["A", "B"])


async def test_the_version_tells_whether_lost_changes_came_through(send, lose, ask, books):
    await send(1, "Full", accepted("A"))
    await lose(2, "Differential", accepted("B"))
    await ask({"versionNumber": 1})
    assert await books() == (1, True, ["A"])
    await lose(2, "Differential", accepted("B"))
    await ask({"versionNumber": 2})
    assert await books() == (2, False, ["A"])
    await lose(2, "Differential", accepted("B"))
    await send(2, "Differential", accepted("B"))
    assert await books() == (2, False, ["A"])


async def test_a_lost_list_of_the_same_version_or_a_lower_one_is_not_told_by_it(
    send, lose, ask, books
):
    for version in (5, 3):
        await send(5, "Full", accepted("A"))
        await lose(version, "Full", accepted("B"))
        await ask({"versionNumber": 5})
        assert await books() == (5, False, ["A"])


@pytest.mark.parametrize("status", [7, None, "Hm"])
async def test_an_answer_that_does_not_say_leaves_the_list_unknown(send, books, status):
    await send(1, "Full", accepted("A"))
    await send(2, "Differential", accepted("B"), status=status)
    assert await books() == (2, False, ["A"])


@pytest.mark.parametrize("answer", [{"versionNumber": 0}, {"listVersion": -1}])
async def test_a_station_without_a_list_has_an_empty_one(send, ask, books, answer):
    await send(1, "Full", accepted("A"))
    await ask(answer)
    version, known, tokens = await books()
    assert (version <= 0, known, tokens) == (True, True, [])
    await send(2, "Differential", accepted("B"))
    assert await books() == (2, True, ["B"])


async def test_an_answer_without_a_version_says_nothing(ask, books):
    await ask({})
    assert await books() == (None, False, [])
