"""OCPP 2.0.1: a station that is asked to renew its certificate, and what comes of it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from csms.domain.versions import OcppVersion
from tests.certificates import chain, csr
from tests.conformance.cases import case, twin
from tests.conformance.csms import Csms
from tests.conformance.station import Payload, Station

V201 = OcppVersion.V201
ACCEPTED = {"status": "Accepted"}
STATION, V2G = "ChargingStationCertificate", "V2GCertificate"


async def renew(csms: Csms, station: Station, trigger: str, **more: Any) -> Payload:
    """Ask the station, which asks for a signature; returns what it is answered."""
    order = csms.order(station, "trigger_message", {"requested_message": trigger})
    assert {"requestedMessage": trigger} == await station.expect("TriggerMessage", ACCEPTED)
    assert "succeeded" == (await order)["state"]
    return await station.call("SignCertificate", {"csr": csr(station.identity), **more})


async def bring(csms: Csms, station: Station, answer: Payload) -> Payload:
    """The chain that the station gets, and answers so; the row of the request."""
    sent = await station.expect("CertificateSigned", answer)
    assert "currentTime" in await station.call("Heartbeat", {})
    (stored,) = await csms.rows(station, "certificate_requests")
    assert stored["chain"] == sent["certificateChain"]
    return stored | {"sent": sent}


async def settled(csms: Csms, station: Station) -> str:
    """What has become of the request, once the answer about the chain was read."""
    async with asyncio.timeout(10):
        while True:
            (stored,) = await csms.rows(station, "certificate_requests")
            if stored["state"] not in {"pending", "signed"}:
                return str(stored["state"])


@pytest.mark.parametrize(
    ("trigger", "more", "use"),
    [
        pytest.param("SignChargingStationCertificate", {}, STATION, marks=case("TC_A_11")),
        pytest.param(
            "SignChargingStationCertificate",
            {"certificateType": STATION},
            STATION,
            marks=case("TC_A_11"),
        ),
        pytest.param("SignV2GCertificate", {"certificateType": V2G}, V2G, marks=case("TC_A_12")),
        pytest.param("SignCombinedCertificate", {}, STATION, marks=case("TC_A_13")),
    ],
)
async def test_the_station_gets_the_certificate_that_it_was_to_ask_for(
    csms: Csms, trigger: str, more: Payload, use: str
) -> None:
    async with await csms.online(V201) as station:
        assert "Accepted" == (await renew(csms, station, trigger, **more))["status"]
        stored = await bring(csms, station, ACCEPTED)
        assert use == stored["use"]
        assert use == stored["sent"].get("certificateType", STATION)
        assert "installed" == await settled(csms, station)


@pytest.mark.parametrize(
    ("trigger", "more"),
    [
        pytest.param("SignChargingStationCertificate", {}, marks=twin("TC_A_11")),
        pytest.param("SignV2GCertificate", {"certificateType": V2G}, marks=twin("TC_A_12")),
        pytest.param("SignCombinedCertificate", {}, marks=twin("TC_A_13")),
    ],
)
async def test_what_is_no_signing_request_is_refused(
    csms: Csms, trigger: str, more: Payload
) -> None:
    async with await csms.online(V201) as station:
        answer = await renew(csms, station, trigger, **more, csr=chain())
        assert ("Rejected", "InvalidCSR") == (
            answer["status"],
            answer["statusInfo"]["reasonCode"],
        )
        (stored,) = await csms.rows(station, "certificate_requests")
        assert ("refused", None) == (stored["state"], stored["chain"])
        assert "currentTime" in await station.call("Heartbeat", {})  # nothing came before it


@case("TC_A_14")
async def test_a_certificate_that_the_station_declines_is_not_installed(csms: Csms) -> None:
    async with await csms.online(V201) as station:
        await renew(csms, station, "SignChargingStationCertificate")
        await bring(csms, station, {"status": "Rejected"})
        event = {
            "type": "InvalidChargingStationCertificate",
            "timestamp": "2026-05-01T12:00:00.000Z",
        }
        assert {} == await station.call("SecurityEventNotification", event)
        assert "declined" == await settled(csms, station)
        (told,) = await csms.rows(station, "security_events")
        assert ("InvalidChargingStationCertificate", 1) == (told["type"], told["critical"])


@twin("TC_A_14")
async def test_an_answer_that_breaks_its_schema_installs_nothing(csms: Csms) -> None:
    async with await csms.online(V201) as station:
        await renew(csms, station, "SignChargingStationCertificate")
        stored = await bring(csms, station, {"status": "NoSuchWord"})
        assert stored["state"] != "installed"


# ---- ISO 15118: the operator's provider answers ----------------------------------------------

SCHEMA = "urn:iso:15118:2:2013:MsgDef"


def ocsp(serial_number: str) -> Payload:
    return {
        "ocspRequestData": {
            "hashAlgorithm": "SHA256",
            "issuerNameHash": "aa",
            "issuerKeyHash": "bb",
            "serialNumber": serial_number,
            "responderURL": "http://ocsp.example.org",
        }
    }


@case("TC_M_24")
async def test_the_status_of_a_certificate_is_handed_on(csms: Csms) -> None:
    async with await csms.online(V201) as station:
        answer = await station.call("GetCertificateStatus", ocsp("1"))
        assert {"status": "Accepted", "ocspResult": "T0NTUA=="} == answer


@twin("TC_M_24")
async def test_a_status_that_nobody_knows_is_no_status(csms: Csms) -> None:
    async with await csms.online(V201) as station:
        answer = await station.call("GetCertificateStatus", ocsp("404"))
        assert "Failed" == answer["status"]
        assert "ocspResult" not in answer
        code = await station.refused("GetCertificateStatus", {"ocspRequestData": "?"})
        assert "TypeConstraintViolation" == code


@pytest.mark.parametrize(
    "action",
    [
        pytest.param("Install", marks=case("TC_M_26")),
        pytest.param("Update", marks=case("TC_M_28")),
    ],
)
async def test_a_vehicle_gets_the_contract_of_its_provider(csms: Csms, action: str) -> None:
    async with await csms.online(V201) as station:
        asked = {"iso15118SchemaVersion": SCHEMA, "action": action, "exiRequest": "ZXhp"}
        answer = await station.call("Get15118EVCertificate", asked)
        assert {"status": "Accepted", "exiResponse": "phXZ"} == answer


@pytest.mark.parametrize(
    "action",
    [
        pytest.param("Install", marks=twin("TC_M_26")),
        pytest.param("Update", marks=twin("TC_M_28")),
    ],
)
async def test_a_vehicle_that_sends_nothing_to_hand_on_is_refused(csms: Csms, action: str) -> None:
    async with await csms.online(V201) as station:
        asked = {"iso15118SchemaVersion": SCHEMA, "action": action}
        code = await station.refused("Get15118EVCertificate", asked)
        assert "OccurrenceConstraintViolation" == code
        assert "currentTime" in await station.call("Heartbeat", {})
