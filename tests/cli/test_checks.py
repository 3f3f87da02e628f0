from __future__ import annotations

import os
import socket
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from csms.cli import checks
from csms.cli.checks import Verdict
from csms.cli.children import free_port
from csms.cli.http import Client
from csms.config import Config, load
from tests.cli.conftest import Outcome, Scripted

Run = Callable[..., Outcome]
NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.fixture
def directory(csms: Run, tmp_path: Path) -> Path:
    """A data directory as a server leaves it."""
    made = tmp_path / "data"
    assert 0 == csms("stations", "create", "CP-1", "--data-dir", made).code
    (made / "instance.key").write_bytes(b"k" * 32)
    return made


def verdicts(findings: Iterator[checks.Finding]) -> dict[str, Verdict]:
    return {one.check: one.verdict for one in findings}


def test_a_directory_as_it_should_be_passes(directory: Path) -> None:
    assert {Verdict.OK} == set(verdicts(checks.check_database(directory)).values())
    assert Verdict.OK is checks.check_directory(directory).verdict
    assert Verdict.OK is checks.check_directory(directory / "not" / "yet").verdict


def test_a_directory_that_others_can_look_into_is_a_warning(directory: Path) -> None:
    directory.chmod(0o755)
    found = checks.check_directory(directory)
    assert (Verdict.WARN, f"chmod 700 {directory}") == (found.verdict, found.fix)


@pytest.mark.parametrize(
    ("kind", "verdict"), [("nfs4", Verdict.FAIL), ("cifs", Verdict.FAIL), ("ext4", Verdict.OK)]
)
def test_the_file_system_is_that_of_the_deepest_mount(
    tmp_path: Path, kind: str, verdict: Verdict
) -> None:
    mounts = tmp_path / "mounts"
    deep = tmp_path / "a b"
    deep.mkdir()
    escaped = str(deep).replace(" ", "\\040")
    mounts.write_text(f"/dev/sda1 / xfs rw 0 0\nserver:/x {escaped} {kind} rw 0 0\n")
    assert verdict is checks.check_file_system(deep / "data", mounts).verdict
    assert "xfs" == checks.check_file_system(tmp_path, mounts).found


def test_a_damaged_database_fails(directory: Path) -> None:
    with (directory / "csms.sqlite3").open("r+b") as file:
        file.seek(4096 * 3)
        file.write(os.urandom(4096 * 20))
    assert Verdict.FAIL is verdicts(checks.check_database(directory))["database"]


def test_a_station_that_comes_in_without_a_password_is_a_warning(directory: Path) -> None:
    with closing(sqlite3.connect(directory / "csms.sqlite3")) as db:
        db.execute("UPDATE credentials SET kind = 'waived'")
        db.commit()
    assert Verdict.WARN is verdicts(checks.check_database(directory))["passwords"]


def test_a_missing_key_fails(directory: Path) -> None:
    (directory / "instance.key").unlink()
    assert Verdict.FAIL is verdicts(checks.check_database(directory))["instance key"]


def test_a_clock_that_went_back_fails() -> None:
    assert Verdict.FAIL is checks.check_clock(NOW + timedelta(hours=1), NOW).verdict
    assert Verdict.OK is checks.check_clock(NOW, NOW).verdict
    assert Verdict.OK is checks.check_clock(None, NOW).verdict


@pytest.mark.parametrize(
    ("days", "verdict"), [(-1, Verdict.FAIL), (29, Verdict.WARN), (31, Verdict.OK)]
)
def test_a_certificate_that_expires_is_told_in_time(days: int, verdict: Verdict) -> None:
    assert verdict is checks.check_expiry(NOW + timedelta(days=days), NOW).verdict


