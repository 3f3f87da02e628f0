"""The published ways of breaking OCPP back ends, one test each, against the real process.

While each of them runs another station goes on charging and a third one comes in.
"""

from __future__ import annotations

import asyncio
import csv
import io
import json
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidStatus

from csms.cli.failures import Refused
from csms.ocpp.listener import MAX_SILENT
from tests.acceptance.processes import TOKEN, eventually, free_port
from tests.attacks.witness import AFTER_MIB, Attacked, Known, ask, boot, bystanders, dial, register
from tests.ocpp.corpus.timestamps import CORPUS
from tests.pki import Authority, client

T = "2026-11-20T10:00:00Z"


async def refused(connecting: Any) -> int:
    """The status of a handshake that must fail."""
    with pytest.raises(InvalidStatus) as caught:
        async with connecting:
            pass
    return int(caught.value.response.status_code)


async def start(socket: ClientConnection, *, tag: str = "TAG", at: str = T, wh: int = 0) -> int:
    """Begin a transaction; its id."""
    payload = {"connectorId": 1, "idTag": tag, "meterStart": wh, "timestamp": at}
    answer = await ask(socket, "StartTransaction", payload)
    return int(answer[2]["transactionId"])


async def stop(socket: ClientConnection, transaction_id: int, wh: int = 10) -> list[Any]:
    """End one; the whole answer."""
    payload = {"transactionId": transaction_id, "meterStop": wh, "timestamp": T}
    return await ask(socket, "StopTransaction", payload)


def transactions(station: Known) -> list[dict[str, Any]]:
    """What the server has of it."""
    page = station.server.client.get("/api/v1/transactions", station_id=station.id, limit=500)
    items: list[dict[str, Any]] = page["items"]
    return items


# ---- who comes in ----------------------------------------------------------------------------


async def test_nobody_comes_in_as_another_station(server: Attacked) -> None:
    """CISA ICSA-26-057-03, -04, -08 and ICSA-26-062-08; CVE-2024-44843: no authentication."""
    victim, thief = register(server, "V"), register(server, "V")
    async with bystanders(server):
        for password in (None, "", "x" * 20, thief.password):
            assert await refused(dial(server, victim.identity, password)) == 401
        headers = {"Authorization": "Basic " + "A" * 40}
        assert await refused(dial(server, victim.identity, headers=headers)) == 401
    assert victim.show()["last_connected_at"] is None


async def test_guessing_is_bounded_and_keeps_nobody_out(server: Attacked) -> None:
    """CVE-2026-20792, -24445, -25945, -26305, -20882: no limit on attempts; CWE-307."""
    await guess(server, 300)


@pytest.mark.campaign
async def test_ten_thousand_guesses_are_bounded_and_keep_nobody_out(server: Attacked) -> None:
    await guess(server, 10_000)


async def guess(server: Attacked, number: int) -> None:
    victim = register(server, "V")
    async with victim.dial() as socket:
        await boot(socket)
    slots, answers = asyncio.Semaphore(50), list[int]()
    before = server.memory_mib()

    async def one(n: int) -> None:
        async with slots:
            knock = dial(
                server, victim.identity, f"wrong-password-{n}", local_addr=("127.0.0.2", 0)
            )
            answers.append(await refused(knock))

    async with bystanders(server), asyncio.TaskGroup() as group:
        for n in range(number):
            group.create_task(one(n))
        began = time.monotonic()
        async with victim.dial() as socket:
            await boot(socket)
        assert time.monotonic() - began < 5
    assert {401, 429} == set(answers)
    assert answers.count(401) < number / 4
    assert server.memory_mib() - before < AFTER_MIB


async def test_a_stranger_does_not_displace_a_station(server: Attacked) -> None:
    """CVE-2026-24912, -25711, -27647, -27764: the second connection takes the first one's place."""
    victim = register(server, "V")
    async with bystanders(server), victim.dial() as socket:
        await boot(socket)
        for _ in range(5):
            assert await refused(dial(server, victim.identity, "x" * 20)) == 401
        assert (await ask(socket, "Heartbeat", {}))[0] == 3
        async with victim.dial() as newer:  # who knows the password is the station
            await boot(newer)
            with pytest.raises(ConnectionClosed):
                await asyncio.wait_for(socket.recv(), 10)
            assert (await ask(newer, "Heartbeat", {}))[0] == 3


