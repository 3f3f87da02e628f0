"""The documents say what the code does: a name that is missing, extra or wrong fails here."""

from __future__ import annotations

import ast
import logging
import re
import tomllib
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import structlog

from csms import config
from csms.api import errors as api_errors
from csms.api import routes
from csms.api.chargers_dialect.bulk_job import provisioning_status
from csms.api.commands_dialect import runs
from csms.cli.failures import ExitCode
from csms.domain.jobs import (
    FINAL_JOB_STATES,
    LEGAL_ITEM_CHANGES,
    LEGAL_JOB_CHANGES,
    ItemState,
    JobState,
    PauseReason,
)
from csms.domain.lint import Rule
from csms.domain.permissions import SCOPES, Role
from csms.domain.stations import Registration
from csms.domain.versions import OcppVersion
from csms.errors import Invalid, StorageFull
from csms.jobs.crash import POINTS
from csms.ocpp import frames, variables
from csms.ocpp.actions import HANDLERS
from csms.ocpp.commands import COMMANDS
from csms.ocpp.frames import Call, CallError, FrameError
from csms.ocpp.router import TRANSACTION_CLASS, Outcome, Router, answer_to_broken

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
NO_ACTION = "\N{EN DASH}"


def text(name: str) -> str:
    return (DOCS / name).read_text("utf-8")


def table(name: str, header: str) -> list[list[str]]:
    """The rows of the one table whose first header cell is `header`; cells without backticks."""
    found: list[list[str]] = []
    inside = False
    for line in text(name).splitlines():
        if not line.startswith("|"):
            inside = False
            continue
        cells = [cell.strip().replace("`", "") for cell in line.strip("|").split(" | ")]
        if inside and not set(line) <= set("|-: "):
            found.append(cells)
        elif not inside and cells[0] == header:
            assert not found, f"{name} has two tables {header}"
            inside = True
    assert found, f"{name} has no table {header}"
    return found


def tables(name: str, header: str) -> list[list[str]]:
    """The rows of every table whose first header cell is `header`."""
    rows: list[list[str]] = []
    inside = False
    for line in text(name).splitlines():
        if not line.startswith("|"):
            inside = False
            continue
        cells = [cell.strip().replace("`", "") for cell in line.strip("|").split(" | ")]
        if inside and not set(line) <= set("|-: "):
            rows.append(cells)
        inside = inside or cells[0] == header
    return rows


# ---- the API ---------------------------------------------------------------------------------


def test_every_route_is_in_the_api_page() -> None:
    documented = [(row[0], row[1], row[2]) for row in tables("api.md", "Method")]
    assert sorted(documented) == sorted(
        (route.method, route.path, "public" if route.scope is None else route.scope.value)
        for route in routes.ALL
    )


def test_every_error_status_is_in_the_api_page() -> None:
    documented = {int(row[0]) for row in table("api.md", "Status")}
    assert documented == set(api_errors._STATUS.values())


def test_every_role_and_its_scopes_are_in_the_api_page() -> None:
    documented = {row[0]: set(row[1].split(", ")) for row in table("api.md", "Role")}
    assert documented == {role.value: {s.value for s in SCOPES[role]} for role in Role}


# ---- running it ------------------------------------------------------------------------------


def test_every_setting_and_its_default_are_in_the_operations_page() -> None:
    example = tomllib.loads(config.example())
    defaults = {
        name: value
        for section, values in example.items()
        for name, value in (
            {f"{section}.{key}": inner for key, inner in values.items()}
            if isinstance(values, dict)
            else {section: values}
        ).items()
    }
    documented = {row[0]: row[1] for row in table("operations.md", "Setting")}
    assert sorted(documented) == sorted(config.names())
    wrong = {
        name: (documented[name], value)
        for name, value in defaults.items()
        if documented[name] != config.as_toml(value)
    }
    assert wrong == {}


def test_every_variable_outside_the_settings_is_in_the_operations_page() -> None:
    documented = {row[0] for row in table("operations.md", "Variable")}
    assert documented == config.OUTSIDE


def test_every_exit_code_is_in_the_operations_page() -> None:
    documented = {int(row[0]) for row in table("operations.md", "Exit code")}
    assert documented == {int(code) for code in ExitCode}


def test_every_metric_is_in_the_operations_page() -> None:
    suffixes = {"CounterMetricFamily": "_total"}
    exported = {
        call.args[0].value + suffixes.get(call.func.id, "")
        for module in ("health.py", "metrics.py")
        for call in ast.walk(ast.parse((ROOT / "csms" / "api" / module).read_text("utf-8")))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id.endswith("MetricFamily")
    }
    assert {row[0].partition("{")[0] for row in table("operations.md", "Metric")} == exported


# ---- jobs ------------------------------------------------------------------------------------


def test_every_item_state_and_the_words_of_both_dialects_are_in_the_jobs_page() -> None:
    documented = {row[0]: (row[2], row[3]) for row in table("jobs.md", "Item state")}
    open_window = documented.pop("unknown, window open")
    assert open_window == ("in progress", runs.PENDING)
    assert documented == {
        state.value: (_chargers_word(state), runs._STATUS[state.value]) for state in ItemState
    }


