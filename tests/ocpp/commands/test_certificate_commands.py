"""Commands about certificates: encodings of all versions, and what their answers leave behind."""

from __future__ import annotations

import pytest

from csms.domain.certificates import HashData
from csms.domain.stations import NewStation
from csms.domain.versions import OcppVersion
from csms.errors import Invalid, NotSupportedByVersion
from csms.ocpp.commands import COMMANDS, in_our_words, typed
from csms.ocpp.commands.command import Order
from csms.services import certificates
from csms.services.certificates import Asked
from csms.store import certificate_requests, installed_certificates, stations
from tests.certificates import chain, csr

V16, V201, V21 = OcppVersion
CHAIN = chain()


def hash_data(serial="1"):
    return {
        "hashAlgorithm": "SHA256",
        "issuerNameHash": "aa",
        "issuerKeyHash": "bb",
        "serialNumber": serial,
    }


HASH_PARAMS = {
    "hash_algorithm": "SHA256",
    "issuer_name_hash": "aa",
    "issuer_key_hash": "bb",
    "serial_number": "1",
}


@pytest.mark.parametrize(
    ("version", "name", "values", "expected"),
    [
        (V16, "certificate_signed", {"certificate_chain": CHAIN}, {"certificateChain": CHAIN}),
        (
            V16,
            "certificate_signed",
            {"certificate_chain": CHAIN, "certificate_type": "ChargingStationCertificate"},
            {"certificateChain": CHAIN},
        ),
        (
            V201,
            "certificate_signed",
            {"certificate_chain": CHAIN, "certificate_type": "V2GCertificate"},
            {"certificateChain": CHAIN, "certificateType": "V2GCertificate"},
        ),
        (
            V21,
            "certificate_signed",
            {
                "certificate_chain": CHAIN,
                "certificate_type": "V2G20Certificate",
                "request_id": 17,
            },
            {"certificateChain": CHAIN, "certificateType": "V2G20Certificate", "requestId": 17},
        ),
        (
            V16,
            "install_certificate",
            {"certificate_type": "CSMSRootCertificate", "certificate": CHAIN},
            {"certificateType": "CentralSystemRootCertificate", "certificate": CHAIN},
        ),
        (
            V201,
            "install_certificate",
            {"certificate_type": "MORootCertificate", "certificate": CHAIN},
            {"certificateType": "MORootCertificate", "certificate": CHAIN},
        ),
        (
            V21,
            "install_certificate",
            {"certificate_type": "OEMRootCertificate", "certificate": CHAIN},
            {"certificateType": "OEMRootCertificate", "certificate": CHAIN},
        ),
        (V16, "delete_certificate", HASH_PARAMS, {"certificateHashData": hash_data()}),
        (V201, "delete_certificate", HASH_PARAMS, {"certificateHashData": hash_data()}),
        (V21, "delete_certificate", HASH_PARAMS, {"certificateHashData": hash_data()}),
        (
            V16,
            "get_installed_certificate_ids",
            {"certificate_types": ["CSMSRootCertificate"]},
            {"certificateType": "CentralSystemRootCertificate"},
        ),
        (V201, "get_installed_certificate_ids", {}, {}),
        (
            V21,
            "get_installed_certificate_ids",
            {"certificate_types": ["OEMRootCertificate", "V2GCertificateChain"]},
            {"certificateType": ["OEMRootCertificate", "V2GCertificateChain"]},
        ),
    ],
)
def test_encodes_for_its_version(version, name, values, expected):
    assert typed(version, name, values) == Order(COMMANDS[name].actions[version], expected)


@pytest.mark.parametrize(
    ("version", "name", "values"),
    [
        (
            V16,
            "certificate_signed",
            {"certificate_chain": CHAIN, "certificate_type": "V2GCertificate"},
        ),
        (V16, "certificate_signed", {"certificate_chain": CHAIN, "request_id": 1}),
        (V201, "certificate_signed", {"certificate_chain": CHAIN, "request_id": 1}),
        (
            V201,
            "certificate_signed",
            {"certificate_chain": CHAIN, "certificate_type": "V2G20Certificate"},
        ),
        (
            V16,
            "install_certificate",
            {"certificate_type": "V2GRootCertificate", "certificate": CHAIN},
        ),
        (
            V201,
            "install_certificate",
            {"certificate_type": "OEMRootCertificate", "certificate": CHAIN},
        ),
        (
            V201,
            "install_certificate",
            {"certificate_type": "CSMSRootCertificate", "certificate": CHAIN * 6},
        ),
        (V16, "get_installed_certificate_ids", {}),
        (
            V16,
            "get_installed_certificate_ids",
            {"certificate_types": ["CSMSRootCertificate", "ManufacturerRootCertificate"]},
        ),
        (V16, "get_installed_certificate_ids", {"certificate_types": ["V2GCertificateChain"]}),
        (V201, "get_installed_certificate_ids", {"certificate_types": ["OEMRootCertificate"]}),
    ],
)
def test_refuses_what_the_version_cannot_express(version, name, values):
    assert len(CHAIN * 6) <= 10_000
    with pytest.raises(NotSupportedByVersion):
        typed(version, name, values)


