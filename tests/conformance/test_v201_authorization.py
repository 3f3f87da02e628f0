"""OCPP 2.0.1: tokens about which the operator has decided, alone, in a group, as masters."""

from __future__ import annotations

from typing import Any

import pytest

from csms.domain.versions import OcppVersion
from tests.conformance.cases import case, twin
from tests.conformance.csms import Csms
from tests.conformance.orders import Order
from tests.conformance.orders.profiles import UNTIL
from tests.conformance.station import Payload, Station
from tests.conformance.stories import Event
from tests.conformance.test_orders import carry_out

V201 = OcppVersion.V201
EXPIRED: dict[str, Any] = {"status": "Accepted", "expires_at": "2026-01-01T00:00:00Z"}
GROUP, MASTERS = "FAMILY", "SERVICE"


def token(value: str) -> Payload:
    return {"idToken": value, "type": "ISO14443"}


def group(value: str) -> Payload:
    return {"idToken": value, "type": "Central"}


async def authorize(station: Station, value: str) -> Payload:
    """What the station is told about the token."""
    answer = await station.call("Authorize", {"idToken": token(value)})
    found: Payload = answer["idTokenInfo"]
    return found


async def start(station: Station, value: str, *, evse_id: int = 1) -> Payload:
    """Begin `tx-<evse_id>`; what the station is told about the token."""
    evse = {"id": evse_id, "connectorId": 1}
    event = Event("Started", "Authorized", "Charging", token=token(value), evse=evse)
    answer = await station.call("TransactionEvent", event.payload(f"tx-{evse_id}", 0))
    found: Payload = answer["idTokenInfo"]
    return found


async def stop(station: Station, value: str, reason: str = "Local", *, evse_id: int = 1) -> Payload:
    """End it; what the station is told about the token."""
    event = Event("Ended", "StopAuthorized", "EVConnected", reason, token=token(value), evse=None)
    answer = await station.call("TransactionEvent", event.payload(f"tx-{evse_id}", 1))
    found: Payload = answer["idTokenInfo"]
    return found


async def stop_reasons(csms: Csms, station: Station) -> list[str | None]:
    return [row["stop_reason"] for row in await csms.rows(station, "transactions")]


# ---- one token -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("decided", "status"),
    [
        pytest.param({"status": "Invalid"}, "Invalid", marks=case("TC_C_02"), id="TC_C_02"),
        *(
            pytest.param({"status": word}, word, marks=case("TC_C_06"), id=f"TC_C_06 {word}")
            for word in ("NotAllowedTypeEVSE", "NotAtThisLocation", "NotAtThisTime", "Blocked")
        ),
        pytest.param(EXPIRED, "Expired", marks=case("TC_C_07"), id="TC_C_07"),
    ],
)
async def test_a_token_that_may_not_charge_is_refused(
    csms: Csms, decided: Payload, status: str
) -> None:
    async with await csms.online(V201) as station:
        value = await csms.token(**decided)
        assert status == (await authorize(station, value))["status"]
        assert [] == await csms.rows(station, "transactions")


@pytest.mark.parametrize(
    ("decided", "status"),
    [
        pytest.param({"status": "Invalid"}, "Invalid", marks=twin("TC_C_02"), id="TC_C_02"),
        pytest.param({"status": "Blocked"}, "Blocked", marks=twin("TC_C_06"), id="TC_C_06"),
        pytest.param(EXPIRED, "Expired", marks=twin("TC_C_07"), id="TC_C_07"),
    ],
)
async def test_a_flawed_question_about_such_a_token_gets_no_other_answer(
    csms: Csms, decided: Payload, status: str
) -> None:
    async with await csms.online(V201) as station:
        value = await csms.token(**decided)
        flawed = {"idToken": {**token(f" {value.lower()} "), "status": "Accepted"}}
        answer = await station.call("Authorize", flawed)
        assert status == answer["idTokenInfo"]["status"]


