"""Ordering files to and from a station, and reading the links that it is told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from csms.domain.tasks import Progress, Task
from csms.services import task_progress

if TYPE_CHECKING:
    from aiohttp import ClientResponse

    from csms.domain.stations import Station
    from tests.api.conftest import Api
    from tests.jobs.conftest import Delivered

LIST = "/api/v1/file-transfers"
LOG = b"all is well\n" * 100


async def update(api: Api, station: Station, image: str, **more: Any) -> ClientResponse:
    headers, role = more.pop("headers", {}), more.pop("role", "operator")
    path = f"/api/v1/stations/{station.uuid}/firmware"
    return await api.post(path, json={"image_id": image, **more}, role=role, headers=headers)


async def ask(api: Api, station: Station, *, role: str = "operator", **body: Any) -> ClientResponse:
    return await api.post(f"/api/v1/stations/{station.uuid}/logs", json=body, role=role)


async def ordered(response: ClientResponse) -> dict[str, Any]:
    assert 202 == response.status, await response.text()
    made: dict[str, Any] = await response.json()
    assert f"/api/v1/file-transfers/{made['id']}" == response.headers["Location"]
    return made


async def shown(api: Api, made: dict[str, Any]) -> dict[str, Any]:
    response = await api.get(f"/api/v1/file-transfers/{made['id']}", role="viewer")
    return dict(await response.json())


def link_of(call: Delivered) -> str:
    """The path that the station was told."""
    told = call.payload
    where = (
        told.get("location")
        or told.get("firmware", {}).get("location")
        or told["log"]["remoteLocation"]
    )
    return urlsplit(where).path


async def report(api: Api, station: Station, task: Task, *words: str, request_id: int | None):
    for word in words:
        progress = Progress(task=task, request_id=request_id, status=word, raw="{}")
        await api.deps.db.write(lambda tx, p=progress: task_progress.record(tx, station.id, p))