async def test_who_exists_cannot_be_told_from_outside(server: Attacked) -> None:
    """CVE-2026-20791, -22878, -27777: identities that can be found out."""
    known = register(server, "V")
    async with bystanders(server):
        answers = set()
        for identity in (known.identity, "nobody"):
            for password in (None, "x" * 20):
                with pytest.raises(InvalidStatus) as caught:
                    async with dial(server, identity, password):
                        pass
                response = caught.value.response
                names = tuple(sorted(name for name, _ in response.headers.raw_items()))
                answers.add((response.status_code, bytes(response.body), names))
    assert len(answers) == 1


# ---- what a station may do to others ---------------------------------------------------------


async def test_nobody_stops_the_transaction_of_another(server: Attacked) -> None:
    """CVE-2026-28230, CVE-2024-25407, CVE-2023-49956: any station stops any transaction."""
    victim, thief = register(server, "V"), register(server, "V")
    async with bystanders(server), victim.dial() as socket, thief.dial() as other:
        await boot(socket)
        await boot(other)
        transaction_id = await start(socket)
        for wanted in (*range(transaction_id - 10, transaction_id + 11), -1, 0, 2**31 - 1):
            assert (await stop(other, wanted))[0] == 3
        (shown,) = transactions(victim)
        assert shown["open"]
        assert 3 == (await stop(socket, transaction_id))[0]
    assert 0 == sum(one["energy_wh"] or 0 for one in transactions(thief))
    assert not transactions(victim)[0]["open"]


async def test_a_busy_connector_has_one_transaction(server: Attacked) -> None:
    """CVE-2023-49957: many open transactions at one connector."""
    station = register(server, "V")
    async with bystanders(server), station.dial() as socket:
        await boot(socket)
        for n in range(10):
            await start(socket, tag=f"TAG-{n}", at=f"2026-11-20T10:00:{n:02}Z")
    assert 1 == sum(one["open"] for one in transactions(station))


async def test_a_key_that_stands_twice_is_refused(server: Attacked) -> None:
    """CVE-2023-49958: of two equal keys the last one wins."""
    station = register(server, "V")
    async with bystanders(server), station.dial() as socket:
        await boot(socket)
        for payload in ('{"vendorId":"a","vendorId":"b"}', '{"vendorId":"a","data":"b","data":1}'):
            await socket.send(f'[2,"x","DataTransfer",{payload}]')
            frame = json.loads(await socket.recv())
            assert (4, "x") == (frame[0], frame[1])


async def test_what_is_too_large_ends_the_socket_and_nothing_else(server: Attacked) -> None:
    """CVE-2023-49955, CVE-2025-59398, CVE-2025-59399: long strings, and errors about them."""
    station = register(server, "V")
    async with bystanders(server):
        async with station.dial() as socket:
            answer = await ask(socket, "BootNotification", {"chargePointVendor": "x" * 60_000})
            assert answer[0] in {3, 4}
            assert len(json.dumps(answer)) < 1000
        for size in (2**20 + 100, 8 * 2**20):
            async with station.dial(max_size=None) as socket:
                with pytest.raises(ConnectionClosed) as caught:
                    await socket.send('[2,"x","BootNotification",{"v":"' + "x" * size + '"}]')
                    await asyncio.wait_for(socket.recv(), 10)
                assert caught.value.rcvd is None or caught.value.rcvd.code == 1009
        async with station.dial() as socket:
            await boot(socket)


async def test_poisoned_times_break_no_list(server: Attacked) -> None:
    """oss-security 2025-07 on SteVe, CVE-2023-52096: one stored time kills every page."""
    station = register(server, "V")
    async with bystanders(server), station.dial() as socket:
        await boot(socket)
        for n, (at, _, _) in enumerate(CORPUS):
            payload = {"connectorId": 1, "idTag": f"T{n}", "meterStart": 0, "timestamp": at}
            assert (await ask(socket, "StartTransaction", payload))[0] == 3
            status = {"connectorId": 1, "status": "Charging", "errorCode": "NoError"}
            assert (await ask(socket, "StatusNotification", {**status, "timestamp": at}))[0] == 3
    get = server.client.get
    for path in ("status-history", "messages", "meter-values", "evses", "connections", "lint"):
        get(f"/api/v1/stations/{station.id}/{path}")
    assert len(transactions(station)) >= len(CORPUS) / 2
    get(f"/api/v3/chargers/{station.id}/transactions")
    get(f"/ocpp/chargers/{station.id}/logs")
    get("/api/v1/stats/overview")
    assert len(CORPUS) / 2 <= len(fetch(server, "/api/v1/transactions.csv")[0].splitlines()) - 1


