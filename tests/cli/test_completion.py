from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Outcome

BASH = shutil.which("bash")
ASK = """
source "$1"
COMP_WORDS=("${@:2}")
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_csms_completion csms
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture
def csms_in_path(tmp_path: Path) -> dict[str, str]:
    """An environment in which a shell finds the command."""
    command = tmp_path / "csms"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m csms "$@"\n')
    command.chmod(0o700)
    return {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}


@pytest.mark.skipif(BASH is None, reason="there is no bash")
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["csms", "stations", "un"], ["unblock"]),
        (["csms", "completion", ""], ["bash", "zsh", "fish"]),
        (["csms", "stations", "list", "--off"], ["--offline"]),
    ],
)
def test_bash_completes_with_the_script(
    csms_in_path: dict[str, str], tmp_path: Path, words: list[str], expected: list[str]
) -> None:
    script = tmp_path / "completion"
    made = subprocess.run(
        ["csms", "completion", "bash"], env=csms_in_path, capture_output=True, check=True
    )
    script.write_bytes(made.stdout)
    done = subprocess.run(
        ["bash", "-c", ASK, "bash", str(script), *words],
        env=csms_in_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert expected == done.stdout.split()


@pytest.mark.parametrize(("shell", "word"), [("zsh", "compdef"), ("fish", "complete --command")])
def test_the_script_is_for_the_shell(
    csms: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch, shell: str, word: str
) -> None:
    monkeypatch.setenv("_CSMS_COMPLETE", "")  # so that it is as before afterwards
    outcome = csms("completion", shell)
    assert word in outcome.out
    assert shell in outcome.err


def test_another_shell_is_refused(csms: Callable[..., Outcome]) -> None:
    assert 2 == csms("completion", "tcsh").code
