"""Jobs of every kind, natively: who they go to, what is refused, and what comes of them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from csms.domain.id_tokens import Decision, ShownToken
from csms.domain.permissions import Role
from csms.domain.versions import OcppVersion
from csms.services import id_tokens, locations, tokens
from csms.services.id_tokens import Settings
from csms.store import jobs
from csms.store import stations as station_store
from tests.api.v1.scene import items, make_station, stranger
from tests.api.v1.test_jobs import finished
from tests.api.v1.test_stats import start

if TYPE_CHECKING:
    from csms.clock import ManualClock
    from csms.domain.stations import Station
    from tests.api.conftest import Api, ScriptedHub

PATH = "/api/v1/jobs"
ACCEPTED = {"status": "Accepted"}
EVERYBODY: dict[str, Any] = {"filter": {}}
CLEAR_CACHE = {"command": "clear_cache"}


def body(kind: str, spec: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    made = {"kind": kind, "target": EVERYBODY, **more}
    if spec is not None:
        made["spec"] = spec
    if kind in {"station_create", "id_token_import"}:
        del made["target"]
    return made


async def submit(api: Api, wanted: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The accepted job."""
    response = await api.post(PATH, json=wanted, **more)
    assert response.status == 202, await response.text()
    made: dict[str, Any] = await response.json()
    assert response.headers["Location"] == f"{PATH}/{made['id']}"
    return made


