"""docs/quirks.md says what the files and the tests say."""

from __future__ import annotations

import ast
from pathlib import Path

from csms.ocpp.quirks import catalog
from tests.quirks import table

ROOT = Path(__file__).resolve().parents[2]


def page() -> list[str]:
    return (ROOT / "docs" / "quirks.md").read_text("utf-8").splitlines()


def printed(header: str) -> list[str]:
    """The table of the page that begins with `header`."""
    lines = page()
    start = lines.index(header)
    end = next((i for i in range(start, len(lines)) if not lines[i].startswith("|")), len(lines))
    return lines[start:end]


def test_the_page_has_every_quirk_as_the_files_have_it() -> None:
    # Out of date? `python -m tests.quirks.table` prints both tables.
    assert table.rows() == printed(table.rows()[0])


def test_the_page_has_every_setting() -> None:
    assert table.settings() == printed(table.settings()[0])


def test_every_quirk_is_shown_by_a_test() -> None:
    assert {entry.id for entry in catalog.load().entries} == table.SHOWN_BY.keys()


def test_every_test_that_is_named_exists() -> None:
    missing = [
        (quirk, file, name)
        for quirk, (file, name) in table.SHOWN_BY.items()
        if name not in functions(ROOT / "tests" / file)
    ]
    assert missing == []


def functions(path: Path) -> set[str]:
    tree = ast.parse(path.read_text("utf-8"))
    return {
        node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
