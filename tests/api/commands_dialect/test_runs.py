"""Bulk runs: the source document's body, every kind of result, and what is refused up front."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

import pytest

from csms.api.commands_dialect.options import BulkOptions, policy_of
from csms.api.commands_dialect.runs import Run, RunList, RunResult, result_body
from csms.domain.jobs import ItemState, OfflinePolicy, Policy, Wave
from csms.domain.permissions import Principal, Role
from csms.domain.stations import Station
from csms.domain.versions import OcppVersion
from csms.errors import CallRefused
from tests.api.live import Live
from tests.jobs.conftest import Delivered

BULK = "/api/v3/chargers/commands/bulk"
FIELDS = {
    "uuid",
    "command",
    "data",
    "status",
    "total_count",
    "sent_count",
    "offline_count",
    "error_count",
    "skipped_count",
    "results",
}


def reset(*stations: Station | str, **more: Any) -> dict[str, Any]:
    ids = [one if isinstance(one, str) else one.uuid for one in stations]
    return {"command": "Reset", "data": {"type": "Soft"}, "charger_ids": ids, **more}


def toggle(*stations: Station | str, **more: Any) -> dict[str, Any]:
    """A command without a rate of its own: nothing waits for the test's clock."""
    data = {"connectorId": 0, "type": "Operative"}
    return {**reset(*stations, **more), "command": "ChangeAvailability", "data": data}


def accept(call: Delivered) -> dict[str, Any]:
    return {"status": "Accepted"}


async def online(live: Live, identity: str, **more: Any) -> Station:
    made = await live.station(identity, **more)
    live.hub.connect(made.id)
    return made


async def completed(live: Live, run: dict[str, Any], query: str = "") -> dict[str, Any]:
    body = await live.poll(
        f"{BULK}/{run['uuid']}{query}", lambda body: body["data"]["status"] == "completed"
    )
    Run.model_validate(body["data"])
    return body["data"]


async def submit(live: Live, body: dict[str, Any], **more: Any) -> dict[str, Any]:
    return (await live.ok("POST", BULK, 202, json=body, **more))["data"]


def counts(run: dict[str, Any]) -> tuple[int, int, int, int, int]:
    counted = [result["status"] for result in run["results"]]
    assert run["sent_count"] == counted.count("sent")
    assert run["offline_count"] == counted.count("offline")
    assert run["error_count"] == counted.count("error")
    assert run["skipped_count"] == counted.count("skipped_forbidden")
    names = ("total_count", "sent_count", "offline_count", "error_count", "skipped_count")
    return tuple(run[name] for name in names)  # type: ignore[return-value]


async def test_the_documented_body_is_refused_at_its_first_id(live: Live) -> None:
    body = {"command": "<string>", "data": {}, "charger_ids": [{}]}
    answer = await live.ok("POST", BULK, 422, json=body)

    assert answer["message"] == "The given data was invalid."
    assert {"charger_ids.0"} == answer["errors"].keys()


async def test_a_run_has_exactly_the_documented_fields(live: Live) -> None:
    station = await live.station("S1", name="Bay 1")
    body = reset(station)
    response = await live.api.post(BULK, json=body)
    run = (await response.json())["data"]

    assert response.status == 202
    assert f"{BULK}/{run['uuid']}" == response.headers["Location"]
    assert run.keys() == FIELDS
    assert (run["command"], run["data"], run["total_count"]) == ("Reset", {"type": "Soft"}, 1)
    assert [
        {
            "charger_uuid": station.uuid,
            "status": "pending",
            "message": None,
            "executed_at": None,
            "charger": {"uuid": station.uuid, "identity": "S1", "reference": "Bay 1"},
        }
    ] == run["results"]
    assert (await completed(live, run)).keys() == FIELDS


async def test_every_charger_gets_its_own_result(live: Live) -> None:
    def answer(call: Delivered) -> Any:
        if call.station_id == refusing.id:
            return {"status": "Rejected"}
        if call.station_id == broken.id:
            return CallRefused("NotSupported", "no")
        return {"status": "Accepted"}

    fine, refusing, broken = [await online(live, name) for name in ("S1", "S2", "S3")]
    gone = await live.station("S4")
    live.hub.automatic = answer
    unknown = str(uuid.uuid4())
    run = await submit(live, toggle(fine, refusing, broken, gone, unknown))
    done = await completed(live, run)

    assert counts(done) == (5, 2, 1, 1, 1)
    results = done["results"]
    assert [fine.uuid, refusing.uuid, broken.uuid, gone.uuid, unknown] == [
        result["charger_uuid"] for result in results
    ]
    assert (
        results[0]["status"],
        results[0]["response_status"],
        results[0]["response"],
        results[0]["message"],
    ) == ("sent", "Accepted", {"status": "Accepted"}, None)
    assert (results[1]["status"], results[1]["response_status"]) == ("sent", "Rejected")
    assert (results[2]["status"], results[2]["message"]) == ("error", "NotSupported: no")
    assert results[0]["executed_at"] == "2026-05-01T12:00:00.000000Z"
    assert (results[3]["status"], bool(results[3]["message"])) == ("offline", True)