async def done(api: Api, wanted: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    """The items of the job at its end."""
    made = await submit(api, wanted, **more)
    job = await api.deps.db.read(lambda tx: jobs.find_by_uuid(tx, made["id"]))
    assert job is not None
    await finished(api, job)
    return await items(api, f"{PATH}/{made['id']}/items")


async def refusal(api: Api, wanted: dict[str, Any], **more: Any) -> tuple[int, str, str]:
    """Status, code, and where it is told; the same for the preview."""
    response = await api.post(PATH, json=wanted, **more)
    told = await response.json()
    preview = await api.post(f"{PATH}/preview", json=wanted, **more)
    assert (preview.status, await preview.json()) == (response.status, told)
    assert await items(api, f"{PATH}?hidden=true") == []
    where = told["errors"][0]["pointer"] if told.get("errors") else ""
    return response.status, told["code"], where


async def previewed(api: Api, wanted: dict[str, Any], **more: Any) -> dict[str, Any]:
    response = await api.post(f"{PATH}/preview", json=wanted, **more)
    assert response.status == 200, await response.text()
    shown: dict[str, Any] = await response.json()
    assert await items(api, f"{PATH}?hidden=true") == []
    return shown


def outlooks(preview: dict[str, Any]) -> list[tuple[str | None, str, str | None]]:
    return [(item["identity"], item["would"], item["code"]) for item in preview["items"]]


async def found(api: Api, station: Station) -> Station | None:
    return await api.deps.db.read(lambda tx: station_store.find(tx, station.id))


# ---- who it goes to --------------------------------------------------------------------------


async def test_a_command_goes_to_the_named_once_each(api: Api, hub: ScriptedHub) -> None:
    hub.automatic = lambda _: ACCEPTED
    one, two = [await make_station(api, name) for name in ("CP-1", "CP-2")]
    hub.connect(one.id)
    names = [one.uuid, "identity:cp-2", one.uuid.upper(), "identity:CP-1", "nobody", "identity:x"]
    got = await done(api, body("command", CLEAR_CACHE, target={"station_ids": names}))
    assert [(item["key"], item["state"]) for item in got] == [
        (one.uuid, "succeeded"),
        ("identity:cp-2", "offline"),
        ("nobody", "skipped_forbidden"),
        ("identity:x", "skipped_forbidden"),
    ]
    assert [call.station_id for call in hub.calls] == [one.id]
    assert got[1]["station_id"] == two.uuid


async def test_a_filter_is_resolved_when_the_job_is_accepted(api: Api, hub: ScriptedHub) -> None:
    here, there = await api.deps.db.write(
        lambda tx: [locations.create(tx, name=name) for name in ("Here", "There")]
    )
    for identity, place in (("A-1", here), ("A-2", there), ("B-1", here)):
        await make_station(api, identity, location_id=place.id)
    wait = {"offline": "wait"}
    chosen = {"filter": {"q": "a-", "location_id": here.uuid}}
    made = await submit(api, body("command", CLEAR_CACHE, target=chosen, options=wait))
    await make_station(api, "A-3", location_id=here.id)
    shown = await items(api, f"{PATH}/{made['id']}/items")
    assert [item["identity"] for item in shown] == ["A-1"]
    at_place = {"location_id": here.uuid}
    made = await submit(api, body("command", CLEAR_CACHE, target=at_place, options=wait))
    shown = await items(api, f"{PATH}/{made['id']}/items")
    assert [item["identity"] for item in shown] == ["A-1", "B-1", "A-3"]


async def test_a_bound_token_reaches_its_own_only(api: Api) -> None:
    here, there = await api.deps.db.write(
        lambda tx: [locations.create(tx, name=name) for name in ("Here", "There")]
    )
    mine = await make_station(api, "A-1", location_id=here.id)
    other = await make_station(api, "A-2", location_id=there.id)
    _, api.bearers["bound"] = await api.deps.db.write(
        lambda tx: tokens.create(
            tx, name="site", role=Role.OPERATOR, location_ids=frozenset({here.id})
        )
    )
    named = {"station_ids": [other.uuid, mine.uuid]}
    shown = await previewed(api, body("command", CLEAR_CACHE, target=named), role="bound")
    assert outlooks(shown) == [(None, "skip", None), ("A-1", "offline", None)]
    shown = await previewed(api, body("station_delete"), role="bound")
    assert outlooks(shown) == [("A-1", "run", None)]
    elsewhere = {"location_id": there.uuid}
    got = await refusal(api, body("station_delete", target=elsewhere), role="bound")
    assert got == (404, "not_found", "")
    moved = body("station_update", {"location_id": None})
    assert await refusal(api, moved, role="bound") == (422, "invalid", "/spec/location_id")


@pytest.mark.parametrize(
    ("target", "code", "pointer"),
    [
        ({}, "invalid", "/target"),
        ({"station_ids": []}, "invalid", "/target/station_ids"),
        ({"station_ids": ["a"], "filter": {}}, "invalid", "/target"),
        ({"filter": {"nam": "x"}}, "invalid", "/target/filter/nam"),
        ({"filter": {"q": "nobody"}}, "no_targets", "/target"),
    ],
)
async def test_a_target_that_is_none_is_refused(
    api: Api, target: dict[str, Any], code: str, pointer: str
) -> None:
    await make_station(api)
    got = await refusal(api, body("command", CLEAR_CACHE, target=target))
    assert got == (422, code, pointer)


async def test_more_than_a_job_may_have_is_refused(api: Api) -> None:
    api.deps.settings = replace(api.deps.settings, max_items=1)
    names = [(await make_station(api, f"CP-{number}")).uuid for number in range(2)]
    got = await refusal(api, body("station_delete", target={"station_ids": names}))
    assert got == (422, "invalid", "/target/station_ids")
    assert await refusal(api, body("station_delete")) == (422, "invalid", "/target")


# ---- each kind -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "code", "pointer"),
    [
        ({}, "invalid", "/spec"),
        ({"command": "make_coffee"}, "unknown_command", "/spec/command"),
        ({"command": "reset", "params": {"type": "x"}}, "invalid", "/spec/params/type"),
        ({"action": "Reset", "payload": {"type": "Soft"}}, "invalid", "/spec"),
        ({"action": "Reset", "ocpp_version": "1.6"}, "invalid", "/spec/payload"),
        (
            {"command": "raise_security_profile", "params": {"security_profile": 2}},
            "single_target",
            "/spec/command",
        ),
        (
            {"command": "request_stop_transaction", "params": {"transaction_id": "1"}},
            "single_target",
            "/target",
        ),
    ],
)
async def test_an_order_that_cannot_go_out_is_refused(
    api: Api, spec: dict[str, Any], code: str, pointer: str
) -> None:
    for identity in ("CP-1", "CP-2"):
        await make_station(api, identity)
    assert await refusal(api, body("command", spec)) == (422, code, pointer)