def _chargers_word(state: ItemState) -> str:
    from csms.api.chargers_dialect.bulk_job import _IN_PROGRESS

    if state.value in _IN_PROGRESS:
        return "in progress"
    return "created" if state is ItemState.SUCCEEDED else "failed"


def test_every_job_state_and_the_words_of_both_dialects_are_in_the_jobs_page() -> None:
    documented = {row[0]: (row[2], row[3]) for row in table("jobs.md", "Job state")}
    assert documented == {
        state.value: (
            provisioning_status(state).value,
            "completed" if state in FINAL_JOB_STATES else "running",
        )
        for state in JobState
    }


@pytest.mark.parametrize(
    ("heading", "legal"), [("From", LEGAL_ITEM_CHANGES), ("Job from", LEGAL_JOB_CHANGES)]
)
def test_every_legal_change_is_in_the_jobs_page(heading: str, legal: Any) -> None:
    documented = {
        row[0]: set() if row[1] == "nothing" else set(row[1].split(", "))
        for row in table("jobs.md", heading)
    }
    assert documented == {
        state.value: {after.value for after in changes} for state, changes in legal.items()
    }


def test_every_reason_of_a_pause_is_in_the_jobs_page() -> None:
    assert [row[0] for row in table("jobs.md", "Reason")] == [
        reason.value for reason in PauseReason
    ]


def test_every_crash_point_is_in_the_jobs_page() -> None:
    assert tuple(row[0] for row in table("jobs.md", "Crash point")) == POINTS


# ---- the protocol ----------------------------------------------------------------------------


def test_every_supported_action_is_in_the_protocol_page() -> None:
    documented = {(row[0], row[1]) for row in table("protocol.md", "Version")}
    assert documented == {(version.value, action) for version, action in HANDLERS}


def test_every_command_its_action_and_class_are_in_the_protocol_page() -> None:
    documented = [tuple(row[:4]) for row in table("protocol.md", "Command")]
    assert sorted(documented) == sorted(
        (
            command.name,
            command.actions.get(OcppVersion.V16, NO_ACTION),
            command.actions.get(OcppVersion.V21, NO_ACTION)
            + (" (2.1)" if command.actions.keys() == {OcppVersion.V21} else ""),
            command.command_class.value,
        )
        for command in COMMANDS.values()
    )


def test_every_configuration_key_that_has_a_variable_is_in_the_protocol_page() -> None:
    documented = {(row[1], row[2]): row[0] for row in table("protocol.md", "Key of 1.6")}
    assert documented == variables.SAME
    assert {variables.key_v16(*pair) for pair in variables.SAME} == set(documented.values())


def test_every_action_of_the_transaction_class_is_in_the_protocol_page() -> None:
    section = text("protocol.md").partition("## Stored before it is answered")[2].partition("\n## ")
    assert set(re.findall(r"`([A-Z]\w+)`", section[0])) >= TRANSACTION_CLASS


def test_every_rule_of_the_lint_is_in_the_protocol_page() -> None:
    documented = [name for row in table("protocol.md", "Rule") for name in row[0].split(", ")]
    assert documented == [rule.value for rule in Rule]


SILENT = structlog.make_filtering_bound_logger(logging.CRITICAL)(None, [], {})
TOKENS: dict[OcppVersion, Any] = {
    OcppVersion.V16: "A",
    OcppVersion.V201: {"idToken": "A", "type": "ISO14443"},
    OcppVersion.V21: {"idToken": "A", "type": "ISO14443"},
}
LONG: dict[OcppVersion, Any] = {
    version: "A" * 300 if version is OcppVersion.V16 else {"idToken": "A" * 300, "type": "X"}
    for version in OcppVersion
}


async def answered(context: Any, payload: Any) -> dict[str, Any]:
    return {}


async def refused(context: Any, payload: Any) -> dict[str, Any]:
    raise Invalid("no")


async def broken(context: Any, payload: Any) -> dict[str, Any]:
    raise RuntimeError


async def full(context: Any, payload: Any) -> dict[str, Any]:
    raise StorageFull


async def route(
    version: OcppVersion,
    action: str,
    payload: Any,
    *,
    handler: Any = answered,
    accepted: bool = True,
    known: bool = True,
) -> Outcome:
    context: Any = SimpleNamespace(
        strict=True,
        registration=Registration.ACCEPTED if accepted else Registration.PENDING,
        log=SILENT,
        lint=lambda *_, **__: None,
    )
    router = Router(version, {(version, action): handler} if known else {})
    return await router.route(context, Call("id", action, payload))


def tagged(version: OcppVersion, token: Any = None, **more: Any) -> dict[str, Any]:
    name = "idTag" if version is OcppVersion.V16 else "idToken"
    return {name: TOKENS[version] if token is None else token, **more}


def readings(version: OcppVersion) -> dict[str, Any]:
    return {"connectorId" if version is OcppVersion.V16 else "evseId": 1, "meterValue": []}


