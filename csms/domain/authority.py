"""A small authority of the operator's own: a root, and certificates for the server."""

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

from csms.errors import Invalid

ROOT_DAYS = 20 * 365
# A clock of a station that is slow must not find the certificate not valid yet.
_SLACK = timedelta(days=1)
_RSA_BITS = 2048
_MAX_COMMON_NAME = 64
_PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


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
        _builder(own, key, now, ROOT_DAYS)
        .issuer_name(own)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
    )
    return _issued(builder.sign(key, hashes.SHA256()), key)


def sign_server(
    root: Issued, hosts: Sequence[str], kind: KeyKind, now: datetime, days: int
) -> Issued:
    """A certificate for the hosts, the first of which is its name; raises Invalid."""
    try:
        issuer = x509.load_pem_x509_certificate(root.certificate)
        issuer_key = load_pem_private_key(root.key, None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise Invalid("the authority's files cannot be read") from error
    assert isinstance(issuer_key, ec.EllipticCurvePrivateKey)
    key: _PrivateKey = (
        ec.generate_private_key(ec.SECP256R1())
        if kind is KeyKind.EC
        else rsa.generate_private_key(65537, _RSA_BITS)
    )
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
    purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    builder = (
        _builder(_name(hosts[0]), key, now, days)
        .issuer_name(issuer.subject)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(purpose, critical=False)
        .add_extension(identifier, critical=False)
        .add_extension(x509.SubjectAlternativeName([_host(host) for host in hosts]), critical=False)
    )
    return _issued(builder.sign(issuer_key, hashes.SHA256()), key)


def _builder(
    subject: x509.Name, key: _PrivateKey, now: datetime, days: int
) -> x509.CertificateBuilder:
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SLACK)
        .not_valid_after(now + timedelta(days=days))
        .add_extension(identifier, critical=False)
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
        pass
    try:
        return x509.DNSName(text.encode("idna").decode())
    except ValueError as error:
        raise Invalid(f"{text!r} is no name of a host") from error


def _issued(certificate: x509.Certificate, key: _PrivateKey) -> Issued:
    return Issued(
        certificate.public_bytes(Encoding.PEM),
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    )
