"""No list sorts what grows, nor goes through all of it for a page: the last costs as the first."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from csms.api import routes
from csms.store.database import ReadTx
from tests.api.everything import make_everything

if TYPE_CHECKING:
    from collections.abc import Callable

    from csms.api.routing import Route
    from tests.api.conftest import Api, ScriptedHub
    from tests.api.everything import Everything

LISTS = [
    route
    for route in routes.ALL
    if not route.writes and route.query and {"limit", "page"} & route.query.model_fields.keys()
]
GROWING = (
    "audit_entries|boots|connections|data_transfers|events|job_items|jobs|lint_findings"
    "|meter_values|monitoring_events|notices|ocpp_messages|security_events|stations"
    "|status_notifications|transaction_events|transactions|webhook_deliveries"
)
FROM_GROWING = re.compile(rf"\bFROM (?:{GROWING})\b")
# The rows of one page, found in order by an index, may be sorted once more after the joins.
OF_A_PAGE = re.compile(r"\bIN \(SELECT .* LIMIT \? ?(?:OFFSET \?)?\)")


@pytest.fixture
async def everything(api: Api, hub: ScriptedHub) -> Everything:
    return await make_everything(api, hub)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Every statement that read something, and what it was asked with."""
    found: dict[str, Any] = {}

    def watched(method: Callable[..., Any]) -> Callable[..., Any]:
        def ask(tx: ReadTx, sql: str, params: Any = ()) -> Any:
            found[sql] = params
            return method(tx, sql, params)

        return ask

    for name in ("all", "one", "tuples", "value"):
        monkeypatch.setattr(ReadTx, name, watched(getattr(ReadTx, name)))
    return found


async def look(everything: Everything, route: Route) -> int:
    """Ask for the first two pages; returns how many there were."""
    path = everything.path(route)
    seen = 0
    for query in ("limit=1", "per_page=1&page=2", "measurand=Voltage&date_from=2026-01-01"):
        response = await everything.api.request("GET", f"{path}?{query}")
        if response.status != 200:
            continue  # the route knows no such filter
        seen += 1
        if (cursor := (await response.json()).get("next_cursor")) is not None:
            params = {"limit": "1", "cursor": cursor}
            await everything.api.request("GET", path, params=params)
    return seen


def slow_steps(sql: str, steps: list[str]) -> list[str]:
    """What takes longer the more there is."""
    if not FROM_GROWING.search(sql):
        return []
    sorts = [] if OF_A_PAGE.search(sql) else [one for one in steps if "FOR ORDER BY" in one]
    is_page = " LIMIT ?" in sql
    scans = [] if is_page else [one for one in steps if re.fullmatch(rf"SCAN ({GROWING})", one)]
    return sorts + scans


async def test_no_list_sorts_or_goes_through_what_grows(
    everything: Everything, asked: dict[str, Any]
) -> None:
    found = set()
    for route in LISTS:
        assert await look(everything, route) > 0, route.path

    def explain(tx: ReadTx) -> None:
        for sql, params in list(asked.items()):
            steps = [row["detail"] for row in tx.all(f"EXPLAIN QUERY PLAN {sql}", params)]
            found.update((sql, step) for step in slow_steps(sql, steps))

    await everything.api.deps.db.read(explain)
    assert found == set()


@pytest.mark.parametrize(
    ("sql", "slow"),
    [
        ("SELECT * FROM transactions ORDER BY id DESC LIMIT ?", 0),
        ("SELECT * FROM transactions ORDER BY evse_id DESC LIMIT ?", 1),
        ("SELECT count(*) FROM transactions WHERE evse_id = ?", 1),
        ("SELECT count(*) FROM transactions WHERE station_id = ?", 0),
    ],
)
async def test_what_is_slow_is_seen(api: Api, sql: str, slow: int) -> None:
    def steps(tx: ReadTx) -> list[str]:
        return [row["detail"] for row in tx.all(f"EXPLAIN QUERY PLAN {sql}", (1,))]

    assert len(slow_steps(sql, await api.deps.db.read(steps))) == slow
