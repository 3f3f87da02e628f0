"""What was asked for, word for word, against a real process and stations in another one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest

from csms.cli.failures import Refused

from . import oracle, scenario
from .processes import FleetProcess, Server, eventually

# The poll's published schema (OpenAPI 3.1), its types without its prose.
_TEXT = {"type": ["string", "null"]}
POLL_SCHEMA = {
    "type": "object",
    "required": ["job_id"],
    "properties": {
        "job_id": {"type": "string"},
        "job_type": _TEXT,
        "status": {"enum": ["PENDING", "PROVISIONING", "READY", "FAILED", None]},
        "workflow_run_id": _TEXT,
        "error": {
            "oneOf": [
                {"type": "null"},
                {
                    "type": "object",
                    "required": ["code", "message"],
                    "properties": {
                        "code": {"type": "string"},
                        "message": {"type": "string"},
                        "step": _TEXT,
                        "param": _TEXT,
                        "doc_url": _TEXT,
                        "retryable": {"type": "boolean"},
                    },
                },
            ]
        },
        "results": {"type": ["object", "null"]},
        "provisioned_at": {**_TEXT, "format": "date-time"},
    },
}
# The published example of a bulk create, as it stands.
CREATE_BODY = [
    {
        "template": {
            "brand_slug": "schneider",
            "model_slug": "evlink-pro-ac-22kw",
            "connector_type": "CCS2",
            "ws_url": "wss://ocpp.ocpplab.com",
            "ocpp_version": "OCPP1.6",
            "identity_prefix": "SITE_A_",
            "template_name": "Charger",
        },
        "charger_ids": ["001", "002"],
        "chargers_number": 5,
    }
]
RUN_FIELDS = [
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
]
STATIONS = 1000
SETTINGS = {"CSMS_LOG__LEVEL": "warning", "CSMS_FLEET__PROVISIONING": "register"}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    made = Server(tmp_path, **SETTINGS)
    made.start()
    yield made
    if not made.dead:
        made.kill()


def test_the_published_bulk_create_is_accepted_and_its_poll_has_the_published_shape(
    server: Server,
) -> None:
    location = scenario.make_location(server)

    accepted = server.client.post(f"/ocpp/locations/{location}/chargers", CREATE_BODY)
    job = oracle.finished(server, accepted["status_url"])

    assert ["job_id", "status", "status_url", "workflow_run_id"] == sorted(accepted)
    jsonschema.validate(job, POLL_SCHEMA, format_checker=jsonschema.FormatChecker())
    assert ("READY", 5, 0) == (
        job["status"],
        job["results"]["created_count"],
        job["results"]["failed_count"],
    )
    made = [entry["identity"] for entry in job["results"]["created"]]
    assert ["SITE_A_001", "SITE_A_002"] == made[:2]
    assert all(len(identity) == len("SITE_A_") + 8 for identity in made[2:])


def test_the_published_bulk_command_has_exactly_the_listed_fields(server: Server) -> None:
    path, _ = scenario.create(server, scenario.make_location(server), "CP-", 2)
    assert path is not None
    job = oracle.finished(server, path)
    ids = [entry["charger_id"] for entry in job["results"]["created"]]
    body = {"command": "Reset", "data": {"type": "Soft"}, "charger_ids": ids}

    answer = server.client.post("/api/v3/chargers/commands/bulk", body)
    verbatim = {"command": "<string>", "data": {}, "charger_ids": [{}]}
    with pytest.raises(Refused) as refused:
        server.client.post("/api/v3/chargers/commands/bulk", verbatim)

    assert ["data"] == list(answer)
    assert RUN_FIELDS == list(answer["data"])
    assert 422 == refused.value.status
    assert "charger_ids.0" in str(refused.value)


def test_ten_thousand_chargers_become_ready(server: Server) -> None:
    body = [
        {"template": scenario.template(server, "BIG-", virtual=False), "chargers_number": 10_000}
    ]
    location = scenario.make_location(server)

    accepted = server.client.post(f"/ocpp/locations/{location}/chargers", body)
    job = oracle.finished(server, accepted["status_url"])

    assert ("READY", 10_000) == (job["status"], job["results"]["created_count"])
    assert 10_000 == len({entry["identity"] for entry in job["results"]["created"]})


def test_one_reset_reaches_each_of_a_thousand_stations_once(server: Server, tmp_path: Path) -> None:
    path, identities = scenario.create(server, scenario.make_location(server), "CP-", STATIONS)
    assert path is not None
    oracle.finished(server, path)
    fleet = FleetProcess(tmp_path, server.url, sorted(identities), "--ramp-per-s", "500")
    try:
        eventually(lambda: fleet.booted() == identities, timeout_s=90, what="the fleet to boot")
        run = scenario.reset(server, list(scenario.stations(server).values()))
        assert run is not None
        body = oracle.finished(server, run)
        assert (STATIONS, 0, 0) == (body["sent_count"], body["offline_count"], body["error_count"])
        seen = Counter(identity for identity, _ in fleet.delivered("Reset"))
        assert dict.fromkeys(identities, 1) == dict(seen)
        assert 0 == server.stop()
        oracle.check_file(server)
        oracle.check_deliveries(server, fleet)
    finally:
        fleet.stop()
