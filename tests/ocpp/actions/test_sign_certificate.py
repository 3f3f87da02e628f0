from __future__ import annotations

import pytest

from csms.domain.certificates import read_chain
from csms.domain.stations import NewStation
from csms.domain.versions import OcppVersion
from csms.events import Event
from csms.ocpp import schemas
from csms.ocpp.actions import sign_certificate
from csms.services import certificates
from csms.store import certificate_requests, stations
from tests.certificates import chain, csr

V16, V201, V21 = OcppVersion
HANDLERS = {
    V16: sign_certificate.on_v16,
    V201: sign_certificate.on_v2x,
    V21: sign_certificate.on_v2x,
}
ROOT = {
    "hashAlgorithm": "SHA256",
    "issuerNameHash": "aa",
    "issuerKeyHash": "bb",
    "serialNumber": "1",
}


@pytest.fixture
async def signing(connect):
    return await connect("GARAGE-1", signs_certificates=True)


@pytest.fixture
def events(bus):
    seen = []
    bus.subscribe(Event, seen.append)
    return seen


async def sign(station, payload, version=V201):
    station.version = version
    answer = await HANDLERS[version](station, payload)
    assert schemas.is_valid(version, "SignCertificate", "response", answer)
    return answer


@pytest.mark.parametrize("version", OcppVersion)
async def test_a_good_request_is_stored_and_then_accepted(signing, rows, events, version):
    assert await sign(signing, {"csr": csr()}, version) == {"status": "Accepted"}
    (row,) = await rows("SELECT * FROM certificate_requests")
    assert (row["use"], row["state"], row["csr"], row["common_name"], row["key"]) == (
        "ChargingStationCertificate",
        "pending",
        csr(),
        "GARAGE-1",
        "EC 256",
    )
    (event,) = events
    assert (event.type, event.data["identity"]) == ("certificate.requested", "GARAGE-1")


async def test_the_number_the_purpose_and_the_root_of_2_1_are_kept(signing, rows):
    payload = {
        "csr": csr("SECC-1"),
        "certificateType": "V2G20Certificate",
        "hashRootCertificate": ROOT,
        "requestId": 17,
    }
    assert await sign(signing, payload, V21) == {"status": "Accepted"}
    (row,) = await rows("SELECT use, station_request_id, root FROM certificate_requests")
    assert row["use"] == "V2G20Certificate"
    assert row["station_request_id"] == 17
    assert '"serialNumber":"1"' in row["root"]


@pytest.mark.parametrize("version", [V16, V201])
async def test_without_a_signer_the_answer_is_an_honest_no(station, rows, version):
    answer = await sign(station, {"csr": csr()}, version)
    assert answer["status"] == "Rejected"
    if version is V201:
        assert answer["statusInfo"]["reasonCode"] == "NotEnabled"
    (row,) = await rows("SELECT state, reason FROM certificate_requests")
    assert row == {"state": "refused", "reason": "no signer is configured"}


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"csr": None},
        {"csr": 5},
        {"csr": "nonsense"},
        {"csr": csr("GARAGE-2")},
        {"csr": csr(kind="rsa 1024")},
        {"csr": "x" * 20_000},
        {"csr": csr(), "certificateType": "MyCertificate"},
    ],
)
async def test_a_bad_request_is_kept_with_its_reason_and_rejected(signing, rows, events, payload):
    answer = await sign(signing, payload)
    assert answer["status"] == "Rejected"
    assert answer["statusInfo"]["reasonCode"] == "InvalidCSR"
    (row,) = await rows("SELECT state, reason, length(csr) AS length FROM certificate_requests")
    assert row["state"] == "refused"
    assert row["reason"] == answer["statusInfo"]["additionalInfo"]
    assert row["length"] <= 5500
    assert [event.type for event in events] == ["certificate.refused"]


@pytest.mark.parametrize("column", ["identity", "serial_number"])
async def test_the_name_of_another_station_is_not_signed(signing, db, rows, column):
    names = {"identity": "GARAGE-2", "serial_number": "SN-2"}

    def claim(tx):
        stations.insert(tx, NewStation(**names))
        stations.update(tx, signing.station_id, serial_number=names[column].lower())

    await db.write(claim)
    assert (await sign(signing, {"csr": csr(names[column])}))["status"] == "Rejected"
    (row,) = await rows("SELECT reason FROM certificate_requests")
    assert "another station" in row["reason"]