async def test_a_command_is_previewed_by_version(api: Api, hub: ScriptedHub) -> None:
    old, new, away = [await make_station(api, name) for name in ("CP-1", "CP-2", "CP-3")]
    hub.connect(old.id)
    hub.connect(new.id)
    hub.versions[new.id] = OcppVersion.V201
    spec = {"command": "get_base_report", "params": {"report_base": "FullInventory"}}
    shown = await previewed(api, body("command", spec, options={"offline": "wait"}))
    assert outlooks(shown) == [
        ("CP-1", "fail", "not_supported_by_version"),
        ("CP-2", "run", None),
        ("CP-3", "wait", None),  # what it will speak is not known
    ]
    assert shown["counts"] == {"run": 1, "wait": 1, "offline": 0, "fail": 1, "skip": 0}
    v16, v201 = shown["versions"]
    assert (v16["ocpp_version"], v16["stations"], v16["calls"]) == ("1.6", 2, [])
    assert v16["error"] == shown["items"][0]["message"]
    (call,) = v201["calls"]
    assert (call["action"], v201["error"]) == ("GetBaseReport", None)
    assert away.identity == "CP-3"
    shown = await previewed(api, body("command", CLEAR_CACHE, options={"offline": "wait"}))
    assert [item["would"] for item in shown["items"]] == ["run", "run", "wait"]


async def test_a_preview_is_what_happens(api: Api, hub: ScriptedHub) -> None:
    names = ("CP-1", "CP-2", "CP-3", "CP-4")
    old, new, away, stuck = [await make_station(api, name) for name in names]
    for station in (old, new):
        hub.connect(station.id)
    hub.versions[new.id] = OcppVersion.V201
    hub.connect(stuck.id, ready=False)
    hub.automatic = lambda _: ACCEPTED
    spec = {"command": "get_base_report", "params": {"report_base": "FullInventory"}}
    wanted = body("command", spec)
    assert outlooks(await previewed(api, wanted))[3] == ("CP-4", "wait", None)
    hub.patience_s = 0
    shown = await previewed(api, wanted)
    assert outlooks(shown) == [
        ("CP-1", "fail", "not_supported_by_version"),
        ("CP-2", "run", None),
        ("CP-3", "offline", None),
        ("CP-4", "offline", "not_ready"),
    ]
    got = await done(api, wanted)
    assert [(item["state"], (item["error"] or {}).get("code")) for item in got] == [
        ("error", "not_supported_by_version"),
        ("succeeded", None),
        ("offline", "offline"),
        ("offline", "not_ready"),
    ]
    assert got[3]["error"]["message"] == shown["items"][3]["message"]
    assert away.identity == "CP-3"


@pytest.mark.parametrize("overwrite", [False, True])
async def test_an_import_is_previewed_row_after_row(api: Api, overwrite: bool) -> None:
    await api.deps.db.write(
        lambda tx: id_tokens.create(tx, ShownToken("OLD"), Settings(Decision.BLOCKED))
    )
    rows = [
        {"value": "A", "status": "Accepted", "aliases": ["one", "two"]},
        {"value": "One", "status": "Accepted"},
        {"value": "B", "status": "Accepted", "aliases": ["TWO"]},
        {"value": "B", "status": "Accepted", "aliases": ["b"]},
        {"value": "B", "status": "Accepted", "aliases": ["three", "old"]},
        {"value": "B", "status": "Accepted", "aliases": ["three"]},
        {"value": "A", "status": "Accepted"},
        {"value": "One", "status": "Accepted"},
        {"value": "one", "type": "eMAID", "status": "Accepted", "aliases": ["two"]},
        {"value": "C", "type": "eMAID", "status": "Accepted", "aliases": ["A"]},
    ]
    wanted = body("id_token_import", {"id_tokens": rows, "overwrite": overwrite})
    shown = await previewed(api, wanted)
    got = await done(api, wanted)
    assert [(item["would"] == "run", item["code"]) for item in shown["items"]] == [
        (item["state"] == "succeeded", (item["error"] or {}).get("code")) for item in got
    ]
    assert {item["would"] for item in shown["items"]} == {"run", "fail"}


