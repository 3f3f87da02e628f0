"""A station is told to connect more securely, and from then on comes in no other way."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from csms.domain.versions import OcppVersion
from tests.conformance.cases import case, twin
from tests.conformance.csms import Csms
from tests.conformance.station import Payload, Station
from tests.pki import HOST, client

V16, V201 = OcppVersion.V16, OcppVersion.V201
ACCEPTED = {"status": "Accepted"}
NONSENSE: Payload = {"status": 1}
SLOT, URL = 2, "wss://csms.example.com/ocpp"


def dials_with(csms: Csms, station: Station, profile: int) -> None:
    """Let it dial as the profile says, with the password that it has or a certificate of its own."""
    secure = csms.secure
    if profile == 1:
        station.url, station.security = csms.server.url, None
    elif profile == 2:
        station.url = f"wss://{HOST}:{secure.tls}/ocpp"
        station.security = client(secure.authority)
    else:
        station.url = f"wss://{HOST}:{secure.mtls}/ocpp"
        station.security = client(secure.authority, secure.authority.station(station.identity))


async def comes_in(csms: Csms, station: Station, profile: int) -> bool:
    dials_with(csms, station, profile)
    try:
        await station.connect()
    except InvalidStatus as refused:
        assert 401 == refused.response.status_code
        return False
    assert (await station.boot())["status"] == "Accepted"
    await station.drop()
    return True


async def online(csms: Csms, version: OcppVersion, profile: int) -> Station:
    station = await csms.station(version)
    dials_with(csms, station, profile)
    await station.connect()
    assert (await station.boot())["status"] == "Accepted"
    return station


def to(csms: Csms, station: Station, profile: int) -> asyncio.Task[dict[str, Any]]:
    params: Payload = {"security_profile": profile}
    if station.version is not V16:
        params |= {"configuration_slot": SLOT, "ocpp_csms_url": URL, "fallback_slots": [1]}
    return csms.order(station, "raise_security_profile", params)


async def only_with(csms: Csms, station: Station, profile: int) -> None:
    assert await comes_in(csms, station, profile)
    assert not await comes_in(csms, station, profile - 1)
    assert await comes_in(csms, station, profile)


@pytest.mark.parametrize("profile", [2, 3])
@case("TC_083")
async def test_a_16_station_that_was_told_comes_with_the_higher_profile_only(
    csms: Csms, profile: int
) -> None:
    station = await online(csms, V16, profile - 1)
    order = to(csms, station, profile)
    sent = await station.expect("ChangeConfiguration", ACCEPTED)
    assert {"key": "SecurityProfile", "value": str(profile)} == sent
    assert "succeeded" == (await order)["state"]
    await station.drop()
    await only_with(csms, station, profile)


@twin("TC_083")
async def test_a_16_station_whose_answer_says_nothing_may_stay_as_it_is(csms: Csms) -> None:
    station = await online(csms, V16, 1)
    order = to(csms, station, 2)
    await station.expect("ChangeConfiguration", NONSENSE)
    assert "succeeded" != (await order)["state"]
    await station.drop()
    assert await comes_in(csms, station, 1)


@pytest.mark.parametrize("profile", [2, 3])
@case("TC_A_19")
async def test_a_201_station_that_was_told_comes_with_the_higher_profile_only(
    csms: Csms, profile: int
) -> None:
    station = await online(csms, V201, profile - 1)
    order = to(csms, station, profile)
    sent = await station.expect("SetNetworkProfile", ACCEPTED)
    assert SLOT == sent["configurationSlot"]
    connection = sent["connectionData"]
    assert ("JSON", "OCPP20") == (connection["ocppTransport"], connection["ocppVersion"])
    assert (profile, URL) == (connection["securityProfile"], connection["ocppCsmsUrl"])
    assert {"messageTimeout", "ocppInterface"} <= connection.keys()
    (written,) = await priority(station, "Accepted")
    assert f"{SLOT},1" == written["attributeValue"]
    assert {"type": "OnIdle"} == await station.expect("Reset", ACCEPTED)
    assert "succeeded" == (await order)["state"]
    await station.drop()
    await only_with(csms, station, profile)


async def priority(station: Station, word: str) -> list[Payload]:
    """Answer the SetVariables that must come now; what it writes."""
    request = await station.asked("SetVariables")
    (written,) = request.payload["setVariableData"]
    names = {name: written[name] for name in ("component", "variable")}
    assert "NetworkConfigurationPriority" == names["variable"]["name"]
    answer = {"setVariableResult": [{"attributeStatus": word, **names}]}
    await station.answer(request, answer)
    return [written]


@twin("TC_A_19")
async def test_a_201_station_that_declines_a_step_gets_no_further_and_stays_as_it_is(
    csms: Csms,
) -> None:
    for steps in range(3):
        station = await online(csms, V201, 1)
        order = to(csms, station, 2)
        await station.expect("SetNetworkProfile", ACCEPTED if steps else NONSENSE)
        if steps:
            await priority(station, "Accepted" if steps == 2 else "Rejected")
        if steps == 2:
            await station.expect("Reset", {"status": "Rejected"})
        assert "succeeded" != (await order)["state"]
        await station.drop()
        assert await comes_in(csms, station, 1)


@pytest.mark.parametrize("version", [V16, V201])
async def test_no_order_lowers_a_profile(csms: Csms, version: OcppVersion) -> None:
    station = await online(csms, version, 2)
    for profile in (1, 2):
        assert "refused" == (await to(csms, station, profile))["state"]
    await station.drop()
