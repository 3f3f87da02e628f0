"""The rules of the house that a program can check, read off the source by `ast`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parent.parent
# Imports go from left to right only.
LAYERS = ("cli", "app", "api", "jobs", "fleet", "ocpp", "services", "store", "domain")
FOUNDATION = frozenset({"errors", "events", "clock", "log", "config", "host"})
AIOHTTP = re.compile(
    r"csms\.(app(\..+)?|api(\..+)?|ocpp\.(listener|endpoint|connection)|fleet\.client"
    r"|services\.webhook_sending)"
)
PYDANTIC = re.compile(r"csms\.(config|api(\..+)?)")
DIALECTS = re.compile(r"csms\.api\.(chargers_dialect|commands_dialect)(\..+)?")
SQL = re.compile(
    r"\s*(SELECT\s|INSERT\s+(OR\s+\w+\s+)?INTO\s|REPLACE\s+INTO\s|UPDATE\s+(OR\s+\w+\s+)?\w+\s+SET\s"
    r"|DELETE\s+FROM\s|CREATE\s+(TEMP\s+)?(TABLE|UNIQUE|INDEX|VIEW|TRIGGER)\s|ALTER\s+TABLE\s"
    r"|DROP\s+\w+\s|PRAGMA\s|WITH\s+\w+\s+AS\s|BEGIN\s|SAVEPOINT\s)"
)
FORBIDDEN_NAMES = frozenset({"utils", "util", "helpers", "helper", "common", "base", "misc"})
# Stations as a process of their own: real ones wait before they dial again.
STATION_PROGRAMS = frozenset({"tests.acceptance.independent", "tests.acceptance.scripted"})
LONGEST_FILE = 600
LONGEST_FUNCTION = 60


class Module(NamedTuple):
    name: str
    path: Path
    tree: ast.Module
    lines: int

    def at(self, node: ast.AST) -> str:
        return f"{self.path.relative_to(ROOT)}:{getattr(node, 'lineno', 1)}"


class Import(NamedTuple):
    name: str
    node: ast.AST


@cache
def modules(*folders: str) -> tuple[Module, ...]:
    found = []
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            text = path.read_text("utf-8")
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            found.append(Module(name, path, ast.parse(text), text.count("\n")))
    return tuple(found)


def imports(module: Module) -> Iterator[Import]:
    """Every module that `module` names in an import, wherever in the file it stands."""
    known = {other.name for other in modules("csms")}
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from (Import(alias.name, node) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield Import(inner if inner in known else node.module, node)


def part(name: str) -> str | None:
    """`csms.store.jobs` is of the part `store`; what is not ours is of none."""
    words = name.split(".")
    if words[0] != "csms" or len(words) == 1:
        return None
    return "cli" if words[1] == "__main__" else words[1]


def test_imports_go_down_the_layers_only() -> None:
    wrong = []
    for module in modules("csms"):
        own = part(module.name)
        for imported in imports(module):
            other = part(imported.name)
            if own in LAYERS and other in LAYERS and LAYERS.index(other) < LAYERS.index(own):
                wrong.append(f"{module.at(imported.node)} imports {imported.name}")
    assert wrong == []


def test_the_foundation_stands_on_nothing_of_ours_but_itself() -> None:
    # What a setting may be is the domain's to say, so config may ask it.
    wrong = [
        f"{module.at(imported.node)} imports {imported.name}"
        for module in modules("csms")
        if part(module.name) in FOUNDATION
        for imported in imports(module)
        if part(imported.name) in LAYERS
        and (part(module.name), part(imported.name)) != ("config", "domain")
    ]
    assert wrong == []


def test_every_part_of_the_package_is_a_layer_or_the_foundation() -> None:
    parts = {part(module.name) for module in modules("csms")} - {None, "web"}
    assert set() == parts - FOUNDATION - set(LAYERS)


def test_only_the_composition_root_and_the_command_line_read_the_config() -> None:
    wrong = [
        module.at(imported.node)
        for module in modules("csms")
        if part(module.name) not in {"app", "cli", "config"}
        for imported in imports(module)
        if part(imported.name) == "config"
    ]
    assert wrong == []


def test_no_import_runs_in_a_circle() -> None:
    graph = {
        module.name: {imported.name for imported in imports(module)} - {module.name}
        for module in modules("csms")
    }
    # Take away what imports nothing that is left, until nothing goes: the rest is a circle.
    while leaves := [name for name, named in graph.items() if not named & graph.keys()]:
        for name in leaves:
            del graph[name]
    assert sorted(graph) == []


@pytest.mark.parametrize(
    "text",
    [
        "SELECT 1",
        "\n  INSERT OR IGNORE INTO a (b) VALUES (?)",
        "UPDATE a SET b = 1",
        "DELETE FROM a",
        "CREATE UNIQUE INDEX i ON a (b)",
        "WITH a AS (SELECT 1) SELECT * FROM a",
    ],
)
def test_sql_is_recognised(text: str) -> None:
    assert SQL.match(text)


@pytest.mark.parametrize("text", ["DELETE", "UPDATE everything", "Select one", "CREATE a station"])
def test_prose_is_not_taken_for_sql(text: str) -> None:
    assert not SQL.match(text)


def test_sql_lives_in_the_store_only() -> None:
    wrong = [
        module.at(node)
        for module in modules("csms")
        if part(module.name) != "store"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and SQL.match(node.value)
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("library", "allowed"),
    [
        (("aiohttp", "aiohttp_sse"), AIOHTTP),
        (("pydantic", "pydantic_settings", "pydantic_core"), PYDANTIC),
        (("sqlite3", "aiosqlite"), re.compile(r"csms\.store\..+")),
        (
            ("cryptography",),
            re.compile(r"csms\.domain\.(authority|certificates|client_certificates|sealing)"),
        ),
        (("typer", "rich"), re.compile(r"csms\.(cli(\..+)?|__main__)")),
    ],
)
def test_a_library_is_imported_where_it_belongs_only(
    library: tuple[str, ...], allowed: re.Pattern[str]
) -> None:
    wrong = [
        f"{module.at(imported.node)} imports {imported.name}"
        for module in modules("csms")
        if not allowed.fullmatch(module.name)
        for imported in imports(module)
        if imported.name.split(".")[0] in library
    ]
    assert wrong == []


def test_a_dialect_never_reaches_past_the_services_to_the_store() -> None:
    wrong = [
        module.at(imported.node)
        for module in modules("csms")
        if DIALECTS.fullmatch(module.name)
        for imported in imports(module)
        if part(imported.name) == "store"
    ]
    assert wrong == []


def test_no_file_outgrows_its_idea() -> None:
    wrong = [
        f"{module.at(module.tree)} has {module.lines} lines"
        for module in modules("csms", "tests", "bench", "tools")
        if module.lines > LONGEST_FILE
    ]
    assert wrong == []


def test_no_function_is_longer_than_a_screen() -> None:
    wrong = []
    for module in modules("csms", "bench", "tools"):
        for node in ast.walk(module.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                if length > LONGEST_FUNCTION:
                    wrong.append(f"{module.at(node)} {node.name} has {length} lines")
    assert wrong == []


def test_no_file_is_named_after_having_no_idea() -> None:
    wrong = [
        module.at(module.tree)
        for module in modules("csms", "tests", "bench", "tools")
        if FORBIDDEN_NAMES & set(module.path.stem.removeprefix("test_").split("_"))
        and module.path.parent.name != "commands"  # called after actions: GetBaseReport
    ]
    assert wrong == []


def test_every_module_says_what_it_holds() -> None:
    wrong = [
        module.at(module.tree)
        for module in modules("csms", "bench", "tools")
        if not ast.get_docstring(module.tree)
    ]
    assert wrong == []


def test_no_test_sleeps() -> None:
    wrong = []
    for module in modules("tests"):
        if module.name in STATION_PROGRAMS:
            continue
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Call) and _sleeps(node):
                wrong.append(module.at(node))
            if isinstance(node, ast.ImportFrom) and node.module in {"time", "asyncio"}:
                wrong += [module.at(node) for alias in node.names if alias.name == "sleep"]
    assert wrong == []


def _sleeps(call: ast.Call) -> bool:
    function = call.func
    if not isinstance(function, ast.Attribute) or function.attr != "sleep":
        return False
    if not isinstance(function.value, ast.Name) or function.value.id not in {"time", "asyncio"}:
        return False
    # `asyncio.sleep(0)` lets other tasks run and waits for nothing.
    argument = call.args[0] if call.args else None
    return not (isinstance(argument, ast.Constant) and argument.value == 0)
