"""Every noun of the command line as a user meets it, beside a real server with virtual stations."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from csms.cli.http import Client, find_server
from tests.cli.conftest import Outcome, running, until

Run = Callable[..., Outcome]
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\n")
ABSENT = "00000000-0000-4000-8000-000000000000"


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Of a server with two virtual stations, V-1 and V-2, that are online."""
    with running(tmp_path_factory.mktemp("dev"), "--dev") as directory:
        client = find_server(directory)
        assert client is not None
        group = {"identity_prefix": "V-", "suffixes": ["1", "2"], "virtual": True}
        spec = {"groups": [{**group, "brand_slug": "generic", "model_slug": "ac-22kw"}]}
        client.post("/api/v1/jobs", {"kind": "station_create", "spec": spec})
        until(lambda: len(client.pages("/api/v1/stations", connection="online")) == 2)
        yield directory


@pytest.fixture
def run(csms: Run, data_dir: Path) -> Run:
    return lambda *arguments: csms(*arguments, "--data-dir", data_dir)


@pytest.fixture
def client(data_dir: Path) -> Client:
    found = find_server(data_dir)
    assert found is not None
    return found


@pytest.fixture
def location(run: Run) -> str:
    made = run("locations", "create", "Depot", "--city", "Graz")
    assert UUID.fullmatch(made.out)
    return made.out.strip()


# ---- locations -------------------------------------------------------------------------------


def test_a_location_is_created_changed_and_deleted(run: Run, location: str) -> None:
    assert location in {one["id"] for one in run("locations", "list", "--json").json}
    changed = run("locations", "change", location, "--timezone", "Europe/Vienna", "--json").json
    assert ("Graz", "Europe/Vienna") == (changed["city"], changed["timezone"])
    assert changed == run("locations", "show", location, "--json").json
    assert 0 == run("locations", "summary", location, "--json").json["stations"]["total"]
    assert 0 == run("locations", "delete", location).code
    assert 1 == run("locations", "show", location).code


def test_a_change_of_nothing_is_bad_usage(run: Run, location: str) -> None:
    assert 2 == run("locations", "change", location).code
    assert 2 == run("stations", "change", "V-1").code


# ---- stations --------------------------------------------------------------------------------


def test_stations_are_narrowed(run: Run) -> None:
    def found(*words: str) -> set[str]:
        return {one["identity"] for one in run("stations", "list", *words, "--json").json}

    assert {"V-1", "V-2"} == found("--online")
    assert {"V-2"} == found("--search", "v-2")
    assert set() == found("--status", "Faulted", "--search", "V-")


def test_a_station_is_known_by_identity_and_by_id(run: Run) -> None:
    by_identity = run("stations", "show", "V-1", "--json").json
    assert by_identity == run("stations", "show", by_identity["id"], "--json").json
    assert by_identity == run("stations", "show", "identity:V-1", "--json").json


def test_the_former_name_of_create_still_works(csms: Run) -> None:
    assert 0 == csms("stations", "add", "--help").code
    assert "  add " not in csms("stations", "--help").out


def test_an_identity_with_odd_characters_is_reached(run: Run) -> None:
    run("stations", "create", "CP 7%2F?#")
    assert "CP 7%2F?#" == run("stations", "show", "CP 7%2F?#", "--json").json["identity"]
    assert 0 == run("stations", "delete", "CP 7%2F?#").code
    assert "Station not found" in run("stations", "show", "CP 7%2F?#").err


def test_a_station_is_changed_kept_out_and_given_a_password(run: Run) -> None:
    added = run("stations", "create", "CP-1", "--json").json
    changed = run("stations", "change", "CP-1", "--name", "Gate", "--strict", "--json").json
    assert ("Gate", True) == (changed["name"], changed["strict"])
    assert 0 == run("stations", "block", "CP-1").code
    assert run("stations", "show", "CP-1", "--json").json["blocked_at"]
    assert 0 == run("stations", "unblock", "CP-1").code
    assert run("stations", "show", "CP-1", "--json").json["blocked_at"] is None
    made = run("stations", "password", "CP-1").out.strip()
    assert 20 == len(made)
    assert made != added["password"]
    assert 0 == run("stations", "password", "CP-1", "--waive").code
    assert run("stations", "show", "CP-1", "--json").json["password_waived"] is True
    assert "not connected" in run("stations", "disconnect", "CP-1").err


