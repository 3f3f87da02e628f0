"""The message log as it grows: followed from now on or from where one left, within reach."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from csms.api import streams
from csms.domain.permissions import Role
from csms.services import locations, tokens
from csms.store import ocpp_messages
from tests.api.sse import Stream, listening
from tests.api.v1.scene import make_station, stranger
from tests.api.v1.test_messages import PATH, log, path_of

if TYPE_CHECKING:
    from csms.clock import ManualClock
    from csms.domain.stations import Station
    from tests.api.conftest import Api

FOLLOW = f"{PATH}?follow=true"


@pytest.fixture
async def station(api: Api) -> Station:
    return await make_station(api)


async def told(stream: Stream, number: int) -> list[str]:
    return [one.data["action"] for one in await stream.take(number)]


async def test_what_is_over_is_told_as_the_list_shows_it(api: Api, station: Station) -> None:
    log(api, station, "Before")
    async with listening(api, FOLLOW) as stream:
        log(api, station, "Authorize", "Heartbeat")
        one, two = await stream.take(2)
    assert [("message", "2"), ("message", "3")] == [(one.event, one.id), (two.event, two.id)]
    listed = (await (await api.get(PATH)).json())["items"]
    assert listed[:2] == [two.data, one.data]


async def test_the_filters_are_those_of_the_list(api: Api, station: Station) -> None:
    other = await make_station(api, "CP-2")
    narrowed = "&action=A&action=B&hide=B&direction=in&state=done"
    async with listening(api, f"{path_of(station)}?follow=true{narrowed}") as stream:
        log(api, other, "A")
        log(api, station, "B", "C")
        log(api, station, "A", direction="out")
        log(api, station, "A", state="failed")
        log(api, station, "A", message_id="this")
        assert "this" == (await stream.next()).data["message_id"]


async def test_a_reader_comes_back_where_it_left(
    api: Api, station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ocpp_messages, "SEARCHED", 2)
    log(api, station, "A", "B", "B", "B", "B", "C")
    headers = {"Last-Event-ID": "1"}
    async with listening(api, f"{FOLLOW}&hide=B", headers=headers) as stream:
        log(api, station, "D")
        assert ["C", "D"] == await told(stream, 2)


async def test_a_long_replay_is_complete_and_in_order(api: Api, station: Station) -> None:
    log(api, station, *("A" for _ in range(251)))
    async with listening(api, FOLLOW, headers={"Last-Event-ID": "0"}) as stream:
        received = await stream.take(251)
    assert [str(number) for number in range(1, 252)] == [one.id for one in received]


async def test_a_place_that_is_gone_gets_a_reset_first(
    api: Api, station: Station, clock: ManualClock
) -> None:
    log(api, station, "A", "B")
    await api.deps.message_log.flush()
    clock.advance(15 * 24 * 3600)
    log(api, station, "C")
    await api.deps.message_log.flush()
    await api.deps.db.write(
        lambda tx: tx.run("DELETE FROM ocpp_messages WHERE action IN ('A', 'B')")
    )
    async with listening(api, FOLLOW, headers={"Last-Event-ID": "1"}) as stream:
        reset, following = await stream.take(2)
    assert ("reset", {"oldest_id": 3, "newest_id": 3}) == (reset.event, reset.data["data"])
    assert "C" == following.data["action"]


async def test_who_may_not_read_id_tokens_does_not(api: Api, station: Station) -> None:
    payload = '{"idTag":"04A1B2C3"}'
    for role, shown in (("viewer", {"idTag": "***"}), ("operator", {"idTag": "04A1B2C3"})):
        async with listening(api, FOLLOW, role=role) as stream:
            log(api, station, "Authorize", payload=payload)
            assert shown == (await stream.next()).data["payload"]


async def test_a_bound_token_follows_its_stations_only(api: Api) -> None:
    place = await api.deps.db.write(lambda tx: locations.create(tx, name="Depot"))
    inside = await make_station(api, "IN", location_id=place.id)
    outside = await make_station(api, "OUT")
    _, api.bearers["bound"] = await api.deps.db.write(
        lambda tx: tokens.create(
            tx, name="site", role=Role.VIEWER, location_ids=frozenset({place.id})
        )
    )
    async with listening(api, FOLLOW, role="bound") as stream:
        log(api, outside, "Secret")
        log(api, inside, "Heartbeat")
        assert ["Heartbeat"] == await told(stream, 1)
    beyond = await api.get(f"{path_of(inside)}?follow=true", role=await stranger(api))
    assert 404 == beyond.status


async def test_it_ends_with_its_token(api: Api, station: Station) -> None:
    token, api.bearers["leaver"] = await api.deps.db.write(
        lambda tx: tokens.create(tx, name="leaver", role=Role.VIEWER)
    )
    async with listening(api, FOLLOW, role="leaver") as stream:
        log(api, station, "A")
        await stream.next()
        await api.request("DELETE", f"/api/v1/tokens/{token.public_id}")
        with pytest.raises(EOFError):
            await stream.next()
    assert set() == api.deps.feed._readers


async def test_a_reader_that_takes_nothing_is_cut(
    api: Api, station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "SEND_TIMEOUT_S", 0.05)
    server = api.client.server
    reader, writer = await asyncio.open_connection(server.host, server.port, limit=1024)
    bearer = f"Authorization: Bearer {api.bearers['admin']}"
    writer.write(f"GET {FOLLOW} HTTP/1.1\r\nHost: csms\r\n{bearer}\r\n\r\n".encode())
    assert b"200" in await reader.readline()
    assert 1 == len(api.deps.feed._readers)
    async with asyncio.timeout(20):
        while api.deps.feed._readers:
            log(api, station, "Flood", payload=f'"{"x" * 200_000}"')
            await api.deps.message_log.flush()
    writer.close()


@pytest.mark.parametrize(
    ("query", "name"), [("limit=5", "limit"), ("cursor=x", "cursor"), ("state=pending", "state")]
)
async def test_what_is_not_followed(api: Api, query: str, name: str) -> None:
    refused = await api.get(f"{FOLLOW}&{query}")
    assert (422, f"/{name}") == (refused.status, (await refused.json())["errors"][0]["pointer"])


async def test_a_place_that_is_none(api: Api) -> None:
    for path in (FOLLOW, FOLLOW.partition("?")[0]):
        assert 400 == (await api.get(path, headers={"Last-Event-ID": "x"})).status