async def test_stations_are_created(api: Api) -> None:
    place = await api.deps.db.write(lambda tx: locations.create(tx, name="Depot"))
    await make_station(api, "CP-B", serial_number="cp-c")
    group = {"identity_prefix": "CP-", "suffixes": ["A", "B", "C", "a", "/"], "name": "Bay"}
    wanted = body("station_create", {"location_id": place.uuid, "groups": [group]})
    shown = await previewed(api, wanted)
    assert [(one, would) for one, would, _ in outlooks(shown)] == [
        ("CP-A", "run"),
        ("CP-B", "fail"),
        ("CP-C", "fail"),
        ("CP-a", "fail"),
        ("CP-/", "fail"),
    ]
    got = await done(api, wanted)
    assert [(item["key"], item["state"], (item["error"] or {}).get("code")) for item in got] == [
        ("CP-A", "succeeded", None),
        ("CP-B", "error", "duplicate_identity"),
        ("CP-C", "error", "duplicate_identity"),
        ("CP-a", "error", "duplicate_identity"),
        ("CP-/", "error", "invalid_identity"),
    ]
    made = await (await api.get("/api/v1/stations/identity:CP-A")).json()
    assert (made["name"], made["location_id"], made["virtual"]) == ("Bay A", place.uuid, False)
    assert (made["vendor"], made["ocpp_version"]) == (None, None)


async def test_random_suffixes_are_kept(api: Api) -> None:
    wanted = body("station_create", {"groups": [{"identity_prefix": "CP-", "number": 3}]})
    got = await done(api, wanted)
    assert len({item["key"] for item in got}) == 3
    listed = await items(api, "/api/v1/stations")
    assert sorted(one["identity"] for one in listed) == sorted(item["key"] for item in got)


@pytest.mark.parametrize(
    ("spec", "pointer"),
    [
        ({"groups": []}, "/spec/groups"),
        ({"groups": [{}]}, "/spec/groups/0"),
        ({"groups": [{"number": 0}]}, "/spec/groups"),
        ({"groups": [{"number": 100_001}]}, "/spec/groups"),
        ({"groups": [{"number": 1, "ws_url": "http://a"}]}, "/spec/groups/0/ws_url"),
    ],
)
async def test_a_creation_of_nothing_is_refused(
    api: Api, spec: dict[str, Any], pointer: str
) -> None:
    assert await refusal(api, body("station_create", spec)) == (422, "invalid", pointer)


async def test_stations_are_changed(api: Api) -> None:
    place = await api.deps.db.write(lambda tx: locations.create(tx, name="Depot"))
    one = await make_station(api, "CP-1")
    two = await make_station(api, "CP-2", security_profile=2)
    spec = {"location_id": place.uuid, "security_profile": 1, "blocked": True}
    shown = await previewed(api, body("station_update", spec))
    assert outlooks(shown) == [("CP-1", "run", None), ("CP-2", "fail", "forbidden")]
    got = await done(api, body("station_update", spec))
    assert [(item["state"], item["response"]) for item in got] == [
        ("succeeded", {}),
        ("error", None),
    ]
    changed, same = await found(api, one), await found(api, two)
    assert changed is not None
    assert (changed.location_id, changed.security_profile) == (place.id, 1)
    assert changed.blocked_at is not None
    assert same == two