async def test_the_serial_number_of_the_boot_is_a_name_of_the_station(signing, db):
    await db.write(lambda tx: tx.run("UPDATE stations SET serial_number = ?", ("SN-7",)))
    assert await sign(signing, {"csr": csr("SN-7")}) == {"status": "Accepted"}


async def test_the_same_request_again_is_the_same_one(signing, rows, events):
    for _ in range(3):
        assert await sign(signing, {"csr": csr()}) == {"status": "Accepted"}
    assert len(await rows("SELECT * FROM certificate_requests")) == 1
    assert len(events) == 1


async def test_a_request_with_a_new_key_supersedes_the_old_one(signing, rows, events):
    await sign(signing, {"csr": csr()})
    await sign(signing, {"csr": csr(kind="ec other")})
    found = await rows("SELECT state FROM certificate_requests ORDER BY id")
    assert [row["state"] for row in found] == ["superseded", "pending"]
    assert [event.type for event in events] == [
        "certificate.requested",
        "certificate.superseded",
        "certificate.requested",
    ]


async def test_requests_for_different_purposes_stand_beside_each_other(signing, rows):
    for use in ("ChargingStationCertificate", "V2GCertificate"):
        await sign(signing, {"csr": csr(), "certificateType": use})
    found = await rows("SELECT state FROM certificate_requests")
    assert [row["state"] for row in found] == ["pending", "pending"]


async def test_a_request_after_its_chain_was_made_is_signed_anew(signing, db, rows):
    await sign(signing, {"csr": csr()})
    assert await db.write(lambda tx: certificates.signed(tx, 1, read_chain(chain())))
    await sign(signing, {"csr": csr()})
    found = await rows("SELECT state FROM certificate_requests ORDER BY id")
    assert [row["state"] for row in found] == ["superseded", "pending"]


async def test_a_signature_for_a_superseded_request_is_dropped(signing, db, rows):
    await sign(signing, {"csr": csr()})
    await sign(signing, {"csr": csr(kind="ec other")})
    assert not await db.write(lambda tx: certificates.signed(tx, 1, read_chain(chain())))
    await db.write(lambda tx: certificates.failed(tx, 1, "too late"))
    found = await rows("SELECT state FROM certificate_requests ORDER BY id")
    assert [row["state"] for row in found] == ["superseded", "pending"]


async def test_a_flood_is_refused_without_a_row_until_an_hour_later(signing, rows, clock):
    for _ in range(certificates.MAX_PER_HOUR):
        await sign(signing, {"csr": "nonsense"})
    answer = await sign(signing, {"csr": csr()}, V21)
    assert answer["statusInfo"]["reasonCode"] == "RateLimitExceeded"
    assert len(await rows("SELECT * FROM certificate_requests")) == certificates.MAX_PER_HOUR
    clock.advance(3601)
    assert await sign(signing, {"csr": csr()}) == {"status": "Accepted"}


async def test_only_the_newest_requests_are_kept(signing, rows, clock):
    await sign(signing, {"csr": csr("SECC-1"), "certificateType": "V2GCertificate"})
    for _ in range(certificates.KEPT + 5):
        clock.advance(3600)
        await sign(signing, {"csr": "nonsense"})
    found = await rows("SELECT state FROM certificate_requests ORDER BY id")
    assert len(found) == certificates.KEPT + 1
    assert found[0]["state"] == "pending"


async def test_the_same_key_of_another_station_is_another_request(signing, neighbour, db):
    await sign(signing, {"csr": csr()})
    refused = await sign(neighbour, {"csr": csr()})
    assert refused["status"] == "Rejected"
    key = read_chain(chain()).public_key
    found = await db.read(
        lambda tx: [
            certificate_requests.find_by_key(tx, one.station_id, key)
            for one in (signing, neighbour)
        ]
    )
    assert [one is None for one in found] == [False, True]
