"""Commands to one station: sent without waiting, listed, shown, cancelled."""

from __future__ import annotations

import asyncio
from random import Random
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from csms.errors import CallRefused, CallTimeout
from csms.jobs import recovery
from csms.jobs.crash import CrashPoints
from csms.jobs.engine import Engine
from csms.jobs.settings import EngineSettings
from csms.store import jobs
from tests.api.v1.scene import all_pages, items, make_station, stranger

if TYPE_CHECKING:
    from aiohttp import ClientResponse

    from csms.domain.stations import Station
    from tests.api.conftest import Api, ScriptedHub

PATH = "/api/v1/commands"
ACCEPTED = {"status": "Accepted"}
NO_WAIT = {"Prefer": "respond-async"}
RESET = {"command": "reset", "params": {"type": "immediate"}}


def path_of(station: Station) -> str:
    return f"/api/v1/stations/{station.uuid}/commands"


async def send(api: Api, station: Station, body: Any = RESET, **more: Any) -> dict[str, Any]:
    """The command as the 202 shows it."""
    headers = NO_WAIT | more.pop("headers", {})
    response = await api.post(path_of(station), json=body, headers=headers, **more)
    assert response.status == 202, await response.text()
    made: dict[str, Any] = await response.json()
    assert response.headers["Location"] == f"{PATH}/{made['id']}"
    assert response.headers["Preference-Applied"] == "respond-async"
    return made


async def settled(api: Api, command: dict[str, Any]) -> dict[str, Any]:
    """The command once there is nothing to wait for; an evidence window may be open."""
    shown = command
    while shown["state"] in {"queued", "sent"}:
        shown = await show(api, command)
    return shown


async def show(api: Api, command: dict[str, Any], **more: Any) -> dict[str, Any]:
    response = await api.get(f"{PATH}/{command['id']}", **more)
    assert response.status == 200, await response.text()
    shown: dict[str, Any] = await response.json()
    return shown


async def test_who_does_not_wait_asks_later(api: Api, hub: ScriptedHub) -> None:
    station = await make_station(api)
    hub.connect(station.id)
    made = await send(api, station, role="operator")
    assert (made["command"], made["params"]) == ("reset", {"type": "immediate"})
    (call,) = await hub.delivered(1)
    shown = await show(api, made)
    assert (shown["state"], shown["settled_at"]) == ("sent", None)
    call.answer.set_result(ACCEPTED)
    shown = await settled(api, made)
    assert (shown["state"], shown["response"], shown["response_status"]) == (
        "succeeded",
        ACCEPTED,
        "Accepted",
    )
    assert (shown["station_id"], shown["identity"]) == (station.uuid, "CP-1")


@pytest.mark.parametrize(
    ("answer", "state", "code"),
    [
        (ACCEPTED, "succeeded", None),
        ({"status": "Rejected"}, "rejected", "rejected"),
        (CallRefused("NotSupported", "no"), "refused", "call_error"),
        (CallTimeout("nothing"), "unknown", "outcome_unknown"),
    ],
)
async def test_what_came_of_it(
    api: Api, hub: ScriptedHub, answer: Any, state: str, code: str | None
) -> None:
    hub.automatic = lambda _: answer
    station = await make_station(api)
    hub.connect(station.id)
    shown = await settled(api, await send(api, station))
    assert (shown["state"], (shown["error"] or {}).get("code")) == (state, code)


async def test_an_offline_station_is_sent_nothing(api: Api) -> None:
    shown = await settled(api, await send(api, await make_station(api)))
    assert (shown["state"], shown["error"]["code"]) == ("not_sent", "offline")


@pytest.mark.parametrize(
    ("prefer", "status"),
    [("respond-async", 202), ("wait=10, Respond-Async; x=1", 202), ("return=minimal", 409)],
)
async def test_only_the_preference_decides(api: Api, prefer: str, status: int) -> None:
    station = await make_station(api)
    response = await api.post(path_of(station), json=RESET, headers={"Prefer": prefer})
    assert response.status == status


async def test_what_waits_in_the_queue_can_be_cancelled(api: Api, hub: ScriptedHub) -> None:
    station = await make_station(api)
    hub.connect(station.id)
    first, second = await send(api, station), await send(api, station)
    (call,) = await hub.delivered(1)
    assert (await show(api, second))["state"] == "queued"
    response = await api.delete(f"{PATH}/{second['id']}")
    assert (response.status, (await response.json())["state"]) == (200, "cancelled")
    response = await api.delete(f"{PATH}/{first['id']}")
    assert (response.status, (await response.json())["code"]) == (409, "command_sent")
    call.answer.set_result(ACCEPTED)
    assert (await settled(api, first))["state"] == "succeeded"
    response = await api.delete(f"{PATH}/{first['id']}")
    assert (response.status, (await response.json())["code"]) == (409, "command_sent")
    assert [one.action for one in hub.calls] == ["Reset"]
    job = await api.deps.db.read(lambda tx: jobs.find_by_uuid(tx, first["id"]))
    assert job is not None
    assert job.state.value == "done"


