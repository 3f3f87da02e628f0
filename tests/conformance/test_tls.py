"""Security profiles 2 and 3 in every version: the ports with TLS, their certificates and ours."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from functools import partial

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from websockets.exceptions import InvalidStatus, WebSocketException

from csms.domain.versions import OcppVersion
from tests.acceptance.processes import eventually
from tests.conformance.cases import case, twin
from tests.conformance.csms import Csms
from tests.conformance.station import Station
from tests.pki import SERVER, Authority, Pair, client

V16, V201 = OcppVersion.V16, OcppVersion.V201
REFUSED = (ssl.SSLError, OSError, WebSocketException)


@pytest.mark.parametrize(
    "version", [pytest.param(V16, marks=case("TC_086")), pytest.param(V201, marks=case("TC_A_04"))]
)
async def test_a_password_over_tls_comes_in(csms: Csms, version: OcppVersion) -> None:
    async with await csms.by_tls(version) as station:
        assert "Accepted" == (await station.boot())["status"]


@pytest.mark.parametrize(
    "version", [pytest.param(V16, marks=twin("TC_086")), pytest.param(V201, marks=twin("TC_A_04"))]
)
async def test_a_wrong_password_over_tls_stays_outside(csms: Csms, version: OcppVersion) -> None:
    station = await csms.by_tls(version)
    station.password = "wrong-password-16"
    with pytest.raises(InvalidStatus) as refused:
        await station.connect()
    assert 401 == refused.value.response.status_code


async def test_the_server_shows_a_certificate_that_its_root_signed(csms: Csms) -> None:
    async with await csms.by_tls(V201) as station:
        assert station.socket is not None
        secured = station.socket.transport.get_extra_info("ssl_object")
        shown = x509.load_der_x509_certificate(secured.getpeercert(binary_form=True))
        assert isinstance(shown.public_key(), EllipticCurvePublicKey)


@case("TC_A_06")
async def test_tls_1_2_comes_in(csms: Csms) -> None:
    station = await csms.by_tls(V201)
    station.security = client(csms.secure.authority, at_most=ssl.TLSVersion.TLSv1_2)
    async with station:
        assert "Accepted" == (await station.boot())["status"]


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
@twin("TC_A_06")
async def test_a_lower_version_of_tls_stays_outside(csms: Csms, version: ssl.TLSVersion) -> None:
    station = await csms.by_tls(V201)
    station.security = client(csms.secure.authority, at_most=version, suites="ALL:@SECLEVEL=0")
    with pytest.raises(REFUSED):
        await station.connect()
    noted = partial(csms.server.client.get, "/api/v1/inbox", cause="tls_version_too_low")
    await asyncio.to_thread(eventually, lambda: noted()["items"], what="the refusal to be noted")


@pytest.mark.parametrize(
    "version", [pytest.param(V16, marks=case("TC_087")), pytest.param(V201, marks=case("TC_A_07"))]
)
async def test_a_certificate_of_the_station_comes_in(csms: Csms, version: OcppVersion) -> None:
    async with await csms.by_certificate(version) as station:
        assert "Accepted" == (await station.boot())["status"]


@case("TC_A_07")
async def test_the_serial_number_of_the_station_comes_in(csms: Csms) -> None:
    async with await by_serial_number(csms) as station:
        told = {"vendorName": "V", "model": "M", "serialNumber": f"SN-{station.identity}"}
        boot = {"reason": "PowerUp", "chargingStation": told}
        assert "Accepted" == (await station.call("BootNotification", boot))["status"]


async def by_serial_number(csms: Csms) -> Station:
    """A station whose certificate names its serial number."""
    station = await csms.by_certificate(V201, lambda identity: sign(csms, f"SN-{identity}"))
    path = f"/api/v1/stations/identity:{station.identity}"
    await csms.api("PATCH", path, {"serial_number": f"SN-{station.identity}"})
    return station


def sign(csms: Csms, name: str) -> Pair:
    return csms.secure.authority.station(name)


BAD: dict[str, Callable[[Csms, str], Pair | None]] = {
    "none at all": lambda csms, name: None,
    "of another station": lambda csms, name: sign(csms, f"not-{name}"),
    "of another organization": lambda csms, name: csms.secure.authority.station(
        name, organization="Thieves"
    ),
    "expired": lambda csms, name: csms.secure.authority.station(name, days=(-9, -1)),
    "not yet valid": lambda csms, name: csms.secure.authority.station(name, days=(1, 9)),
    "of a server": lambda csms, name: csms.secure.authority.station(name, usage=SERVER),
    "of an unknown authority": lambda csms, name: Authority(
        csms.secure.authority.folder, "Somebody else's CA"
    ).station(name),
}


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize(
    "version",
    [
        pytest.param(V16, marks=twin("TC_087")),
        pytest.param(V201, marks=[twin("TC_A_07"), case("TC_A_08")]),
    ],
)
async def test_any_other_certificate_stays_outside(
    csms: Csms, version: OcppVersion, bad: str
) -> None:
    station = await csms.by_certificate(version, lambda identity: BAD[bad](csms, identity))
    with pytest.raises(REFUSED):
        await station.connect()
    assert not (await shown(csms, station.identity))["online"]


@twin("TC_A_08")
async def test_after_a_refusal_the_right_certificate_comes_in(csms: Csms) -> None:
    station = await csms.by_certificate(V201, lambda identity: sign(csms, f"not-{identity}"))
    with pytest.raises(InvalidStatus):
        await station.connect()
    station.security = client(csms.secure.authority, sign(csms, station.identity))
    async with station:
        assert "Accepted" == (await station.boot())["status"]


@twin("TC_A_07")
async def test_a_boot_of_another_serial_number_is_closed(csms: Csms) -> None:
    async with await by_serial_number(csms) as station:
        told = {"vendorName": "V", "model": "M", "serialNumber": "of-another"}
        boot = {"reason": "PowerUp", "chargingStation": told}
        await station.send([2, "boot", "BootNotification", boot])
        assert 1008 == await station.closed()
    kept = await shown(csms, station.identity)
    assert f"SN-{station.identity}" == kept["serial_number"]


async def shown(csms: Csms, identity: str) -> dict[str, object]:
    """The station as the API shows it."""
    found: dict[str, object] = await csms.api("GET", f"/api/v1/stations/identity:{identity}")
    return found
