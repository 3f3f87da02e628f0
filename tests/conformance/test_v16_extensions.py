"""OCPP 1.6: what takes more than one order, of smart charging and of the security extension."""

from __future__ import annotations

from csms.domain.versions import OcppVersion
from tests.certificates import chain, csr
from tests.conformance.cases import case, twin
from tests.conformance.charging_v16 import start, stop
from tests.conformance.csms import Csms
from tests.conformance.orders.profiles import given, sent_v16

V16 = OcppVersion.V16
ACCEPTED = {"status": "Accepted"}


@case("TC_057")
async def test_a_profile_of_the_transaction_that_goes_on(csms: Csms) -> None:
    async with await csms.online(V16) as station:
        number = (await start(station))["transactionId"]
        profile = given(purpose="TxProfile", kind="Relative", transaction_id=str(number))
        order = csms.order(
            station, "set_charging_profile", {"evse_id": 1, "charging_profile": profile}
        )
        sent = sent_v16(purpose="TxProfile", kind="Relative", transactionId=number)
        assert {"connectorId": 1, "csChargingProfiles": sent} == await station.expect(
            "SetChargingProfile", ACCEPTED
        )
        assert "succeeded" == (await order)["state"]
        (stored,) = await csms.rows(station, "charging_profiles")
        assert (str(number), "TxProfile") == (stored["station_transaction_id"], stored["purpose"])
        await stop(station, number)


@twin("TC_057")
async def test_a_profile_that_the_station_refuses_is_not_there(csms: Csms) -> None:
    async with await csms.online(V16) as station:
        number = (await start(station))["transactionId"]
        profile = given(purpose="TxProfile", kind="Relative", transaction_id=str(number))
        order = csms.order(
            station, "set_charging_profile", {"evse_id": 1, "charging_profile": profile}
        )
        await station.expect("SetChargingProfile", {"status": "NoSuchWord"})
        assert "succeeded" != (await order)["state"]
        assert [] == await csms.rows(station, "charging_profiles")


@case("TC_074")
async def test_the_station_is_asked_for_a_request_and_gets_its_certificate(csms: Csms) -> None:
    async with await csms.online(V16) as station:
        order = csms.order(
            station, "trigger_message", {"requested_message": "SignChargingStationCertificate"}
        )
        assert {"requestedMessage": "SignChargePointCertificate"} == await station.expect(
            "ExtendedTriggerMessage", ACCEPTED
        )
        assert "succeeded" == (await order)["state"]
        request = {"csr": csr(station.identity)}
        assert ACCEPTED == await station.call("SignCertificate", request)
        sent = await station.expect("CertificateSigned", ACCEPTED)
        assert "currentTime" in await station.call("Heartbeat", {})
        (stored,) = await csms.rows(station, "certificate_requests")
        assert sent == {"certificateChain": stored["chain"]}


@twin("TC_074")
async def test_what_is_no_signing_request_is_refused(csms: Csms) -> None:
    async with await csms.online(V16) as station:
        answer = await station.call("SignCertificate", {"csr": chain()})
        assert {"status": "Rejected"} == answer
        (stored,) = await csms.rows(station, "certificate_requests")
        assert ("refused", None) == (stored["state"], stored["chain"])
        assert "currentTime" in await station.call("Heartbeat", {})  # nothing came before it