async def test_skipped_is_the_same_for_every_reason(live: Live) -> None:
    await live.location("Mine")
    await live.location("Other")
    await live.token("bound", Role.OPERATOR, 1)
    mine = await live.station("S1", location_id=1)
    other = await live.station("S2", location_id=2)
    deleted = await live.station("S3", location_id=1)
    assert (await live.api.delete(f"/ocpp/chargers/{deleted.uuid}")).status == 204
    asked = [other.uuid, deleted.uuid, str(uuid.uuid4()), "nonsense", ""]
    run = await submit(live, reset(mine, *asked), role="bound")

    assert [
        {
            "charger_uuid": one,
            "status": "skipped_forbidden",
            "message": None,
            "executed_at": None,
        }
        for one in asked
    ] == run["results"][1:]
    assert run["skipped_count"] == 5
    done = await completed(live, run, "?results=failed")
    assert len(done["results"]) == 6


async def test_nobody_to_reach_is_completed_at_once(live: Live) -> None:
    run = await submit(live, reset("nobody"))

    assert (run["status"], counts(run)) == ("completed", (1, 0, 0, 0, 1))


async def test_an_id_counts_once_in_its_first_place(live: Live) -> None:
    first, second = await live.station("S1"), await live.station("S2")
    run = await submit(live, reset(first, second, first, second.uuid.upper()))

    assert [first.uuid, second.uuid] == [result["charger_uuid"] for result in run["results"]]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"data": {"type": "Sideways"}}, "data.type"),
        ({"data": {}}, "data"),
        ({"data": {"type": "Soft", "extra": 1}}, "data"),
        ({"data": []}, "data"),
        ({"command": "Rest"}, "command"),
        ({"command": "Heartbeat"}, "command"),
        ({"command": 1}, "command"),
        ({"charger_ids": []}, "charger_ids"),
        ({"charger_ids": "x"}, "charger_ids"),
        ({"charger_ids": ["x", None]}, "charger_ids.1"),
        ({"options": {"concurrency": 0}}, "options.concurrency"),
        ({"options": {"expires_at": "2020-01-01T00:00:00Z"}}, "options.expires_at"),
        ({"options": {"offline": "maybe"}}, "options.offline"),
        (
            {"command": "ChangeConfiguration", "data": {"key": "AuthorizationKey", "value": "x"}},
            "data.key",
        ),
    ],
)
async def test_what_cannot_be_sent_is_refused_before_a_run_exists(
    live: Live, change: dict[str, Any], field: str
) -> None:
    answer = await live.ok("POST", BULK, 422, json={**reset("x"), **change})

    assert answer["message"] == "The given data was invalid."
    assert [field] == list(answer["errors"])
    assert all(isinstance(text, str) for text in answer["errors"][field])
    assert (await live.ok("GET", BULK))["meta"]["total"] == 0


async def test_fields_of_other_clients_are_ignored(live: Live) -> None:
    run = await submit(live, {**reset("x"), "surprise": 1})

    assert run["skipped_count"] == 1


async def test_one_transaction_is_not_stopped_at_several_chargers(live: Live) -> None:
    body = {"command": "RemoteStopTransaction", "data": {"transactionId": 1}}
    stations = [(await live.station(name)).uuid for name in ("S1", "S2")]
    answer = await live.ok("POST", BULK, 422, json={**body, "charger_ids": stations})

    assert list(answer["errors"]) == ["charger_ids"]


async def test_a_charger_of_a_newer_version_gets_what_means_the_same(live: Live) -> None:
    live.hub.automatic = accept
    old, new = await online(live, "OLD"), await live.station("NEW")
    live.hub.versions[new.id] = OcppVersion.V201
    live.hub.connect(new.id)

    await completed(live, await submit(live, toggle(old, new)))
    sent = {call.station_id: call.payload for call in live.hub.calls}
    assert {"connectorId": 0, "type": "Operative"} == sent[old.id]
    assert {"operationalStatus": "Operative"} == sent[new.id]

    key = {"key": "BlinkRepeat", "value": "1"}
    body = {**toggle(old, new), "command": "ChangeConfiguration", "data": key}
    found = await completed(live, await submit(live, body))
    assert ["sent", "error"] == [one["status"] for one in found["results"]]
    assert "not supported by OCPP 2.0.1" in found["results"][1]["message"]


