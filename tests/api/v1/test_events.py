"""The event stream: live, replayed, filtered, within reach, and never a burden."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from csms.api import feed, streams
from csms.domain.permissions import Role
from csms.domain.stations import NewStation
from csms.errors import Unavailable
from csms.events import Event
from csms.services import locations, stations, tokens
from csms.store import events, jobs
from tests.api.sse import listening
from tests.api.v1.scene import stranger

if TYPE_CHECKING:
    from tests.api.conftest import Api

PATH = "/api/v1/events"
TEMPLATE = {"brand_slug": "generic", "model_slug": "ac-22kw", "connector_type": "Type2"}
CREATE = [{"template": {**TEMPLATE, "ws_url": "ws://127.0.0.1/ocpp"}, "charger_ids": ["A1"]}]


async def emit(api: Api, *types: str, data: str = "", **where: Any) -> list[int]:
    return await api.deps.db.write(
        lambda tx: [
            tx.emit(Event(type_, {"n": n, "data": data}, **where)) for n, type_ in enumerate(types)
        ]
    )


async def test_events_arrive_as_they_happen(api: Api) -> None:
    async with listening(api, PATH) as stream:
        (number,) = await emit(api, "station.booted")
        received = await stream.next()
    assert (received.event, received.id) == ("station.booted", str(number))
    assert received.data == {
        "id": number,
        "type": "station.booted",
        "at": "2026-05-01T12:00:00.000000Z",
        "station_id": None,
        "job_id": None,
        "location_id": None,
        "data": {"n": 0, "data": ""},
    }


async def test_an_event_names_its_station_and_location_by_their_public_ids(api: Api) -> None:
    async with listening(api, PATH) as stream:
        place = await api.deps.db.write(lambda tx: locations.create(tx, name="Depot"))
        made = await api.deps.db.write(
            lambda tx: stations.create(tx, NewStation("CP-1", location_id=place.id))
        )
        _, received = await stream.take(2)
    assert received.data["station_id"] == made.uuid
    assert received.data["location_id"] == place.uuid


async def test_without_a_last_event_id_the_past_is_not_told(api: Api) -> None:
    await emit(api, "a.past", "b.past")
    async with listening(api, PATH) as stream:
        await emit(api, "c.now")
        assert (await stream.next()).event == "c.now"


async def test_a_reader_comes_back_where_it_left(api: Api) -> None:
    first, second, third = await emit(api, "a.one", "b.two", "c.three")
    async with listening(api, PATH, headers={"Last-Event-ID": str(first)}) as stream:
        received = await stream.take(2)
        assert [one.id for one in received] == [str(second), str(third)]
        (live,) = await emit(api, "d.four")
        assert (await stream.next()).id == str(live)


async def test_a_reader_begins_after_an_id(api: Api) -> None:
    first, second, third = await emit(api, "a.one", "b.two", "c.three")
    async with listening(api, f"{PATH}?since={first}") as stream:
        assert [str(second), str(third)] == [one.id for one in await stream.take(2)]
    headers = {"Last-Event-ID": str(second)}
    async with listening(api, f"{PATH}?since={first}", headers=headers) as stream:
        assert str(third) == (await stream.next()).id


async def test_a_long_replay_is_complete_and_in_order(api: Api) -> None:
    (first,) = await emit(api, "a.start")
    ids = await emit(api, *["b.many"] * 1203)
    async with listening(api, PATH, headers={"Last-Event-ID": str(first)}) as stream:
        received = await stream.take(1203)
    assert [int(one.id or 0) for one in received] == ids


async def test_a_place_older_than_what_is_kept_gets_a_reset_first(api: Api) -> None:
    ids = await emit(api, "a.one", "b.two", "c.three")
    api.deps.clock.advance(8 * 24 * 3600)  # type: ignore[attr-defined]
    await api.deps.db.write(events.delete_old)
    (kept,) = await emit(api, "d.four")
    async with listening(api, PATH, headers={"Last-Event-ID": str(ids[0])}) as stream:
        reset, following = await stream.take(2)
    assert (reset.event, reset.id) == ("reset", str(ids[-1]))
    assert reset.data["data"] == {"oldest_id": kept, "newest_id": kept}
    assert following.id == str(kept)


async def test_the_last_kept_place_needs_no_reset(api: Api) -> None:
    ids = await emit(api, "a.one", "b.two")
    api.deps.clock.advance(8 * 24 * 3600)  # type: ignore[attr-defined]
    await api.deps.db.write(events.delete_old)
    async with listening(api, PATH, headers={"Last-Event-ID": str(ids[-1])}) as stream:
        await emit(api, "c.three")
        assert (await stream.next()).event == "c.three"


async def test_a_place_in_the_future_gets_a_reset(api: Api) -> None:
    ids = await emit(api, "a.one", "b.two")
    async with listening(api, PATH, headers={"Last-Event-ID": "999999"}) as stream:
        reset = await stream.next()
        assert ("reset", str(ids[-1])) == (reset.event, reset.id)
        await emit(api, "a.now")
        assert (await stream.next()).event == "a.now"


@pytest.mark.parametrize("place", ["x", "-1", "1.5", "9" * 30])
async def test_a_place_that_is_none(api: Api, place: str) -> None:
    response = await api.get(PATH, headers={"Last-Event-ID": place})
    assert response.status == 400


async def test_filters(api: Api) -> None:
    made = await api.deps.db.write(lambda tx: stations.create(tx, NewStation("CP-1")))
    query = f"?types=station.*,job.done&station_id={made.uuid}"
    async with listening(api, PATH + query) as stream:
        await emit(api, "station.booted")
        await emit(api, "connector.status", station_id=made.id)
        await emit(api, "station.booted", "job.done", station_id=made.id)
        received = await stream.take(2)
    assert [one.event for one in received] == ["station.booted", "job.done"]


async def test_a_station_by_its_identity(api: Api) -> None:
    made = await api.deps.db.write(lambda tx: stations.create(tx, NewStation("CP-1")))
    async with listening(api, f"{PATH}?station_id=identity:cp-1") as stream:
        await emit(api, "station.booted")
        await emit(api, "station.blocked", station_id=made.id)
        assert "station.blocked" == (await stream.next()).event


@pytest.mark.parametrize("types", ["station.bootd", "station.booted,", "station*", "Station.*"])
async def test_types_that_there_are_not_are_told_from_those_that_there_are(
    api: Api, types: str
) -> None:
    response = await api.get(f"{PATH}?types=job.progress,*,{types}")
    assert 422 == response.status
    (issue,) = (await response.json())["errors"]
    assert "/types" == issue["pointer"]
    assert " station.*, " in issue["detail"]
    assert " station.booted, " in issue["detail"]


@pytest.mark.parametrize("name", ["station_id", "job_id", "location_id"])
async def test_what_is_absent_and_what_is_out_of_reach_are_not_found(api: Api, name: str) -> None:
    here = await api.deps.db.write(lambda tx: locations.create(tx, name="Here"))
    made = await api.deps.db.write(
        lambda tx: stations.create(tx, NewStation("CP-1", location_id=here.id))
    )
    body = {"kind": "station_delete", "target": {"station_ids": [made.uuid]}}
    job = await (await api.post("/api/v1/jobs", json=body)).json()
    there = {"station_id": made.uuid, "job_id": job["id"], "location_id": here.uuid}[name]
    await stranger(api)
    absent = await api.get(f"{PATH}?{name}=nope", role="stranger")
    beyond = await api.get(f"{PATH}?{name}={there}", role="stranger")
    assert [404, 404] == [absent.status, beyond.status]
    assert await absent.text() == await beyond.text()


@pytest.mark.parametrize("is_replayed", [False, True])
async def test_filters_by_where_it_happened(api: Api, is_replayed: bool) -> None:
    start = await emit(api, "a.start")
    here, there = await api.deps.db.write(
        lambda tx: [locations.create(tx, name=name) for name in ("Here", "There")]
    )
    answer = await api.post("/ocpp/locations/" + here.uuid + "/chargers", json=CREATE)
    job_uuid = (await answer.json())["job_id"]
    job = await api.deps.db.read(lambda tx: jobs.find_by_uuid(tx, job_uuid))
    assert job is not None
    headers = {"Last-Event-ID": str(start[0])} if is_replayed else {}
    for query, where in (
        (f"location_id={here.uuid}", {"location_id": here.id}),
        (f"job_id={job_uuid}", {"job_id": job.id}),
        (f"location_id={here.uuid}&job_id={job_uuid}", {"location_id": here.id, "job_id": job.id}),
    ):
        path = f"{PATH}?types=alert.*&{query}"
        if is_replayed:
            await emit(api, "alert.cleared", location_id=there.id)
            await emit(api, "alert.cleared")
            (wanted,) = await emit(api, "alert.raised", **where)
            headers = {"Last-Event-ID": str(wanted - 3)}
        async with listening(api, path, headers=headers) as stream:
            if not is_replayed:
                await emit(api, "alert.cleared", location_id=there.id)
                await emit(api, "alert.cleared")
                (wanted,) = await emit(api, "alert.raised", **where)
            assert (await stream.next()).id == str(wanted), query


async def test_a_bound_token_sees_its_location_only(api: Api) -> None:
    here, there = await api.deps.db.write(
        lambda tx: [locations.create(tx, name=name) for name in ("Here", "There")]
    )
    _, bearer = await api.deps.db.write(
        lambda tx: tokens.create(
            tx, name="bound", role=Role.VIEWER, location_ids=frozenset({here.id})
        )
    )
    api.bearers["bound"] = bearer
    async with listening(api, PATH, role="bound") as stream:
        await emit(api, "station.booted", location_id=there.id)
        await emit(api, "station.booted")
        (mine,) = await emit(api, "station.booted", location_id=here.id)
        assert (await stream.next()).id == str(mine)


async def test_news_of_tokens_are_for_who_manages_them(api: Api) -> None:
    async with listening(api, PATH, role="operator") as stream:
        await api.post("/api/v1/tokens", json={"name": "x", "role": "viewer"})
        await emit(api, "a.now")
        assert (await stream.next()).event == "a.now"


async def test_a_revoked_token_loses_its_stream(api: Api) -> None:
    listed = (await (await api.get("/api/v1/tokens")).json())["items"]
    admin = next(token["id"] for token in listed if token["role"] == "admin")
    async with listening(api, PATH) as stream:
        await api.delete(f"/api/v1/tokens/{admin}")
        assert (await stream.next()).event == "token.revoked"
        with pytest.raises(EOFError):
            await stream.next()
    assert (await api.get("/api/v1/tokens")).status == 401


async def test_a_changed_token_loses_its_stream_and_comes_back(api: Api) -> None:
    listed = (await (await api.get("/api/v1/tokens")).json())["items"]
    path = {one["name"]: f"/api/v1/tokens/{one['id']}" for one in listed}
    async with listening(api, PATH, role="operator") as stream:
        await api.request("PATCH", path["viewer"], json={"scopes": ["events:read"]})
        await api.request("PATCH", path["operator"], json={"scopes": ["events:read"]})
        with pytest.raises(EOFError):
            await stream.next()
    async with listening(api, PATH, role="operator"):
        pass


async def test_a_token_that_expires_loses_its_stream(api: Api) -> None:
    body = {"name": "t", "role": "viewer", "expires_at": "2026-05-01T12:00:00.2Z"}
    api.bearers["new"] = (await (await api.post("/api/v1/tokens", json=body)).json())["token"]
    async with listening(api, PATH, role="new") as stream:
        with pytest.raises(EOFError):
            await stream.next()


async def test_streams_end_when_the_server_stops(api: Api) -> None:
    async with listening(api, PATH) as stream:
        api.deps.feed.close()
        with pytest.raises(EOFError):
            await stream.next()


async def test_a_reader_that_lets_too_much_pile_up_is_cut() -> None:
    reader = feed.Reader(start_id=0)
    one = feed.Message(1, "a.flood", {}, "{}", None, None, None, None, None, None)
    for _ in range(feed.MOST_WAITING):
        reader.offer(one)
    assert not reader.closed
    reader.offer(one)
    assert reader.closed
    assert [message async for message in reader] == []


async def test_a_reader_that_takes_nothing_is_cut(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "SEND_TIMEOUT_S", 0.05)
    server = api.client.server
    reader, writer = await asyncio.open_connection(server.host, server.port, limit=1024)
    head = (
        f"GET {PATH} HTTP/1.1\r\nHost: csms\r\nAuthorization: Bearer {api.bearers['admin']}\r\n\r\n"
    )
    writer.write(head.encode())
    assert b"200" in await reader.readline()
    open_streams = api.deps.feed._readers
    assert len(open_streams) == 1
    async with asyncio.timeout(20):
        while open_streams:
            await emit(api, "a.flood", data="x" * 200_000)
    writer.close()


async def test_the_feed_rests_when_nobody_listens(api: Api) -> None:
    reader = await api.deps.feed.open()
    api.deps.feed.leave(reader)
    await emit(api, "a.unheard")
    async with listening(api, PATH) as stream:
        await emit(api, "b.heard")
        assert (await stream.next()).event == "b.heard"


async def test_no_token_takes_all_streams(api: Api) -> None:
    live = api.deps.feed
    opened = [await live.open("token", "") for _ in range(feed.MOST_OF_ONE)]
    with pytest.raises(Unavailable, match="of this token"):
        await live.open("token", "")
    other = await live.open("other", "")
    live.leave(opened.pop())
    opened += [other, await live.open("token", "")]
    for reader in opened:
        live.leave(reader)
