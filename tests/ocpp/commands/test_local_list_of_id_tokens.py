"""send_local_list from our own id tokens: whole, by difference, in the words of each version."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from csms.domain.id_tokens import Decision, ShownToken
from csms.domain.local_lists import LocalList
from csms.domain.stations import NewStation
from csms.domain.versions import OcppVersion
from csms.errors import Invalid
from csms.ocpp import commands
from csms.ocpp.commands import parameters, send_local_list
from csms.services import id_tokens
from csms.services.id_tokens import Settings
from csms.store import id_tokens as id_token_store
from csms.store import local_lists, stations

V16, V201, V21 = OcppVersion
COMMAND = send_local_list.COMMAND


@pytest.fixture
async def station(db):
    return await db.write(lambda tx: stations.insert(tx, NewStation("GARAGE-1")))


@pytest.fixture
def keep(db):
    async def make(value, token_type="", decision=Decision.ACCEPTED, **settings):
        shown = ShownToken(value, token_type)
        return await db.write(
            lambda tx: id_tokens.create(tx, shown, Settings(decision, **settings))
        )

    return make


@pytest.fixture
def prepared(db, station):
    async def fill(version, update_type, queued=(), **values):
        params = parameters.parse(COMMAND.params, {"update_type": update_type, **values})
        return await db.read(lambda tx: COMMAND.prepare(tx, station.id, version, params, queued))

    return fill


@pytest.fixture
def send(db, station, prepared):
    """Order an update from the id tokens, which the station takes; returns what was sent."""

    async def order(version, update_type):
        params = await prepared(version, update_type, source="id_tokens")
        # As the job keeps it.
        sent = commands.typed(version, COMMAND.name, parameters.dump(params)).payload
        answer = COMMAND.read({"status": "Accepted"})
        await db.write(lambda tx: COMMAND.settled(tx, station.id, sent, answer))
        return sent

    return order


async def test_a_full_list_holds_every_spelling_of_what_was_decided(db, keep, send):
    until = datetime(2027, 1, 1, 0, 0, 0, 123456, tzinfo=UTC)
    await keep("04A1", "ISO14443", aliases=("A104",), group="FLEET", expires_at=until)
    await keep("LOST", decision=Decision.NO_CREDIT)
    await db.write(lambda tx: id_token_store.insert(tx, "STRANGER"))
    info = {"status": "Accepted", "expiryDate": "2027-01-01T00:00:00.123Z", "parentIdTag": "FLEET"}
    assert await send(V16, "Full") == {
        "listVersion": 1,
        "updateType": "Full",
        "localAuthorizationList": [
            {"idTag": "04A1", "idTagInfo": info},
            {"idTag": "A104", "idTagInfo": info},
            {"idTag": "LOST", "idTagInfo": {"status": "Invalid"}},
        ],
    }
    listed = (await send(V201, "Full"))["localAuthorizationList"]
    assert listed == [
        {
            "idToken": {"idToken": value, "type": "ISO14443"},
            "idTokenInfo": {
                "status": "Accepted",
                "cacheExpiryDateTime": "2027-01-01T00:00:00.123Z",
                "groupIdToken": {"idToken": "FLEET", "type": "Central"},
            },
        }
        for value in ("04A1", "A104")
    ] + [
        {
            "idToken": {"idToken": "LOST", "type": "ISO14443"},
            "idTokenInfo": {"status": "NoCredit"},
        }
    ]


@pytest.mark.parametrize("version", OcppVersion)
async def test_a_differential_holds_what_changed_and_numbers_go_on(db, keep, send, version):
    until = datetime(2027, 1, 1, tzinfo=UTC)
    same = await keep("SAME", expires_at=until, group="FLEET")
    gone, changed = await keep("GONE"), await keep("CHANGED")
    version_key = "listVersion" if version is V16 else "versionNumber"
    assert (await send(version, "Full"))[version_key] == 1

    await db.write(lambda tx: id_tokens.delete(tx, gone.uuid))
    blocked = Settings(Decision.BLOCKED)
    await db.write(lambda tx: id_tokens.update(tx, changed.uuid, blocked))
    await keep("NEW")
    sent = await send(version, "Differential")
    assert sent[version_key] == 2
    update = send_local_list.read_update(sent)
    assert [(one.id_token, one.status) for one in update.entries] == [
        ("CHANGED", "Blocked"),
        ("NEW", "Accepted"),
        ("GONE", None),
    ]
    assert same.value not in str(sent)
    with pytest.raises(Invalid) as caught:  # no update that changes nothing
        await send(version, "Differential")
    assert caught.value.loc == ("source",)


async def test_what_a_version_has_no_room_for_is_left_out(keep, prepared):
    await keep("X" * 21, group="SHORT")
    await keep("Y" * 37)
    await keep("DRIVER", "EVCCID", group="G" * 37)
    found = {
        version: [
            (len(one.id_token), one.id_token_type, one.group_id_token)
            for one in (await prepared(version, "Full", source="id_tokens")).entries
        ]
        for version in OcppVersion
    }
    assert found == {
        V16: [(6, "ISO14443", None)],
        V201: [(21, "ISO14443", "SHORT")],
        V21: [
            (6, "EVCCID", "G" * 37),
            (21, "ISO14443", "SHORT"),
            (37, "ISO14443", None),
        ],
    }


async def test_one_value_of_several_types_is_listed_as_it_would_be_judged(keep, prepared):
    await keep("1234", "KeyCode", Decision.BLOCKED)
    await keep("1234", "ISO14443")
    await keep("5678", decision=Decision.BLOCKED)
    await keep("5678", "ISO14443")
    v16 = (await prepared(V16, "Full", source="id_tokens")).entries
    assert [(one.id_token, one.status.value) for one in v16] == [("5678", "Blocked")]
    v21 = (await prepared(V21, "Full", source="id_tokens")).entries
    assert [(one.id_token, one.id_token_type, one.status.value) for one in v21] == [
        ("1234", "KeyCode", "Blocked"),
        ("1234", "ISO14443", "Accepted"),
        ("5678", "ISO14443", "Accepted"),
    ]


@pytest.mark.parametrize(
    ("known", "numbers"),
    [
        (None, (1, None)),
        (-1, (1, 1)),
        (0, (1, 1)),
        (7, (8, 8)),
        (2**31 - 1, (1, None)),
    ],
)
async def test_an_update_without_a_number_gets_the_next_one(db, station, prepared, known, numbers):
    full, differential = numbers
    if known is not None:
        await db.write(lambda tx: local_lists.upsert(tx, station.id, LocalList(known, None, None)))
    entries = [{"id_token": "A", "status": "Accepted"}]
    assert (await prepared(V201, "Full", entries=entries)).version_number == full
    if differential is None:
        with pytest.raises(Invalid) as caught:
            await prepared(V201, "Differential", entries=entries)
        assert caught.value.loc == ("version_number",)
    else:
        found = await prepared(V201, "Differential", entries=entries)
        assert found.version_number == differential
    assert (await prepared(V201, "Full", version_number=5)).version_number == 5


def update(version, *tags, update_type="Full"):
    listed = [{"idTag": tag, "idTagInfo": {"status": "Accepted"}} for tag in tags]
    return {
        "listVersion": version,
        "updateType": update_type,
        "localAuthorizationList": listed,
    }


@pytest.mark.parametrize(
    ("queued", "number"),
    [
        ([update(7)], 8),
        ([update(7, "A")], 8),
        ([update(7, "A", "B", "C")], 10),  # it may go out in three parts
        ([update(9), update(8, "A", update_type="Differential")], 10),
        ([{"updateType": "Full"}, update(7)], 8),
    ],
)
async def test_an_update_is_numbered_after_those_on_their_way(
    db, station, prepared, queued, number
):
    entries = [{"id_token": "A", "status": "Accepted"}]
    unknown = await prepared(V201, "Differential", queued, entries=entries)
    await db.write(lambda tx: local_lists.upsert(tx, station.id, LocalList(2, None, None)))
    known = await prepared(V201, "Full", queued, entries=entries)
    assert (unknown.version_number, known.version_number) == (number, number)


async def test_a_difference_to_a_list_that_is_about_to_change_cannot_be_told(
    db, station, keep, prepared
):
    await keep("TAG")
    await db.write(lambda tx: local_lists.upsert(tx, station.id, LocalList(3, 3, None)))
    assert (await prepared(V16, "Differential", source="id_tokens")).version_number == 4
    assert (await prepared(V16, "Full", [update(4)], source="id_tokens")).version_number == 5
    with pytest.raises(Invalid) as caught:
        await prepared(V16, "Differential", [update(4)], source="id_tokens")
    assert caught.value.loc == ("update_type",)


async def test_a_difference_to_an_unknown_list_cannot_be_told(db, station, prepared):
    await db.write(lambda tx: local_lists.upsert(tx, station.id, LocalList(3, 2, None)))
    with pytest.raises(Invalid) as caught:
        await prepared(V201, "Differential", source="id_tokens")
    assert caught.value.loc == ("update_type",)


async def test_more_tokens_than_fit_are_refused(db, prepared):
    def fill(tx):
        for number in range(send_local_list.MAX_ENTRIES + 1):
            id_tokens.create(tx, ShownToken(f"T{number}"), Settings(Decision.ACCEPTED))

    await db.write(fill)
    with pytest.raises(Invalid) as caught:
        await prepared(V16, "Full", source="id_tokens")
    assert caught.value.loc == ("source",)


@pytest.mark.parametrize(
    ("values", "loc"),
    [
        ({"source": "id_tokens", "entries": [{"id_token": "A", "status": "Accepted"}]}, "source"),
        ({"source": "cards"}, "source"),
        ({"source": "id_tokens", "version_number": 1}, "source"),
        ({}, "version_number"),
    ],
)
def test_what_is_not_filled_in_for_one_station_cannot_be_sent(values, loc):
    with pytest.raises(Invalid) as caught:
        commands.typed(V201, COMMAND.name, {"update_type": "Full", **values})
    assert caught.value.loc == (loc,)
