from __future__ import annotations

import base64

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from csms.domain import certificates
from csms.domain.certificates import SigningUse
from csms.errors import Invalid
from tests.certificates import NOT_AFTER, chain, csr, key, usage


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("ec", "EC 256"), ("rsa 2048", "RSA 2048"), ("ed25519", "Ed25519")],
)
def test_a_request_with_a_strong_key_is_read(kind, expected):
    request = certificates.read_signing_request(csr(kind=kind))
    assert (request.common_name, request.key) == ("GARAGE-1", expected)


def bare(pem: str) -> str:
    return "".join(pem.splitlines()[1:-1])


@pytest.mark.parametrize(
    "rewrite",
    [
        lambda pem: pem.replace("\n", ""),
        lambda pem: pem.replace("\n", "\r\n"),
        lambda pem: pem.replace("\n", "\\n"),
        lambda pem: pem.replace("CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"),
        lambda pem: "subject=CN\n" + pem + "trailing",
        bare,
    ],
)
def test_however_a_station_writes_it_the_signer_gets_plain_pem(rewrite):
    pem = csr()
    assert certificates.read_signing_request(rewrite(pem)).pem == pem


def forged() -> str:
    """The last byte of the signature is another one."""
    der = bytearray(base64.b64decode(bare(csr())))
    der[-1] ^= 1
    return base64.b64encode(der).decode()


def resigned(old: str, new: str) -> str:
    """As if its station had written it so: other bytes of the same number, and a signature."""
    request = x509.load_pem_x509_csr(csr(wants=usage(digital_signature=True), dns=("G",)).encode())
    asked = request.tbs_certrequest_bytes
    assert bytes.fromhex(old) in asked
    asked = asked.replace(bytes.fromhex(old), bytes.fromhex(new), 1)
    signature = key("ec").sign(asked, ec.ECDSA(SHA256()))
    algorithm = bytes.fromhex("300a06082a8648ce3d040302")
    bits = bytes([3, len(signature) + 1, 0]) + signature
    body = asked + algorithm + bits
    return base64.b64encode(b"\x30\x82" + len(body).to_bytes(2, "big") + body).decode()


KEY_USAGE, ALTERNATIVE_NAME = "0603551d0f", "0603551d11"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "cannot be read"),
        (resigned(ALTERNATIVE_NAME, KEY_USAGE), "cannot be read"),
        (resigned("020100", "020105"), "cannot be read"),
        ("nonsense", "cannot be read"),
        ("\ud800", "cannot be read"),
        ("é" * 100, "cannot be read"),
        (chain(), "cannot be read"),
        ("A" * 5501, "longer than 5500"),
        (csr(kind="rsa 1024"), "RSA key has 1024 bits"),
        (csr(kind="dsa 1024"), "DSA key has 1024 bits"),
        (csr(kind="ec 192"), "EC key has 192 bits"),
        (csr(None), "common name"),
        (forged(), "not signed with its own key"),
        (csr(wants=x509.BasicConstraints(ca=True, path_length=None)), "signs others"),
        (csr(wants=usage(key_cert_sign=True)), "signs others"),
        (csr(wants=usage(crl_sign=True)), "signs others"),
    ],
)
def test_a_bad_request_is_refused_with_its_reason(text, reason):
    with pytest.raises(Invalid, match=reason):
        certificates.read_signing_request(text)


@pytest.mark.parametrize(
    "wants", [x509.BasicConstraints(ca=False, path_length=None), usage(digital_signature=True)]
)
def test_a_request_that_says_that_it_signs_nobody_is_read(wants):
    assert "GARAGE-1" == certificates.read_signing_request(csr(wants=wants)).common_name


@pytest.mark.parametrize(
    ("common_name", "dns", "use"),
    [
        ("GARAGE-1", None, SigningUse.STATION),
        ("garage-1", ("GARAGE-1",), SigningUse.STATION),
        ("SN-7", ("sn-7",), SigningUse.STATION),
        ("DE*ABC*S1", None, SigningUse.V2G),
        ("DE*ABC*S1", ("seccld",), SigningUse.V2G20),
    ],
)
def test_a_station_may_have_its_own_name_signed(common_name, dns, use):
    request = certificates.read_signing_request(csr(common_name, dns=dns))
    certificates.check_owner(request, use, identity="GARAGE-1", serial_number="SN-7")


@pytest.mark.parametrize(
    ("common_name", "dns"),
    [
        ("GARAGE-2", None),
        ("GARAGE-10", None),
        ("", None),
        ("GARAGE-1", ("csms.example.com",)),
        ("GARAGE-1", ("GARAGE-1", "GARAGE-2")),
    ],
)
def test_a_station_may_not_have_the_name_of_another_signed(common_name, dns):
    request = certificates.read_signing_request(csr(common_name or " ", dns=dns))
    with pytest.raises(Invalid):
        certificates.check_owner(
            request, SigningUse.STATION, identity="GARAGE-1", serial_number=None
        )


def test_the_chain_of_a_signer_is_read():
    read = certificates.read_chain("issued:\n" + chain())
    request = certificates.read_signing_request(csr())
    assert (read.pem, read.expires_at) == (chain(), NOT_AFTER)
    assert read.public_key == request.public_key


@pytest.mark.parametrize("text", ["", "nonsense", "\ud800", chain()[:400], chain() * 20])
def test_what_is_no_chain_is_refused(text):
    with pytest.raises(Invalid):
        certificates.read_chain(text)