@pytest.mark.parametrize(
    ("name", "values", "loc"),
    [
        ("certificate_signed", {"certificate_chain": "nonsense"}, ("certificate_chain",)),
        ("certificate_signed", {"certificate_chain": CHAIN * 20}, ("certificate_chain",)),
        (
            "install_certificate",
            {"certificate_type": "CSMSRootCertificate", "certificate": csr()},
            ("certificate",),
        ),
        (
            "install_certificate",
            {"certificate_type": "V2GCertificateChain", "certificate": CHAIN},
            ("certificate_type",),
        ),
        ("delete_certificate", {**HASH_PARAMS, "hash_algorithm": "MD5"}, ("hash_algorithm",)),
        ("delete_certificate", {**HASH_PARAMS, "serial_number": "1" * 41}, ("serial_number",)),
    ],
)
def test_refuses_a_bad_parameter_with_its_path(name, values, loc):
    with pytest.raises(Invalid) as refusal:
        typed(V21, name, values)
    assert refusal.value.loc == loc


@pytest.mark.parametrize(
    ("action", "payload", "name"),
    [
        ("CertificateSigned", {"certificateChain": CHAIN}, "certificate_signed"),
        (
            "InstallCertificate",
            {"certificateType": "CentralSystemRootCertificate", "certificate": CHAIN},
            "install_certificate",
        ),
        ("DeleteCertificate", {"certificateHashData": hash_data()}, "delete_certificate"),
        (
            "GetInstalledCertificateIds",
            {"certificateType": "ManufacturerRootCertificate"},
            "get_installed_certificate_ids",
        ),
    ],
)
def test_an_order_in_words_of_1_6_reaches_stations_of_2x(action, payload, name):
    found, values = in_our_words(V16, action, payload)
    assert found == name
    assert typed(V16, found, values) == Order(action, payload)
    assert typed(V201, found, values).action == action


@pytest.fixture
async def station(db):
    return await db.write(lambda tx: stations.insert(tx, NewStation("GARAGE-1")))


async def settle(db, station, name, version, values, answer):  # noqa: PLR0917
    command = COMMANDS[name]
    order = typed(version, name, values)
    read = command.read(answer)
    await db.write(lambda tx: command.settled(tx, station.id, order.payload, read))
    return read


async def installed(db, station):
    found = await db.read(lambda tx: installed_certificates.list_of_station(tx, station.id))
    return [(one.type, one.hash_data.serial_number, one.parent_serial_number) for one in found]


async def test_what_a_1_6_station_has_is_recorded_in_words_of_2x(db, station):
    values = {"certificate_types": ["CSMSRootCertificate"]}
    answer = {"status": "Accepted", "certificateHashData": [hash_data("1"), hash_data("2")]}
    name = "get_installed_certificate_ids"
    assert (await settle(db, station, name, V16, values, answer)).accepted
    assert await installed(db, station) == [
        ("CSMSRootCertificate", "1", None),
        ("CSMSRootCertificate", "2", None),
    ]
    found = await settle(db, station, name, V16, values, {"status": "NotFound"})
    assert found.accepted
    assert await installed(db, station) == []


async def test_a_2x_station_reports_chains_and_only_the_types_asked_for_change(db, station):
    name = "get_installed_certificate_ids"
    chains = [
        {
            "certificateType": "V2GCertificateChain",
            "certificateHashData": hash_data("1"),
            "childCertificateHashData": [hash_data("2"), hash_data("3")],
        },
        {"certificateType": "MORootCertificate", "certificateHashData": hash_data("4")},
        {"certificateType": "MORootCertificate", "certificateHashData": {"serialNumber": "5"}},
    ]
    answer = {"status": "Accepted", "certificateHashDataChain": chains}
    await settle(db, station, name, V201, {}, answer)
    assert await installed(db, station) == [
        ("V2GCertificateChain", "1", None),
        ("V2GCertificateChain", "2", "1"),
        ("V2GCertificateChain", "3", "1"),
        ("MORootCertificate", "4", None),
    ]
    asked = {"certificate_types": ["MORootCertificate"]}
    await settle(db, station, name, V201, asked, {"status": "NotFound"})
    assert [row[0] for row in await installed(db, station)] == ["V2GCertificateChain"] * 3


@pytest.mark.parametrize(("status", "left"), [("Accepted", 0), ("NotFound", 0), ("Failed", 1)])
async def test_what_the_station_deleted_or_never_had_is_gone(db, station, status, left):
    report = [installed_certificates.Installed("X", HashData("SHA256", "aa", "bb", "1"))]
    await db.write(lambda tx: certificates.reported(tx, station.id, [], report))
    await settle(db, station, "delete_certificate", V201, HASH_PARAMS, {"status": status})
    assert len(await installed(db, station)) == left


async def test_a_repeated_deletion_that_finds_nothing_has_worked():
    command = COMMANDS["delete_certificate"]
    assert not command.read({"status": "NotFound"}).accepted
    assert command.read_repeat({"status": "NotFound"}).accepted


@pytest.mark.parametrize(
    ("answer", "state", "reason"),
    [
        ({"status": "Accepted"}, "installed", None),
        (
            {"status": "Rejected", "statusInfo": {"reasonCode": "InvalidCertificate"}},
            "declined",
            "InvalidCertificate",
        ),
    ],
)
async def test_the_request_ends_with_the_stations_word(db, station, answer, state, reason):
    asked = Asked(csr(), "ChargingStationCertificate")
    await db.write(lambda tx: certificates.request(tx, station.id, asked, signs=True))
    values = {"certificate_chain": CHAIN}
    await settle(db, station, "certificate_signed", V201, values, answer)
    (found,) = await db.read(lambda tx: certificate_requests.list_of_station(tx, station.id))
    assert (found.state.value, found.reason, found.chain) == (state, reason, CHAIN)


async def test_a_chain_that_was_passed_through_unread_settles_nothing(db, station):
    command = COMMANDS["certificate_signed"]
    answer = command.read({"status": "Accepted"})
    await db.write(
        lambda tx: command.settled(tx, station.id, {"certificateChain": "nonsense"}, answer)
    )