async def test_energy_is_never_negative(server: Attacked) -> None:
    """OCPP.Core #33: the register at the end is below the one at the start."""
    station = register(server, "V")
    async with bystanders(server), station.dial() as socket:
        await boot(socket)
        await stop(socket, await start(socket, wh=5000), wh=10)
    assert [None] == [one["energy_wh"] for one in transactions(station)]


async def test_what_a_station_says_is_never_markup(server: Attacked) -> None:
    """CVE-2024-21550: a script that a station names itself runs in the operator's browser."""
    station, script = register(server, "V"), "<script>alert(1)</script>"
    async with bystanders(server), station.dial() as socket:
        boot_payload = {"chargePointVendor": script[:20], "chargePointModel": script[:20]}
        await ask(socket, "BootNotification", boot_payload)
        status = {"connectorId": 1, "errorCode": "NoError", "status": "Available"}
        await ask(socket, "StatusNotification", {**status, "info": script, "vendorId": script})
    policy = fetch(server, "/")[1]["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy or "default-src 'self'" in policy
    pages = Path(__file__).parents[2] / "csms" / "web"
    for path in pages.glob("*.js"):
        script = path.read_text()
        for markup in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write"):
            assert markup not in script, path.name


# ---- sockets ---------------------------------------------------------------------------------


async def test_the_end_of_an_old_socket_leaves_the_new_one_alone(server: Attacked) -> None:
    """steve-community/steve#4, lbbrhzn/ocpp#2122: the late close of the old session."""
    station = register(server, "V")
    async with bystanders(server):
        for _ in range(3):
            old = await station.dial()
            await boot(old)
            async with station.dial() as new:
                await boot(new)
                await old.close()
                assert (await ask(new, "Heartbeat", {}))[0] == 3
                assert station.show()["online"]


async def test_a_station_comes_back_while_its_dead_socket_is_held(server: Attacked) -> None:
    """lorenzodonini/ocpp-go#314, #358: the new connection is refused for minutes."""
    station = register(server, "V")
    async with bystanders(server):
        dead = await station.dial()
        await boot(dead)
        dead.transport.pause_reading()  # half open: nothing is read, nothing is answered
        began = time.monotonic()
        async with station.dial() as socket:
            await boot(socket)
        assert time.monotonic() - began < 5
        dead.transport.abort()
        await dead.wait_closed()


async def test_a_silent_socket_is_offline_soon(server: Attacked) -> None:
    """steve-community/steve#357: shown online for hours."""
    station = register(server, "V")
    async with bystanders(server):
        socket = await station.dial()
        await boot(socket)
        assert station.show()["online"]
        with suppress(TimeoutError):  # long enough for a ping: from then on silence means something
            await asyncio.wait_for(socket.recv(), 2.5)
        socket.transport.pause_reading()
        await asyncio.to_thread(eventually, lambda: not station.show()["online"], timeout_s=10)
        socket.transport.abort()
        await socket.wait_closed()


@pytest.mark.parametrize("wanted", [-1, 0, 1, 2**31 - 1, 2**63 - 1])
async def test_a_stop_is_always_answered(server: Attacked, wanted: int) -> None:
    """steve-community/steve#156, OpenEVSE#756, EVerest/libocpp#495: the station retries for ever."""
    station = register(server, "V")
    async with bystanders(server), station.dial() as socket:
        await boot(socket)
        assert 3 == (await stop(socket, wanted))[0]


async def test_calls_that_come_at_once_are_answered_in_order(server: Attacked) -> None:
    """citrineos/citrineos-core#178: a second CALL is refused while one is served."""
    station = register(server, "V")
    async with bystanders(server), station.dial() as socket:
        await boot(socket)
        for n in range(50):
            await socket.send(f'[2,"p{n}","Heartbeat",{{}}]')
        answers = [json.loads(await socket.recv()) for _ in range(50)]
    assert [[3, f"p{n}"] for n in range(50)] == [one[:2] for one in answers]


async def test_idle_sockets_take_no_place_of_a_station(server: Attacked) -> None:
    """CVE-2025-68133, CVE-2025-68136: unlimited connections."""
    await crowd(server, 600)


@pytest.mark.campaign
async def test_five_thousand_idle_sockets_take_no_place_of_a_station(server: Attacked) -> None:
    await crowd(server, 5000)


async def crowd(server: Attacked, number: int) -> None:
    sockets: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
    files, memory = server.files(), server.memory_mib()
    async with bystanders(server):
        for n in range(number):
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write((b"", b"GET /ocpp/x HTTP/1.1\r\nHost: x\r\n")[n % 2])
            sockets.append((reader, writer))
        late = register(server, "LATE")
        began = time.monotonic()
        async with late.dial() as socket:
            await boot(socket)
        assert time.monotonic() - began < 2
        held = server.files() - files
        assert min(number, MAX_SILENT) - 50 < held < MAX_SILENT + 50
    for _, writer in sockets:
        writer.close()
    gone = partial(eventually, lambda: server.files() < files + 10, timeout_s=20)
    await asyncio.to_thread(gone, what="the sockets to be closed")
    print(f"{held} held, {server.memory_mib() - memory:+.1f} MiB")
    assert server.memory_mib() - memory < AFTER_MIB


async def test_the_certificate_of_one_station_opens_no_other(tmp_path: Path) -> None:
    """MaEVe `gateway/server/ws.go`: any certificate of the organisation is any station."""
    authority, port = Authority(tmp_path), free_port()
    own = authority.server()
    server = Attacked(
        tmp_path / "server",
        dev=False,
        also=[f"127.0.0.1:{port},mtls"],
        CSMS_LOG__LEVEL="warning",
        CSMS_TLS__CERTIFICATES=str(own.certificate),
        CSMS_TLS__KEYS=str(own.key),
        CSMS_TLS__CLIENT_CA=str(authority.file),
    )
    server.start()
    try:
        victim, thief = register(server, "V"), register(server, "V")
        async with bystanders(server):
            for whom, allowed in ((victim, False), (thief, True)):
                context = client(authority, authority.station(thief.identity))
                status = await tls_knock(port, whom.identity, context)
                assert allowed == (status == 101)
    finally:
        assert server.stop() == 0


async def tls_knock(port: int, identity: str, context: ssl.SSLContext) -> int:
    connector = aiohttp.TCPConnector(ssl=context)
    async with aiohttp.ClientSession(connector=connector) as http:
        try:
            async with http.ws_connect(
                f"wss://localhost:{port}/ocpp/{identity}", protocols=["ocpp1.6"]
            ):
                return 101
        except aiohttp.WSServerHandshakeError as error:
            return error.status


# ---- the API ---------------------------------------------------------------------------------


async def test_the_old_sins_of_web_consoles(server: Attacked) -> None:
    """ "Power jacking your station" (2021), CVE-2021-22726, CVE-2025-5740, CVE-2024-4622."""
    async with bystanders(server):
        for token in ("admin", "admin123", "", "csms", TOKEN + "x", TOKEN[:-1]):
            assert 401 == status_of(server, "/api/v1/stations", token=token)
        for path in ("/api/v1/stations", "/api/v3/chargers", "/ocpp/locations", "/api/v1/tokens"):
            assert 401 == status_of(server, path, token=None)
        for injected in ("' OR 1=1 --", "x'; DROP TABLE stations; --", '"', "%", "\\"):
            page = server.client.get("/api/v1/stations", q=injected)
            assert page["items"] == []
        for path in (
            "/assets/../config.py",
            "/assets/..%2f..%2fconfig.py",
            "/assets/%2e%2e/app.py",
        ):
            assert status_of(server, path) in {400, 404}
        for target in ("http://127.0.0.1:1/", "https://169.254.169.254/", "https://[::1]/"):
            with pytest.raises(Refused) as caught:
                server.client.post("/api/v1/webhooks", {"url": target, "event_types": ["*"]})
            assert "target_not_allowed" == caught.value.code
    formula = register(server, "V")
    async with formula.dial() as socket:
        await boot(socket)
        await stop(socket, await start(socket, tag="=HYPERLINK(1)"))
    exported = fetch(server, "/api/v1/transactions.csv")[0]
    cells = {cell for line in csv.reader(io.StringIO(exported)) for cell in line}
    assert "'=HYPERLINK(1)" in cells
    assert "=HYPERLINK(1)" not in cells


def fetch(server: Attacked, path: str, token: str | None = TOKEN) -> tuple[str, Mapping[str, str]]:
    """The text and the headers."""
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    request = urllib.request.Request(f"{server.client.url}{path}", headers=headers)
    with urllib.request.urlopen(request) as answer:
        return answer.read().decode(), answer.headers


def status_of(server: Attacked, path: str, token: str | None = TOKEN) -> int:
    """What it is answered with."""
    try:
        fetch(server, path, token)
    except urllib.error.HTTPError as error:
        return error.code
    return 200


def test_the_libraries_are_newer_than_their_published_faults() -> None:
    """aiohttp GHSA-mqqc-3gqh-h2x8, CVE-2024-23334 and the later advisories up to 3.14.3."""
    installed = tuple(int(part) for part in aiohttp.__version__.split(".")[:3])
    assert installed >= (3, 14, 3)
