"""Generated calls find no answer that the description does not have, and no fault of ours.

schemathesis reads /openapi.json and makes requests that fit it, requests that do not, requests
without a token, and chains along the links; every check it has looks at every answer. Models that
another generator made of the description decode them too.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.processes import TOKEN, Server, eventually

RULES = Path(__file__).resolve().parent / "calls"
SEED = 20260501
MODEL = {"brand_slug": "generic", "model_slug": "ac-22kw", "connector_type": "Type2"}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A server with small limits on what one call may start, and none on how many there are."""
    one = Server(
        tmp_path / "server",
        CSMS_API__REQUESTS_PER_MINUTE="0",
        CSMS_API__FAILED_TOKENS_PER_MINUTE="0",
        CSMS_JOBS__MAX_ITEMS="50",
        CSMS_OCPP__CALL_TIMEOUT_S="2",
        CSMS_FLEET__MAX_IN_PROCESS="60",
    )
    one.start()
    yield one
    one.stop()


def furnished(server: Server) -> dict[str, list[str]]:
    """Ids that exist: a location with stations of two versions that have booted."""
    location = server.client.post("/api/v1/locations", {"name": "Car park"})["id"]
    groups = [
        {
            "template": {**MODEL, "ws_url": server.url, "ocpp_version": version},
            "charger_ids": [f"{version[4:5]}-{number}" for number in range(8)],
        }
        for version in ("OCPP1.6", "OCPP2.0.1")
    ]
    job = server.client.post(f"/ocpp/locations/{location}/chargers", groups)
    show = job["status_url"]
    results = eventually(lambda: server.client.get(show)["results"], what="the stations")
    stations = [one["charger_id"] for one in results["created"]]
    tokens = [one["id"] for one in server.client.get("/api/v1/tokens")["items"]]
    return {
        "station_id": stations,
        "charger_id": stations,
        "uuid": [*stations, location],
        "location_id": [location],
        "site_uuid": [location],
        "job_id": [job["job_id"]],
        "run": [job["job_id"]],
        "brand_slug": ["generic"],
        "model_slug": ["ac-22kw"],
        "own_token": tokens,
    }


def make_client_models(server: Server, directory: Path) -> None:
    """What somebody's generator makes of the description."""
    description = directory / "openapi.json"
    with urllib.request.urlopen(f"{server.client.url}/openapi.json", timeout=10) as answer:
        description.write_bytes(answer.read())
    done = subprocess.run(
        [
            *(sys.executable, "-m", "datamodel_code_generator", "--input", str(description)),
            *("--input-file-type", "openapi", "--output-model-type", "pydantic_v2.BaseModel"),
            *("--output", str(directory / "client_models.py"), "--formatters", "builtin"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def calls(server: Server, directory: Path, *options: str) -> int:
    """Let schemathesis call; how many calls it made."""
    make_client_models(server, directory)
    environment: dict[str, str] = {
        **os.environ,
        "CALLS_EXISTING": json.dumps(furnished(server)),
        "SCHEMATHESIS_HOOKS": "rules",
        "PYTHONPATH": f"{RULES}{os.pathsep}{directory}",
    }
    done = subprocess.run(
        [
            *(Path(sys.executable).parent / "st", "run", f"{server.client.url}/openapi.json"),
            *("--header", f"Authorization: Bearer {TOKEN}", "--seed", str(SEED)),
            # Streams never end by themselves; tests/api/v1/test_events.py reads them.
            *("--exclude-path-regex", "/events$", "--request-timeout", "60"),
            *("--checks", "all", "--mode", "all", "--continue-on-failure"),
            # The token in use must not be deleted, and it is one of few.
            *("--suppress-health-check", "filter_too_much"),
            *("--warnings", "off", "--no-color", *options),
        ],
        cwd=directory,  # it keeps what it learnt there
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-30_000:] + done.stderr
    assert server.client.get("/api/v1/locations")["items"], "the token was lost on the way"
    (made,) = re.findall(r"(\d+) generated", done.stdout)
    return int(made)


@pytest.mark.timeout(300)
def test_some_hundred_calls_are_answered_as_described(server: Server, tmp_path: Path) -> None:
    options = ("--phases", "examples,fuzzing", "--max-examples", "2", "--no-shrink")
    assert calls(server, tmp_path, *options) > 400


@pytest.mark.campaign
@pytest.mark.timeout(3600)
def test_twenty_thousand_calls_are_answered_as_described(server: Server, tmp_path: Path) -> None:
    made = calls(server, tmp_path, "--max-examples", os.environ.get("CALLS_EXAMPLES", "40"))
    assert made >= 20_000
    assert "request failed" not in server.log.read_text()
