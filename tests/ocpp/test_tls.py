"""TLS in the process: who comes in by a certificate, who does not, and what we offer."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from csms.domain.onboarding import Cause, Onboarding
from csms.errors import Invalid
from csms.ocpp import tls
from csms.ocpp.endpoint import Endpoint
from csms.ocpp.handshake import Upgrade
from csms.ocpp.tls import TlsFiles
from csms.services import inbox
from csms.services import stations as station_service
from csms.store import stations
from tests.ocpp.conftest import Client, Server, Start, basic
from tests.pki import HOST, SERVER, Authority, Pair, client

BOOT = (
    '[2,"boot","BootNotification",{"reason":"PowerUp",'
    '"chargingStation":{"vendorName":"V","model":"M","serialNumber":"%s"}}]'
)


@pytest.fixture(scope="session")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ours"))


@pytest.fixture(scope="session")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("theirs"), "Somebody else's CA")


@pytest.fixture(scope="session")
def files(ours: Authority) -> TlsFiles:
    pairs = [ours.server("ec"), ours.server("rsa")]
    return TlsFiles(
        certificates=tuple(pair.certificate for pair in pairs),
        keys=tuple(pair.key for pair in pairs),
        client_ca=ours.file,
    )


class Secure:
    """The server of the other tests behind TLS, and stations that dial it."""

    def __init__(self, server: Server, trusted: Authority) -> None:
        self.server = server
        self._trusted = trusted

    async def dial(
        self,
        identity: str,
        own: Pair | None = None,
        password: str | None = None,
        *,
        protocol: str = "ocpp2.0.1",
        context: ssl.SSLContext | None = None,
    ) -> Client:
        dialled = await self.server.http.ws_connect(
            f"https://{HOST}:{self.server.port}/ocpp/{identity}",
            protocols=(protocol,),
            headers={} if password is None else {"Authorization": basic(identity, password)},
            ssl=context or client(self._trusted, own),
            autoping=False,
        )
        made = Client(dialled)
        self.server._clients.append(made)
        return made

    async def noted(self) -> list[tuple[str, str, str | None]]:
        """What the inbox has: identity, cause, detail."""
        entries = await self.server.db.read(inbox.list_entries)
        return [(one.identity, one.cause, one.detail) for one in entries]

    async def stranger(self) -> tuple[str, str | None]:
        """The cause for which one was not let in before it could say who it is."""
        await self.server.until(lambda: self.server.strangers)
        (_, cause, detail) = self.server.strangers[-1]
        return cause, detail


@pytest.fixture
async def by_password(start: Start, files: TlsFiles, ours: Authority) -> Secure:
    contexts = tls.load(files)
    return Secure(await start(security_of=lambda: contexts.by_password), ours)


Mtls = Callable[..., Any]


@pytest.fixture
async def mtls(start: Start, files: TlsFiles, ours: Authority) -> AsyncIterator[Mtls]:
    contexts = tls.load(files)

    async def make(**settings: Any) -> Secure:
        def security() -> ssl.SSLContext:
            assert contexts.by_certificate is not None
            return contexts.by_certificate

        return Secure(await start(security_of=security, **settings), ours)

    yield make


# ---- security profile 2 ----------------------------------------------------------------------


async def test_a_station_with_a_password_comes_in_over_tls(by_password: Secure) -> None:
    station, password = await by_password.server.register("S")
    dialled = await by_password.dial("S", password=password)
    assert "Accepted" == (await dialled.ask(BOOT % "SN"))[2]["status"]
    assert by_password.server.hub.is_connected(station.id)


async def test_tls_replaces_no_password(by_password: Secure) -> None:
    await by_password.server.register("S")
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await by_password.dial("S")
    assert 401 == refused.value.status


async def test_a_station_that_needs_no_password_comes_back_over_tls(
    start: Start, files: TlsFiles, ours: Authority
) -> None:
    contexts = tls.load(files)
    secure = Secure(
        await start(
            security_of=lambda: contexts.by_password,
            onboarding=Onboarding.OPEN,
            allow_no_password=True,
        ),
        ours,
    )
    for _ in range(2):
        await secure.dial("NEW")


async def test_the_profile_of_a_connection_is_known(
    start: Start, by_password: Secure, mtls: Mtls, ours: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    knock = Endpoint.knock

    async def watched(self: Endpoint, upgrade: Upgrade) -> Any:
        seen.append(upgrade.security_profile)
        return await knock(self, upgrade)

    monkeypatch.setattr(Endpoint, "knock", watched)
    _, password = await by_password.server.register("S")
    await (await start()).connect("S", password)
    await by_password.dial("S", password=password)
    await (await mtls()).dial("S", ours.station("S"))
    assert [1, 2, 3] == seen


async def test_a_certificate_that_was_not_asked_for_is_not_looked_at(
    by_password: Secure, ours: Authority
) -> None:
    await by_password.server.register("S")
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await by_password.dial("S", ours.station("S"))


@pytest.mark.parametrize(
    ("suite", "key"),
    [
        ("ECDHE-ECDSA-AES128-GCM-SHA256", "ec"),
        ("ECDHE-ECDSA-AES256-GCM-SHA384", "ec"),
        ("ECDHE-RSA-AES128-GCM-SHA256", "rsa"),
        ("ECDHE-RSA-AES256-GCM-SHA384", "rsa"),
    ],
)
async def test_both_certificates_are_shown_to_those_who_can_use_them(
    by_password: Secure, ours: Authority, suite: str, key: str
) -> None:
    context = client(ours, at_most=ssl.TLSVersion.TLSv1_2, suites=suite)
    reader, writer = await asyncio.open_connection(HOST, by_password.server.port, ssl=context)
    secured = writer.get_extra_info("ssl_object")
    assert suite == secured.cipher()[0]
    shown = x509.load_der_x509_certificate(secured.getpeercert(binary_form=True))
    assert (key == "rsa") == isinstance(shown.public_key(), RSAPublicKey)
    assert secured.compression() is None
    writer.close()
    assert b"" == await reader.read()


async def test_static_rsa_is_offered_only_when_it_is_asked_for(
    start: Start, files: TlsFiles, ours: Authority
) -> None:
    asked = tls.load(TlsFiles(files.certificates, files.keys, static_rsa=True)).by_password
    server = await start(security_of=lambda: asked)
    context = client(ours, at_most=ssl.TLSVersion.TLSv1_2, suites="AES128-GCM-SHA256")
    _, writer = await asyncio.open_connection(HOST, server.port, ssl=context)
    assert "AES128-GCM-SHA256" == writer.get_extra_info("ssl_object").cipher()[0]
    writer.close()


# ---- who is not understood -------------------------------------------------------------------


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
async def test_a_version_below_1_2_is_refused(
    by_password: Secure, ours: Authority, version: ssl.TLSVersion
) -> None:
    context = client(ours, at_most=version, suites="ALL:@SECLEVEL=0")
    with pytest.raises(aiohttp.ClientConnectorError):
        await by_password.dial("S", context=context)
    assert ("tls_version_too_low", "unsupported protocol") == await by_password.stranger()


@pytest.mark.parametrize("suite", ["AES128-GCM-SHA256", "ECDHE-RSA-CHACHA20-POLY1305"])
async def test_a_suite_that_we_do_not_offer_is_refused(
    by_password: Secure, ours: Authority, suite: str
) -> None:
    context = client(ours, at_most=ssl.TLSVersion.TLSv1_2, suites=suite)
    with pytest.raises(aiohttp.ClientConnectorError):
        await by_password.dial("S", context=context)
    assert "no_common_cipher_suite" == (await by_password.stranger())[0]


async def test_a_station_that_does_not_know_our_root_is_noted(
    by_password: Secure, theirs: Authority
) -> None:
    def dial() -> None:  # asyncio would not send the alert
        with socket.create_connection((HOST, by_password.server.port)) as bare:
            client(theirs).wrap_socket(bare, server_hostname=HOST)

    with pytest.raises(ssl.SSLCertVerificationError):
        await asyncio.to_thread(dial)
    assert ("tls_alert", "unknown ca") == await by_password.stranger()


async def test_plain_http_on_the_tls_port_is_noted(by_password: Secure) -> None:
    reader, writer = await asyncio.open_connection(HOST, by_password.server.port)
    writer.write(b"GET /ocpp/S HTTP/1.1\r\n\r\n")
    await reader.read()
    writer.close()
    assert "plain_on_tls_port" == (await by_password.stranger())[0]


async def test_a_head_that_never_ends_is_cut_off_under_tls_too(
    start: Start, files: TlsFiles, ours: Authority
) -> None:
    contexts = tls.load(files)
    server = await start(security_of=lambda: contexts.by_password, head_timeout_s=0.5)
    reader, writer = await asyncio.open_connection(HOST, server.port, ssl=client(ours))
    writer.write(b"GET / HTTP/1.1\r\n")
    async with asyncio.timeout(5):
        assert b"" == await reader.read()
    writer.close()


# ---- security profile 3 ----------------------------------------------------------------------


async def test_the_serial_number_in_a_certificate_is_enough(mtls: Mtls, ours: Authority) -> None:
    secure = await mtls()
    station, _ = await secure.server.register("S", serial_number="SN-1")
    dialled = await secure.dial("S", ours.station("sn-1"))
    assert "Accepted" == (await dialled.ask(BOOT % "SN-1"))[2]["status"]
    assert secure.server.hub.is_connected(station.id)


async def test_the_identity_in_a_certificate_is_enough(mtls: Mtls, ours: Authority) -> None:
    secure = await mtls()
    await secure.server.register("S")
    dialled = await secure.dial("S", ours.station("S"), protocol="ocpp1.6")
    boot = '[2,"b","BootNotification",{"chargePointVendor":"V","chargePointModel":"M"}]'
    assert "Accepted" == (await dialled.ask(boot))[2]["status"]


async def test_a_certificate_of_both_kinds_of_keys_will_do(mtls: Mtls, ours: Authority) -> None:
    secure = await mtls()
    await secure.server.register("S")
    for kind in ("ec", "rsa"):
        await secure.dial("S", ours.station("S", kind=kind))


async def test_an_authority_may_stand_between_a_station_and_the_root(
    mtls: Mtls, ours: Authority
) -> None:
    secure = await mtls()
    await secure.server.register("S")
    await secure.dial("S", ours.station_below("S", 1))


async def test_a_certificate_of_another_station_is_refused(mtls: Mtls, ours: Authority) -> None:
    secure = await mtls()
    await secure.server.register("A", serial_number="SN-A")
    await secure.server.register("B", serial_number="SN-B")
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await secure.dial("A", ours.station("SN-B"))
    assert 401 == refused.value.status
    assert [("A", "certificate_mismatch", "it names SN-B")] == await secure.noted()


async def test_a_password_replaces_no_certificate(mtls: Mtls, ours: Authority) -> None:
    secure = await mtls()
    _, password = await secure.server.register("A")
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await secure.dial("A", ours.station("B"), password=password)


async def test_a_certificate_with_two_names_is_nobodys(mtls: Mtls, ours: Authority) -> None:
    secure = await mtls()
    await secure.server.register("A")
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await secure.dial("A", ours.station("A", "B"))


async def test_a_certificate_that_does_not_say_it_is_for_clients_is_refused(
    mtls: Mtls, ours: Authority
) -> None:
    secure = await mtls()
    await secure.server.register("S")
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await secure.dial("S", ours.station("S", usage=None))
    assert 401 == refused.value.status
    assert [("S", "bad_client_certificate", "it is not for clients")] == await secure.noted()


@pytest.mark.parametrize("name", ["SN-A", " sn-a ", "A"])
async def test_a_boot_does_not_take_the_name_of_another_station(
    by_password: Secure, mtls: Mtls, ours: Authority, name: str
) -> None:
    server = by_password.server
    await server.register("A", serial_number="SN-A")
    station, password = await server.register("B")
    dialled = await by_password.dial("B", password=password)
    for _ in range(2):
        assert "Accepted" == (await dialled.ask(BOOT % name))[2]["status"]
    kept = await server.db.read(lambda tx: stations.get(tx, station.id))
    assert kept.serial_number is None
    (alert,) = await server.events("alert.raised")
    assert ("serial_number_taken", name.strip()) == (
        alert["source"],
        alert["serial_number"].strip(),
    )
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await (await mtls()).dial("B", ours.station("SN-A"))
    await (await mtls()).dial("A", ours.station("SN-A"))


async def test_a_serial_number_of_two_stations_opens_neither(mtls: Mtls, ours: Authority) -> None:
    secure = await mtls(onboarding=Onboarding.OPEN)
    for identity in ("A", "B"):
        await secure.server.register(identity, serial_number="SN")
    for identity in ("A", "B", "NEW"):
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await secure.dial(identity, ours.station("SN"))
    await secure.dial("A", ours.station("A"))


@pytest.mark.parametrize(("organization", "comes_in"), [("garage", True), ("Thieves", False)])
async def test_only_certificates_of_trusted_organizations_count(
    mtls: Mtls, ours: Authority, organization: str, comes_in: bool
) -> None:
    secure = await mtls(client_organizations=frozenset({"Garage"}))
    await secure.server.register("S")
    own = ours.station("S", organization=organization)
    if comes_in:
        await secure.dial("S", own)
        return
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await secure.dial("S", own)
    assert [("S", "certificate_mismatch", "it belongs to Thieves")] == await secure.noted()


@dataclass(frozen=True)
class NotGood:
    """A certificate of a station, or none, and why it is refused."""

    pair: Callable[[Authority, Authority], Pair | None]
    cause: str
    detail: str


NOT_GOOD = {
    "none": NotGood(
        lambda ours, theirs: None, "no_client_certificate", "peer did not return a certificate"
    ),
    "of an unknown CA": NotGood(
        lambda ours, theirs: theirs.station("S"),
        "bad_client_certificate",
        "self-signed certificate in certificate chain",
    ),
    "expired": NotGood(
        lambda ours, theirs: ours.station("S", days=(-9, -1)),
        "bad_client_certificate",
        "certificate has expired",
    ),
    "not yet valid": NotGood(
        lambda ours, theirs: ours.station("S", days=(1, 9)),
        "bad_client_certificate",
        "certificate is not yet valid",
    ),
    "signed by itself": NotGood(
        lambda ours, theirs: theirs.by_itself("S"),
        "bad_client_certificate",
        "self-signed certificate",
    ),
    "of too long a chain": NotGood(
        lambda ours, theirs: ours.station_below("S", 2),
        "bad_client_certificate",
        "path length constraint exceeded",
    ),
    "a server's": NotGood(
        lambda ours, theirs: ours.station("S", usage=SERVER),
        "bad_client_certificate",
        "unsuitable certificate purpose",
    ),
}


@pytest.mark.parametrize("bad", NOT_GOOD)
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_a_certificate_that_is_not_good_never_comes_to_an_upgrade(
    mtls: Mtls, ours: Authority, theirs: Authority, bad: str, version: ssl.TLSVersion
) -> None:
    secure = await mtls()
    station, password = await secure.server.register("S")
    context = client(ours, NOT_GOOD[bad].pair(ours, theirs))
    context.maximum_version = version
    with pytest.raises((aiohttp.ClientError, ConnectionError)):
        await secure.dial("S", password=password, context=context)
    assert (NOT_GOOD[bad].cause, NOT_GOOD[bad].detail) == await secure.stranger()
    assert not secure.server.hub.is_connected(station.id)


async def test_a_certificate_with_a_weak_key_is_refused(mtls: Mtls, ours: Authority) -> None:
    secure = await mtls()
    await secure.server.register("S")
    weak = ours.station("S", kind="rsa 1024")
    context = client(ours, weak, suites="ALL:@SECLEVEL=0", at_most=ssl.TLSVersion.TLSv1_2)
    with pytest.raises((aiohttp.ClientError, ConnectionError)):
        await secure.dial("S", context=context)
    refused = ("bad_client_certificate", "EE certificate key too weak")
    assert refused == await secure.stranger()


async def test_a_boot_of_another_serial_number_closes_and_is_not_kept(
    mtls: Mtls, ours: Authority
) -> None:
    secure = await mtls()
    server = secure.server
    station, _ = await server.register("S", serial_number="SN-1")
    dialled = await secure.dial("S", ours.station("SN-1"))
    await dialled.send(BOOT % "SN-2")
    assert 1008 == (await dialled.raw()).data
    kept = await server.db.read(lambda tx: stations.get(tx, station.id))
    assert ("SN-1", None) == (kept.serial_number, kept.booted_at)
    (told,) = await server.events("station.certificate_mismatched")
    assert ("SN-2", "SN-1") == (told["serial_number"], told["common_name"])
    assert 1 == len(await server.events("alert.raised"))


async def test_a_boot_without_a_serial_number_leaves_the_recorded_one(
    mtls: Mtls, ours: Authority
) -> None:
    secure = await mtls()
    station, _ = await secure.server.register("S", serial_number="SN-1")
    dialled = await secure.dial("S", ours.station("SN-1"))
    boot = BOOT.replace(',"serialNumber":"%s"', "")
    assert "Accepted" == (await dialled.ask(boot))[2]["status"]
    kept = await secure.server.db.read(lambda tx: stations.get(tx, station.id))
    assert "SN-1" == kept.serial_number


async def test_another_serial_number_ends_the_connection_of_the_old_one(
    mtls: Mtls, ours: Authority
) -> None:
    secure = await mtls()
    db = secure.server.db
    station, _ = await secure.server.register("S", serial_number="SN-1")
    dialled = await secure.dial("S", ours.station("SN-1"))
    await db.write(lambda tx: station_service.update(tx, station, {"serial_number": "SN-2"}))
    assert 1012 == (await dialled.raw()).data


# ---- stations that nobody registered ---------------------------------------------------------


async def test_an_unknown_station_with_a_good_certificate_is_held_and_accepted_by_it(
    mtls: Mtls, ours: Authority
) -> None:
    secure = await mtls()
    server, own = secure.server, ours.station("SN-7")
    dialled = await secure.dial("NEW", own)
    assert "Pending" == (await dialled.ask(BOOT % "SOMETHING-ELSE"))[2]["status"]
    (entry,) = await server.db.read(inbox.list_entries)
    assert (Cause.UNKNOWN_WITH_CERTIFICATE, "SN-7") == (entry.cause, entry.serial_number)
    await server.db.write(lambda tx: inbox.accept(tx, entry.uuid))
    again = await secure.dial("NEW", own)
    assert "Accepted" == (await again.ask(BOOT % "SN-7"))[2]["status"]


async def test_what_a_stranger_without_a_certificate_says_is_no_name_for_one(
    by_password: Secure, mtls: Mtls, ours: Authority
) -> None:
    dialled = await by_password.dial("NEW")
    await dialled.ask(BOOT % "SN-7")
    (entry,) = await by_password.server.db.read(inbox.list_entries)
    await by_password.server.db.write(lambda tx: inbox.accept(tx, entry.uuid))
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await (await mtls()).dial("NEW", ours.station("SN-7"))


async def test_closed_onboarding_refuses_a_good_certificate_of_nobody(
    mtls: Mtls, ours: Authority
) -> None:
    secure = await mtls(onboarding=Onboarding.CLOSED)
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await secure.dial("NEW", ours.station("NEW"))
    assert 401 == refused.value.status


async def test_open_onboarding_registers_whom_the_certificate_names(
    mtls: Mtls, ours: Authority
) -> None:
    secure = await mtls(onboarding=Onboarding.OPEN)
    await secure.dial("NEW", ours.station("SN-8"))
    made = await secure.server.db.read(lambda tx: stations.find_by_identity(tx, "NEW"))
    assert made is not None
    assert "SN-8" == made.serial_number
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await secure.dial("NEW", ours.station("SN-9"))


async def test_the_api_is_served_under_tls(by_password: Secure, ours: Authority) -> None:
    server = by_password.server
    url = f"https://{HOST}:{server.port}/a"
    async with server.http.post(url, data=b"b" * 100_000, ssl=client(ours)) as response:
        assert {"path": "/a", "size": 100_000} == await response.json()


async def test_an_upgrade_on_a_kept_connection_knows_its_certificate(
    mtls: Mtls, ours: Authority
) -> None:
    secure = await mtls()
    await secure.server.register("S")
    context = client(ours, ours.station("OTHER"))
    reader, writer = await asyncio.open_connection(HOST, secure.server.port, ssl=context)
    writer.write(b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n")
    head = await reader.readuntil(b"\r\n\r\n")
    await reader.readexactly(int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0]))
    writer.write(
        b"GET /ocpp/S HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
        b"Sec-WebSocket-Protocol: ocpp2.0.1\r\n\r\n"
    )
    assert b"401" in await reader.readline()
    assert [("S", "certificate_mismatch", "it names OTHER")] == await secure.noted()
    writer.close()


# ---- the files -------------------------------------------------------------------------------


def test_what_is_wrong_with_the_files_is_said(ours: Authority, tmp_path: Path) -> None:
    ec, rsa = ours.server("ec"), ours.server("rsa")
    folder = Authority(tmp_path)
    sealed = folder.server("rsa", password=b"secret")
    missing = tmp_path / "nowhere.pem"

    def why(*pairs: tuple[Path, Path], client_ca: Path | None = None) -> str:
        chains, keys = zip(*pairs, strict=True)
        with pytest.raises(Invalid) as error:
            tls.load(TlsFiles(chains, keys, client_ca))
        return error.value.message

    assert str(rsa.key) in why((ec.certificate, rsa.key))
    assert "no such file" in why((missing, ec.key))
    assert "cannot use" in why((sealed.certificate, sealed.key))
    assert "same kind of key" in why((ec.certificate, ec.key), (ec.certificate, ec.key))
    assert str(missing) in why((ec.certificate, ec.key), client_ca=missing)
    assert str(ec.key) in why((ec.certificate, ec.key), client_ca=ec.key)
