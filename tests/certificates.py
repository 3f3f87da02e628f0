"""Signing requests and certificates for tests; keys are made once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

NOT_BEFORE = datetime(2026, 5, 1, tzinfo=UTC)
NOT_AFTER = NOT_BEFORE + timedelta(days=365)


@cache
def key(kind: str = "ec") -> Any:
    return {
        "ec": lambda: ec.generate_private_key(ec.SECP256R1()),
        "ec other": lambda: ec.generate_private_key(ec.SECP256R1()),
        "ec 192": lambda: ec.generate_private_key(ec.SECP192R1()),
        "ed25519": ed25519.Ed25519PrivateKey.generate,
        "rsa 1024": lambda: rsa.generate_private_key(65537, 1024),
        "rsa 2048": lambda: rsa.generate_private_key(65537, 2048),
        "dsa 1024": lambda: dsa.generate_private_key(1024),
        "ca": lambda: ec.generate_private_key(ec.SECP256R1()),
    }[kind]()


def usage(**wanted: bool) -> x509.KeyUsage:
    names = (
        *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment"),
        *("key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
    )
    return x509.KeyUsage(**{one: wanted.get(one, False) for one in names})


def name(common_name: str | None) -> x509.Name:
    parts = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Garage")]
    if common_name is not None:
        parts.append(x509.NameAttribute(NameOID.COMMON_NAME, common_name))
    return x509.Name(parts)


@cache  # an EC signature is another one each time
def csr(
    common_name: str | None = "GARAGE-1",
    kind: str = "ec",
    *,
    dns: tuple[str, ...] | None = None,
    wants: x509.ExtensionType | None = None,
) -> str:
    builder = x509.CertificateSigningRequestBuilder().subject_name(name(common_name))
    if wants is not None:
        builder = builder.add_extension(wants, critical=True)
    if dns is not None:
        names = x509.SubjectAlternativeName([x509.DNSName(one) for one in dns])
        builder = builder.add_extension(names, critical=False)
    signed = builder.sign(key(kind), None if kind == "ed25519" else hashes.SHA256())
    return signed.public_bytes(Encoding.PEM).decode()


@cache
def chain(common_name: str = "GARAGE-1", kind: str = "ec") -> str:
    """A certificate for the key, and the one of the CA that signed it."""
    ca = _certificate("Garage CA", key("ca").public_key())
    return _certificate(common_name, key(kind).public_key()) + ca


def _certificate(common_name: str, public_key: Any) -> str:
    return (
        x509.CertificateBuilder()
        .subject_name(name(common_name))
        .issuer_name(name("Garage CA"))
        .public_key(public_key)
        .serial_number(1)
        .not_valid_before(NOT_BEFORE)
        .not_valid_after(NOT_AFTER)
        .sign(key("ca"), hashes.SHA256())
        .public_bytes(Encoding.PEM)
        .decode()
    )