async def test_who_waits_is_told_of_a_cancellation(api: Api, hub: ScriptedHub) -> None:
    station = await make_station(api)
    hub.connect(station.id)
    first = await send(api, station)
    (call,) = await hub.delivered(1)
    waiting = asyncio.create_task(api.post(path_of(station), json=RESET))
    queued: list[dict[str, Any]] = []
    while not queued:
        listed = await items(api, f"{PATH}?open=true")
        queued = [one for one in listed if one["id"] != first["id"]]
    assert (await api.delete(f"{PATH}/{queued[0]['id']}")).status == 200
    response = await waiting
    assert (response.status, (await response.json())["state"]) == (409, "not_sent")
    call.answer.set_result(ACCEPTED)
    assert (await settled(api, first))["state"] == "succeeded"
    assert len(hub.calls) == 1


async def test_a_busy_station_may_be_left_alone(api: Api, hub: ScriptedHub) -> None:
    station = await make_station(api)
    hub.connect(station.id)
    first = await send(api, station, {**RESET, "on_conflict": "reject"})
    (call,) = await hub.delivered(1)
    response = await api.post(path_of(station), json={**RESET, "on_conflict": "reject"})
    assert (response.status, (await response.json())["code"]) == (409, "station_busy")
    call.answer.set_result(ACCEPTED)
    await settled(api, first)
    hub.automatic = lambda _: ACCEPTED
    await settled(api, await send(api, station, {**RESET, "on_conflict": "reject"}))
    assert len(hub.calls) == 2


async def test_a_command_takes_the_place_of_those_that_wait(api: Api, hub: ScriptedHub) -> None:
    station, other = await make_station(api), await make_station(api, "CP-2")
    for one in (station, other):
        hub.connect(one.id)
    sent = [await send(api, one) for one in (station, other)]
    calls = await hub.delivered(2)
    waiting = await send(api, station)
    elsewhere = await send(api, other)
    another = await send(api, station, {"command": "clear_cache"})
    newest = {**RESET, "on_conflict": "replace"}
    headers = {"Prefer": "respond-async", "Idempotency-Key": "newest"}
    made = [await api.post(path_of(station), json=newest, headers=headers) for _ in range(2)]
    assert [202, 202] == [response.status for response in made]
    first, again = [await response.json() for response in made]
    assert (first["id"], "queued") == (again["id"], again["state"])
    states = {one["id"]: one["state"] for one in await items(api, PATH)}
    assert {
        **{one["id"]: "sent" for one in sent},
        waiting["id"]: "cancelled",
        elsewhere["id"]: "queued",
        another["id"]: "queued",
        first["id"]: "queued",
    } == states
    hub.automatic = lambda _: ACCEPTED
    for call in calls:
        call.answer.set_result(ACCEPTED)
    for one in (*sent, elsewhere, another, first):
        assert "succeeded" == (await settled(api, one))["state"]


async def test_the_list_pages_newest_first_and_by_station(api: Api) -> None:
    one, two = [await make_station(api, name) for name in ("CP-1", "CP-2")]
    sent = [await send(api, station) for station in (one, two, one, one)]

    async def another() -> None:
        await send(api, one)

    shown = await all_pages(api, f"{PATH}?limit=2", another)
    assert [command["id"] for command in shown] == [command["id"] for command in reversed(sent)]
    shown = await all_pages(api, f"{PATH}?limit=1&station_id=identity:cp-2")
    assert [command["id"] for command in shown] == [sent[1]["id"]]
    assert (await api.get(f"{PATH}?station_id=nobody")).status == 404
    assert (await api.get(f"{PATH}?cursor=x")).status == 422
    # What goes to many is a job.
    assert await items(api, "/api/v1/jobs") == []


async def test_those_that_are_open(api: Api, hub: ScriptedHub) -> None:
    station = await make_station(api)
    over = await settled(api, await send(api, station))
    hub.connect(station.id)
    going_on = await send(api, station)
    await hub.delivered(1)
    for query, expected in {"open=true": [going_on], "open=false": [over]}.items():
        for more in ("", f"&station_id={station.uuid}"):
            shown = await items(api, f"{PATH}?{query}{more}")
            assert [one["id"] for one in shown] == [one["id"] for one in expected], query


async def test_commands_of_others_are_not_found(api: Api) -> None:
    station = await make_station(api)
    made = await send(api, station)
    role = await stranger(api)
    assert await items(api, PATH, role=role) == []
    assert await items(api, PATH, role="viewer") == []
    assert (await api.get(f"{PATH}/{made['id']}", role=role)).status == 404
    assert (await api.delete(f"{PATH}/{made['id']}", role=role)).status == 404
    assert (await api.delete(f"{PATH}/{made['id']}", role="viewer")).status == 403
    assert (await api.get(f"{PATH}?station_id={station.uuid}", role=role)).status == 404
    assert (await api.get(f"{PATH}/nothing")).status == 404


