"""What a write is about, for the audit: what its path or its body names, and what it made."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from aiohttp import web
from pydantic import BaseModel

from csms.api.routing import Call, Dialect, Reply
from csms.store.audit import Named

_STATION = ("station_id", "charger_id", "charger_uuid")
_LOCATION = ("location_id", "site_uuid")
_JOB = ("job_id", "command_id", "run")
_BY_UUID = {"/api/v3/chargers/{uuid}": "charger_uuid", "/api/v3/sites/{uuid}": "site_uuid"}


def named(call: Call[Any, Any]) -> Named:
    """What the request says, unchecked; what stands in the path comes first."""
    said = dict(_in_body(call.body))
    for name, text in call.path.items():
        prefix = call.route.path.partition(f"{{{name}}}")[0] + f"{{{name}}}"
        said[_BY_UUID.get(prefix, name)] = text
    return Named(
        station=_first(said, _STATION), location=_first(said, _LOCATION), job=_first(said, _JOB)
    )


def created_id(call: Call[Any, Any], reply: Reply | web.StreamResponse) -> str | None:
    """The public id of what the answer says was made."""
    if not isinstance(reply, Reply):
        return None
    accepted = reply.status == HTTPStatus.ACCEPTED and call.route.dialect is not Dialect.CHARGERS
    if reply.status != HTTPStatus.CREATED and not accepted:
        return None
    place = reply.headers.get("Location")
    if place is not None:
        return place.rpartition("/")[2]
    made = getattr(reply.body, "id", None)
    return None if made is None else str(made)


def _in_body(body: Any) -> Iterator[tuple[str, str]]:
    if not isinstance(body, BaseModel):
        return
    for name in (*_STATION, *_LOCATION):
        if isinstance(text := getattr(body, name, None), str):
            yield name, text
    yield from _in_body(getattr(body, "target", None))


def _first(said: dict[str, str], names: tuple[str, ...]) -> str | None:
    return next((said[name] for name in names if name in said), None)
