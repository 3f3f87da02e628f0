from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from csms import config
from tests.cli.conftest import Outcome


def sources(outcome: Outcome) -> dict[str, str]:
    return {one["name"]: one["source"] for one in outcome.json}


def test_what_is_shown_is_a_file_that_means_the_same(
    csms: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CSMS_LISTEN", "0.0.0.0:1,tls")
    file = tmp_path / "shown.toml"
    file.write_text(csms("config", "show", "--sources").out)
    expected = config.load().model_dump()
    monkeypatch.delenv("CSMS_LISTEN")
    assert expected == config.load(file=file).model_dump()


def test_quotes_and_backslashes_in_a_setting_stay(
    csms: Callable[..., Outcome], tmp_path: Path
) -> None:
    file = tmp_path / "csms.toml"
    file.write_text("""[programs]\nsigner = 'sign "C:\\a b"'\n""")
    shown = tomllib.loads(csms("config", "show", "--config", file).out)
    assert 'sign "C:\\a b"' == shown["programs"]["signer"]


def test_each_value_says_where_it_comes_from(
    csms: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "csms.toml"
    file.write_text("[ocpp]\ncall_timeout_s = 3\nping_interval_s = 7\n")
    monkeypatch.setenv("CSMS_OCPP__CALL_TIMEOUT_S", "5")
    found = sources(csms("config", "show", "--dev", "--config", file, "--json"))
    assert "environment" == found["ocpp.call_timeout_s"]
    assert str(file) == found["ocpp.ping_interval_s"]
    assert "dev" == found["ocpp.strict"]
    assert "default" == found["log.level"]
    assert set(config.names()) == found.keys()


def test_a_secret_of_the_environment_is_not_shown(
    csms: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CSMS_ADMIN_TOKEN", "a-very-secret-value")
    outcome = csms("config", "show", "--sources")
    assert "CSMS_ADMIN_TOKEN is set" in outcome.out
    assert "a-very-secret-value" not in outcome.out + outcome.err


def test_a_setting_that_cannot_be_is_bad_usage(
    csms: Callable[..., Outcome], tmp_path: Path
) -> None:
    file = tmp_path / "csms.toml"
    file.write_text("nonsense = 1\n")
    outcome = csms("config", "show", "--config", file)
    assert (2, 1) == (outcome.code, outcome.err.count("\n"))


@pytest.mark.parametrize("value", ["127.0.0.1,[::1]", '["127.0.0.1", "[::1]"]'])
def test_a_list_in_the_environment_may_look_as_in_the_file(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("CSMS_WEBHOOKS__ALLOWED_TARGETS", value)
    assert ["127.0.0.1", "[::1]"] == config.load().webhooks.allowed_targets


def test_a_list_in_the_environment_that_is_broken_is_bad_usage(
    csms: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CSMS_WEBHOOKS__ALLOWED_TARGETS", '["127.0.0.1"')
    outcome = csms("config", "show")
    assert (2, 1) == (outcome.code, outcome.err.count("\n"))
    assert "allowed_targets" in outcome.err