def test_what_a_station_said_is_listed(run: Run) -> None:
    found = run("stations", "messages", "V-2", "--action", "BootNotification", "--json").json
    assert {"BootNotification"} == {one["action"] for one in found}
    hidden = run("stations", "messages", "V-2", "--hide", "BootNotification", "--json").json
    assert "BootNotification" not in {one["action"] for one in hidden}
    assert 1 == len(run("stations", "messages", "V-2", "--limit", "1", "--json").json)
    assert [] == run("stations", "messages", "V-2", "--until", "1d", "--json").json


def test_evses_variables_and_uptime_are_shown(run: Run) -> None:
    assert [1] == [one["evse_id"] for one in run("stations", "evses", "V-2", "--json").json]
    assert run("stations", "evses", "V-2").out.startswith("1\t")
    assert [] == run("stations", "variables", "V-2", "--component", "none", "--json").json
    assert (
        100.0 == run("stations", "uptime", "V-2", "--since", "1h", "--json").json["uptime_percent"]
    )


# ---- commands and transactions ---------------------------------------------------------------


def test_a_command_is_answered(run: Run) -> None:
    outcome = run("commands", "send", "V-2", "trigger_message", "requested_message=Heartbeat")
    assert (0, {"status": "Accepted"}) == (outcome.code, outcome.json)
    raw = run("commands", "send", "V-2", "--action", "TriggerMessage", '{"requestedMessage": "X"}')
    assert (1, "") == (raw.code, raw.out)
    assert "body/payload" in raw.err


@pytest.mark.parametrize("word", ["type", "=x", ":=1", "evse_id:=", "evse_id:={"])
def test_what_is_no_parameter_is_bad_usage(run: Run, word: str) -> None:
    assert 2 == run("commands", "send", "V-2", "reset", word).code


def test_a_command_to_a_station_that_is_offline_fails(run: Run) -> None:
    run("stations", "create", "CP-2")
    assert 1 == run("commands", "send", "CP-2", "clear_cache", "--timeout", "1").code


def test_a_command_that_nobody_waits_for_is_found_again(run: Run) -> None:
    order = ("trigger_message", "requested_message=Heartbeat")
    sent = run("commands", "send", "V-2", *order, "--async")
    assert UUID.fullmatch(sent.out)
    command = sent.out.strip()
    until(lambda: "succeeded" == run("commands", "show", command, "--json").json["state"])
    listed = run("commands", "list", "--station", "V-2", "--over", "--json").json
    assert command in {one["id"] for one in listed}
    assert 1 == run("commands", "cancel", command).code


def test_the_commands_and_their_parameters_are_listed(csms: Run) -> None:
    found = {one["command"]: one for one in csms("commands", "kinds", "--json").json}
    assert {"1.6": "RemoteStartTransaction", "2.0.1": "RequestStartTransaction"}.items() <= found[
        "request_start_transaction"
    ]["actions"].items()
    assert "on_idle waits" in csms("commands", "kinds", "reset").out
    assert 2 == csms("commands", "kinds", "nonsense").code


def test_a_transaction_from_its_start_to_the_spreadsheet(
    run: Run, client: Client, tmp_path: Path
) -> None:
    order = ("request_start_transaction", "id_token=04A2B3C4", "evse_id:=1")
    assert 0 == run("commands", "send", "V-1", *order).code
    until(lambda: bool(client.pages("/api/v1/transactions", state="open")))
    (listed,) = run("transactions", "list", "--open", "--station", "V-1", "--json").json
    assert listed["id"] == run("transactions", "show", listed["id"], "--json").json["id"]
    assert 0 == run("transactions", "meter-values", listed["id"]).code
    assert 0 == run("transactions", "meter-values", listed["id"], "--bucket", "15m").code
    assert 0 == run("transactions", "stop", listed["id"]).code
    until(lambda: not client.pages("/api/v1/transactions", state="open"))
    assert [] == run("transactions", "list", "--open", "--json").json
    assert 1 == run("transactions", "close", listed["id"], "--reason", "lost").code
    file = tmp_path / "all.csv"
    assert 0 == run("transactions", "export", "--since", "1h", "--output", file).code
    rows = list(csv.DictReader(io.StringIO(file.read_text())))
    assert [listed["id"]] == [row["id"] for row in rows]


def test_an_export_that_is_refused_leaves_no_file(run: Run, tmp_path: Path) -> None:
    outcome = run("transactions", "export", "--location", "no-such", "--output", tmp_path / "x")
    assert 1 == outcome.code
    assert not (tmp_path / "x").exists()
    assert 1 == run("transactions", "export", "--output", tmp_path / "no" / "x").code


# ---- id tokens -------------------------------------------------------------------------------


