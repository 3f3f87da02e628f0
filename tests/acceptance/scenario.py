"""Jobs that every kill test runs: creates of both modes, a repeatable and a one-shot command.

The commands are given in words of 1.6 and mean the same to stations of every version.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from csms.cli.failures import Refused

from .processes import Server

V16 = "OCPP1.6"
VERSIONS = (V16, "OCPP2.0.1", "OCPP2.1")


def make_location(server: Server) -> str:
    return server.client.post("/ocpp/locations", {"name": "Depot"})["id"]


def template(server: Server, prefix: str, *, virtual: bool, version: str = V16) -> dict[str, Any]:
    return {
        "brand_slug": "generic",
        "model_slug": "ac-22kw",
        "connector_type": "Type2",
        "ws_url": server.url,
        "ocpp_version": version,
        "identity_prefix": prefix,
        "template_name": "Charger",
        "virtual": virtual,
    }


def create(
    server: Server,
    location: str,
    prefix: str,
    number: int,
    *,
    virtual: bool = False,
    version: str = V16,
) -> tuple[str | None, set[str]]:
    """Submit a create; its status path (None when the server died) and the identities asked for."""
    suffixes = [f"{index:04d}" for index in range(number)]
    wanted = template(server, prefix, virtual=virtual, version=version)
    body = [{"template": wanted, "charger_ids": suffixes}]
    answer = server.try_post(f"/ocpp/locations/{location}/chargers", body)
    path = None if answer is None else answer["status_url"]
    return path, {prefix + suffix for suffix in suffixes}


def stations(server: Server, prefix: str = "") -> dict[str, str]:
    """identity → public id of the registered stations."""
    found: dict[str, str] = {}
    cursor = None
    while True:
        page = server.client.get("/api/v1/stations", limit=500, cursor=cursor)
        found.update((row["identity"], row["id"]) for row in page["items"])
        cursor = page["next_cursor"]
        if cursor is None:
            return {name: uuid for name, uuid in found.items() if name.startswith(prefix)}


def send(
    server: Server, ids: list[str], command: str, data: dict[str, Any], **options: Any
) -> str | None:
    """Submit a bulk command; the run's path, None when the server died over it."""
    body = {"command": command, "data": data, "charger_ids": ids, "options": options or None}
    answer = server.try_post("/api/v3/chargers/commands/bulk", body)
    return None if answer is None else f"/api/v3/chargers/commands/bulk/{answer['data']['uuid']}"


def reset(server: Server, ids: list[str], **options: Any) -> str | None:
    """A one-shot command to many."""
    options.setdefault("rollout", {"rate_per_min": 60_000})
    return send(server, ids, "Reset", {"type": "Soft"}, **options)


def configure(server: Server, ids: list[str], value: int, **options: Any) -> str | None:
    """A repeatable command to many."""
    data = {"key": "MeterValueSampleInterval", "value": str(value)}
    return send(server, ids, "ChangeConfiguration", data, **options)


def control(server: Server, path: str | None, verb: str) -> None:
    """Pause or resume a run, unless the server died before or dies over it, or the run is over."""
    if path is not None:
        with suppress(Refused):
            server.try_post(f"{_job(path)}/{verb}", None)


def show(server: Server, path: str) -> dict[str, Any]:
    """A run as the native API shows it."""
    return server.client.get(_job(path))


def _job(path: str) -> str:
    return f"/api/v1/jobs/{path.rpartition('/')[2]}"
