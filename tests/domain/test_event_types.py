"""The table of event types is what the sources emit."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import csms
from csms.domain.event_types import PROGRESS, TYPES
from csms.jobs.crash import POINTS

# Whoever emits events; words there of that form that are none.
EMITTERS = ("services", "jobs", "ocpp", "app", "domain")
OTHERS = {"aiohttp.websocket", PROGRESS}
FILES = (".json", ".key", ".toml")
# Made of the state that a job or a station's template has then.
OF_STATES = {
    "job.done",
    "job.cancelled",
    "job.failed",
    "station.config_template_applied",
    "station.config_template_rejected",
    "station.config_template_stopped",
}


def _words() -> set[str]:
    words: set[str] = set()
    for layer in EMITTERS:
        for path in (Path(csms.__file__).parent / layer).rglob("*.py"):
            if path.name in {"event_types.py", "crash.py"}:
                continue
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    words.add(node.value)
    return {word for word in words if not word.endswith((*FILES, "_"))}


def test_what_is_emitted_is_in_the_table_and_the_other_way_round():
    words = _words()
    dotted = {word for word in words if re.fullmatch(r"[a-z_]+(\.[a-z_]+)+", word)}
    assert set() == dotted - TYPES - OTHERS - set(POINTS)
    assert set() == TYPES - words - OF_STATES


def test_the_api_page_lists_them():
    page = (Path(csms.__file__).parents[1] / "docs/api.md").read_text()
    listed = page.partition("\nThe types are\n")[2].partition("\n`job.progress`")[0]
    assert sorted(TYPES) == re.findall(r"`([a-z_.]+)`", listed)