async def test_an_empty_payload_stays_an_object(live: Live) -> None:
    run = await submit(live, {"command": "ClearCache", "charger_ids": ["x"]})

    assert run["data"] == {}


async def test_the_same_key_and_body_is_the_same_run(live: Live) -> None:
    station = await online(live, "S1")
    live.hub.automatic = accept
    options = {"options": {"expires_at": "2026-05-01T12:00:10Z"}}
    headers = {"Idempotency-Key": "k"}
    first = await submit(live, reset(station, **options), headers=headers)
    await completed(live, first)
    live.clock.advance(60)
    again = await submit(live, reset(station, **options), headers=headers)

    assert (first["uuid"], "completed", 1) == (again["uuid"], again["status"], again["sent_count"])
    assert len(live.hub.calls) == 1
    await live.ok("POST", BULK, 422, json=reset("other"), headers=headers)


async def test_results_can_be_left_out(live: Live) -> None:
    station = await online(live, "S1")
    live.hub.automatic = accept
    run = await submit(live, reset(station, "nobody"))
    await completed(live, run)

    assert (await completed(live, run, "?results=none"))["results"] == []
    failed = (await completed(live, run, "?results=failed"))["results"]
    assert [result["charger_uuid"] for result in failed] == ["nobody"]
    await live.ok("GET", f"{BULK}/{run['uuid']}?results=some", 422)


async def test_an_offline_charger_can_be_waited_for(live: Live) -> None:
    station = await live.station("S1")
    run = await submit(live, reset(station, options={"offline": "wait"}))
    await live.poll(
        f"/api/v1/jobs/{run['uuid']}/items",
        lambda body: body["items"][0]["state"] == "wait_online",
    )
    live.hub.automatic = accept
    live.hub.connect(station.id)

    assert counts(await completed(live, run)) == (1, 1, 0, 0, 0)


async def test_cancelling_ends_what_was_not_sent(live: Live) -> None:
    busy, waiting = await online(live, "S1"), await live.station("S2")
    run = await submit(live, reset(busy, waiting, options={"offline": "wait"}))
    (call,) = await live.hub.delivered(1)
    cancelled = await live.ok("POST", f"{BULK}/{run['uuid']}/cancel")
    assert cancelled["data"]["status"] == "running"
    call.answer.set_result({"status": "Accepted"})
    done = await completed(live, run)

    assert counts(done) == (2, 1, 0, 1, 0)
    assert (
        done["results"][1]["status"],
        done["results"][1]["message"],
    ) == ("error", "cancelled")
    again = await live.ok("POST", f"{BULK}/{run['uuid']}/cancel")
    assert again["data"]["status"] == "completed"


async def test_a_retry_goes_to_the_failed_ones_only(live: Live) -> None:
    fine, late = await online(live, "S1"), await live.station("S2")
    live.hub.automatic = accept
    run = await submit(live, toggle(fine, late))
    assert counts(await completed(live, run)) == (2, 1, 1, 0, 0)
    live.hub.connect(late.id)
    retried = await live.ok("POST", f"{BULK}/{run['uuid']}/retry", 202)

    assert run["uuid"] == retried["data"]["uuid"]
    assert counts(await completed(live, run)) == (2, 2, 0, 0, 0)
    assert [fine.id, late.id] == [call.station_id for call in live.hub.calls]


async def test_a_running_run_is_not_retried(live: Live) -> None:
    await online(live, "S1")
    station = await online(live, "S2")
    run = await submit(live, reset(station))
    await live.hub.delivered(1)

    assert {"message"} == (await live.ok("POST", f"{BULK}/{run['uuid']}/retry", 409)).keys()


async def test_runs_are_listed_newest_first(live: Live) -> None:
    made = [await submit(live, reset(name)) for name in ("a", "b", "c")]
    body = await live.ok("GET", f"{BULK}?per_page=2")

    RunList.model_validate(body)
    assert [made[2]["uuid"], made[1]["uuid"]] == [run["uuid"] for run in body["data"]]
    assert tuple(body["meta"][name] for name in ("total", "last_page", "from", "to")) == (
        3,
        2,
        1,
        2,
    )
    assert body["links"]["prev"] is None
    assert body["links"]["next"].endswith(f"{BULK}?per_page=2&page=2")