@case("TC_C_08")
async def test_a_token_of_the_cache_needs_no_question(csms: Csms) -> None:
    async with await csms.online(V201) as station:
        value = await csms.token(expires_at=UNTIL)
        told = {"status": "Accepted", "cacheExpiryDateTime": UNTIL}
        assert told == await authorize(station, value)
        assert told == await start(station, value)
        assert told == await stop(station, value)
        assert told == await start(station, value, evse_id=2)
        assert ["Local", None] == await stop_reasons(csms, station)


@twin("TC_C_08")
async def test_a_token_of_the_cache_that_was_blocked_meanwhile(csms: Csms) -> None:
    async with await csms.online(V201) as station:
        value = await csms.token(status="Blocked")
        assert {"status": "Blocked"} == await start(station, value)
        (stored,) = await csms.rows(station, "transactions")
        assert ("Blocked", None) == (stored["id_token_status"], stored["end_received_at"])


@case("TC_C_20")
async def test_an_invalid_token_of_the_cache_is_asked_about_again(csms: Csms) -> None:
    async with await csms.online(V201) as station:
        value = await csms.token(status="Invalid")
        for _ in range(2):
            assert {"status": "Invalid"} == await authorize(station, value)
        assert [] == await csms.rows(station, "transactions")


@twin("TC_C_20")
async def test_a_charge_with_an_invalid_token_is_stored_all_the_same(csms: Csms) -> None:
    async with await csms.online(V201) as station:
        value = await csms.token(status="Invalid")
        assert {"status": "Invalid"} == await start(station, value)
        assert {"status": "Invalid"} == await stop(station, value, "DeAuthorized")
        assert ["DeAuthorized"] == await stop_reasons(csms, station)


# ---- groups ----------------------------------------------------------------------------------

OF_GROUP = {"status": "Accepted", "groupIdToken": group(GROUP)}


@case("TC_C_39")
async def test_a_token_of_the_group_stops_what_another_has_started(csms: Csms) -> None:
    async with await csms.online(V201) as station:
        first, second = [await csms.token(group_id_token=GROUP) for _ in range(2)]
        for value in (first, second):
            assert OF_GROUP == await authorize(station, value)
        assert OF_GROUP == await start(station, first)
        assert OF_GROUP == await stop(station, second)
        (stored,) = await csms.rows(station, "transactions")
        assert (first, "Local") == (stored["id_token"], stored["stop_reason"])


@twin("TC_C_39")
async def test_a_token_without_the_group_is_told_nothing_of_it(csms: Csms) -> None:
    async with await csms.online(V201) as station:
        first, second = await csms.token(group_id_token=GROUP), await csms.token()
        assert OF_GROUP == await start(station, first)
        flawed = {"idToken": {**token(second), "groupIdToken": GROUP}}
        answer = await station.call("Authorize", flawed)
        assert {"status": "Accepted"} == answer["idTokenInfo"]
        assert [None] == await stop_reasons(csms, station)


async def send_list(csms: Csms, station: Station, tokens: dict[str, str]) -> None:
    """Token → what it is worth, all of them of the group."""
    entries = [
        {"id_token": value, "status": word, "group_id_token": GROUP}
        for value, word in tokens.items()
    ]
    sent = [
        {"idToken": token(value), "idTokenInfo": {"status": word, "groupIdToken": group(GROUP)}}
        for value, word in tokens.items()
    ]
    order = Order(
        version=V201,
        command="send_local_list",
        params={"version_number": 1, "update_type": "Full", "entries": entries},
        action="SendLocalList",
        payload={"versionNumber": 1, "updateType": "Full", "localAuthorizationList": sent},
    )
    await carry_out(csms, station, order)


@case("TC_C_40")
async def test_the_group_is_on_the_local_list(csms: Csms) -> None:
    async with await csms.online(V201) as station:
        first, second = [await csms.token(group_id_token=GROUP) for _ in range(2)]
        await send_list(csms, station, {first: "Accepted", second: "Accepted"})
        assert OF_GROUP == await start(station, first)
        assert OF_GROUP == await stop(station, second)
        assert ["Local"] == await stop_reasons(csms, station)


