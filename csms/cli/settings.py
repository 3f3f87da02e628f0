"""`csms config show`: which settings hold, and where each comes from."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from csms.cli.examples import examples
from csms.cli.output import AsJson, print_json

if TYPE_CHECKING:
    from csms.config import Config

app = typer.Typer(help="Settings.", no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def _group() -> None:
    """Settings."""


@app.command(
    epilog=examples("config show --sources", "config show --config /etc/csms/csms.toml --json")
)
def show(
    config: Annotated[
        Path | None, typer.Option(help="A TOML file; see config.example.toml.", show_default=False)
    ] = None,
    dev: Annotated[
        bool, typer.Option("--dev", help="As `csms serve --dev` would take it.")
    ] = False,
    sources: Annotated[
        bool, typer.Option("--sources", help="Say where each value comes from.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show the settings that `csms serve` would use, as TOML. Secrets are not shown."""
    from csms import config as settings

    loaded = settings.load({"dev": True} if dev else {}, file=config)
    origins = _origins(dev=dev, file=config)
    rows = [
        {"name": name, "value": _value(loaded, name), "source": origins[name]}
        for name in settings.names()
    ]
    if as_json:
        print_json(rows)
        return
    section = ""
    for row in rows:
        group, _, key = row["name"].rpartition(".")
        if group != section:
            section = group
            typer.echo(f"\n[{group}]")
        origin = f"  # {row['source']}" if sources else ""
        typer.echo(f"{key} = {settings.as_toml(row['value'])}{origin}")
    for variable in sorted(settings.OUTSIDE & os.environ.keys()):
        typer.echo(f"# {variable} is set")


def _value(config: Config, name: str) -> Any:
    value: Any = config
    for part in name.split("."):
        value = getattr(value, part)
    return value if isinstance(value, bool | int | float | list) else str(value)


def _origins(*, dev: bool, file: Path | None) -> dict[str, str]:
    """Where each setting is from: environment, file, --dev or default."""
    from csms import config as settings

    given = {} if file is None else settings.read(file)
    dev = bool(dev or settings.is_true(os.environ.get("CSMS_DEV")) or given.get("dev"))
    of_dev = {**settings.DEV, "dev": True} if dev else {}
    present = {variable.upper() for variable in os.environ}
    found = {}
    for name in settings.names():
        if settings.PREFIX + name.replace(".", "__").upper() in present:
            found[name] = "environment"
        elif _holds(given, name):
            found[name] = str(file)
        else:
            found[name] = "dev" if _holds(of_dev, name) else "default"
    return found


def _holds(values: Mapping[str, Any], name: str) -> bool:
    section, _, key = name.rpartition(".")
    inside = values.get(section, {}) if section else values
    return key in inside