def test_an_id_token_is_decided_about(run: Run) -> None:
    added = run("id-tokens", "add", "AA11", "--note", "Anna", "--expires", "30d", "--json").json
    changed = run("id-tokens", "change", "aa11", "--group", "staff", "--json").json
    assert ("Anna", "staff") == (changed["note"], changed["group_id_token"])
    assert added["expires_at"] == changed["expires_at"]
    assert 0 == run("id-tokens", "block", added["id"]).code
    assert "Blocked" == run("id-tokens", "show", "AA11", "--json").json["status"]
    assert 0 == run("id-tokens", "accept", "AA11").code
    assert ["AA11"] == [
        one["value"] for one in run("id-tokens", "list", "--group", "staff", "--json").json
    ]
    assert 0 == run("id-tokens", "delete", "AA11").code
    assert "there is no id token AA11" in run("id-tokens", "show", "AA11").err


def test_id_tokens_come_from_a_spreadsheet(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "cards.csv"
    file.write_text("\ufeffvalue;status;note\nBB1;Accepted;Bert\nBB2;Blocked;\n")
    assert 0 == run("id-tokens", "import", file, "--watch").code
    first = run("id-tokens", "show", "bb1", "--json").json
    assert ("Accepted", "Bert") == (first["status"], first["note"])
    # The second time somebody has decided about them.
    assert 3 == run("id-tokens", "import", file, "--watch").code
    assert 0 == run("id-tokens", "import", file, "--watch", "--overwrite").code


def test_id_tokens_come_from_a_json_array(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "cards.json"
    file.write_text(json.dumps([{"value": "CC1", "status": "Accepted"}]))
    assert 0 == run("id-tokens", "import", file, "--watch").code
    assert "Accepted" == run("id-tokens", "show", "CC1", "--json").json["status"]


def test_a_spreadsheet_that_cannot_be_read_is_refused(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "cards.csv"
    assert 2 == run("id-tokens", "import", file).code
    file.write_text("name\nx\n")
    outcome = run("id-tokens", "import", file)
    assert (1, True) == (outcome.code, "unknown column 'name'" in outcome.err)


# ---- jobs ------------------------------------------------------------------------------------


def test_a_job_is_previewed_submitted_watched_and_exported(run: Run, tmp_path: Path) -> None:
    order = ("clear_cache", "--station", "V-1", "--station", "V-2")
    preview = run("jobs", "preview", *order, "--json").json
    assert (2, 2) == (preview["total"], preview["counts"]["run"])
    watched = run("jobs", "submit", *order, "--watch", "--json")
    assert 0 == watched.code
    job = json.loads(watched.out.splitlines()[-1])
    assert 2 == job["counters"]["succeeded"]
    assert job["id"] in {one["id"] for one in run("jobs", "list", "--state", "done", "--json").json}
    rows = list(csv.reader(io.StringIO(_file(run, tmp_path, "jobs", "export", job["id"]))))
    assert 3 == len(rows)
    lines = _file(run, tmp_path, "jobs", "export", job["id"], "--ndjson").splitlines()
    assert {"V-1", "V-2"} == {json.loads(line)["identity"] for line in lines}


def _file(run: Run, tmp_path: Path, *words: str) -> str:
    assert 0 == run(*words, "--output", tmp_path / "file").code
    return (tmp_path / "file").read_text()


def test_a_job_is_paused_resumed_tried_again_and_forgotten(run: Run) -> None:
    run("stations", "create", "CP-3")
    later = ("--not-before", "8h", "--json")
    job = run("jobs", "submit", "clear_cache", "--station", "CP-3", *later).json["id"]
    assert "paused" == run("jobs", "pause", job, "--json").json["state"]
    assert "scheduled" == run("jobs", "resume", job, "--json").json["state"]
    assert 1 == run("jobs", "delete", job).code
    assert 0 == run("jobs", "cancel", job).code
    assert 4 == run("jobs", "watch", job).code
    again = run("jobs", "retry", job, "--new", "--state", "cancelled", "--json").json["id"]
    assert job != again
    assert 0 == run("jobs", "cancel", again).code
    assert 0 == run("jobs", "delete", job).code
    assert 1 == run("jobs", "show", job).code


def test_a_job_of_any_kind_comes_from_a_file(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "job.json"
    groups = [{"suffixes": ["J-1", "J-1"], "virtual": False}]
    file.write_text(json.dumps({"kind": "station_create", "spec": {"groups": groups}}))
    assert 3 == run("jobs", "submit", "--file", file, "--watch").code
    assert "J-1" in {one["identity"] for one in run("stations", "list", "--json").json}


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("reset",),
        ("reset", "--all", "--station", "V-1"),
        ("reset", "--file", "x"),
        ("--file", "missing.json"),
        ("--file", __file__),
    ],
)
def test_a_job_that_says_too_little_or_too_much_is_bad_usage(
    run: Run, words: tuple[str, ...]
) -> None:
    assert 2 == run("jobs", "submit", *words).code


# ---- tokens, audit, webhooks -----------------------------------------------------------------


def test_a_token_of_few_scopes_is_made(run: Run) -> None:
    made = run("tokens", "create", "--name", "few", "--scope", "jobs:read", "--json").json
    assert ["jobs:read", "self:read", "self:write"] == made["scopes"]
    assert made["id"] in {one["id"] for one in run("tokens", "list", "--json").json}
    assert 0 == run("tokens", "revoke", made["id"]).code


def test_what_was_written_is_in_the_audit(run: Run) -> None:
    run("stations", "create", "CP-9")
    found = run("audit", "--station", "CP-9", "--since", "1h", "--json").json
    assert ["POST"] == [one["method"] for one in found]
    assert "CP-9" not in run("audit", "--failed").out


def test_a_webhook_is_made_tested_and_listed(run: Run) -> None:
    url = "http://127.0.0.1:9/hook"
    made = run("webhooks", "create", url, "--name", "x", "--event", "station.*", "--json").json
    assert made["secret"].startswith("whsec_")
    assert "secret" not in run("webhooks", "show", made["id"], "--json").json
    assert 1 == run("webhooks", "test", made["id"]).code
    assert made["secret"] != run("webhooks", "secret", made["id"]).out.strip()
    assert 0 == run("webhooks", "disable", made["id"]).code
    assert not run("webhooks", "show", made["id"], "--json").json["enabled"]
    assert 0 == run("webhooks", "enable", made["id"]).code
    assert 0 == run("webhooks", "deliveries", made["id"]).code
    assert made["id"] in {one["id"] for one in run("webhooks", "list", "--json").json}
    assert 0 == run("webhooks", "delete", made["id"]).code


# ---- files -----------------------------------------------------------------------------------


def test_a_firmware_image_is_uploaded_and_told_to_a_station(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "acme 1.4.bin"
    file.write_bytes(bytes(range(256)) * 1000)
    made = run("firmware", "upload", file, "--version", "1.4", "--json").json
    assert (256_000, "1.4") == (made["size_bytes"], made["version"])
    assert hashlib.sha256(file.read_bytes()).hexdigest() == made["sha256"]
    assert made["id"] in {one["id"] for one in run("firmware", "list", "--json").json}
    update = run("firmware", "install", "V-2", made["id"], "--json").json
    listed = run("firmware", "updates", "--station", "V-2", "--json").json
    assert [(update["id"], made["id"])] == [(one["id"], one["image_id"]) for one in listed]
    assert 2 == run("firmware", "upload", tmp_path / "missing").code


def test_a_log_is_asked_for_fetched_and_deleted(run: Run, tmp_path: Path) -> None:
    assert 0 == run("logs", "request", "V-2").code
    until(lambda: bool(run("logs", "list", "--station", "V-2", "--json").json))
    (log,) = run("logs", "list", "--station", "V-2", "--json").json
    assert 0 == run("logs", "download", log["id"], "--output", tmp_path / "log").code
    assert log["size_bytes"] == (tmp_path / "log").stat().st_size
    assert 0 == run("logs", "delete", log["id"]).code
    assert 1 == run("logs", "download", log["id"], "--output", tmp_path / "again").code
    assert not (tmp_path / "again").exists()


# ---- what is asked of all --------------------------------------------------------------------


@pytest.mark.parametrize("noun", ["locations", "transactions", "jobs"])
def test_what_is_not_there_is_said_in_one_line(run: Run, noun: str) -> None:
    outcome = run(noun, "show", ABSENT)
    assert (1, "", 1) == (outcome.code, outcome.out, outcome.err.count("\n"))


def test_the_server_says_that_it_is_ready(run: Run, csms: Run, client: Client) -> None:
    assert 0 == run("healthcheck").code
    assert "ok" == csms("healthcheck", "--url", client.url, "--json").json["status"]


def test_the_description_is_that_of_the_server(csms: Run, client: Client) -> None:
    assert client.get("/openapi.json") == json.loads(csms("openapi", "--indent", "0").out)


def test_nothing_is_wrong_with_a_server_that_runs(run: Run) -> None:
    outcome = run("doctor", "--json")
    assert [] == [one for one in outcome.json if one["verdict"] == "fail"]
    assert 0 == outcome.code
    assert {"server", "stations", "database", "clock"} <= {one["check"] for one in outcome.json}
