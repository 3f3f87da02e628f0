"""OCPP 2.0.1, Core: who comes in, in which version, and what a boot is answered."""

from __future__ import annotations

import base64

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from csms.domain.versions import OcppVersion
from tests.conformance.cases import case, twin
from tests.conformance.csms import Csms
from tests.conformance.station import Station

V201 = OcppVersion.V201
AVAILABLE = {
    "timestamp": "2026-05-01T12:00:00.000Z",
    "connectorStatus": "Available",
    "evseId": 1,
    "connectorId": 1,
}


async def status_of_refusal(station: Station) -> int:
    """The HTTP status that the station gets instead of a connection."""
    with pytest.raises(InvalidStatus) as refused:
        await station.connect()
    return refused.value.response.status_code


@case("TC_A_01")
async def test_the_right_name_and_password_come_in(csms: Csms) -> None:
    async with await csms.station(V201) as station:
        assert "Accepted" == (await station.boot())["status"]


@twin("TC_A_01")
async def test_a_header_that_is_no_basic_auth_stays_outside(csms: Csms) -> None:
    station = await csms.station(V201)
    for header in (
        "Basic",
        "Basic %%%",
        "Basic " + base64.b64encode(station.identity.encode()).decode(),
        f"Bearer {station.password}",
    ):
        with pytest.raises(InvalidStatus) as refused:
            await connect(
                f"{station.url}/{station.identity}",
                subprotocols=[V201.subprotocol],  # type: ignore[list-item]
                additional_headers={"Authorization": header},
            )
        assert 401 == refused.value.response.status_code


@case("TC_A_02")
async def test_the_name_of_another_station_stays_outside(csms: Csms) -> None:
    station, other = await csms.station(V201), await csms.station(V201)
    station.username = other.identity
    assert 401 == await status_of_refusal(station)


@twin("TC_A_02")
async def test_another_station_with_its_own_password_stays_outside(csms: Csms) -> None:
    station, other = await csms.station(V201), await csms.station(V201)
    station.username, station.password = other.identity, other.password
    assert 401 == await status_of_refusal(station)
    async with other:
        assert "Accepted" == (await other.boot())["status"]


@case("TC_A_03")
async def test_a_wrong_password_stays_outside(csms: Csms) -> None:
    station = await csms.station(V201)
    station.password = "wrong-password-16"
    assert 401 == await status_of_refusal(station)


@twin("TC_A_03")
async def test_after_a_wrong_password_the_right_one_comes_in(csms: Csms) -> None:
    station = await csms.station(V201)
    right, station.password = station.password, f"{station.password} "
    assert 401 == await status_of_refusal(station)
    station.password = right
    async with station:
        assert "Accepted" == (await station.boot())["status"]


@case("TC_B_01")
async def test_a_cold_boot_is_accepted_and_the_statuses_are_stored(csms: Csms) -> None:
    async with await csms.station(V201) as station:
        answer = await station.boot()
        assert "Accepted" == answer["status"]
        assert answer["interval"] > 0
        assert {} == await station.call("StatusNotification", AVAILABLE)
        assert {"currentTime"} == set(await station.call("Heartbeat", {}))
        (boot,) = await csms.rows(station, "boots")
        assert ("PowerUp", "Accepted") == (boot["reason"], boot["status"])
        (connector,) = await csms.rows(station, "connectors")
        assert "Available" == connector["status"]


@twin("TC_B_01")
async def test_a_boot_without_a_station_is_recorded_all_the_same(csms: Csms) -> None:
    async with await csms.station(V201) as station:
        answer = await station.call("BootNotification", {"reason": "PowerUp"})
        assert "Accepted" == answer["status"]
        (boot,) = await csms.rows(station, "boots")
        assert '{"reason":"PowerUp"}' == boot["raw"]


async def register(csms: Csms, station: Station, word: str) -> None:
    path = f"/api/v1/stations/identity:{station.identity}"
    assert word == (await csms.api("PATCH", path, {"registration": word}))["registration"]


@case("TC_B_02")
async def test_a_station_that_waits_is_pending_until_it_is_accepted(csms: Csms) -> None:
    station = await csms.station(V201)
    await register(csms, station, "Pending")
    async with station:
        answer = await station.boot()
        assert "Pending" == answer["status"]
        assert answer["interval"] > 0
        await register(csms, station, "Accepted")
        assert "Accepted" == (await station.boot())["status"]
        assert {} == await station.call("StatusNotification", AVAILABLE)
        assert ["Pending", "Accepted"] == [
            boot["status"] for boot in await csms.rows(station, "boots")
        ]


