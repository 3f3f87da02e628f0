"""A small authority of the operator's own: a root, and certificates for the server and stations."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from csms.domain.certificates import read_signing_request
from csms.errors import Invalid

ROOT_DAYS = 20 * 365
# A clock of a station that is slow must not find the certificate not valid yet.
_SLACK = timedelta(days=1)
_RSA_BITS = 2048
_MAX_COMMON_NAME = 64
_PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
_PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey


class KeyKind(str, Enum):
    """Some stations know only one of them, so a server has both."""

    EC = "ec"
    RSA = "rsa"


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate and its private key, both in PEM."""

    certificate: bytes
    key: bytes


def make_root(name: str, now: datetime) -> Issued:
    """A new authority that may sign certificates, not authorities."""
    key = ec.generate_private_key(ec.SECP256R1())
    own = _name(name)
    builder = (
        _builder(own, key.public_key(), now, ROOT_DAYS)
        .issuer_name(own)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
    )
    return _issued(builder.sign(key, hashes.SHA256()), key)


def sign_server(
    root: Issued, hosts: Sequence[str], kind: KeyKind, now: datetime, days: int
) -> Issued:
    """A certificate for the hosts, as `read_host` gives them, the first as its name.

    Raises Invalid.
    """
    key: _PrivateKey = (
        ec.generate_private_key(ec.SECP256R1())
        if kind is KeyKind.EC
        else rsa.generate_private_key(65537, _RSA_BITS)
    )
    builder = _builder(_name(hosts[0]), key.public_key(), now, days).add_extension(
        x509.SubjectAlternativeName([_host(host) for host in hosts]), critical=False
    )
    return _issued(_sign(root, builder, ExtendedKeyUsageOID.SERVER_AUTH), key)


def sign_station(root: Issued, csr: str, now: datetime, days: int) -> bytes:
    """A certificate in PEM by which a station shows who it is; raises Invalid.

    Of what it asks for it gets its name and its owner's, and nothing else.
    """
    request = x509.load_pem_x509_csr(read_signing_request(csr).pem.encode())
    key = request.public_key()
    if not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        raise Invalid("the CSR has neither an RSA nor an EC key")
    granted = {NameOID.ORGANIZATION_NAME, NameOID.COMMON_NAME}
    subject = x509.Name([one for one in request.subject if one.oid in granted])
    signed = _sign(root, _builder(subject, key, now, days), ExtendedKeyUsageOID.CLIENT_AUTH)
    return signed.public_bytes(Encoding.PEM)


def _sign(
    root: Issued, builder: x509.CertificateBuilder, purpose: x509.ObjectIdentifier
) -> x509.Certificate:
    try:
        issuer = x509.load_pem_x509_certificate(root.certificate)
        key = load_pem_private_key(root.key, None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise Invalid("the authority's files cannot be read") from error
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())
    return (
        builder.issuer_name(issuer.subject)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        .add_extension(identifier, critical=False)
        .sign(key, hashes.SHA256())
    )


def _builder(
    subject: x509.Name, key: _PublicKey, now: datetime, days: int
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SLACK)
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        # For suites with static RSA.
        key_encipherment=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text[:_MAX_COMMON_NAME])])


def _host(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)


def _issued(certificate: x509.Certificate, key: _PrivateKey) -> Issued:
    return Issued(
        certificate.public_bytes(Encoding.PEM),
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    )
