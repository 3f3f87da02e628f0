"""Reading all there is to read: every list of the store and of the API, whatever was stored."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from collections.abc import Callable, Iterator
from dataclasses import MISSING, fields
from typing import TYPE_CHECKING, Any, get_type_hints

import csms.store
from csms.api import routes
from csms.domain.stations import Station
from csms.store.database import Database, ReadTx

if TYPE_CHECKING:
    from tests.api.conftest import Api

# Rows that lists of other tables are asked for, by the name of the parameter.
TABLES = {"report_id": "reports", "transaction_id": "transactions"}
VERBS = ("count", "find", "get", "list")
PARAMETER = re.compile(r"\{(\w+)\}")


def lists() -> Iterator[tuple[str, Callable[..., Any], list[inspect.Parameter]]]:
    """Every function of the store that reads rows, with the parameters it must be given."""
    for found in pkgutil.iter_modules(csms.store.__path__):
        module = importlib.import_module(f"csms.store.{found.name}")
        for name, function in inspect.getmembers(module, inspect.isfunction):
            parameters = list(inspect.signature(function).parameters.values())
            if (
                function.__module__ == module.__name__
                and name.startswith(VERBS)
                and parameters
                and parameters[0].annotation == "ReadTx"
            ):
                needed = [one for one in parameters[1:] if one.default is one.empty]
                yield f"{found.name}.{name}", function, needed


def read_store(tx: ReadTx, station: Station, now: Any) -> int:
    """Call every list of the store that can be asked about a station; returns how many."""
    known = {
        "station_id": [station.id],
        "limit": [100_000],
        "now": [now],
        **{name: _ids(tx, table) for name, table in TABLES.items()},
    }
    called = 0
    for _, function, needed in lists():
        names = [one.name for one in needed if one.name != "wanted"]
        if not set(names) <= known.keys():
            continue
        several = next((name for name in names if name in TABLES), None)
        for value in known[several] if several else [None]:
            given = {name: value if name == several else known[name][0] for name in names}
            if len(names) < len(needed):  # a filter that lets everything through
                given["wanted"] = _unfiltered(get_type_hints(function)["wanted"], known)
            function(tx, **given)
            called += 1
    return called


def _unfiltered(kind: type[Any], known: dict[str, list[Any]]) -> Any:
    """A filter that lets everything through of whatever it has to be about."""
    needed = [one.name for one in fields(kind) if one.default is MISSING]
    return kind(**{name: known[name][0] for name in needed})


def _ids(tx: ReadTx, table: str) -> list[int]:
    return [row[0] for row in tx.all(f"SELECT id FROM {table} ORDER BY id LIMIT 200")]


async def read_api(api: Api, stations: list[Station]) -> int:
    """GET every resource about stations, page by page; returns how many answers."""
    answers = 0
    for route in routes.ALL:
        names = set(PARAMETER.findall(route.path))
        if route.method != "GET" or not names <= {"station_id", "charger_id"}:
            continue
        if not route.answers or any(isinstance(kind, str) for kind in route.answers.values()):
            continue  # the page, the metrics, streams
        for station in stations if names else stations[:1]:
            answers += await _read_pages(api, PARAMETER.sub(station.uuid, route.path))
    return answers


async def _read_pages(api: Api, path: str) -> int:
    answers = 0
    cursor: str | None = ""
    while cursor is not None:
        response = await api.get(f"{path}?limit=500&cursor={cursor}" if cursor else path)
        assert response.status == 200, (path, response.status, await response.text())
        body = await response.json()
        cursor = body.get("next_cursor") if isinstance(body, dict) else None
        answers += 1
    return answers


async def read_all(db: Database, api: Api, stations: list[Station], now: Any) -> None:
    """Read the store and the API."""
    for station in stations:
        assert await db.read(lambda tx, one=station: read_store(tx, one, now)) > 20
    assert await read_api(api, stations) > 5