async def parsed(version: OcppVersion, data: bytes) -> Outcome:
    """What the connection answers to bytes that are no frame of the version."""
    try:
        frame = frames.parse(data)
    except FrameError as error:
        return Outcome(answer_to_broken(version, error))
    assert not isinstance(frame, Call)
    if version is OcppVersion.V21:
        return Outcome(None)
    error = FrameError("", message_id=frame.message_id, message_type=6, unknown_type=True)
    return Outcome(answer_to_broken(version, error))


CASES: dict[str, Callable[[OcppVersion], Awaitable[Outcome]]] = {
    "action the version does not have": lambda v: route(v, "Nonsense", {}),
    "action of the version that csms has no handler for": lambda v: route(
        v, "SignCertificate", {}, known=False
    ),
    "a required field is missing": lambda v: route(v, "Authorize", {}),
    "a value has the wrong JSON type": lambda v: route(v, "Authorize", tagged(v, 5)),
    "a value is too long, too large or not in its list": lambda v: route(
        v, "Authorize", tagged(v, LONG[v])
    ),
    "a list has too few or too many entries": lambda v: route(v, "MeterValues", readings(v)),
    "a field the schema does not know": lambda v: route(v, "Authorize", tagged(v, unknown=1)),
    "the handler finds a value it cannot accept": lambda v: route(
        v, "Authorize", tagged(v), handler=refused
    ),
    "the handler fails": lambda v: route(v, "Authorize", tagged(v), handler=broken),
    "it cannot be stored, transaction class": lambda v: route(
        v, "MeterValues", {**readings(v), "meterValue": [SAMPLE[v]]}, handler=full
    ),
    "it cannot be stored, any other": lambda v: route(v, "Authorize", tagged(v), handler=full),
    "before the station is accepted, not a boot": lambda v: route(
        v, "Authorize", tagged(v), accepted=False
    ),
    "a CALL with an id that is no frame": lambda v: parsed(v, b'[2,"id","Authorize",{'),
    "bytes without a readable id": lambda v: parsed(v, b"nonsense"),
    "a message type that does not exist": lambda v: parsed(v, b'[7,"id",{}]'),
    "message type 6 (SEND)": lambda v: parsed(v, b'[6,"id","Authorize",{}]'),
    "a broken answer to a CALL of ours": lambda v: parsed(v, b'[3,"id",'),
}
SAMPLE: dict[OcppVersion, Any] = {
    version: {
        "timestamp": "2026-05-01T12:00:00Z",
        "sampledValue": [{"value": "1" if version is OcppVersion.V16 else 1}],
    }
    for version in OcppVersion
}


def shown(outcome: Outcome) -> str:
    if isinstance(outcome.answer, CallError):
        with_id = "" if outcome.answer.message_id == "id" else f', id "{outcome.answer.message_id}"'
        return outcome.answer.error_code + with_id
    if outcome.answer is not None:
        return "served"
    closed = "" if outcome.close_code is None else f", close {outcome.close_code}"
    return f"no answer{closed}"


@pytest.mark.parametrize("case", CASES)
async def test_the_table_of_call_errors_is_what_the_router_answers(case: str) -> None:
    documented = {row[0]: row[1:] for row in table("protocol.md", "What came")}
    assert documented[case] == [shown(await CASES[case](version)) for version in OcppVersion]


def test_the_table_of_call_errors_has_no_row_that_is_not_checked() -> None:
    assert {row[0] for row in table("protocol.md", "What came")} == CASES.keys()


# ---- the architecture ------------------------------------------------------------------------


def test_every_folder_and_top_module_is_in_the_architecture_page() -> None:
    page = text("architecture.md")
    package = ROOT / "csms"
    names = [
        f"{path.relative_to(package)}/"
        for path in package.rglob("*")
        if path.is_dir() and path.name != "__pycache__" and any(path.iterdir())
    ]
    names += [path.name for path in package.glob("*.py") if not path.name.startswith("__")]
    assert [name for name in sorted(names) if f"`{name}`" not in page] == []


def test_every_table_is_in_the_architecture_page() -> None:
    documented = {name for row in table("architecture.md", "Table") for name in row[0].split(", ")}
    migrations = (ROOT / "csms" / "store" / "migrations").glob("*.sql")
    created = {
        name for path in migrations for name in re.findall(r"CREATE TABLE (\w+)", path.read_text())
    }
    assert documented == created


def test_every_dependency_is_defended() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = {re.split(r"[<>=;\[]", line)[0] for line in project["dependencies"]}
    (adr,) = DOCS.glob("adr/*-dependencies.md")
    documented = {row[0] for row in table(str(adr.relative_to(DOCS)), "Dependency")}
    assert documented == wanted


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(DOCS)))
def test_every_link_leads_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?://)([^)#\s]*)[^)]*\)", page.read_text("utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("page", sorted(DOCS.glob("adr/*.md")), ids=lambda page: page.stem[:4])
def test_every_decision_has_its_five_parts(page: Path) -> None:
    parts = re.findall(r"^## (\w+)", page.read_text("utf-8"), re.MULTILINE)
    assert parts == ["Status", "Context", "Decision", "Consequences", "Alternatives"]
