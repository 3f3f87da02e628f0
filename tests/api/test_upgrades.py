"""One port: an upgrade is a station, whatever its path; everything else is REST."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.api.conftest import Api

UPGRADE = {"Upgrade": "WebSocket", "Connection": "Upgrade"}


@pytest.mark.parametrize(
    "path", ["/ocpp/CP-1", "/CP-1", "/ocpp/locations", "/api/v1/jobs", "/ws//CP-1", "/", "/a/b/c/"]
)
async def test_an_upgrade_goes_to_the_stations_endpoint(api: Api, path: str) -> None:
    response = await api.get(path, role=None, headers=UPGRADE)
    assert response.status == 418
    assert api.deps.endpoint.paths == [path]  # type: ignore[attr-defined]
    assert "X-Request-Id" not in response.headers
    assert response.headers["Server"] == "csms"


async def test_without_an_upgrade_the_same_path_is_rest(api: Api) -> None:
    response = await api.get("/ocpp/CP-1", role=None)
    assert (response.status, await response.json()) == (404, {"detail": "Not found"})
    assert api.deps.endpoint.paths == []  # type: ignore[attr-defined]


@pytest.mark.parametrize("path", ["/ocpp/CP-1", "/CP-1", "/a/b"])
async def test_a_websocket_whose_upgrade_got_lost_on_the_way_is_told_so(
    api: Api, path: str
) -> None:
    response = await api.get(path, role=None, headers={"Sec-WebSocket-Key": "x"})
    assert response.status == 426
    assert api.deps.endpoint.lost == [path]  # type: ignore[attr-defined]
