"""What a command shows: data on stdout as a table or JSON, everything else on stderr.

Tables and bars are drawn for a terminal. A program that reads the output gets tab-separated
columns and plain lines. rich, which draws, obeys NO_COLOR by itself.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Annotated, Any, Protocol

import typer

from csms.cli.failures import CommandFailed

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Output = Annotated[
    Path | None, typer.Option(help="A file.  [default: standard output]", dir_okay=False)
]


def print_json(value: Any) -> None:
    """One JSON document on stdout."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))


def print_json_line(value: Any) -> None:
    """One JSON document on one line of stdout, for a stream of them."""
    typer.echo(json.dumps(value, ensure_ascii=False))


def print_table(
    columns: Mapping[str, str], rows: Sequence[Mapping[str, Any]], *, empty: str
) -> None:
    """Rows on stdout; `columns` maps keys of a row to headings, `empty` is said when none."""
    if not rows:
        say(empty)
    elif sys.stdout.isatty():
        _draw_table(columns, rows)
    else:
        for row in rows:
            typer.echo("\t".join(_cell(row.get(key)) for key in columns))


def print_rows(
    columns: Mapping[str, str], rows: Sequence[Mapping[str, Any]], *, as_json: bool, empty: str
) -> None:
    """A listing: the whole rows as JSON, or some columns of them as a table."""
    if as_json:
        print_json(rows)
    else:
        print_table(columns, rows, empty=empty)


def print_one(value: Mapping[str, Any], *, as_json: bool) -> None:
    """One thing: as JSON, or a line for each thing that is known of it."""
    if as_json:
        print_json(value)
        return
    known = {key: one for key, one in value.items() if one not in (None, [], {})}
    width = max(map(len, known), default=0)
    for key, one in known.items():
        typer.echo(f"{key.ljust(width)}  {for_people(key, one)}")


def print_file(pieces: Iterator[bytes], output: Path | None) -> None:
    """A file as it comes: to `output`, or on stdout."""
    first = next(pieces, b"")  # what is refused must not leave an empty file behind
    try:
        if output is None:
            sys.stdout.flush()
            sys.stdout.buffer.writelines(chain([first], pieces))
            sys.stdout.buffer.flush()
        else:
            with output.open("wb") as file:
                file.writelines(chain([first], pieces))
    except BrokenPipeError:
        raise
    except OSError as error:
        place = output or "standard output"
        raise CommandFailed(f"cannot write to {place}: {error.strerror}") from error


def say(message: str) -> None:
    """A line for the person at the terminal, on stderr."""
    typer.echo(message, err=True)


class Bar(Protocol):
    """A progress bar, or what stands for one where nothing can be drawn."""

    def show(self, done: int, *, note: str = "") -> None:
        """Set how far it is; `note` stands behind the bar."""
        ...


@contextmanager
def progress(label: str, total: int) -> Iterator[Bar]:
    """A bar on stderr: drawn on a terminal, else a line for each tenth."""
    if not sys.stderr.isatty():
        yield _Lines(label, total)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[note]}"),
        console=Console(stderr=True),
    ) as drawn:
        yield _Drawn(drawn, drawn.add_task(label, total=total, note=""))


class _Drawn:
    def __init__(self, drawn: Any, task: Any) -> None:
        self._drawn = drawn
        self._task = task

    def show(self, done: int, *, note: str = "") -> None:
        self._drawn.update(self._task, completed=done, note=note)


class _Lines:
    def __init__(self, label: str, total: int) -> None:
        self._label = label
        self._total = total
        self._said: tuple[int, str] | None = None

    def show(self, done: int, *, note: str = "") -> None:
        tenth = 10 * done // self._total if self._total else 10
        if (tenth, note) != self._said:
            self._said = (tenth, note)
            say(" ".join(filter(None, (self._label, f"{done}/{self._total}", note))))


def _draw_table(columns: Mapping[str, str], rows: Sequence[Mapping[str, Any]]) -> None:
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*columns.values(), box=SIMPLE, pad_edge=False)
    for row in rows:
        table.add_row(*(Text(for_people(key, row.get(key))) for key in columns))
    Console().print(table)


def for_people(key: str, value: Any) -> str:
    """A value on one line, without what would move the cursor; instants in short."""
    text = _cell(value)
    # Nobody reads the microseconds of an instant, and a terminal has no room for them.
    return f"{text[:10]} {text[11:19]}Z" if key.endswith("_at") and value else text


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list) and not any(isinstance(one, dict | list) for one in value):
        return ",".join(map(str, value))
    if isinstance(value, dict | list):
        value = json.dumps(value, ensure_ascii=False)
    # A tab or a newline from a station must not make a column or a row of its own.
    return "".join(character if character.isprintable() else " " for character in str(value))
