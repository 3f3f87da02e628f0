"""Every write once per key, whatever it is, and in the audit."""

from __future__ import annotations

import asyncio
import uuid
from typing import TYPE_CHECKING, Any

import pytest

from csms.api import routes
from csms.api.application import RECORDER
from csms.api.models import Strict
from csms.api.recording import MOST_REFUSALS
from csms.api.routing import Call, Dialect, Reply, Route
from csms.clock import ManualClock
from csms.domain.permissions import Role, Scope
from csms.errors import Conflict
from csms.services import locations
from csms.store import audit
from csms.store.audit import AuditEntry, AuditFilter
from tests.api.everything import make_everything

if TYPE_CHECKING:
    from aiohttp import ClientResponse

    from tests.api.conftest import Api, ScriptedHub, Serve
    from tests.api.everything import Everything

WRITES = [
    route
    for route in routes.ALL
    if route.writes and route.scope is not None and not route.takes_file
]
KEEPING = [route for route in WRITES if route.method != "DELETE"]
DELETING = [route for route in WRITES if route.method == "DELETE"]
# Nobody says that a write changes only what it should, so these alone may differ.
OUR_OWN = frozenset({"audit_entries", "audit_links", "idempotency_keys", "engine", "tokens"})


def name_of(route: Route) -> str:
    return f"{route.method} {route.path}"


@pytest.fixture
async def everything(api: Api, hub: ScriptedHub) -> Everything:
    return await make_everything(api, hub)


UNDER_WAY = """
    SELECT count(*) FROM job_items AS i JOIN jobs AS j ON j.id = i.job_id
    WHERE i.state = 'in_flight' OR i.state = 'ready' AND i.due_at <= ?
    AND j.state IN ('accepted', 'scheduled', 'running')
"""


async def rows(everything: Everything) -> dict[str, Any]:
    """All that there is, once what was begun has come to an end or waits."""
    deps, before = everything.api.deps, None
    async with asyncio.timeout(20):
        while True:
            # Every turn is a round trip through the writer, behind all that was queued.
            busy = await deps.db.write(lambda tx: tx.value(UNDER_WAY, (tx.now,)))
            found = await everything.rows()
            now = {name: those for name, those in found.items() if name not in OUR_OWN}
            if now == before and not busy and not deps.engine.in_flight:
                return now
            before = now


async def check_once(everything: Everything, hub: ScriptedHub, route: Route) -> bool:
    """Whether the route took it; then it took it once."""
    api, more = everything.api, {}
    if route.body is not None:
        more["json"] = everything.samples(route.body).body()
    path, query = everything.path(route), everything.query(route)
    more |= {"params": query, "headers": {"Idempotency-Key": uuid.uuid4().hex}}
    if everything.station_id not in hub.online:  # what came before has sent it away
        hub.connect(everything.station_id)
    first = await api.request(route.method, path, **more)
    body = await first.read()
    if first.status >= 400:
        return False
    before = await rows(everything), len(hub.calls)
    again = await api.request(route.method, path, **more)
    assert (again.status, again.headers.get("Idempotency-Replayed")) == (first.status, "true"), (
        name_of(route),
        await again.text(),
    )
    assert bool(await again.read()) == bool(body), name_of(route)
    assert (await rows(everything), len(hub.calls)) == before, name_of(route)
    return True


async def test_every_write_is_carried_out_once_per_key(
    everything: Everything, hub: ScriptedHub
) -> None:
    taken = [await check_once(everything, hub, route) for route in KEEPING]
    assert sum(taken) > len(taken) * 2 / 3


@pytest.mark.parametrize("route", DELETING, ids=name_of)
async def test_every_deletion_is_carried_out_once_per_key(
    everything: Everything, hub: ScriptedHub, route: Route
) -> None:
    await check_once(everything, hub, route)


# ---- what is kept, and when ------------------------------------------------------------------


class Wanted(Strict):
    name: str
    how: str = "well"


