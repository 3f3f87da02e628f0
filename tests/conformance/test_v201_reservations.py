"""OCPP 2.0.1, reservations: another token of the group comes."""

from __future__ import annotations

from csms.domain.versions import OcppVersion
from tests.conformance.cases import case, twin
from tests.conformance.csms import Csms
from tests.conformance.orders.profiles import UNTIL
from tests.conformance.station import Station
from tests.conformance.stories import Event

V201 = OcppVersion.V201
GROUP, RESERVATION = "FAMILY", 5


def card(value: str) -> dict[str, str]:
    return {"idToken": value, "type": "ISO14443"}


async def reserve(csms: Csms, station: Station, token: str) -> None:
    """Reserve EVSE 1 for the token and its group."""
    params = {
        "reservation_id": RESERVATION,
        "expires_at": UNTIL,
        "evse_id": 1,
        "id_token": token,
        "group_id_token": GROUP,
    }
    order = csms.order(station, "reserve_now", params)
    assert {
        "id": RESERVATION,
        "expiryDateTime": UNTIL,
        "evseId": 1,
        "idToken": card(token),
        "groupIdToken": {"idToken": GROUP, "type": "Central"},
    } == await station.expect("ReserveNow", {"status": "Accepted"})
    assert "succeeded" == (await order)["state"]


@case("TC_H_19")
async def test_a_reserved_evse_is_used_by_another_token_of_the_group(csms: Csms) -> None:
    async with await csms.online(V201) as station:
        mine, other = [await csms.token(group_id_token=GROUP) for _ in range(2)]
        await reserve(csms, station, mine)
        info = {"status": "Accepted", "groupIdToken": {"idToken": GROUP, "type": "Central"}}
        assert {"idTokenInfo": info} == await station.call("Authorize", {"idToken": card(other)})
        begun = Event(
            "Started", "Authorized", token=card(other), more={"reservationId": RESERVATION}
        )
        answer = await station.call("TransactionEvent", begun.payload("tx-1", 0))
        assert info == answer["idTokenInfo"]
        (transaction,) = await csms.rows(station, "transactions")
        assert RESERVATION == transaction["reservation_id"]


@twin("TC_H_19")
async def test_a_token_of_no_group_is_told_none(csms: Csms) -> None:
    async with await csms.online(V201) as station:
        mine, stranger = await csms.token(group_id_token=GROUP), await csms.token()
        await reserve(csms, station, mine)
        question = {"idToken": card(stranger), "groupIdToken": card(GROUP)}
        answer = await station.call("Authorize", question)
        assert {"idTokenInfo": {"status": "Accepted"}} == answer
