"""The inbox as a person reads it: who knocked, and below that what to do."""

from __future__ import annotations

import shutil
import sys
import textwrap
from typing import Any

import typer

from csms.cli.output import for_people, print_rows

_COLUMNS = {"identity": "STATION", "cause": "CAUSE", "address": "FROM", "vendor": "VENDOR"}
_COLUMNS |= {"model": "MODEL", "attempts": "ATTEMPTS", "last_seen_at": "LAST SEEN"}
_COLUMNS |= {"what": "WHAT TO DO"}
_INDENT = "  "


def show(entries: list[dict[str, Any]], *, as_json: bool) -> None:
    """On a terminal a paragraph for each, as a table has no room for what to do."""
    rows = entries if as_json else [{**one, "what": _what_to_do(one)} for one in entries]
    if as_json or not rows or not sys.stdout.isatty():
        print_rows(_COLUMNS, rows, as_json=as_json, empty="the inbox is empty")
        return
    width = shutil.get_terminal_size().columns
    for row in rows:
        typer.secho(for_people("", row["identity"] or "(no identity)"), bold=True, nl=False)
        typer.echo(f"  {' · '.join(_about(row))}")
        for text in filter(None, (row["what"], row["sent"])):
            clean = for_people("what", text)
            typer.echo(
                textwrap.fill(clean, width, initial_indent=_INDENT, subsequent_indent=_INDENT)
            )
        typer.echo("")


def _about(row: dict[str, Any]) -> list[str]:
    device = " ".join(filter(None, (row["vendor"], row["model"])))
    times = "once" if row["attempts"] == 1 else f"{row['attempts']} times"
    last = for_people("last_seen_at", row["last_seen_at"])
    said = [row["cause"], device, f"from {row['address']}", f"{times}, last {last}"]
    return [for_people("", one) for one in said if one]


def _what_to_do(entry: dict[str, Any]) -> str:
    detail = f" ({entry['detail']})" if entry["detail"] else ""
    return f"{entry['next_step']}{detail}"
