"""The sheet of passwords for what a job made: made once, shown once."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

import pytest

from csms.api.v1 import job_credentials
from csms.domain.credentials import Verdict
from csms.store import credentials, jobs, stations
from tests.api.v1.scene import make_station, stranger
from tests.api.v1.test_jobs import finished

if TYPE_CHECKING:
    from tests.api.conftest import Api

GROUP = {"identity_prefix": "CP-", "suffixes": ["1", "2"]}


async def create(api: Api, *groups: dict[str, Any]) -> str:
    """The path of the sheet of a job that is over."""
    wanted = {"kind": "station_create", "spec": {"groups": groups or [GROUP]}}
    response = await api.post("/api/v1/jobs", json=wanted)
    assert response.status == 202, await response.text()
    uuid = (await response.json())["id"]
    job = await api.deps.db.read(lambda tx: jobs.find_by_uuid(tx, uuid))
    assert job is not None
    await finished(api, job)
    return f"/api/v1/jobs/{uuid}/credentials"


async def sheet(api: Api, path: str, **more: Any) -> list[dict[str, Any]]:
    response = await api.post(path, **more)
    assert response.status == 200, await response.text()
    assert response.headers["Cache-Control"] == "no-store"
    rows: list[dict[str, Any]] = (await response.json())["items"]
    return rows


async def opens(api: Api, identity: str, password: str) -> bool:
    def look(tx: Any) -> Any:
        station = stations.find_by_identity(tx, identity)
        assert station is not None
        return station.id, credentials.list_of_station(tx, station.id)

    station_id, stored = await api.deps.db.read(look)
    verdict = await api.deps.passwords.verify(station_id, stored, password.encode())
    return verdict is Verdict.OK


async def test_every_station_gets_a_password_that_opens(api: Api) -> None:
    rows = await sheet(api, await create(api))
    assert [row["identity"] for row in rows] == ["CP-1", "CP-2"]
    assert rows[0]["connection_url"].endswith("/ocpp/CP-1")
    assert rows[0]["password"] != rows[1]["password"]
    for row in rows:
        assert await opens(api, row["identity"], row["password"])


async def test_it_is_shown_once(api: Api) -> None:
    path = await create(api)
    first = await sheet(api, path)
    again = await sheet(api, path)
    assert [row["password"] for row in again] == [None, None]
    assert await opens(api, "CP-1", first[0]["password"])
    renewed = await sheet(api, path, json={"replace": True})
    assert not await opens(api, "CP-1", first[0]["password"])
    assert await opens(api, "CP-1", renewed[0]["password"])


async def test_a_repeated_request_shows_no_password(api: Api) -> None:
    path, key = await create(api), {"Idempotency-Key": "k"}
    first = await sheet(api, path, headers=key, json={"replace": True})
    response = await api.post(path, headers=key, json={"replace": True})
    assert response.headers["Idempotency-Replayed"] == "true"
    assert [row["password"] for row in (await response.json())["items"]] == [None, None]
    assert await opens(api, "CP-1", first[0]["password"])
    kept = await api.deps.db.read(
        lambda tx: [bytes(row["body"] or b"") for row in tx.all("SELECT * FROM idempotency_keys")]
    )
    assert not any(first[0]["password"].encode() in body for body in kept)


async def test_as_a_spreadsheet(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_credentials, "_PAGE", 1)
    response = await api.post(await create(api), headers={"Accept": "text/csv"})
    assert response.status == 200
    header, *rows = list(csv.reader(io.StringIO(await response.text())))
    assert header == list(job_credentials.COLUMNS)
    assert [row[1] for row in rows] == ["CP-1", "CP-2"]
    assert await opens(api, "CP-2", rows[1][4])


async def test_virtual_and_deleted_ones_are_left_out(api: Api) -> None:
    virtual = {"suffixes": ["V"], "virtual": True, "ws_url": "ws://127.0.0.1:1/ocpp"}
    path = await create(api, GROUP, virtual)
    await api.delete("/api/v1/stations/identity:CP-1")
    assert [row["identity"] for row in await sheet(api, path)] == ["CP-2"]


async def test_who_may(api: Api) -> None:
    path = await create(api)
    assert (await api.post(path, role="viewer")).status == 403
    assert (await api.post(path, role=await stranger(api))).status == 404
    assert (await api.post(path, json={"x": 1})).status == 422
    assert [row["password"] is None for row in await sheet(api, path)] == [False, False]


async def test_other_jobs_have_no_sheet(api: Api) -> None:
    await make_station(api)
    wanted = {
        "kind": "command",
        "target": {"filter": {}},
        "spec": {"command": "clear_cache"},
        "options": {"offline": "wait"},
    }
    made = await (await api.post("/api/v1/jobs", json=wanted)).json()
    response = await api.post(f"/api/v1/jobs/{made['id']}/credentials")
    assert response.status == 404