def test_certificates_are_read_with_their_keys(
    csms: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert 0 == csms("tls", "init", "--host", "localhost", "--data-dir", tmp_path).code
    made = tmp_path / "tls"
    monkeypatch.setenv("CSMS_TLS__CERTIFICATES", str(made / "ec.pem"))
    monkeypatch.setenv("CSMS_TLS__KEYS", str(made / "ec.key"))
    assert {"tls": Verdict.OK} == verdicts(checks.check_tls(load()))
    (made / "ec.key").chmod(0o644)
    assert [Verdict.OK, Verdict.WARN] == [one.verdict for one in checks.check_tls(load())]
    monkeypatch.setenv("CSMS_TLS__KEYS", str(made / "rsa.key"))
    assert {"tls": Verdict.FAIL} == verdicts(checks.check_tls(load()))


def test_a_port_that_is_taken_fails() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        assert Verdict.FAIL is checks.check_port(f"127.0.0.1:{port}").verdict
    assert Verdict.OK is checks.check_port(f"127.0.0.1:{port}").verdict


def test_more_sockets_than_files_are_a_warning() -> None:
    assert Verdict.WARN is checks.check_file_limit(2**62).verdict


def test_a_server_that_is_not_ready_fails(server: Scripted) -> None:
    wrong = {"database": "the disk is full", "recovery": "ok"}
    server.answers = [(503, {"status": "unavailable", "checks": wrong})]
    found = checks.check_server(Client(server.url, ""))
    assert (Verdict.FAIL, "database: the disk is full") == (found.verdict, found.found)


def test_a_proxy_that_drops_the_upgrade_is_noticed(server: Scripted) -> None:
    server.answers = [(200, {"page": True})]
    address = server.url.removeprefix("http://")
    found = checks.check_external_url(f"ws://{address}/ocpp")
    assert (Verdict.FAIL, "external url") == (found.verdict, found.check)
    assert "Upgrade" in (found.fix or "")


def test_nobody_at_the_url_for_stations_fails() -> None:
    assert Verdict.FAIL is checks.check_external_url("ws://127.0.0.1:9/ocpp").verdict


def test_doctor_fails_when_anything_does(csms: Run, directory: Path) -> None:
    (directory / "instance.key").unlink()
    outcome = csms("doctor", "--data-dir", directory)
    assert 1 == outcome.code
    assert "fail\tinstance key" in outcome.out


def test_a_warning_is_no_failure(
    csms: Run, monkeypatch: pytest.MonkeyPatch, directory: Path
) -> None:
    monkeypatch.setenv("CSMS_LISTEN", f"127.0.0.1:{free_port(0)}")
    directory.chmod(0o750)
    outcome = csms("doctor", "--json", "--data-dir", directory)
    assert 0 == outcome.code
    assert ["warn"] == [one["verdict"] for one in outcome.json if one["check"] == "data directory"]


def test_every_default_listener_is_looked_at(directory: Path) -> None:
    settings: Config = load({"data_dir": directory, "listen": ["127.0.0.1:1", "127.0.0.1:2"]})
    found = {one.check for one in checks.all_checks(settings, None)}
    assert {"port 1", "port 2"} <= found


def test_healthcheck_says_what_is_wrong(csms: Run, server: Scripted, tmp_path: Path) -> None:
    server.runs_on(tmp_path)
    server.answers = [(503, {"status": "unavailable", "checks": {"draining": "stopping"}})]
    outcome = csms("healthcheck", "--data-dir", tmp_path)
    assert 1 == outcome.code
    assert "draining: stopping" in outcome.err


def test_something_else_at_the_url_is_no_server(csms: Run, server: Scripted) -> None:
    server.answers = [(200, {"hello": "world"})]
    outcome = csms("healthcheck", "--url", server.url)
    assert (1, True) == (outcome.code, "is no csms server" in outcome.err)


def test_the_urls_of_stations_are_those_of_the_settings_without_a_server() -> None:
    config = load({"listen": ["127.0.0.1:9000"], "external_url": "wss://csms.example.com/ocpp"})
    found = list(checks.station_urls(checks.reaches_of(config)))
    assert [one.found for one in found] == [
        "wss://csms.example.com/ocpp/<identity>  (your external_url)",
        "ws://127.0.0.1:9000/ocpp/<identity>  (lo)",
    ]
    assert {Verdict.OK} == {one.verdict for one in found}


def test_that_only_this_machine_reaches_the_server_is_a_warning() -> None:
    listening = load({"listen": ["127.0.0.1:9123,tls"]})
    (found,) = checks.station_urls(checks.reaches_of(listening))
    assert Verdict.WARN is found.verdict
    assert "--listen 0.0.0.0:9123,tls for" in (found.fix or "")


@pytest.mark.parametrize("flags", [[], ["--json"]])
def test_what_is_no_identity_is_refused_before_anything(
    csms: Run, directory: Path, flags: list[str]
) -> None:
    outcome = csms("doctor", "--identity", "a/b", "--data-dir", directory, *flags)
    assert (2, "") == (outcome.code, outcome.out)
    assert "csms: --identity: identity must not contain '/'\n" == outcome.err


def test_a_program_reads_the_url_and_the_steps_of_a_maker(csms: Run, directory: Path) -> None:
    where = ("doctor", "--json", "--data-dir", directory)
    rows = csms(*where, "--identity", "My Box", "--vendor", "autel").json
    (url,) = (one["found"] for one in rows if one["check"] == "station url")
    assert "/ocpp/My%20Box  (lo)" in url
    (step,) = (one for one in rows if one["check"] == "maker")
    assert ("ok", True) == (step["verdict"], step["found"].startswith("Autel: In the app"))
    (unknown,) = (one for one in csms(*where, "--vendor", "No").json if one["check"] == "maker")
    assert ("warn", "nothing is known of No") == (unknown["verdict"], unknown["found"])
    assert "makers that are: ABB" in unknown["fix"]
