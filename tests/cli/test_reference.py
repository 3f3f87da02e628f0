from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer

from csms.cli import reference
from csms.cli.main import app
from tests.cli.conftest import Outcome

PAGE = Path(__file__).resolve().parents[2] / "docs" / "cli.md"
LEAVES = reference.leaves()


def examples_of(command: Any) -> list[str]:
    return [line.strip() for line in command.epilog.splitlines() if line.startswith("  ")]


EXAMPLES = [line for _, command in LEAVES for line in examples_of(command)]


def test_the_page_is_what_the_commands_say() -> None:
    assert reference.page() == PAGE.read_text("utf-8"), "python -m csms.cli.reference > docs/cli.md"


@pytest.mark.parametrize(("words", "command"), LEAVES, ids=[words for words, _ in LEAVES])
def test_every_command_says_what_it_does_and_shows_how(words: str, command: Any) -> None:
    assert command.help
    assert examples_of(command)
    assert [] == [line for line in examples_of(command) if not f"{line} ".startswith(f"{words} ")]


@pytest.mark.parametrize("line", EXAMPLES)
def test_every_example_is_understood(line: str) -> None:
    _, *words = shlex.split(line)
    command: Any = typer.main.get_command(app)
    while hasattr(command, "commands"):
        command = command.commands[words.pop(0)]
    command.make_context(line, words)  # raises what a user would be told


@pytest.mark.parametrize(
    "command", [command for _, command in LEAVES if command.name == "list"], ids=lambda one: None
)
def test_every_listing_has_json(command: Any) -> None:
    assert "--json" in {name for one in command.params for name in one.opts}


def test_the_former_name_of_tokens_still_works(csms: Callable[..., Outcome]) -> None:
    assert 0 == csms("token", "--help").code
    assert [] == [words for words, _ in LEAVES if words.startswith("csms token ")]
