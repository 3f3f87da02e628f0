"""The support matrix of docs/protocol.md: `python -m tests.conformance.matrix` writes it anew.

What passes is what has a test: a red one does not land.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.conformance.cases import Case, load

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "protocol.md"
# Rows of tables, which are driven both ways.
TABLES = frozenset({"order", "story"})
BEGIN, END = "<!-- cases: begin -->\n", "<!-- cases: end -->\n"


def driven() -> dict[str, set[str]]:
    """Case id → the kinds of tests it has, `case` and `twin`."""
    found: dict[str, set[str]] = {}
    for file in sorted(HERE.rglob("*.py")):
        for kind, identifier in _marks(ast.parse(file.read_text("utf-8"))):
            found.setdefault(identifier, set()).add(kind)
    return found


def _marks(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
            continue
        if call.func.id in {"case", "twin", *TABLES}:
            for argument in call.args:
                if isinstance(argument, ast.Constant) and str(argument.value).startswith("TC_"):
                    kinds = ("case", "twin") if call.func.id in TABLES else (call.func.id,)
                    yield from ((kind, str(argument.value)) for kind in kinds)


def table() -> str:
    """The page's part between the two marks."""
    tests = driven()
    lines = ["| Case | Version | Title | Test | Negative twin |", "|---|---|---|---|---|"]
    lines += [
        f"| `{one.id}` | {one.version} | {one.title} | {_cell(one, tests, 'case')}"
        f" | {_cell(one, tests, 'twin')} |"
        for one in load().values()
    ]
    return "\n".join(lines) + "\n"


def _cell(one: Case, tests: dict[str, set[str]], kind: str) -> str:
    if kind in tests.get(one.id, ()):
        return "passes"
    return "not yet" if one.claimed else "not claimed"


def write() -> None:
    """Put the table into the page."""
    text = PAGE.read_text("utf-8")
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    PAGE.write_text(before + BEGIN + table() + END + after, "utf-8")


if __name__ == "__main__":
    write()
