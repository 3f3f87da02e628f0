"""The dashboard in docs/grafana asks for metrics and labels that exist."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
DASHBOARD = json.loads((ROOT / "docs" / "grafana" / "csms.json").read_text("utf-8"))
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
# Prometheus adds it to whatever it scrapes.
OF_PROMETHEUS = {"job", "le"}
METRIC = re.compile(r"\b([a-z]+(?:_[a-z0-9]+)+)\{([^}]*)\}")
LABEL = re.compile(r"(\w+)\s*(?:=|!=|=~|!~)\s*\"")
ROW = re.compile(r"^\| `(\w+)(?:\{([\w,]*)\})?` \| (.*) \|$", re.MULTILINE)
BY = re.compile(r"\bby \(([^)]*)\)")


def documented() -> dict[str, set[str]]:
    """Metric → its labels, off the table of docs/operations.md, which a test compares with us."""
    text = (ROOT / "docs" / "operations.md").read_text("utf-8")
    section = text.partition("\n## Metrics\n")[2].partition("\n## ")[0]
    found: dict[str, set[str]] = {}
    for name, labels, about in ROW.findall(section):
        suffixes = ("_bucket", "_sum", "_count") if about.startswith("histogram") else ("",)
        for suffix in suffixes:
            found[name + suffix] = set(filter(None, labels.split(",")))
    return found


def expressions() -> Iterator[str]:
    for panel in PANELS:
        yield from (target["expr"] for target in panel["targets"])
    yield from (one["expr"] for one in DASHBOARD["annotations"]["list"])


@pytest.mark.parametrize("expression", list(expressions()))
def test_every_query_asks_for_what_there_is(expression: str) -> None:
    asked = METRIC.findall(expression)
    assert asked
    for name, inside in asked:
        labels = set(LABEL.findall(inside))
        grouped = {label for group in BY.findall(expression) for label in group.split(", ")}
        assert name in documented()
        assert labels | grouped <= documented()[name] | OF_PROMETHEUS
        assert "job" in labels, "another job of the same Prometheus would be mixed in"


def test_every_name_in_a_legend_is_one_of_the_groups() -> None:
    for panel in PANELS:
        for target in panel["targets"]:
            groups = {one for group in BY.findall(target["expr"]) for one in group.split(", ")}
            groups |= {
                label
                for name, _ in METRIC.findall(target["expr"])
                if not BY.search(target["expr"])
                for label in documented()[name]
            }
            assert set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])) <= groups


def test_every_metric_is_shown() -> None:
    shown = {name for expression in expressions() for name, _ in METRIC.findall(expression)}
    assert set() == {_family(name) for name in documented()} - {_family(name) for name in shown}


def _family(name: str) -> str:
    return re.sub("(_bucket|_sum|_count)$", "", name)


def test_no_panel_covers_another() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place: dict[str, int] = panel["gridPos"]
        cells = {
            (place["x"] + column, place["y"] + line)
            for column in range(place["w"])
            for line in range(place["h"])
        }
        assert not cells & taken
        assert max(column for column, _ in cells) < 24
        taken |= cells


def test_every_panel_has_a_number_of_its_own_and_says_what_it_shows() -> None:
    panels: list[dict[str, Any]] = DASHBOARD["panels"]
    assert len(panels) == len({panel["id"] for panel in panels})
    assert [] == [panel["title"] for panel in PANELS if not panel["description"]]