begun, go = asyncio.Event(), asyncio.Event()


async def make(call: Call[Wanted, None]) -> Reply:
    """Writes a location, and then as it is told."""
    wanted = call.body
    if wanted.how == "waits":
        begun.set()
        await go.wait()
    if wanted.how == "refuses":
        raise Conflict("not today")
    await call.deps.db.write(lambda tx: locations.create(tx, name=wanted.name))
    if wanted.how == "breaks":
        raise RuntimeError("a fault")
    if wanted.how == "fails late":
        raise Conflict("too late")
    if wanted.how == "as a file":
        return Reply(b"identity,password\nCP-1,x\n", headers={"Content-Type": "text/csv"})
    return Reply({"name": wanted.name, "password": "x", "tags": [{"token": "y"}]}, status=201)


@pytest.fixture
async def probe(serve: Serve) -> Api:
    begun.clear()
    go.clear()
    native, change = Dialect.NATIVE, Scope.STATIONS_WRITE
    return await serve(
        [
            Route("POST", "/make", make, "", native, change, body=Wanted),
            Route("POST", "/api/v3/make", make, "", Dialect.COMMANDS, change, body=Wanted),
        ]
    )


async def send(api: Api, how: str, key: str | None = "k", **more: Any) -> ClientResponse:
    headers = {} if key is None else {"Idempotency-Key": key}
    path = more.pop("path", "/make")
    return await api.post(path, json={"name": "Depot", "how": how}, headers=headers, **more)


async def made(api: Api) -> int:
    return await api.deps.db.read(lambda tx: tx.value("SELECT count(*) FROM locations"))


async def entries(api: Api, **wanted: Any) -> list[AuditEntry]:
    await api.deps.db.write(lambda tx: None)  # what is on its way has come
    found = AuditFilter(**wanted)
    return await api.deps.db.read(lambda tx: audit.list_page(tx, found, before_id=None, limit=100))


async def code_of(response: ClientResponse) -> tuple[int, str]:
    return response.status, (await response.json())["code"]


async def test_the_repetition_gets_the_first_answer_without_its_secrets(probe: Api) -> None:
    first, again = await send(probe, "well"), await send(probe, "well")
    assert (first.status, again.status) == (201, 201)
    assert (await first.json())["password"] == "x"
    assert await again.json() == {"name": "Depot", "password": None, "tags": [{"token": None}]}
    assert "Idempotency-Replayed" not in first.headers
    assert await made(probe) == 1


async def test_the_same_key_is_another_ones_for_another_token(probe: Api) -> None:
    await send(probe, "well")
    assert "Idempotency-Replayed" not in (await send(probe, "well", role="operator")).headers
    assert await made(probe) == 2


async def test_a_key_is_free_again_after_a_day(probe: Api, clock: ManualClock) -> None:
    await send(probe, "well")
    clock.advance(24 * 3600 + 1)
    assert "Idempotency-Replayed" not in (await send(probe, "well")).headers
    assert "Idempotency-Replayed" in (await send(probe, "well")).headers
    assert await made(probe) == 2


async def test_while_the_first_goes_on_the_second_is_told_to_wait(probe: Api) -> None:
    first = asyncio.create_task(send(probe, "waits"))
    await asyncio.wait_for(begun.wait(), 10)
    assert await code_of(await send(probe, "waits")) == (409, "idempotency_in_flight")
    go.set()
    assert (await first).status == 201
    assert (await send(probe, "waits")).headers["Idempotency-Replayed"] == "true"
    assert await made(probe) == 1


async def test_another_body_or_path_under_the_key_is_refused(probe: Api) -> None:
    await send(probe, "well")
    assert await code_of(await send(probe, "")) == (422, "idempotency_mismatch")
    other = await send(probe, "well", path="/api/v3/make")
    assert (other.status, (await other.json())["message"]) == (422, "The given data was invalid.")
    assert await made(probe) == 1