async def test_a_job_is_not_a_command(api: Api) -> None:
    await make_station(api)
    wanted = {"kind": "command", "target": {"filter": {}}, "spec": RESET}
    made = await (await api.post("/api/v1/jobs", json=wanted)).json()
    assert (await api.get(f"{PATH}/{made['id']}")).status == 404
    assert await items(api, PATH) == []


async def test_a_repeated_request_sends_once(api: Api) -> None:
    station = await make_station(api)
    key = {"Idempotency-Key": "k"}
    first = await send(api, station, headers=key)
    again = await api.post(path_of(station), json=RESET, headers=NO_WAIT | key)
    assert (again.status, (await again.json())["id"]) == (202, first["id"])
    assert again.headers["Idempotency-Replayed"] == "true"
    assert len(await items(api, PATH)) == 1


async def test_passwords_are_not_shown(api: Api) -> None:
    station = await make_station(api)
    params = {
        "configuration_slot": 1,
        "ocpp_csms_url": "wss://a",
        "security_profile": 2,
        "ocpp_interface": "Wired0",
        "message_timeout_s": 30,
        "apn": {"apn": "a", "authentication": "CHAP", "password": "hunter22"},
    }
    await send(api, station, {"command": "set_network_profile", "params": params})
    text = await (await api.get(PATH)).text()
    assert "wss://a" in text
    assert "hunter22" not in text
    assert "sealed" not in text


async def test_a_page_by_station_costs_what_it_shows(api: Api) -> None:
    def plan(tx: Any) -> list[str]:
        return [
            row["detail"]
            for row in tx.all(
                "EXPLAIN QUERY PLAN SELECT jobs.id FROM job_items CROSS JOIN jobs"
                " ON jobs.id = job_items.job_id WHERE jobs.kind = 'command' AND jobs.hidden = 1"
                " AND jobs.total = 1 AND job_items.seq = 0 AND job_items.target = ?"
                " AND job_items.job_id < ? ORDER BY job_items.job_id DESC LIMIT ?",
                (1, 5, 5),
            )
        ]

    found = await api.deps.db.read(plan)
    assert any("job_items_first" in line for line in found), found
    assert not any("TEMP B-TREE" in line for line in found), found


@pytest.mark.parametrize(
    ("path", "body", "answer"),
    [
        ("/api/v1/stations/{id}/commands", {"command": "clear_cache"}, "code"),
        ("/api/v3/chargers/{id}/actions/restart", {"type": "soft"}, "message"),
        ("/ocpp/commands/cache/reset", {"target": {"charger_id": "{id}"}}, "detail"),
    ],
)
async def test_who_still_waits_when_the_server_stops_is_told(
    api: Api, hub: ScriptedHub, path: str, body: dict[str, Any], answer: str
) -> None:
    station = await make_station(api)
    hub.connect(station.id)
    written = orjson.loads(orjson.dumps(body).replace(b"{id}", station.uuid.encode()))
    asked = asyncio.create_task(api.post(path.replace("{id}", station.uuid), json=written))
    await hub.delivered(1)
    await api.deps.engine.stop(drain_s=0)
    async with asyncio.timeout(5):
        response = await asked
    assert response.status == 503
    told = await response.json()
    assert answer in told
    if answer == "code":
        assert told["code"] == "stopped_waiting"


async def begin_again(api: Api) -> Engine:
    """As after a start of the server."""
    deps = api.deps
    kinds = deps.engine._kinds
    swept = await deps.db.write(lambda tx: recovery.sweep(tx, boot_id="2", kinds=kinds))
    deps.engine = Engine(
        db=deps.db,
        bus=deps.bus,
        clock=deps.clock,
        kinds=kinds,
        epoch=swept.epoch,
        settings=EngineSettings(),
        random=Random(1),
        crash=CrashPoints(),
    )
    await deps.engine.start()
    return deps.engine


@pytest.mark.parametrize(
    ("path", "body", "told"),
    [
        ("/api/v1/stations/{id}/commands", {"command": "clear_cache"}, "unknown"),
        (
            "/api/v3/chargers/{id}/actions/charge-limit",
            {"connector_id": 1, "limit": 16},
            "The charger did not respond in time.",
        ),
    ],
)
async def test_what_went_out_before_a_crash_is_never_called_unsent(
    api: Api, hub: ScriptedHub, path: str, body: dict[str, Any], told: str
) -> None:
    station = await make_station(api)
    hub.connect(station.id)

    async def ask() -> ClientResponse:
        where = path.replace("{id}", station.uuid)
        return await api.post(where, json=body, headers={"Idempotency-Key": "once"})

    asked = asyncio.create_task(ask())
    await hub.delivered(1)
    (job,) = await api.deps.db.read(jobs.list_live)
    await api.deps.engine.stop(drain_s=0)
    assert (await asked).status == 503
    hub.drop(station.id)
    again = await begin_again(api)

    response = await ask()
    answer = await response.json()
    await again.stop(drain_s=0)
    assert (response.status, answer.get("state") or answer["message"]) == (504, told)
    shown = await show(api, {"id": job.uuid})
    assert (shown["state"], shown["error"]["code"]) == ("unknown", "offline")
