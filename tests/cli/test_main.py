from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Outcome

# What takes long to import: no command that only prints its help needs any of it.
HEAVY = {
    *("aiohttp", "pydantic", "pydantic_settings", "ocpp", "jsonschema", "jsonschema_rs", "orjson"),
    *("sqlite3", "aiosqlite", "structlog", "prometheus_client", "uvloop", "rich", "asyncio"),
}
PROGRAM = """
import sys
from csms.cli.main import main
sys.argv = ["csms", *sys.argv[1:]]
try:
    main()
finally:
    names = {name.split(".")[0] for name in sys.modules} | set(sys.modules)
    print(*sorted(names), file=sys.stderr)
"""


# typer checks options with bounds by pydantic, once it looks at the commands of a group.
@pytest.mark.parametrize(
    ("arguments", "allowed"),
    [(["--help"], set()), (["--version"], set()), (["jobs", "--help"], {"pydantic"})],
)
def test_help_imports_nothing_of_the_server(arguments: list[str], allowed: set[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments], capture_output=True, text=True, check=True
    )
    imported = set(done.stderr.split())
    assert done.stdout
    assert imported & HEAVY == allowed
    assert not {name for name in imported if name.startswith(("csms.app", "csms.api", "csms.jobs"))}


def test_python_m_csms_is_the_same_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "csms", "--help"], capture_output=True, text=True, check=True
    )
    assert "Usage: csms " in done.stdout


@pytest.mark.parametrize("arguments", [["nonsense"], ["serve", "--nonsense"], ["jobs", "show"]])
def test_bad_usage_is_exit_code_2(csms: Callable[..., Outcome], arguments: list[str]) -> None:
    outcome = csms(*arguments)
    assert outcome.code == 2
    assert not outcome.out
    assert "Traceback" not in outcome.err


def test_an_unknown_setting_is_one_line_and_exit_code_2(
    csms: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CSMS_LISTN", "127.0.0.1:1")
    outcome = csms("serve", "--data-dir", tmp_path)
    assert outcome.code == 2
    assert outcome.err == "csms: unknown setting CSMS_LISTN; did you mean CSMS_LISTEN?\n"


def test_a_bad_value_in_the_file_names_the_setting(
    csms: Callable[..., Outcome], tmp_path: Path
) -> None:
    file = tmp_path / "csms.toml"
    file.write_text("[ocpp]\ncall_timeout_s = -1\n")
    outcome = csms("serve", "--config", file)
    assert outcome.code == 2
    assert "ocpp.call_timeout_s" in outcome.err
    assert outcome.err.count("\n") == 1


def test_dev_beyond_loopback_must_be_meant(csms: Callable[..., Outcome], tmp_path: Path) -> None:
    outcome = csms("serve", "--dev", "--listen", "0.0.0.0:9000", "--data-dir", tmp_path / "data")
    assert outcome.code == 2
    assert "--i-know" in outcome.err
    assert not (tmp_path / "data").exists()


def test_without_a_server_a_command_says_how_to_start_one(
    csms: Callable[..., Outcome], tmp_path: Path
) -> None:
    outcome = csms("jobs", "list", "--data-dir", tmp_path)
    assert outcome.code == 1
    assert outcome.err == (f"csms: no csms server runs on {tmp_path}; start one with: csms serve\n")


def test_a_fleet_needs_a_websocket_url(csms: Callable[..., Outcome]) -> None:
    outcome = csms("fleet", "run", "--url", "http://127.0.0.1:9000/ocpp")
    assert outcome.code == 2
    assert "ws://" in outcome.err


def test_a_fleet_speaks_known_versions_only(csms: Callable[..., Outcome]) -> None:
    outcome = csms("fleet", "run", "--url", "ws://127.0.0.1:9/ocpp", "--version", "3.0")
    assert 2 == outcome.code
    assert "--version" in outcome.err


def test_a_fleet_that_cannot_read_its_file_says_which(
    csms: Callable[..., Outcome], tmp_path: Path
) -> None:
    missing = tmp_path / "missing.ndjson"
    outcome = csms("fleet", "run", "--url", "ws://127.0.0.1:9/ocpp", "--from", missing)
    assert outcome.code == 2
    assert str(missing) in outcome.err
    assert outcome.err.count("\n") == 1