async def test_stations_with_a_tag_get_another(api: Api) -> None:
    tagged = {"filter": {"tag": "depot"}}
    one, two = await make_station(api, "CP-1", tags=("depot",)), await make_station(api, "CP-2")
    wanted = body("station_update", {"tags": ["depot", "done"]}, target=tagged)
    assert [("CP-1", "run", None)] == outlooks(await previewed(api, wanted))
    await done(api, wanted)
    changed, same = await found(api, one), await found(api, two)
    assert changed is not None
    assert ("depot", "done") == changed.tags
    assert two == same


@pytest.mark.parametrize(
    "spec", [{}, {"blocked": None}, {"tags": None}, {"security_profile": 4}, {"name": "x"}]
)
async def test_a_change_of_nothing_is_refused(api: Api, spec: dict[str, Any]) -> None:
    await make_station(api)
    status, code, _ = await refusal(api, body("station_update", spec))
    assert (status, code) == (422, "invalid")


async def test_stations_are_deleted(api: Api) -> None:
    busy, idle = [await make_station(api, name) for name in ("CP-1", "CP-2")]
    await start(api, busy)
    shown = await previewed(api, body("station_delete"))
    assert outlooks(shown) == [("CP-1", "fail", "transaction_open"), ("CP-2", "run", None)]
    got = await done(api, body("station_delete"))
    assert [(item["state"], (item["error"] or {}).get("code")) for item in got] == [
        ("error", "transaction_open"),
        ("succeeded", None),
    ]
    assert await found(api, idle) is None
    assert await found(api, busy) == busy
    (item,) = await done(api, body("station_delete", {"force": True}))
    assert item["state"] == "succeeded"
    assert await items(api, "/api/v1/stations") == []


async def test_id_tokens_are_imported_with_a_result_for_each(api: Api) -> None:
    await api.deps.db.write(
        lambda tx: id_tokens.create(tx, ShownToken("OLD"), Settings(Decision.BLOCKED))
    )
    rows = [
        {"value": "New", "status": "Accepted", "group_id_token": "G", "aliases": ["n3w"]},
        {"value": "old", "status": "Accepted", "expires_at": "2030-01-01T00:00:00Z"},
        {"value": "NEW", "status": "Blocked"},
    ]
    wanted = body("id_token_import", {"id_tokens": rows})
    shown = await previewed(api, wanted)
    assert [(item["would"], item["code"]) for item in shown["items"]] == [
        ("run", None),
        ("fail", "conflict"),
        ("fail", "conflict"),
    ]
    got = await done(api, wanted)
    assert [(item["key"], item["state"]) for item in got] == [
        ("1", "succeeded"),
        ("2", "error"),
        ("3", "error"),
    ]
    listed = {one["value"]: one for one in await items(api, "/api/v1/id-tokens")}
    assert got[0]["response"] == {"result": "created", "id_token_id": listed["New"]["id"]}
    assert (listed["New"]["group_id_token"], listed["New"]["aliases"]) == ("G", ["n3w"])
    assert listed["OLD"]["status"] == "Blocked"
    got = await done(api, body("id_token_import", {"id_tokens": rows[1:2], "overwrite": True}))
    assert got[0]["response"]["result"] == "updated"
    listed = {one["value"]: one for one in await items(api, "/api/v1/id-tokens")}
    assert listed["OLD"]["status"] == "Accepted"
    assert listed["OLD"]["expires_at"] == "2030-01-01T00:00:00.000000Z"


async def test_a_flawed_row_refuses_the_import(api: Api) -> None:
    rows: list[dict[str, Any]]
    rows = [{"value": "A", "status": "Accepted"}, {"value": "B", "status": "Fine"}]
    got = await refusal(api, body("id_token_import", {"id_tokens": rows}))
    assert got == (422, "invalid", "/spec/id_tokens/1/status")
    rows = [{"value": "A", "status": "Accepted", "is_master": True}]
    got = await refusal(api, body("id_token_import", {"id_tokens": rows}))
    assert got == (422, "invalid", "/spec/id_tokens/0/group_id_token")
    role = await stranger(api)
    got = await refusal(api, body("id_token_import", {"id_tokens": rows}), role=role)
    assert got == (403, "forbidden", "")