@twin("TC_B_02")
async def test_a_flawed_boot_of_a_pending_station_is_pending_too(csms: Csms) -> None:
    station = await csms.station(V201)
    await register(csms, station, "Pending")
    async with station:
        assert "Pending" == (await station.call("BootNotification", {}))["status"]
        assert "SecurityError" == await station.refused("Heartbeat", {})


@pytest.mark.parametrize("word", ["Pending", "Rejected"])
@case("TC_B_30")
async def test_nothing_but_a_boot_is_taken_before_the_registration(csms: Csms, word: str) -> None:
    station = await csms.station(V201)
    await register(csms, station, word)
    async with station:
        assert word == (await station.boot())["status"]
        assert "SecurityError" == await station.refused("StatusNotification", AVAILABLE)
        assert [] == await csms.rows(station, "connectors")


@twin("TC_B_30")
async def test_a_flawed_message_before_the_registration_is_taken_as_little(csms: Csms) -> None:
    station = await csms.station(V201)
    await register(csms, station, "Pending")
    async with station:
        await station.boot()
        assert "SecurityError" == await station.refused("StatusNotification", {"evseId": "one"})
        assert [] == await csms.rows(station, "connectors")
        assert "Pending" == (await station.boot())["status"]


@pytest.mark.parametrize(
    "offered", [("ocpp0.1", "ocpp2.0.1"), ("ocpp2.0.1", "ocpp1.6"), ("ocpp2.0.1",)]
)
@case("TC_B_58")
async def test_the_version_that_the_station_prefers_is_chosen(
    csms: Csms, offered: tuple[str, ...]
) -> None:
    station = await csms.station(V201)
    await station.connect(*offered)
    async with station:
        assert station.socket is not None
        assert "ocpp2.0.1" == station.socket.subprotocol
        assert "Accepted" == (await station.boot())["status"]


@twin("TC_B_58")
async def test_a_station_with_unknown_versions_alone_stays_outside(csms: Csms) -> None:
    station = await csms.station(V201)
    with pytest.raises(InvalidStatus) as refused:
        await station.connect("ocpp0.1")
    assert 400 == refused.value.response.status_code


@case("TC_P_02")
async def test_a_vendor_that_nobody_knows_is_told_so(csms: Csms) -> None:
    async with await csms.online(V201) as station:
        sent = {"vendorId": "com.example", "messageId": "Hello", "data": {"n": 1}}
        assert {"status": "UnknownVendorId"} == await station.call("DataTransfer", sent)
        (stored,) = await csms.rows(station, "data_transfers")
        assert ("com.example", "Hello", '{"n":1}') == (
            stored["vendor_id"],
            stored["message_type"],
            stored["data"],
        )


@twin("TC_P_02")
async def test_a_transfer_without_a_vendor_is_refused(csms: Csms) -> None:
    async with await csms.online(V201) as station:
        code = await station.refused("DataTransfer", {"data": "?"})
        assert "OccurrenceConstraintViolation" == code
        assert [] == await csms.rows(station, "data_transfers")
        assert "currentTime" in await station.call("Heartbeat", {})


@case("TC_P_03")
async def test_custom_data_changes_nothing_and_is_kept(csms: Csms) -> None:
    async with await csms.station(V201) as station:
        custom = {"vendorId": "com.example", "anything": {"n": 1}}
        answer = await station.call(
            "BootNotification",
            {
                "reason": "PowerUp",
                "chargingStation": {"vendorName": "V", "model": "M", "customData": custom},
                "customData": custom,
            },
        )
        assert "Accepted" == answer["status"]
        (boot,) = await csms.rows(station, "boots")
        assert 2 == boot["raw"].count('{"vendorId":"com.example","anything":{"n":1}}')
        assert "currentTime" in await station.call("Heartbeat", {"customData": custom})


@twin("TC_P_03")
async def test_custom_data_without_its_vendor_harms_nothing(csms: Csms) -> None:
    async with await csms.online(V201) as station:
        flawed = {**AVAILABLE, "customData": {"anything": 1}}
        assert {} == await station.call("StatusNotification", flawed)
        assert "currentTime" in await station.call("Heartbeat", {})
