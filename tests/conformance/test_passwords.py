"""A station is told a new password over OCPP, and comes back with the one it then has."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from csms.cli.failures import Refused
from csms.domain.versions import OcppVersion
from tests.conformance.cases import case, twin
from tests.conformance.csms import Csms
from tests.conformance.station import Payload, Request, Station

V16, V201 = OcppVersion.V16, OcppVersion.V201


def rotation(csms: Csms, station: Station) -> asyncio.Task[Any]:
    path = f"/api/v1/stations/identity:{station.identity}/credentials/rotate"
    return asyncio.create_task(csms.api("POST", path, {"push": True}))


async def told(station: Station) -> tuple[Request, str]:
    """The CALL and the password in it, which must be one that the version allows."""
    if station.version is V16:
        request = await station.asked("ChangeConfiguration")
        assert "AuthorizationKey" == request.payload["key"]
        assert len(request.payload["value"]) <= 40
        password = bytes.fromhex(request.payload["value"]).decode()
        assert 16 <= len(password) <= 20
        return request, password
    request = await station.asked("SetVariables")
    (item,) = request.payload["setVariableData"]
    assert ("SecurityCtrlr", "BasicAuthPassword") == (
        item["component"]["name"],
        item["variable"]["name"],
    )
    assert 16 <= len(item["attributeValue"]) <= 40
    return request, item["attributeValue"]


def answer(request: Request, word: str) -> Payload:
    if request.action == "ChangeConfiguration":
        return {"status": word}
    (item,) = request.payload["setVariableData"]
    names = {name: item[name] for name in ("component", "variable")}
    return {"setVariableResult": [{"attributeStatus": word, **names}]}


async def comes_in(station: Station, password: str | None) -> bool:
    station.password = password
    try:
        await station.connect()
    except InvalidStatus as refused:
        assert 401 == refused.response.status_code
        return False
    assert (await station.boot())["status"] == "Accepted"
    await station.drop()
    return True


@pytest.mark.parametrize(
    "version", [pytest.param(V16, marks=case("TC_073")), pytest.param(V201, marks=case("TC_A_09"))]
)
async def test_the_new_password_comes_in_and_the_old_one_stays_outside(
    csms: Csms, version: OcppVersion
) -> None:
    station = await csms.online(version)
    old, order = station.password, rotation(csms, station)
    request, new = await told(station)
    await station.answer(request, answer(request, "Accepted"))
    assert "Accepted" == (await order)["pushed"]
    await station.drop()
    assert not await comes_in(station, old)
    assert await comes_in(station, new)


@pytest.mark.parametrize(
    "version", [pytest.param(V16, marks=twin("TC_073")), pytest.param(V201, marks=twin("TC_A_09"))]
)
async def test_an_answer_that_says_nothing_leaves_the_old_password(
    csms: Csms, version: OcppVersion
) -> None:
    station = await csms.online(version)
    old, order = station.password, rotation(csms, station)
    request, new = await told(station)
    await station.answer(request, {"status": 1})
    with pytest.raises(Refused):
        await order
    await station.drop()
    assert not await comes_in(station, new)
    assert await comes_in(station, old)


@case("TC_A_10")
async def test_a_station_that_rejects_it_keeps_the_old_password(csms: Csms) -> None:
    station = await csms.online(V201)
    old, order = station.password, rotation(csms, station)
    request, new = await told(station)
    await station.answer(request, answer(request, "Rejected"))
    with pytest.raises(Refused, match="Rejected"):
        await order
    await station.drop()
    assert not await comes_in(station, new)
    assert await comes_in(station, old)


@twin("TC_A_10")
async def test_a_callerror_in_the_place_of_the_rejection_leaves_it_as_well(csms: Csms) -> None:
    station = await csms.online(V201)
    old, order = station.password, rotation(csms, station)
    request, new = await told(station)
    await station.refuse(request, "SecurityError")
    with pytest.raises(Refused):
        await order
    await station.drop()
    assert not await comes_in(station, new)
    assert await comes_in(station, old)


async def logged(csms: Csms, station: Station, request: Request) -> None:
    """Wait until the CALL is in the message log."""
    async with asyncio.timeout(10):
        while request.action not in {
            row["action"] for row in await csms.rows(station, "ocpp_messages")
        }:
            pass


async def test_no_password_that_was_told_is_in_the_files_of_the_server(csms: Csms) -> None:
    secrets = []
    for version in (V16, V201):
        station = await csms.online(version)
        order = rotation(csms, station)
        request, new = await told(station)
        await station.answer(request, answer(request, "Accepted"))
        await order
        await station.drop()
        secrets += [new.encode(), new.encode().hex().encode()]
        assert await comes_in(station, new)
        await logged(csms, station, request)
    files = [path for path in csms.server.directory.rglob("*") if path.is_file()]
    content = b"".join(path.read_bytes() for path in files)
    assert [] == [secret for secret in secrets if secret in content]
