"""The operator's program that signs certificates: a signing request on stdin, a chain on stdout."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID


def sign(request: x509.CertificateSigningRequest) -> x509.Certificate:
    """For a year, by a CA that nobody else has."""
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(request.subject)
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Garage CA")]))
        .public_key(request.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=365))
        .sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    )


if __name__ == "__main__":
    given = x509.load_pem_x509_csr(sys.stdin.buffer.read())
    sys.stdout.write(sign(given).public_bytes(Encoding.PEM).decode())
