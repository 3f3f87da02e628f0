"""OCPP 1.6: tags about which the operator has decided, and tags of a group."""

from __future__ import annotations

from typing import Any

import pytest

from csms.domain.versions import OcppVersion
from tests.conformance.cases import case, twin
from tests.conformance.charging_v16 import assert_whole, start, stop, stored
from tests.conformance.csms import Csms
from tests.conformance.orders.profiles import UNTIL
from tests.conformance.station import Station

V16 = OcppVersion.V16
INVALID: dict[str, Any] = {"status": "Invalid"}
EXPIRED: dict[str, Any] = {"status": "Accepted", "expires_at": "2026-01-01T00:00:00Z"}
BLOCKED: dict[str, Any] = {"status": "Blocked"}
GROUP, RESERVATION = "FAMILY", 5


@pytest.mark.parametrize(
    ("decided", "status"),
    [
        pytest.param(INVALID, "Invalid", marks=case("TC_023_1"), id="TC_023_1"),
        pytest.param(EXPIRED, "Expired", marks=case("TC_023_2"), id="TC_023_2"),
        pytest.param(BLOCKED, "Blocked", marks=case("TC_023_3"), id="TC_023_3"),
    ],
)
async def test_a_tag_that_may_not_charge_is_refused(
    csms: Csms, decided: dict[str, Any], status: str
) -> None:
    async with await csms.online(V16) as station:
        tag = await csms.token(**decided)
        answer = await station.call("Authorize", {"idTag": tag})
        assert status == answer["idTagInfo"]["status"]
        assert [] == await csms.rows(station, "transactions")


@pytest.mark.parametrize(
    ("decided", "status"),
    [
        pytest.param(INVALID, "Invalid", marks=twin("TC_023_1"), id="TC_023_1"),
        pytest.param(EXPIRED, "Expired", marks=twin("TC_023_2"), id="TC_023_2"),
        pytest.param(BLOCKED, "Blocked", marks=twin("TC_023_3"), id="TC_023_3"),
    ],
)
async def test_a_flawed_question_about_such_a_tag_gets_no_other_answer(
    csms: Csms, decided: dict[str, Any], status: str
) -> None:
    async with await csms.online(V16) as station:
        tag = await csms.token(**decided)
        answer = await station.call(
            "Authorize", {"idTag": f" {tag.lower()} ", "status": "Accepted"}
        )
        assert status == answer["idTagInfo"]["status"]


@case("TC_037_3")
async def test_an_offline_start_with_an_invalid_tag_is_told_so_and_stops(csms: Csms) -> None:
    async with await csms.online(V16) as station:
        tag = await csms.token(**INVALID)
        answer = await start(station, tag)
        assert "Invalid" == answer["idTagInfo"]["status"]
        assert answer["transactionId"] > 0
        await stop(station, answer["transactionId"], reason="DeAuthorized")
        await assert_whole(csms, station, "DeAuthorized")


@twin("TC_037_3")
async def test_an_offline_start_without_a_readable_time_is_judged_all_the_same(
    csms: Csms,
) -> None:
    async with await csms.online(V16) as station:
        tag = await csms.token(**INVALID)
        answer = await start(station, tag, timestamp="yesterday")
        assert "Invalid" == answer["idTagInfo"]["status"]
        assert answer["transactionId"] == int(
            (await stored(csms, station))["station_transaction_id"]
        )


async def reserve(csms: Csms, station: Station, tag: str) -> None:
    """Reserve connector 1 for the tag and its group."""
    params = {
        "reservation_id": RESERVATION,
        "expires_at": UNTIL,
        "evse_id": 1,
        "id_token": tag,
        "group_id_token": GROUP,
    }
    order = csms.order(station, "reserve_now", params)
    assert {
        "reservationId": RESERVATION,
        "expiryDate": UNTIL,
        "connectorId": 1,
        "idTag": tag,
        "parentIdTag": GROUP,
    } == await station.expect("ReserveNow", {"status": "Accepted"})
    assert "succeeded" == (await order)["state"]


@case("TC_053")
async def test_a_reserved_connector_is_used_by_another_tag_of_the_group(csms: Csms) -> None:
    async with await csms.online(V16) as station:
        mine, other = [await csms.token(group_id_token=GROUP) for _ in range(2)]
        await reserve(csms, station, mine)
        info = {"status": "Accepted", "parentIdTag": GROUP}
        assert {"idTagInfo": info} == await station.call("Authorize", {"idTag": other})
        answer = await start(station, other, reservationId=RESERVATION)
        assert info == answer["idTagInfo"]
        assert RESERVATION == (await stored(csms, station))["reservation_id"]


@twin("TC_053")
async def test_a_tag_of_no_group_is_told_none(csms: Csms) -> None:
    async with await csms.online(V16) as station:
        mine, stranger = await csms.token(group_id_token=GROUP), await csms.token()
        await reserve(csms, station, mine)
        answer = await station.call("Authorize", {"idTag": stranger, "parentIdTag": GROUP})
        assert {"idTagInfo": {"status": "Accepted"}} == answer
