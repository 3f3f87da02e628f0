"""`csms completion`: what makes a shell complete our commands and options."""

from __future__ import annotations

import os
from enum import Enum
from typing import Annotated

import typer

from csms.cli.examples import examples

COMPLETION = examples("completion bash", "completion zsh", "completion fish")
_PLACES = {
    "bash": "~/.local/share/bash-completion/completions/csms",
    "zsh": "_csms, in a folder of your fpath",
    "fish": "~/.config/fish/completions/csms.fish",
}


class Shell(str, Enum):
    """Those that can complete."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


def completion(
    context: typer.Context,
    shell: Annotated[Shell, typer.Argument(help="The shell.", show_default=False)],
) -> None:
    """Print the completion script of a shell, to be put where the shell looks for it."""
    typer.echo(f"put it where {shell.value} looks: {_PLACES[shell.value]}", err=True)
    # Asked this way, typer prints the script and ends.
    os.environ["_CSMS_COMPLETE"] = f"source_{shell.value}"
    context.find_root().command.main(prog_name="csms")
