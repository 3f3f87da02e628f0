from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from csms.cli.failures import BadUsage, CommandFailed, Refused, ServerUnreachable
from csms.cli.http import Client, find_server, require_server, segment
from tests.cli.conftest import Scripted


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"type": "about:blank", "title": "Not Found", "detail": "Job not found"}, "Job not found"),
        ({"detail": "Location not found"}, "Location not found"),
        ({"detail": [{"loc": ["body", 0], "msg": "bad"}]}, '[{"loc": ["body", 0], "msg": "bad"}]'),
        ({"message": "Unauthenticated."}, "Unauthenticated."),
        (
            {"message": "The given data was invalid.", "errors": {"data.type": ["missing"]}},
            'The given data was invalid. {"data.type": ["missing"]}',
        ),
        ("<html>", "the server answered 400"),
        (None, "the server answered 400"),
    ],
)
def test_the_reason_is_read_from_any_dialect(server: Scripted, body: Any, reason: str) -> None:
    server.answers = [(400, body)]
    with pytest.raises(Refused) as refused:
        Client(server.url, "t").get("/api/v1/jobs")
    assert refused.value.message == reason
    assert refused.value.status == 400


def test_the_code_of_a_problem_is_kept(server: Scripted) -> None:
    server.answers = [(409, {"detail": "no socket", "code": "station_offline"})]
    with pytest.raises(Refused) as refused:
        Client(server.url, "t").post("/api/v1/stations/x/commands", {})
    assert refused.value.code == "station_offline"


def test_absent_query_values_are_left_out(server: Scripted) -> None:
    server.answers = [(200, {"items": []})]
    Client(server.url, "t").get("/api/v1/jobs", limit=5, cursor=None)
    assert server.seen == [("GET", "/api/v1/jobs?limit=5", None)]


def test_an_empty_answer_is_none(server: Scripted) -> None:
    server.answers = [(204, None)]
    assert Client(server.url, "t").delete("/api/v1/tokens/x") is None


def test_a_broken_connection_is_unreachable(server: Scripted) -> None:
    server.answers = [None]
    with pytest.raises(ServerUnreachable):
        Client(server.url, "t").get("/api/v1/jobs")


def test_the_address_file_leads_to_the_server(server: Scripted, tmp_path: Path) -> None:
    server.runs_on(tmp_path)
    assert find_server(tmp_path) == Client(server.url, "csms_cli_secret")


def test_the_address_file_of_a_killed_server_leads_nowhere(tmp_path: Path) -> None:
    (tmp_path / "cli.json").write_text(json.dumps({"url": "http://127.0.0.1:9", "token": "t"}))
    assert find_server(tmp_path) is None
    with pytest.raises(ServerUnreachable):
        require_server(tmp_path)


@pytest.mark.parametrize("text", ["", "{}", "[]", '"x"', "{"])
def test_a_damaged_address_file_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "cli.json").write_text(text)
    with pytest.raises(CommandFailed, match=r"cli\.json"):
        find_server(tmp_path)


def test_the_environment_names_another_server(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CSMS_URL", "https://csms.example")
    monkeypatch.setenv("CSMS_TOKEN", "secret")
    assert find_server(tmp_path) == Client("https://csms.example", "secret")


def test_a_path_segment_cannot_leave_its_place() -> None:
    assert segment("a/../b?c#d") == "a%2F..%2Fb%3Fc%23d"
    assert segment("identity:CP 1") == "identity:CP%201"


@pytest.mark.parametrize(
    "url",
    [
        "http://[",
        "http://127.0.0.1:99999",
        "http://127.0.0.1:x",
        "http://127.0. 0.1:9000",
        "http://csms.example/api",
        f"http://{'a' * 64}",
        "csms.example",
        "ftp://csms.example",
    ],
)
def test_what_is_no_url_of_a_server_is_bad_usage(url: str) -> None:
    with pytest.raises(BadUsage, match="is not the URL of a server"):
        Client(url, "t")


def test_a_password_in_the_url_is_not_repeated() -> None:
    with pytest.raises(BadUsage) as refused:
        Client("http://me:s3cr3t@csms.example", "t")
    assert "s3cr3t" not in refused.value.message


@pytest.mark.parametrize("token", ["s3cr\r\n3t", "s3cr\n3t", "\u201cs3cr3t\u201d", "s3cr 3t"])
def test_what_is_no_token_is_not_repeated(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, token: str
) -> None:
    monkeypatch.setenv("CSMS_URL", "http://csms.example")
    monkeypatch.setenv("CSMS_TOKEN", token)
    with pytest.raises(BadUsage) as refused:
        find_server(tmp_path)
    assert refused.value.message == "CSMS_TOKEN has characters that no token has"
    assert refused.value.__cause__ is None


def test_blanks_around_what_the_environment_says_do_not_count(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CSMS_URL", " https://csms.example\n")
    monkeypatch.setenv("CSMS_TOKEN", "secret\r\n")
    assert find_server(tmp_path) == Client("https://csms.example", "secret")