async def test_what_failed_before_it_wrote_leaves_the_key_free(probe: Api) -> None:
    assert (await send(probe, "refuses")).status == 409
    assert (await send(probe, "refuses")).headers.get("Idempotency-Replayed") is None
    assert (await send(probe, "well")).status == 201


async def test_what_failed_after_it_wrote_fails_the_same_way_again(probe: Api) -> None:
    assert await code_of(await send(probe, "fails late")) == (409, "conflict")
    again = await send(probe, "fails late")
    assert await code_of(again) == (409, "conflict")
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.content_type == "application/problem+json"
    assert await made(probe) == 1


async def test_a_write_whose_answer_was_lost_is_not_done_again(probe: Api) -> None:
    """As after a crash between the commit and the answer."""
    assert (await send(probe, "breaks")).status == 500
    assert await code_of(await send(probe, "breaks")) == (409, "idempotency_answer_lost")
    assert await made(probe) == 1
    (entry,) = await entries(probe)
    assert (entry.status, entry.events) == (None, ("location.created",))


async def test_a_file_is_not_repeated_as_it_may_hold_secrets(probe: Api) -> None:
    assert (await send(probe, "as a file")).status == 200
    assert await code_of(await send(probe, "as a file")) == (409, "idempotency_answer_lost")
    assert await made(probe) == 1


# ---- the audit -------------------------------------------------------------------------------


async def test_a_write_is_in_the_audit_with_who_what_and_what_came_of_it(probe: Api) -> None:
    response = await probe.post("/make?x=1", json={"name": "Depot"}, headers={"X-Request-Id": "r"})
    assert response.status == 201
    (entry,) = await entries(probe)
    assert entry.principal is not None
    assert (entry.principal.name, entry.principal.role) == ("admin", Role.ADMIN)
    assert (entry.address, entry.request_id) == ("127.0.0.1", "r")
    assert (entry.method, entry.route, entry.path) == ("POST", "/make", "/make?x=1")
    assert (entry.status, entry.code, entry.count) == (201, None, 1)
    assert entry.location_uuid is not None


async def test_a_repetition_is_no_write(probe: Api) -> None:
    await send(probe, "well")
    await send(probe, "well")
    assert len(await entries(probe)) == 1


async def test_what_was_refused_is_summed_up(probe: Api) -> None:
    for _ in range(3):
        await send(probe, "well", role="viewer")
        await send(probe, "well", role=None)
        await send(probe, "refuses", None)
    assert await entries(probe) == []
    await flush(probe)
    found = {(one.status, one.code, one.count) for one in await entries(probe, failed=True)}
    assert found == {(403, "forbidden", 3), (401, "unauthenticated", 3), (409, "conflict", 3)}


async def test_many_kinds_of_refusals_share_one_entry(probe: Api) -> None:
    for number in range(MOST_REFUSALS + 5):
        await send(probe, "refuses", None, path=f"/make?{number}")
    await flush(probe)
    found = await entries(probe)
    assert len(found) == MOST_REFUSALS + 1
    assert [(one.route, one.count) for one in found if one.route == "*"] == [("*", 5)]


async def test_old_entries_go(probe: Api, clock: ManualClock) -> None:
    await send(probe, "well", None)
    clock.advance(366 * 24 * 3600)
    await send(probe, "well", None)
    await flush(probe)
    assert len(await entries(probe)) == 1


@pytest.mark.parametrize("change", ["status = 200", "principal = NULL", "path = ''", "count = 9"])
async def test_nothing_changes_an_entry(probe: Api, change: str) -> None:
    await send(probe, "well")
    before = await entries(probe)
    with pytest.raises(Exception, match="audit entr"):
        await probe.deps.db.write(lambda tx: tx.run(f"UPDATE audit_entries SET {change}"))
    assert await entries(probe) == before


async def flush(api: Api) -> None:
    await api.client.app[RECORDER].flush()
