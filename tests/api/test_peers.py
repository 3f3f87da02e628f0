"""Where a request comes from, behind proxies too, and by which port it came."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from csms.domain.addresses import Proxies
from csms.host import Listen
from tests.api.v1.scene import items

if TYPE_CHECKING:
    from tests.api.conftest import Api

OURS = Proxies.read(["127.0.0.1", "192.0.2.0/24"])
UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
}


def settle(api: Api, **changed: Any) -> None:
    api.deps.settings = replace(api.deps.settings, **changed)


async def seen(api: Api, *forwarded: str) -> str:
    """The address that the audit has of a write."""
    headers = [("X-Forwarded-For", one) for one in forwarded]
    headers.append(("Authorization", f"Bearer {api.bearers['admin']}"))
    await api.client.post("/api/v1/locations", json={"name": "A"}, headers=headers)
    await api.deps.db.write(lambda tx: None)
    address: str = (await items(api, "/api/v1/audit"))[0]["address"]
    return address


async def test_nobody_says_where_they_come_from(api: Api) -> None:
    assert await seen(api, "198.51.100.7") == "127.0.0.1"


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        ((), "127.0.0.1"),
        (("198.51.100.7",), "198.51.100.7"),
        # What stands before the last one that is not ours anybody can have written.
        (("10.0.0.1, 198.51.100.7",), "198.51.100.7"),
        (("10.0.0.1", "198.51.100.7"), "198.51.100.7"),
        (("198.51.100.7, 192.0.2.9",), "198.51.100.7"),
        (("nonsense",), "127.0.0.1"),
    ],
)
async def test_our_proxies_do(api: Api, forwarded: tuple[str, ...], address: str) -> None:
    settle(api, proxies=OURS)
    assert await seen(api, *forwarded) == address


async def test_who_guesses_behind_a_proxy_is_told_from_the_others(api: Api) -> None:
    settle(api, proxies=OURS, failed_tokens_per_minute=2)

    async def status(address: str, bearer: str) -> int:
        headers = {"X-Forwarded-For": address, "Authorization": f"Bearer {bearer}"}
        return (await api.get("/api/v1/stations", role=None, headers=headers)).status

    guesses = [await status("198.51.100.7", f"guess-{number}") for number in range(4)]
    assert guesses == [401, 401, 429, 429]
    assert await status("198.51.100.8", api.bearers["viewer"]) == 200


async def test_a_port_for_programs_takes_no_stations(api: Api) -> None:
    response = await api.get("/ocpp/CP-1", role=None, headers=UPGRADE)
    assert response.status == 418  # it went to where stations go
    settle(api, listening=(Listen("127.0.0.1", api.client.port or 0, programs_only=True),))
    response = await api.get("/ocpp/CP-1", role=None, headers=UPGRADE)
    assert (response.status, response.headers["Connection"]) == (404, "close")
    assert (await api.get("/api/v1/stations")).status == 200


BAD_HOSTS = [
    "a:99999999",
    "1.2.3.4:abc",
    "\xe9",
    "caf\xe9.example",
    "",
    "a b",
    "a@b",
    "a/b",
    "a,b",
    "[::1",
    "[zz]",
    "[:a.f]",
    "[::1]80",
    "%61",
    "a" * 256,
]


async def asked(api: Api, *lines: str, body: str = "") -> tuple[int, dict[str, Any]]:
    """What a request is answered that no library would send."""
    reader, writer = await asyncio.open_connection("127.0.0.1", api.client.port)
    more = (
        f"Authorization: Bearer {api.bearers['admin']}",
        "Content-Type: application/json",
        "Connection: close",
        f"Content-Length: {len(body)}",
    )
    writer.write("\r\n".join([*lines, *more, "", body]).encode("latin-1"))
    head, _, told = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    return int(head.split()[1]), json.loads(told)


@pytest.mark.parametrize("host", BAD_HOSTS)
async def test_a_host_of_which_no_url_can_be_made_is_refused_before_anything_is_done(
    api: Api, host: str
) -> None:
    station = '{"identity": "CP-9"}'
    status, told = await asked(api, "POST /api/v1/stations HTTP/1.1", f"Host: {host}", body=station)
    assert (status, told["code"]) == (400, "invalid_host")
    assert await items(api, "/api/v1/stations") == []
    for path, shape in (("/api/v3/sites", {"message"}), ("/ocpp/locations", {"detail"})):
        status, told = await asked(api, f"GET {path} HTTP/1.1", f"Host: {host}")
        assert (status, told.keys()) == (400, shape)


@pytest.mark.parametrize(
    ("target", "host", "first"),
    [
        ("", "csms.example", "http://csms.example"),
        ("", "a_b.:8080", "http://a_b.:8080"),
        ("", "[2001:db8::1]:9000", "http://[2001:db8::1]:9000"),
        ("", "xn--a", "http://xn--a"),
        ("http://other.example:8080", "csms.example", "http://other.example:8080"),
        ("http://other.example", "b@d", None),
        ("http://user:pass@other.example", "csms.example", None),
    ],
)
async def test_links_lead_to_where_the_caller_asked(
    api: Api, target: str, host: str, first: str | None
) -> None:
    named = f"Host: {host}"
    status, told = await asked(api, f"GET {target}/api/v3/sites HTTP/1.1", named)
    assert status == (400 if first is None else 200)
    if first is not None:
        assert told["links"]["first"] == f"{first}/api/v3/sites?page=1"
        body = '{"identity": "CP-9"}'
        status, told = await asked(api, f"POST {target}/api/v1/stations HTTP/1.1", named, body=body)
        assert (status, told["connection_url"]) == (201, f"ws{first[4:]}/ocpp/CP-9")
