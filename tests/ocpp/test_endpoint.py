from __future__ import annotations

import asyncio
import base64
import time
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from csms.domain.addresses import Proxies
from csms.domain.onboarding import Cause, Onboarding
from csms.domain.versions import OcppVersion
from csms.services import inbox
from csms.services.credentials import Passwords
from csms.store import connections, stations
from tests.ocpp.conftest import BOOT, WAIT_S, Server, Start, basic
from tests.pki import Authority

V16 = OcppVersion.V16
UPGRADE = {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
    "Sec-WebSocket-Protocol": "ocpp1.6",
}


async def knock(
    server: Server, path: str = "/ocpp/S", **headers: str | None
) -> tuple[int, dict[str, str], str]:
    """The answer to an upgrade request that is refused."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    wanted = {name: value for name, value in {**UPGRADE, **named}.items() if value is not None}
    async with server.http.get(server.url(path), headers=wanted) as response:
        return response.status, dict(response.headers), await response.text()


async def causes(server: Server) -> list[tuple[str, Cause]]:
    entries = await server.db.read(inbox.list_entries)
    return [(entry.identity, entry.cause) for entry in entries]


async def refused(server: Server, identity: str, *args: Any, **kwargs: Any) -> int:
    with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
        await server.connect(identity, *args, **kwargs)
    return caught.value.status


# ---- identity --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["/ocpp/S-1", "/S-1", "/ws/s-1", "/ocpp/1.6/S-1", "//S-1", "/ocpp/S-1/", "/S%2D1?a=b"]
)
async def test_every_form_of_the_url_means_the_station(server: Server, path: str) -> None:
    station, password = await server.register("S-1")
    await server.connect("S-1", password, path=path)
    await server.until(lambda: server.hub.is_connected(station.id))


async def test_an_absolute_form_target_means_the_station(server: Server) -> None:
    station, password = await server.register("S-1")
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    lines = [f"{name}: {value}" for name, value in UPGRADE.items()]
    lines += ["Host: x", f"Authorization: {basic('S-1', password)}"]
    request = "GET ws://example.com:80/ocpp/S-1 HTTP/1.1\r\n" + "\r\n".join(lines) + "\r\n\r\n"
    writer.write(request.encode())
    assert b"101" in await reader.readline()
    await server.until(lambda: server.hub.is_connected(station.id))
    writer.close()


@pytest.mark.parametrize(
    ("path", "cause"),
    [
        ("/", Cause.NO_IDENTITY),
        ("/ocpp/a%2Fb", Cause.INVALID_IDENTITY),
        ("/ocpp/a:b", Cause.INVALID_IDENTITY),
        ("/ocpp/a%00b", Cause.INVALID_IDENTITY),
        ("/ocpp/" + "x" * 49, Cause.INVALID_IDENTITY),
        ("/ocpp/%FF", Cause.NO_IDENTITY),
    ],
)
async def test_what_cannot_be_an_identity_is_a_bad_request(
    server: Server, path: str, cause: Cause
) -> None:
    assert (await knock(server, path))[0] == 400
    assert [found for _, found in await causes(server)] == [cause]


async def test_raw_bytes_in_the_url_and_headers_are_survived(server: Server) -> None:
    lines = [f"{name}: {value}".encode() for name, value in UPGRADE.items()]
    for path, extra in ((b"/ocpp/\xff\xfe", b""), (b"/ocpp/S", b"\xff"), (b"/%0a%1b[31m", b"")):
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        lines[-1] = b"Sec-WebSocket-Protocol: ocpp" + extra
        writer.write(b"GET " + path + b" HTTP/1.1\r\nHost: x\r\n" + b"\r\n".join(lines))
        writer.write(b"\r\n\r\n")
        assert b" 400 " in await reader.readline()
        writer.close()
    assert all(text.isprintable() for entry in await causes(server) for text in entry)


# ---- subprotocols ----------------------------------------------------------------------------


async def test_the_subprotocol_is_echoed_as_the_station_spelled_it(server: Server) -> None:
    _, password = await server.register("S")
    client = await server.connect("S", password, protocols=("ocpp0.1", "OCPP1.6"))
    assert client.socket.protocol == "OCPP1.6"


@pytest.mark.parametrize("protocols", [(), ("ocpp0.1",), ("ocpp2.0", "chat")])
async def test_without_a_common_subprotocol_there_is_no_upgrade(
    server: Server, protocols: tuple[str, ...]
) -> None:
    _, password = await server.register("S")
    assert await refused(server, "S", password, protocols=protocols) == 400
    assert await causes(server) == [("S", "no_common_subprotocol")]


async def test_the_newest_version_that_both_speak_is_chosen(server: Server) -> None:
    _, password = await server.register("S")
    for offered, chosen in (
        (("ocpp1.6", "ocpp2.0.1"), "ocpp2.0.1"),
        (("ocpp2.1", "ocpp1.6", "ocpp2.0.1"), "ocpp2.1"),
    ):
        client = await server.connect("S", password, protocols=offered)
        assert client.socket.protocol == chosen
        await client.close()


async def test_a_server_may_assume_a_version_and_echoes_nothing(start: Start) -> None:
    server = await start(assume_subprotocol=V16)
    station, password = await server.register("S")
    client = await server.connect("S", password, protocols=())
    assert client.socket.protocol is None
    await client.ask(BOOT)
    assert server.hub.version(station.id) is V16


# ---- handshake -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec_WebSocket_Key": "short"},
        {"Sec_WebSocket_Key": None},
        {"Sec_WebSocket_Version": "12"},
        {"Sec_WebSocket_Version": None},
    ],
)
async def test_a_broken_handshake_is_a_bad_request(
    server: Server, headers: dict[str, str | None]
) -> None:
    await server.register("S")
    assert (await knock(server, **headers))[0] == 400


async def test_a_browser_is_turned_away(server: Server) -> None:
    _, password = await server.register("S")
    allowed = basic("S", password)
    status, _, _ = await knock(
        server, Authorization=allowed, Origin="https://evil.example", User_Agent="Mozilla/5.0"
    )
    assert status == 403
    status, _, _ = await knock(
        server, Authorization=allowed, Origin="https://evil.example", Sec_Fetch_Mode="websocket"
    )
    assert status == 403


async def test_a_full_server_says_503(start: Start) -> None:
    server = await start(max_sockets=1)
    await server.online("S")
    status, headers, _ = await knock(server, "/ocpp/T")
    assert (status, headers["Retry-After"]) == (503, "60")


async def test_requests_without_an_upgrade_are_not_ours(server: Server) -> None:
    async with server.http.get(server.url("/ocpp/locations")) as response:
        assert (response.status, (await response.json())["path"]) == (200, "/ocpp/locations")


# ---- authentication --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("user", "password", "cause"),
    [
        ("S", None, "no_credentials"),
        ("S", "wrong", "bad_password"),
        ("S", "", "bad_password"),
        ("T", "right", "identity_mismatch"),
        ("", "right", "identity_mismatch"),
    ],
)
async def test_wrong_credentials_are_refused(
    server: Server, user: str, password: str | None, cause: str
) -> None:
    _, right = await server.register("S")
    header = None if password is None else basic(user, right if password == "right" else password)
    status, headers, body = await knock(server, Authorization=header)
    assert (status, body) == (401, "Unauthorized\n")
    assert headers["WWW-Authenticate"].startswith("Basic realm=")
    assert await causes(server) == [("S", cause)]


async def test_the_user_name_may_differ_in_case(server: Server) -> None:
    station, password = await server.register("Station")
    client = await server.http.ws_connect(
        server.url("/ocpp/STATION", "ws"),
        protocols=["ocpp1.6"],
        headers={"Authorization": basic("sTATION", password)},
    )
    await server.until(lambda: server.hub.is_connected(station.id))
    await client.close()


async def test_a_password_of_any_bytes_is_accepted(server: Server) -> None:
    station, _ = await server.register("S")
    password = bytes([0xFF, 0x00, 0x3A, *range(13, 26)])
    await Passwords(server.db, b"").set_supplied(station.id, password, V16)
    client = await server.http.ws_connect(
        server.url("/S", "ws"),
        protocols=["ocpp1.6"],
        headers={"Authorization": basic("S", password)},
    )
    await server.until(lambda: server.hub.is_connected(station.id))
    await client.close()


async def without_password(server: Server, identity: str) -> None:
    from csms.domain.stations import NewStation

    await server.db.write(lambda tx: stations.insert(tx, NewStation(identity)))


async def test_a_station_without_a_password_is_refused_and_noted(server: Server) -> None:
    await without_password(server, "S")
    assert await refused(server, "S", "anything") == 401
    assert await refused(server, "S") == 401
    assert await causes(server) == [("S", "no_password_set")]


async def test_a_server_may_allow_stations_without_a_password(start: Start) -> None:
    server = await start(allow_no_password=True)
    await without_password(server, "S")
    client = await server.connect("S")
    assert (await client.ask(BOOT))[2]["status"] == "Accepted"
    _, password = await server.register("T")
    assert await refused(server, "T", "wrong") == 401
    await server.connect("T", password)


async def test_closed_answers_unknown_and_wrong_alike(start: Start) -> None:
    server = await start(onboarding=Onboarding.CLOSED)
    await server.register("S")
    answers = []
    for path, header in (
        ("/ocpp/unknown", None),
        ("/ocpp/unknown", basic("unknown", "x" * 20)),
        ("/ocpp/S", None),
        ("/ocpp/S", basic("S", "x" * 20)),
        ("/ocpp/S", basic("unknown", "x" * 20)),
        ("/ocpp", basic("unknown", "x" * 20)),
    ):
        began = time.monotonic()
        status, headers, body = await knock(server, path, Authorization=header)
        took = time.monotonic() - began
        assert took > 0.24
        headers.pop("Date")
        answers.append((status, headers, body))
    assert answers == [answers[0]] * 6


# ---- onboarding ------------------------------------------------------------------------------


async def test_manual_holds_an_unknown_station_in_pending(server: Server) -> None:
    client = await server.connect("New", "whatever")
    answer = await client.ask(BOOT)
    assert (answer[0], answer[2]["status"], answer[2]["interval"]) == (3, "Pending", 10)
    assert await causes(server) == [("New", "unknown_identity")]
    entry = (await server.db.read(inbox.list_entries))[0]
    assert (entry.vendor, entry.model) == ("V", "M")
    assert (await client.ask('[2,"h","Heartbeat",{}]'))[:3] == [4, "h", "SecurityError"]


async def test_a_held_1_6_station_keeps_its_attempts(server: Server) -> None:
    client = await server.connect("New")
    start_ = '{"connectorId":1,"idTag":"t","meterStart":0,"timestamp":"2026-05-01T12:00:00Z"}'
    await client.send(f'[2,"1","StartTransaction",{start_}]')
    await client.send('[2,"2","StopTransaction",{"transactionId":1}]')
    await client.send('[2,"3","MeterValues",{"connectorId":1,"transactionId":1,"meterValue":[]}]')
    answer = await client.ask('[2,"4","MeterValues",{"connectorId":1,"meterValue":[]}]')
    assert answer[:3] == [4, "4", "SecurityError"]
    assert await stored_transactions(server) == 0


BOOT_V2X = (
    '[2,"boot","BootNotification",{"reason":"PowerUp",'
    '"chargingStation":{"vendorName":"V","model":"M","serialNumber":"7"}}]'
)


@pytest.mark.parametrize("protocol", ["ocpp2.0.1", "ocpp2.1"])
async def test_a_held_2_x_station_is_told_to_wait(server: Server, protocol: str) -> None:
    client = await server.connect("New", protocols=(protocol,))
    answer = await client.ask(BOOT_V2X)
    assert (answer[0], answer[2]["status"], answer[2]["interval"]) == (3, "Pending", 10)
    entry = (await server.db.read(inbox.list_entries))[0]
    assert (entry.vendor, entry.model, entry.serial_number) == ("V", "M", "7")
    # OCPP 2.0.1 B02.FR.09
    for action in ("Heartbeat", "TransactionEvent", "Authorize"):
        assert (await client.ask(f'[2,"h","{action}",{{}}]'))[:3] == [4, "h", "SecurityError"]
    assert await stored_transactions(server) == 0


async def stored_transactions(server: Server) -> Any:
    return await server.db.read(lambda tx: tx.value("SELECT count(*) FROM transactions"))


async def test_an_accepted_station_is_sent_away_to_come_back(server: Server) -> None:
    client = await server.connect("New")
    await client.ask(BOOT)
    entry = (await server.db.read(inbox.list_entries))[0]
    station, password = await server.db.write(lambda tx: inbox.accept(tx, entry.uuid))
    assert server.hub.accept_held("NEW")
    assert await client.closed() == 1012
    again = await server.connect("New", password)
    assert (await again.ask(BOOT))[2]["status"] == "Accepted"
    await server.until(lambda: server.hub.is_ready(station.id))
    assert not server.hub.accept_held("New")


async def accept_held(server: Server, password: bytes, address: str = "127.0.0.1") -> bool:
    entry = (await server.db.read(inbox.list_entries))[0]
    station, _ = await server.db.write(lambda tx: inbox.accept(tx, entry.uuid))
    return server.hub.admit_held(station, address, password)


async def test_an_accepted_station_with_its_password_goes_on_as_it_is(server: Server) -> None:
    client = await server.connect("New", "sixteen-bytes-of-password")
    await client.ask(BOOT)
    assert server.hub.password_of_held("NEW", "127.0.0.1") == b"sixteen-bytes-of-password"
    assert server.hub.password_of_held("NEW", "192.0.2.9") is None
    assert await accept_held(server, b"sixteen-bytes-of-password")
    assert server.hub.held_count == 0
    assert (await client.ask(BOOT))[2]["status"] == "Accepted"
    assert (await client.ask('[2,"h","Heartbeat",{}]'))[0] == 3


@pytest.mark.parametrize(
    ("password", "address"),
    [(b"another-password-for-it", "127.0.0.1"), (b"sixteen-bytes-of-password", "192.0.2.9")],
)
async def test_only_the_one_that_was_looked_at_goes_on(
    server: Server, password: bytes, address: str
) -> None:
    client = await server.connect("New", "sixteen-bytes-of-password")
    await client.ask(BOOT)
    assert not await accept_held(server, password, address)
    assert (await client.ask(BOOT))[2]["status"] == "Pending"


async def test_the_name_of_another_shows_no_password_of_its_own(server: Server) -> None:
    await server.connect("Old", "sixteen-bytes-or-more", path="/ocpp/New")
    assert server.hub.password_of_held("New", "127.0.0.1") is None


async def test_the_newest_held_socket_of_an_identity_wins(server: Server) -> None:
    older = await server.connect("New")
    newer = await server.connect("new")
    assert await older.closed() == 1000
    assert (await newer.ask(BOOT))[2]["status"] == "Pending"
    assert server.hub.held_count == 1


async def test_open_registers_on_first_contact(start: Start) -> None:
    server = await start(onboarding=Onboarding.OPEN, allow_no_password=True)
    client = await server.connect("New")
    assert (await client.ask(BOOT))[2]["status"] == "Accepted"
    station = await server.db.read(lambda tx: stations.find_by_identity(tx, "new"))
    assert station is not None
    assert len(await server.events("station.created")) == 1


async def test_open_lets_the_first_password_stand(start: Start) -> None:
    server = await start(onboarding=Onboarding.OPEN)
    assert await refused(server, "New") == 401
    assert await refused(server, "New", "short") == 401
    await server.connect("New", "sixteen-bytes-of-password")
    assert await refused(server, "New", "another-password-for-it") == 401
    await server.connect("New", "sixteen-bytes-of-password")


@pytest.mark.parametrize("mode", list(Onboarding))
async def test_nobody_is_registered_under_the_serial_number_of_a_station(
    start: Start, mode: Onboarding
) -> None:
    server = await start(onboarding=mode)
    await server.register("S", serial_number="SN-1", security_profile=3)
    if mode is not Onboarding.OPEN:
        await server.endpoint.window.open(server.db, 1)
    assert 401 == await refused(server, "sn-1", "sixteen-bytes-of-password")
    assert [("sn-1", Cause.IDENTITY_IS_SERIAL_NUMBER)] == await causes(server)
    assert None is await server.db.read(lambda tx: stations.find_by_identity(tx, "sn-1"))


async def test_a_station_that_knocks_without_a_pause_is_noted_once_a_second(
    server: Server,
) -> None:
    await server.register("S")
    answers = await asyncio.gather(*[refused(server, "S", "wrong") for _ in range(20)])
    assert answers == [401] * 20
    entry = (await server.db.read(inbox.list_entries))[0]
    assert entry.attempts < 5


# ---- proxies ---------------------------------------------------------------------------------

FORWARDED = {
    "X-Forwarded-For": "203.0.113.1, 198.51.100.7",
    "X-Forwarded-Proto": "https",
}


def certificate_of(name: str, folder: Path) -> str:
    """As RFC 9440 writes it."""
    pem = Authority(folder).station(name).certificate.read_bytes()
    der = x509.load_pem_x509_certificates(pem)[0].public_bytes(Encoding.DER)
    return f":{base64.b64encode(der).decode()}:"


@pytest.mark.parametrize(
    ("proxies", "address", "profile"),
    [(["127.0.0.0/8", "::1"], "198.51.100.7", 2), ([], "127.0.0.1", 1)],
)
async def test_what_is_forwarded_counts_from_a_trusted_proxy_only(
    start: Start, proxies: list[str], address: str, profile: int
) -> None:
    server = await start(proxies=Proxies.read(proxies))
    station, password = await server.register("S")
    credentials = {"Authorization": basic("S", password)}
    async with server.http.ws_connect(
        server.url("/ocpp/S", "ws"), protocols=("ocpp1.6",), headers={**FORWARDED, **credentials}
    ):
        last = None
        async with asyncio.timeout(WAIT_S):
            while last is None:
                last = await server.db.read(lambda tx: connections.find_last_address(tx, "S"))
        found = await server.db.read(lambda tx: stations.get(tx, station.id))
    assert address == last
    assert profile == max(found.security_profile, 1)


async def test_a_certificate_that_anybody_writes_into_a_header_opens_nothing(
    start: Start, tmp_path: Path
) -> None:
    server = await start()
    await server.register("S")
    shown = {**FORWARDED, "Client-Cert": certificate_of("S", tmp_path)}
    assert (await knock(server, **shown))[0] == 401


async def test_a_trusted_proxy_may_show_the_certificate_of_a_station(
    start: Start, tmp_path: Path
) -> None:
    server = await start(proxies=Proxies.read(["127.0.0.1"]))
    station, _ = await server.register("S")
    shown = certificate_of("S", tmp_path)
    for useless in (":AAAA:", f"{shown}, {shown}", shown.strip(":"), certificate_of("X", tmp_path)):
        assert (await knock(server, **{**FORWARDED, "Client-Cert": useless}))[0] == 401
    async with server.http.ws_connect(
        server.url("/ocpp/S", "ws"),
        protocols=("ocpp1.6",),
        headers={**FORWARDED, "Client-Cert": shown},
    ):
        await server.until(lambda: server.hub.is_connected(station.id))