@twin("TC_C_40")
async def test_a_list_that_the_station_answers_wrongly_is_not_known_to_be_there(
    csms: Csms,
) -> None:
    async with await csms.online(V201) as station:
        value = await csms.token(group_id_token=GROUP)
        entries = [{"id_token": value, "status": "Accepted", "group_id_token": GROUP}]
        params = {"version_number": 1, "update_type": "Full", "entries": entries}
        order = csms.order(station, "send_local_list", params)
        await station.expect("SendLocalList", {"status": "NoSuchWord"})
        assert "refused" == (await order)["state"]
        assert [] == await csms.rows(station, "local_list_entries")
        assert OF_GROUP == await authorize(station, value)


@case("TC_C_43")
async def test_a_token_that_is_invalid_on_the_local_list_stops_nothing(csms: Csms) -> None:
    async with await csms.online(V201) as station:
        first = await csms.token(group_id_token=GROUP)
        second = await csms.token(status="Invalid", group_id_token=GROUP)
        await send_list(csms, station, {first: "Accepted", second: "Invalid"})
        assert OF_GROUP == await start(station, first)
        assert "Invalid" == (await authorize(station, second))["status"]
        assert [None] == await stop_reasons(csms, station)


@twin("TC_C_43")
async def test_a_station_that_stops_with_it_all_the_same_has_stopped(csms: Csms) -> None:
    async with await csms.online(V201) as station:
        first = await csms.token(group_id_token=GROUP)
        second = await csms.token(status="Invalid", group_id_token=GROUP)
        await start(station, first)
        assert "Invalid" == (await stop(station, second))["status"]
        assert ["Local"] == await stop_reasons(csms, station)


# ---- masters ---------------------------------------------------------------------------------

MASTER = {"status": "Accepted", "groupIdToken": group(MASTERS)}


@pytest.mark.parametrize(
    ("stopped", "reasons"),
    [
        pytest.param((1, 2), ["MasterPass", "MasterPass"], marks=case("TC_C_47"), id="TC_C_47"),
        pytest.param((2,), [None, "MasterPass"], marks=case("TC_C_48"), id="TC_C_48"),
        pytest.param((2, 1), ["MasterPass", "MasterPass"], marks=case("TC_C_49"), id="TC_C_49"),
    ],
)
async def test_a_master_stops_what_others_have_started(
    csms: Csms, stopped: tuple[int, ...], reasons: list[str | None]
) -> None:
    async with await csms.online(V201) as station:
        for evse_id in (1, 2):
            await start(station, await csms.token(), evse_id=evse_id)
        master = await csms.token(group_id_token=MASTERS, is_master=True)
        assert MASTER == await authorize(station, master)
        for evse_id in stopped:
            assert MASTER == await stop(station, master, "MasterPass", evse_id=evse_id)
        assert reasons == await stop_reasons(csms, station)


@pytest.mark.parametrize(
    "decided",
    [
        pytest.param({"is_master": True}, marks=twin("TC_C_47"), id="TC_C_47"),
        pytest.param({"is_master": True, "status": "Blocked"}, marks=twin("TC_C_48"), id="TC_C_48"),
        pytest.param(
            {"is_master": True, "expires_at": EXPIRED["expires_at"]},
            marks=twin("TC_C_49"),
            id="TC_C_49",
        ),
    ],
)
async def test_a_master_never_starts_a_charge(csms: Csms, decided: Payload) -> None:
    async with await csms.online(V201) as station:
        master = await csms.token(group_id_token=MASTERS, **decided)
        told = await start(station, master)
        assert told["status"] != "Accepted"
        (stored,) = await csms.rows(station, "transactions")
        assert told["status"] == stored["id_token_status"]
