"""OCPP 1.6 with the security extension: who comes in, and in which version."""

from __future__ import annotations

import pytest
from websockets.exceptions import InvalidStatus

from csms.domain.versions import OcppVersion
from tests.conformance.cases import case, twin
from tests.conformance.csms import Csms

V16 = OcppVersion.V16


@case("TC_085")
async def test_the_right_password_comes_in(csms: Csms) -> None:
    async with await csms.station(V16) as station:
        assert (await station.boot())["status"] == "Accepted"


@pytest.mark.parametrize("password", [None, "", "wrong-password-16"])
@twin("TC_085")
async def test_any_other_password_stays_outside(csms: Csms, password: str | None) -> None:
    station = await csms.station(V16)
    station.password = password
    with pytest.raises(InvalidStatus) as refused:
        await station.connect()
    assert 401 == refused.value.response.status_code
    assert refused.value.response.headers["WWW-Authenticate"].startswith("Basic realm=")


@case("TC_088")
async def test_the_version_that_both_speak_is_chosen(csms: Csms) -> None:
    async with await csms.station(V16) as station:
        await station.drop()
        await station.connect("ocpp0.1", "ocpp1.6")
        assert station.socket is not None
        assert "ocpp1.6" == station.socket.subprotocol


@twin("TC_088")
async def test_a_station_with_unknown_versions_alone_stays_outside(csms: Csms) -> None:
    station = await csms.station(V16)
    with pytest.raises(InvalidStatus) as refused:
        await station.connect("ocpp0.1")
    assert 400 == refused.value.response.status_code
