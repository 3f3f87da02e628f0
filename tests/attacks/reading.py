"""Reading all that the API has: every GET there is, with every id that the lists tell."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from csms.api import routes
from csms.cli.failures import Refused
from csms.cli.http import Client

PARAMETER = re.compile(r"\{(\w+)(?::[^}]*)?\}")
# It asks the station, and waits for what that says.
ASKS = "/ocpp/chargers/{charger_id}/configuration"
# Of each list so many are looked at one by one, and so many pages.
EACH, PAGES = 8, 40


def read_everything(client: Client) -> int:
    """Read all of it; returns how many answers there were. What cannot be read raises."""
    return sum(1 for _ in answers(client))


def answers(client: Client) -> Iterator[tuple[str, str]]:
    """The path and the text of every answer; streams have no end and are left out."""
    for path in paths(client):
        yield from _pages(client, path)


def paths(client: Client) -> Iterator[str]:
    """Where something can be read."""
    for route in routes.ALL:
        kinds = route.answers or {}
        if route.method != "GET" or kinds.get(200) == "text/event-stream":
            continue
        if route.path.startswith(("/files/", "/assets/")):  # by secrets and names of their own
            continue
        if route.path == ASKS:
            continue
        yield from _filled(client, route.path)


def _filled(client: Client, path: str) -> Iterator[str]:
    """The path with each id that its list has in the place of a parameter."""
    found = PARAMETER.search(path)
    if found is None:
        yield path
        return
    before, behind = path[: found.start()], path[found.end() :]
    for above in _filled(client, before.rstrip("/")):
        for name in _names(_get(client, above)):
            yield from _filled(client, f"{above}/{name}{behind}")


def _names(listed: Any) -> list[str]:
    """What the entries of a list are called in a path."""
    items = listed
    if isinstance(listed, dict):
        items = next((listed[key] for key in ("items", "data", "results") if key in listed), [])
    found = []
    for item in items if isinstance(items, list) else []:
        if isinstance(item, dict):
            name = next((item[key] for key in ("id", "uuid", "slug", "run") if key in item), None)
            found += [] if name is None else [str(name)]
    return found[:EACH]


def _pages(client: Client, path: str) -> Iterator[tuple[str, str]]:
    cursor = None
    for _ in range(PAGES):
        answer = _get(client, path, **({} if cursor is None else {"cursor": cursor}))
        yield path, answer if isinstance(answer, str) else repr(answer)
        cursor = answer.get("next_cursor") if isinstance(answer, dict) else None
        if cursor is None:
            return


def _get(client: Client, path: str, **query: str) -> Any:
    try:
        return client.get(path, **query)
    except Refused as refused:
        # Some have nothing to tell of a thing as it is; broken is what cannot be told.
        assert refused.status in {404, 409, 422}, (path, refused.status, str(refused))
        return str(refused)
