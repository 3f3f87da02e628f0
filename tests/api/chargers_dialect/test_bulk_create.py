"""The bulk create and its poll, from the source document's bodies to crashes of the request."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from csms.api.chargers_dialect.bulk_create import BulkCreateAccepted
from csms.api.chargers_dialect.bulk_job import BulkCreateStatus
from csms.domain.jobs import Policy
from csms.domain.permissions import Role
from tests.api.live import Live

TEMPLATE: dict[str, Any] = {
    "brand_slug": "schneider",
    "model_slug": "evlink-pro-ac-22kw",
    "connector_type": "CCS2",
    "ws_url": "wss://ocpp.ocpplab.com",
    "ocpp_version": "OCPP1.6",
    "identity_prefix": "SITE_A_",
    "template_name": "Charger",
}
# The body printed in the source's documentation of the POST.
DOCUMENTED = [{"template": TEMPLATE, "charger_ids": ["001", "002"], "chargers_number": 5}]
# The schema printed in the source's documentation of the poll.
ERROR_DETAIL = {
    "type": "object",
    "properties": {
        "code": {"type": "string"},
        "message": {"type": "string"},
        "step": {"type": ["string", "null"]},
        "param": {"type": ["string", "null"]},
        "doc_url": {"type": ["string", "null"]},
        "retryable": {"type": "boolean", "default": False},
    },
    "required": ["code", "message"],
}
STATUS_SCHEMA = {
    "type": "object",
    "properties": {
        "job_id": {"type": "string"},
        "job_type": {"type": ["string", "null"]},
        "status": {
            "oneOf": [
                {"type": "string", "enum": ["PENDING", "PROVISIONING", "READY", "FAILED"]},
                {"type": "null"},
            ]
        },
        "workflow_run_id": {"type": ["string", "null"]},
        "error": {"oneOf": [ERROR_DETAIL, {"type": "null"}]},
        "results": {"type": ["object", "null"], "additionalProperties": True},
        "provisioned_at": {"type": ["string", "null"], "format": "date-time"},
    },
    "required": ["job_id"],
}


def final(body: dict[str, Any]) -> bool:
    valid_poll(body)
    return body["status"] in {"READY", "FAILED"}


def valid_poll(body: dict[str, Any]) -> None:
    Draft202012Validator(STATUS_SCHEMA).validate(body)
    BulkCreateStatus.model_validate(body)


def group(*ids: str, number: int | None = None, **template: Any) -> dict[str, Any]:
    asked: dict[str, Any] = {"template": {**TEMPLATE, **template}}
    if ids:
        asked["charger_ids"] = list(ids)
    if number is not None:
        asked["chargers_number"] = number
    return asked


async def submit(live: Live, *groups: dict[str, Any], **more: Any) -> dict[str, Any]:
    place = await live.location()
    return await live.ok(
        "POST", f"/ocpp/locations/{place['id']}/chargers", 202, json=list(groups), **more
    )


async def test_the_documented_body_makes_five_chargers(live: Live) -> None:
    place = await live.location()
    response = await live.api.post(f"/ocpp/locations/{place['id']}/chargers", json=DOCUMENTED)
    accepted = await response.json()

    assert response.status == 202
    assert {"job_id", "status", "status_url", "workflow_run_id"} == accepted.keys()
    BulkCreateAccepted.model_validate(accepted)
    expected_url = f"/ocpp/locations/{place['id']}/chargers/jobs/{accepted['job_id']}"
    assert expected_url == accepted["status_url"]
    assert accepted["status_url"] == response.headers["Location"]
    assert response.headers["Retry-After"] == "1"

    done = await live.poll(accepted["status_url"], final)
    assert (
        done["status"],
        done["job_type"],
        done["error"],
    ) == ("READY", "bulk_charger_create", None)
    results = done["results"]
    assert (
        results["created_count"],
        results["failed_count"],
        results["failed"],
    ) == (5, 0, [])
    names = [made["identity"] for made in results["created"]]
    assert names[:2] == ["SITE_A_001", "SITE_A_002"]
    assert all(len(name) == len("SITE_A_") + 8 for name in names[2:])
    assert done["provisioned_at"] == "2026-05-01T12:00:00Z"
    assert done["progress"] == {
        "total": 5,
        "completed": 5,
        "created": 5,
        "failed": 0,
        "in_flight": 0,
        "retrying": 0,
    }


async def test_created_chargers_carry_their_template(live: Live) -> None:
    accepted = await submit(live, group("001"))
    done = await live.poll(accepted["status_url"], final)
    charger_id = done["results"]["created"][0]["charger_id"]
    charger = await live.ok("GET", f"/ocpp/chargers/{charger_id}")

    assert (
        charger["name"],
        charger["vendor_name"],
        charger["ocpp_version"],
        charger["connector_type"],
        charger["max_charging_power"],
    ) == ("Charger 001", "Schneider Electric", "OCPP1.6", "CCS2", 22)
    status = await live.ok("GET", f"/ocpp/chargers/{charger_id}/status")
    assert ("READY", accepted["workflow_run_id"]) == (status["status"], status["workflow_run_id"])


@pytest.mark.parametrize(("asked", "expected"), [({}, 0), ({"security_profile": 2}, 2)])
async def test_a_physical_charger_gets_the_security_profile_of_its_template(
    live: Live, asked: dict[str, int], expected: int
) -> None:
    accepted = await submit(live, group("001", **asked))
    done = await live.poll(accepted["status_url"], final)
    charger_id = done["results"]["created"][0]["charger_id"]
    station = await live.ok("GET", f"/api/v1/stations/{charger_id}")
    assert expected == station["security_profile"]


async def test_failed_chargers_do_not_fail_the_job(live: Live) -> None:
    await live.station("SITE_A_TAKEN")
    accepted = await submit(live, group("001", "001", "taken", "a/b"))
    done = await live.poll(accepted["status_url"], final)

    assert done["status"] == "READY"
    assert [made["identity"] for made in done["results"]["created"]] == ["SITE_A_001"]
    assert [(one["identity"], one["error"], one["code"]) for one in done["results"]["failed"]] == [
        ("SITE_A_001", "Duplicate charger identity", "duplicate_identity"),
        ("SITE_A_taken", "Duplicate charger identity", "duplicate_identity"),
        ("SITE_A_a/b", "identity must not contain '/'", "invalid_identity"),
    ]
    assert done["results"]["failed_count"] == 3


async def test_results_wait_for_the_end(live: Live) -> None:
    live.fleet.hold()
    accepted = await submit(live, group("1", virtual=True, ws_url="ws://localhost:9000/ocpp"))
    running = await live.poll(
        accepted["status_url"], lambda body: body["progress"]["in_flight"] == 1
    )

    valid_poll(running)
    assert (
        running["status"],
        running["results"],
        running["error"],
        running["provisioned_at"],
    ) == ("PROVISIONING", None, None, None)
    live.fleet.release()
    assert (await live.poll(accepted["status_url"], final))["status"] == "READY"


async def test_a_cancelled_job_tells_what_it_made(live: Live) -> None:
    live.settings(policy=Policy(max_parallel=1))
    live.fleet.hold()
    accepted = await submit(live, group("1", "2", virtual=True, ws_url="ws://localhost/ocpp"))
    await live.poll(
        f"/api/v1/jobs/{accepted['job_id']}/items",
        lambda body: (
            (body["items"][0]["state"], body["items"][0]["step"]) == ("in_flight", "verify")
        ),
    )
    await live.api.post(f"/api/v1/jobs/{accepted['job_id']}/cancel")
    live.fleet.release()
    done = await live.poll(accepted["status_url"], final)

    assert (done["status"], done["error"]["code"], done["error"]["retryable"]) == (
        "FAILED",
        "cancelled",
        True,
    )
    assert done["provisioned_at"] is None
    assert [made["identity"] for made in done["results"]["created"]] == ["SITE_A_1"]
    assert [(one["identity"], one["code"]) for one in done["results"]["failed"]] == [
        ("SITE_A_2", "cancelled")
    ]


async def test_a_job_fails_with_its_location_and_can_still_be_polled(live: Live) -> None:
    accepted = await submit(live, group(number=3000))
    place = accepted["status_url"].split("/chargers/")[0]
    assert (await live.api.delete(place)).status == 204
    done = await live.poll(accepted["status_url"], final)

    assert (done["status"], done["error"]["code"]) == ("FAILED", "location_deleted")
    results = done["results"]
    assert results["created_count"] + results["failed_count"] == 3000
    assert (await live.api.get(place)).status == 404


async def test_a_virtual_charger_dials_only_where_it_may(live: Live) -> None:
    live.settings(virtual_by_default=True, allowed_targets=("wss://lab.example",))
    accepted = await submit(
        live,
        group("1"),
        group("2", virtual=False),
        group("3", ws_url="wss://lab.example/ocpp"),
    )
    done = await live.poll(accepted["status_url"], final)

    assert [made["identity"] for made in done["results"]["created"]] == ["SITE_A_2", "SITE_A_3"]
    assert [(one["identity"], one["code"]) for one in done["results"]["failed"]] == [
        ("SITE_A_1", "target_not_allowed")
    ]
    assert live.fleet.deployed == ["SITE_A_3"]


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"ws_url": "https://example.com"}, ["template", "ws_url"]),
        ({"ws_url": "nonsense"}, ["template", "ws_url"]),
        ({"ws_url": None}, ["template", "ws_url"]),
        ({"ws_url": "ws://user:secret@host/"}, ["template", "ws_url"]),
        ({"ocpp_version": "3.0"}, ["template", "ocpp_version"]),
        ({"brand_slug": ""}, ["template", "brand_slug"]),
        ({"connectors": 0}, ["template", "connectors"]),
        ({"connectors": "2"}, ["template", "connectors"]),
        ({"security_profile": 4}, ["template", "security_profile"]),
    ],
)
async def test_a_bad_template_is_pointed_at(
    live: Live, change: dict[str, Any], place: list[str]
) -> None:
    location = await live.location()
    answer = await live.ok(
        "POST", f"/ocpp/locations/{location['id']}/chargers", 422, json=[group("1", **change)]
    )

    assert [["body", 0, *place]] == [issue["loc"] for issue in answer["detail"]]
    assert {"type", "loc", "msg", "input"} <= answer["detail"][0].keys()


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ([], ["body"]),
        ({}, ["body"]),
        ([{"template": TEMPLATE}], ["body", 0]),
        ([{"template": TEMPLATE, "charger_ids": None}], ["body", 0]),
        ([{"template": TEMPLATE, "chargers_number": -1}], ["body", 0, "chargers_number"]),
        ([{"template": TEMPLATE, "chargers_number": 1.5}], ["body", 0, "chargers_number"]),
        ([{"template": TEMPLATE, "chargers_number": 0}], ["body"]),
        ([{"template": TEMPLATE, "charger_ids": []}], ["body"]),
        ([{"template": TEMPLATE, "charger_ids": [1]}], ["body", 0, "charger_ids", 0]),
        ([{"charger_ids": ["1"]}], ["body", 0, "template"]),
    ],
)
async def test_a_request_for_nothing_is_refused(live: Live, body: Any, place: list[Any]) -> None:
    location = await live.location()
    answer = await live.ok("POST", f"/ocpp/locations/{location['id']}/chargers", 422, json=body)

    assert [place] == [issue["loc"] for issue in answer["detail"]]


async def test_zero_beside_some_is_fine(live: Live) -> None:
    accepted = await submit(live, group(number=0), group("1"))

    done = await live.poll(accepted["status_url"], final)
    assert done["progress"]["total"] == 1


async def test_too_many_are_refused_before_anything_is_drawn(live: Live) -> None:
    live.settings(max_items=10, max_in_process=4)
    location = await live.location()
    path = f"/ocpp/locations/{location['id']}/chargers"
    for body in ([group(number=11)], [group(number=10**12)], [group(number=5, virtual=True)]):
        answer = await live.ok("POST", path, 422, json=body)
        assert (answer["detail"][0]["loc"], answer["detail"][0]["type"]) == (["body"], "too_long")
    assert (await live.ok("GET", "/api/v1/jobs?limit=1"))["items"].__len__() == 0


async def test_virtual_chargers_that_exist_count(live: Live) -> None:
    live.settings(max_in_process=2)
    await live.station("V1", virtual=True)
    location = await live.location()
    path = f"/ocpp/locations/{location['id']}/chargers"
    await live.ok("POST", path, 422, json=[group(number=2, virtual=True)])
    await live.ok("POST", path, 202, json=[group(number=1, virtual=True)])


async def test_a_dry_run_writes_nothing(live: Live) -> None:
    await live.station("SITE_A_1")
    location = await live.location()
    path = f"/ocpp/locations/{location['id']}/chargers"
    answer = await live.ok("POST", f"{path}?dry_run=true", json=[group("1", "2", number=3)])

    assert (
        answer["dry_run"],
        answer["total"],
        [one["identity"] for one in answer["chargers"]][:1],
    ) == (True, 3, ["SITE_A_2"])
    assert answer["failed"] == [
        {
            "identity": "SITE_A_1",
            "error": "Duplicate charger identity",
            "code": "duplicate_identity",
        }
    ]
    assert (await live.ok("GET", path))["total"] == 0


async def test_the_same_key_and_body_is_the_same_job_as_it_stands(live: Live) -> None:
    live.settings(max_in_process=1)
    body = [group("1", virtual=True, ws_url="ws://localhost/ocpp")]
    location = await live.location()
    path = f"/ocpp/locations/{location['id']}/chargers"
    headers = {"Idempotency-Key": "k1"}
    first = await live.ok("POST", path, 202, json=body, headers=headers)
    await live.poll(first["status_url"], final)
    again = await live.api.post(path, json=body, headers=headers)
    second = await again.json()

    assert (again.status, again.headers["Idempotency-Replayed"]) == (202, "true")
    assert (first["job_id"], "READY") == (second["job_id"], second["status"])
    refused = await live.api.post(path, json=[group("2")], headers=headers)
    assert refused.status == 422


async def test_an_unknown_location_is_not_found(live: Live) -> None:
    answer = await live.ok("POST", "/ocpp/locations/nowhere/chargers", 404, json=[group("1")])

    assert answer == {"detail": "Location not found"}


async def test_a_job_elsewhere_or_out_of_sight_looks_unknown(live: Live) -> None:
    accepted = await submit(live, group("1"))
    other = await live.location("Other")
    await live.token("stranger", Role.OPERATOR, 1)
    elsewhere = f"/ocpp/locations/{other['id']}/chargers/jobs/{accepted['job_id']}"
    unknown = accepted["status_url"].replace(accepted["job_id"], "no-such-job")
    answers = [
        await live.ok("GET", unknown, 404),
        await live.ok("GET", elsewhere, 404),
        await live.ok("GET", accepted["status_url"], 404, role="stranger"),
        await live.ok("GET", f"/ocpp/locations/gone/chargers/jobs/{accepted['job_id']}", 404),
    ]

    assert answers == [{"detail": "Job not found"}] * 4


async def test_a_caller_bound_elsewhere_does_not_see_the_location(live: Live) -> None:
    await live.location("First")
    place = await live.location("Second")
    await live.token("bound", Role.OPERATOR, 1)

    await live.ok(
        "POST", f"/ocpp/locations/{place['id']}/chargers", 404, json=[group("1")], role="bound"
    )


async def test_an_unchanged_poll_is_304_and_a_large_one_is_gzipped(live: Live) -> None:
    accepted = await submit(live, group(number=100))
    await live.poll(accepted["status_url"], final)
    first = await live.api.get(accepted["status_url"], headers={"Accept-Encoding": "gzip"})
    again = await live.api.get(
        accepted["status_url"], headers={"If-None-Match": first.headers["ETag"]}
    )

    assert first.headers["Content-Encoding"] == "gzip"
    assert again.status == 304


async def test_a_poll_is_another_one_when_a_charger_is_renamed(live: Live) -> None:
    accepted = await submit(live, group("1", "2"))
    await live.poll(accepted["status_url"], final)
    first = await live.api.get(accepted["status_url"])
    known = {"If-None-Match": first.headers["ETag"]}
    created = (await first.json())["results"]["created"]
    assert (await live.api.get(accepted["status_url"], headers=known)).status == 304

    live.clock.advance(1)
    await live.ok("PUT", f"/ocpp/chargers/{created[0]['charger_id']}", json={"name": "Other"})
    assert (await live.api.get(accepted["status_url"], headers=known)).status == 200

    again = await live.api.get(accepted["status_url"])
    known = {"If-None-Match": again.headers["ETag"]}
    assert (await live.api.get(accepted["status_url"], headers=known)).status == 304


async def test_stopping_refuses_before_anything_is_written(live: Live) -> None:
    place = await live.location()
    live.deps.draining = True
    response = await live.api.post(f"/ocpp/locations/{place['id']}/chargers", json=[group("1")])

    assert response.status == 503
    assert "Retry-After" in response.headers
    assert {"detail"} == (await response.json()).keys()


async def test_ten_thousand_are_accepted_and_polled_whole(live: Live) -> None:
    accepted = await submit(live, group(number=10_000))
    done = await live.poll(accepted["status_url"], final)

    results = done["results"]
    assert (
        results["created_count"],
        len({one["identity"] for one in results["created"]}),
        results["failed_count"],
    ) == (10_000, 10_000, 0)
