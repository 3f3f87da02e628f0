"""Writes docs/cli.md, off the commands themselves: python -m csms.cli.reference > docs/cli.md."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from enum import Enum
from typing import Any, get_args, get_type_hints

import typer

from csms.cli.main import app

_HEAD = """# The command line

Written by `python -m csms.cli.reference`, off the commands themselves; a test compares. `csms COMMAND
--help` says the same.

- **Which server.** Commands find the running server through `cli.json` in its data directory:
  `--data-dir`, `CSMS_DATA_DIR`, or the user's own. `CSMS_URL` and `CSMS_TOKEN` name another one, on any
  machine. Without a running server `stations create`, `stations list`, `tokens …`, `backup` and `restore`
  work on the database itself.
- **Output.** Data goes to stdout, all else to stderr. On a terminal a listing is a table; for a program
  it is columns apart by tabs, without a heading. With `--json` it is JSON, with all that the API tells.
- **Times** are written `2026-05-01T12:00`, in this machine's time, or with an offset; or as `90s`,
  `15m`, `12h`, `7d`, `4w`: so long ago, and so far ahead where something is to come.
- **Secrets** are shown once, and are never taken as arguments.
- **Exit codes** are in [operations.md](operations.md#commands).
- **Completion**: `csms completion bash`, `zsh` or `fish` prints a script and says where to put it.

`--data-dir`, and `--json` where something is shown, are left out below.
"""  # noqa: E501 - lines of the page
# Said once for all of them.
_EVERYWHERE = frozenset({"data_dir", "as_json"})


def page() -> str:
    """The whole page."""
    return "\n".join([_HEAD, *(_section(words, command) for words, command in leaves())])


def leaves() -> list[tuple[str, Any]]:
    """Every command with its words, `csms stations list`; hidden ones are left out."""
    return list(_leaves(typer.main.get_command(app), "csms"))


def _leaves(command: Any, words: str) -> Iterator[tuple[str, Any]]:
    inner = getattr(command, "commands", None)
    if inner is None:
        yield words, command
        return
    for name, each in inner.items():
        if not each.hidden:
            yield from _leaves(each, f"{words} {name}")


def _section(words: str, command: Any) -> str:
    lines = [f"## {words}", "", inspect.cleandoc(command.help), ""]
    hints = get_type_hints(inspect.unwrap(command.callback))
    told = [one for one in command.params if one.name not in _EVERYWHERE]
    if told:
        rows = [_row(one, _choices(hints.get(one.name))) for one in told]
        lines += ["| | |", "|---|---|", *rows, ""]
    examples = [line.strip() for line in command.epilog.splitlines() if line.startswith("  ")]
    return "\n".join([*lines, "```sh", *examples, "```", ""])


def _choices(hint: Any) -> str | None:
    """The words of a closed set, of `Kind | None` too."""
    for one in (hint, *get_args(hint)):
        if isinstance(one, type) and issubclass(one, Enum):
            return "|".join(str(member.value) for member in one)
    return None


def _row(parameter: Any, choices: str | None) -> str:
    text = " ".join((parameter.help or "").split())
    if parameter.param_type_name == "argument":
        shown = [parameter.metavar or choices or parameter.name.upper()]
    else:
        shown = [*parameter.opts, *parameter.secondary_opts]
        if not parameter.is_flag:
            shown[0] += f" {parameter.metavar or choices or 'VALUE'}"
        if parameter.required:
            text += " Required."
        elif parameter.show_default and parameter.default not in {None, False}:
            default = parameter.default
            text += f" [default: {getattr(default, 'value', default)}]"
    cells = (", ".join(f"`{name}`" for name in shown), text)
    first, second = (cell.replace("|", "\\|") for cell in cells)
    return f"| {first} | {second} |"


if __name__ == "__main__":
    sys.stdout.write(page())
