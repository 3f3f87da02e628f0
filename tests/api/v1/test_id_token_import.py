"""Importing id tokens, from CSV as people have it, and from JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from csms.store import jobs
from tests.api.v1.scene import items, stranger
from tests.api.v1.test_jobs import finished

if TYPE_CHECKING:
    from tests.api.conftest import Api

PATH = "/api/v1/id-tokens/import"
CSV = {"Content-Type": "text/csv; charset=utf-8"}


async def imported(api: Api, text: str | bytes, query: str = "") -> list[dict[str, Any]]:
    """The items of the job at its end."""
    response = await api.post(f"{PATH}{query}", data=text, headers=CSV)
    assert response.status == 202, await response.text()
    made = await response.json()
    assert response.headers["Location"] == f"/api/v1/jobs/{made['id']}"
    job = await api.deps.db.read(lambda tx: jobs.find_by_uuid(tx, made["id"]))
    assert job is not None
    await finished(api, job)
    return await items(api, f"/api/v1/jobs/{made['id']}/items")


async def tokens(api: Api) -> dict[str, dict[str, Any]]:
    return {one["value"]: one for one in await items(api, "/api/v1/id-tokens")}


async def test_a_table_becomes_tokens(api: Api) -> None:
    text = (
        "value,type,status,expires_at,group_id_token,is_master,max_open_transactions,aliases,note\n"
        'A1,,Accepted,2030-01-01T00:00:00Z,G,FALSE,2,a-1 a_1,"Ann, ""fleet"""\n'
        "\n"
        "B2,ISO14443,Blocked,,,,,,\n"
    )
    got = await imported(api, text)
    assert [(item["key"], item["state"]) for item in got] == [
        ("1", "succeeded"),
        ("2", "succeeded"),
    ]
    known = await tokens(api)
    assert (known["A1"]["status"], known["A1"]["group_id_token"]) == ("Accepted", "G")
    assert (known["A1"]["aliases"], known["A1"]["note"]) == (["a-1", "a_1"], 'Ann, "fleet"')
    assert known["A1"]["max_open_transactions"] == 2
    assert known["A1"]["expires_at"] == "2030-01-01T00:00:00.000000Z"
    assert (known["B2"]["type"], known["B2"]["status"]) == ("ISO14443", "Blocked")


@pytest.mark.parametrize(
    "text",
    [
        "\ufeffvalue;status\r\nÄ1;Accepted\r\n".encode(),
        b"status\tVALUE\n Accepted \t \xc3\x841\n",
    ],
)
async def test_as_spreadsheet_programs_write_it(api: Api, text: bytes) -> None:
    await imported(api, text)
    assert list(await tokens(api)) == ["Ä1"]


async def test_each_row_has_a_result(api: Api) -> None:
    await imported(api, "value,status\nA1,Accepted\n")
    text = "value,status\nB2,Accepted\na1,Blocked\n"
    got = await imported(api, text)
    assert [(item["state"], (item["error"] or {}).get("code")) for item in got] == [
        ("succeeded", None),
        ("error", "conflict"),
    ]
    got = await imported(api, text, "?overwrite=true")
    assert [item["response"]["result"] for item in got] == ["updated", "updated"]
    assert (await tokens(api))["A1"]["status"] == "Blocked"


async def test_the_same_as_json(api: Api) -> None:
    rows = [{"value": "A1", "status": "Accepted", "aliases": ["x y"]}]
    response = await api.post(PATH, json={"id_tokens": rows})
    made = await response.json()
    assert (response.status, made["kind"]) == (202, "id_token_import")
    job = await api.deps.db.read(lambda tx: jobs.find_by_uuid(tx, made["id"]))
    assert job is not None
    await finished(api, job)
    assert (await tokens(api))["A1"]["aliases"] == ["x y"]


@pytest.mark.parametrize(
    ("text", "status", "code", "told"),
    [
        (b"", 400, "malformed_csv", "each column once"),
        (b"value,status\n", 400, "malformed_csv", "no rows"),
        (b"value,colour\nA,red\n", 400, "malformed_csv", "'colour'"),
        (b"value,value\nA,B\n", 400, "malformed_csv", "each column once"),
        (b"value,status\nA\n", 400, "malformed_csv", "line 2 has 1 cells, not 2"),
        (b'value,status\n"A,Accepted\n', 400, "malformed_csv", "line"),
        (b"value,status\n\xff,Accepted\n", 400, "malformed_csv", "UTF-8"),
    ],
)
async def test_what_is_no_table_is_refused_whole(
    api: Api, text: bytes, status: int, code: str, told: str
) -> None:
    response = await api.post(PATH, data=text, headers=CSV)
    problem = await response.json()
    assert (response.status, problem["code"]) == (status, code), problem
    assert told in str(problem), problem
    assert await tokens(api) == {}
    assert await items(api, "/api/v1/jobs") == []


@pytest.mark.parametrize(
    ("column", "row", "told"),
    [
        ("note", "A,Fine,", "status: "),
        ("note", ",Accepted,", "value: "),
        ("is_master", "A,Accepted,yes", "is_master: "),
        ("is_master", "A,Accepted,true", "stations of a master"),
        ("note", "A\x00B,Accepted,", "Control characters"),
        ("note", "A\x07B,Accepted,", "Control characters"),
        ("max_open_transactions", "A,Accepted,1e3", "max_open_transactions: "),
    ],
)
async def test_a_flawed_row_fails_alone_also_when_retried(
    api: Api, column: str, row: str, told: str
) -> None:
    got = await imported(api, f"value,status,{column}\n{row}\nB2,Accepted,\n")
    states = [(item["key"], item["state"]) for item in got]
    assert states == [("1", "error"), ("2", "succeeded")]
    assert (got[0]["error"]["code"], told in got[0]["error"]["message"]) == ("invalid", True), got
    assert list(await tokens(api)) == ["B2"]
    (job,) = await items(api, "/api/v1/jobs")
    await api.post(f"/api/v1/jobs/{job['id']}/retry")
    stored = await api.deps.db.read(lambda tx: jobs.find_by_uuid(tx, job["id"]))
    assert stored is not None
    await finished(api, stored)
    again = await items(api, f"/api/v1/jobs/{job['id']}/items")
    assert [item["error"] for item in again] == [item["error"] for item in got]


async def test_other_routes_take_no_csv(api: Api) -> None:
    response = await api.post("/api/v1/id-tokens", data="value\nA\n", headers=CSV)
    assert response.status == 415


async def test_a_repeated_request_makes_one_job(api: Api) -> None:
    text, key = "value,status\nA1,Accepted\n", {"Idempotency-Key": "k"}
    first = await api.post(PATH, data=text, headers=CSV | key)
    again = await api.post(PATH, data=text, headers=CSV | key)
    assert (await first.json())["id"] == (await again.json())["id"]
    other = await api.post(PATH, data="value,status\nB2,Accepted\n", headers=CSV | key)
    assert (other.status, (await other.json())["code"]) == (422, "idempotency_mismatch")


async def test_who_may(api: Api) -> None:
    text = "value,status\nA1,Accepted\n"
    assert (await api.post(PATH, data=text, headers=CSV, role="viewer")).status == 403
    role = await stranger(api)
    assert (await api.post(PATH, data=text, headers=CSV, role=role)).status == 403
    assert await tokens(api) == {}