async def test_a_run_of_somebody_else_looks_unknown(live: Live) -> None:
    await live.location("Mine")
    await live.token("bound", Role.OPERATOR, 1)
    run = await submit(live, reset("x"))
    unknown = await live.ok("GET", f"{BULK}/no-such-run", 404, role="bound")

    assert {"message"} == unknown.keys()
    assert unknown == await live.ok("GET", f"{BULK}/{run['uuid']}", 404, role="bound")
    assert (await live.ok("GET", BULK, role="bound"))["meta"]["total"] == 0
    # A job of another kind is no run either.
    await live.ok("POST", f"{BULK}/no-such-run/cancel", 404)


async def test_access_lost_meanwhile_is_skipped_at_dispatch(live: Live) -> None:
    await live.location("Mine")
    await live.location("Other")
    await live.token("bound", Role.OPERATOR, 1)
    station = await live.station("S1", location_id=1)
    body = reset(station, options={"offline": "wait"})
    run = await submit(live, body, role="bound")
    assert run["results"][0]["status"] == "pending"
    other = (await live.ok("GET", "/ocpp/locations"))["data"][1]["id"]
    await live.ok("PUT", f"/ocpp/chargers/{station.uuid}", json={"location_id": other})
    live.hub.connect(station.id)
    done = await completed(live, run)

    assert counts(done) == (1, 0, 0, 0, 1)
    assert "charger" not in done["results"][0]
    assert live.hub.calls == []


async def test_ten_thousand_ids_are_one_run(live: Live) -> None:
    made = [str(uuid.uuid4()) for _ in range(10_000)]
    run = await submit(live, reset(*made))

    assert (run["total_count"], run["skipped_count"]) == (10_000, 10_000)


async def test_an_unanswered_reset_is_pending_until_its_window_closes(live: Live) -> None:
    station = await online(live, "S1")
    run = await submit(live, reset(station))
    await live.hub.delivered(1)
    live.hub.drop(station.id)
    await live.poll(
        f"/api/v1/jobs/{run['uuid']}/items", lambda body: body["items"][0]["state"] == "unknown"
    )
    body = (await live.ok("GET", f"{BULK}/{run['uuid']}"))["data"]
    assert (
        body["status"],
        body["results"][0]["status"],
        body["error_count"],
    ) == ("running", "pending", 0)
    assert (await live.ok("GET", f"{BULK}/{run['uuid']}?results=failed"))["data"]["results"] == []
    live.clock.advance(121)
    live.deps.engine.look_again()
    done = await completed(live, run)

    assert counts(done) == (1, 0, 0, 1, 0)
    assert done["results"][0]["message"].startswith("outcome unknown")
    assert len(live.hub.calls) == 1


async def test_too_many_failures_end_the_run(live: Live) -> None:
    def refuse(call: Delivered) -> Any:
        return CallRefused("NotSupported", "no")

    broken = await online(live, "S1")
    away = [await live.station(name) for name in ("S2", "S3")]
    live.hub.automatic = refuse
    options = {"offline": "wait", "abort": {"after": 1}}
    done = await completed(live, await submit(live, toggle(broken, *away, options=options)))

    assert counts(done) == (3, 0, 0, 3, 0)
    assert all(result["message"] for result in done["results"])


@pytest.mark.parametrize("state", ItemState)
def test_every_item_state_has_its_status(state: ItemState) -> None:
    row = ("x", state.value, 0, None, 0, None, None, None, None, None, None, None)
    body = result_body(row, Principal("p", "p", Role.ADMIN))

    RunResult.model_validate(body)
    assert (body["message"] is None) == (body["status"] in {"pending", "sent", "skipped_forbidden"})


def test_options_become_the_policy_and_the_rest_stays() -> None:
    options = BulkOptions.model_validate_json(
        b'{"concurrency": 5, "offline": "wait", "rollout": {"rate_per_min": 60,'
        b' "per_location_parallel": 2, "waves": [{"count": 5}, {"percent": 10}]},'
        b' "not_before": "2026-05-01T13:00:00Z", "expires_at": "2026-05-01T13:10:00Z",'
        b' "retry": {"max_attempts": 2}, "abort": {"percent": 50}}'
    )
    now = datetime(2026, 5, 1, 12, tzinfo=UTC)

    assert policy_of(options, Policy(abort_minimum=3), now) == Policy(
        max_parallel=5,
        per_location_parallel=2,
        waves=(Wave(count=5), Wave(percent=10)),
        rate_per_min=60,
        offline=OfflinePolicy.WAIT,
        expires_in_s=600,
        max_attempts=2,
        abort_percent=50,
        abort_minimum=3,
    )
    assert policy_of(None, Policy(max_parallel=7), now) == Policy(max_parallel=7)