async def test_what_cards_say_is_not_told_in_events(api: Api) -> None:
    rows = [{"value": "SECRET-CARD", "status": "Accepted"}]
    await done(api, body("id_token_import", {"id_tokens": rows}))
    told = await api.deps.db.read(lambda tx: [dict(row) for row in tx.all("SELECT * FROM events")])
    assert "item.settled" in {row["type"] for row in told}
    assert "SECRET-CARD" not in str(told)


async def test_passwords_are_told_each_its_own(api: Api, hub: ScriptedHub) -> None:
    hub.automatic = lambda _: ACCEPTED
    for identity in ("CP-1", "CP-2"):
        hub.connect((await make_station(api, identity)).id)
    got = await done(api, body("password_rotation"))
    assert [item["state"] for item in got] == ["succeeded", "succeeded"]
    told = [call.payload["value"] for call in hub.calls]
    assert len(set(told)) == 2
    assert told[0] not in str(got)


# ---- how it runs, and who may ----------------------------------------------------------------


async def test_options_become_the_policy(api: Api, clock: ManualClock) -> None:
    await make_station(api)
    later = clock.now().replace(year=clock.now().year + 1).isoformat()
    options = {"concurrency": 3, "not_before": later, "rollout": {"rate_per_min": 6}}
    made = await submit(api, body("command", CLEAR_CACHE, options=options))
    assert made["not_before"] is not None
    job = await api.deps.db.read(lambda tx: jobs.find_by_uuid(tx, made["id"]))
    assert job is not None
    assert (job.policy.max_parallel, job.policy.rate_per_min) == (3, 6)
    assert made["state"] == "scheduled"


async def test_a_repeated_request_makes_one_job(api: Api, hub: ScriptedHub) -> None:
    hub.automatic = lambda _: ACCEPTED
    hub.connect((await make_station(api)).id)
    key = {"Idempotency-Key": "k"}
    wanted = body("command", CLEAR_CACHE)
    first = await submit(api, wanted, headers=key)
    await make_station(api, "CP-2")
    again = await api.post(PATH, json=wanted, headers=key)
    assert (again.status, again.headers["Idempotency-Replayed"]) == (202, "true")
    assert (await again.json())["id"] == first["id"]
    assert len(await items(api, PATH)) == 1
    other = await api.post(PATH, json=body("station_delete"), headers=key)
    assert (other.status, (await other.json())["code"]) == (422, "idempotency_mismatch")


async def test_a_viewer_submits_nothing(api: Api) -> None:
    await make_station(api)
    for path in (PATH, f"{PATH}/preview"):
        response = await api.post(path, json=body("station_delete"), role="viewer")
        assert response.status == 403
    assert await items(api, PATH) == []


async def test_an_unknown_kind_is_refused(api: Api) -> None:
    got = await refusal(api, {"kind": "make_coffee", "spec": {}})
    assert got[:2] == (422, "invalid")


@pytest.mark.parametrize("body", [{"kind": "zz"}, {}])
async def test_an_unknown_kind_is_told_at_its_place(api: Api, body: dict[str, Any]) -> None:
    response = await api.post("/api/v1/jobs", json=body)
    problem = await response.json()
    assert (response.status, problem["errors"][0]["pointer"]) == (422, "/kind")


async def test_a_complaint_is_a_sentence_of_ours(api: Api) -> None:
    body = {"kind": "command", "target": {}, "spec": {"command": "clear_cache"}}
    problem = await (await api.post("/api/v1/jobs", json=body)).json()
    assert problem["detail"] == "give one of station_ids, location_id and filter"
    assert problem["errors"][0]["detail"] == problem["detail"]


async def test_a_key_that_was_used_is_a_complaint_about_a_header(api: Api) -> None:
    for value, status in (("A", 201), ("B", 422)):
        response = await api.post(
            "/api/v1/locations", json={"name": value}, headers={"Idempotency-Key": "k"}
        )
        assert response.status == status
    (issue,) = (await response.json())["errors"]
    assert (issue["in"], issue["pointer"]) == ("header", "/Idempotency-Key")
