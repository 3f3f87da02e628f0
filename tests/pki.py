"""Two authorities, certificates of servers and stations, and the TLS ends that use them.

OpenSSL looks at the real clock, so the dates are counted from today.
"""

from __future__ import annotations

import ssl
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

TODAY = datetime.now(UTC).replace(microsecond=0)
CLIENT, SERVER = ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH
HOST = "localhost"


@cache
def key(name: str, kind: str = "ec") -> Any:
    """The key of this name, always the same."""
    if kind.startswith("rsa"):
        return rsa.generate_private_key(65537, 1024 if kind == "rsa 1024" else 2048)
    return ec.generate_private_key(ec.SECP256R1())


def subject(common_names: Iterable[str], organization: str | None) -> x509.Name:
    parts = [x509.NameAttribute(NameOID.COMMON_NAME, one) for one in common_names]
    if organization is not None:
        parts.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization))
    return x509.Name(parts)


@dataclass(frozen=True)
class Authority:
    """A root, and what it signs; every file goes to one folder."""

    folder: Path
    name: str = "Garage CA"

    @property
    def file(self) -> Path:
        """Its own certificate."""
        path = self.folder / f"{self.name}.pem"
        if not path.exists():
            constraints = x509.BasicConstraints(ca=True, path_length=1)
            signed = self._sign(subject([self.name], None), self._key.public_key(), constraints)
            path.write_bytes(signed.public_bytes(Encoding.PEM))
        return path

    @property
    def _key(self) -> Any:
        return key(self.name)

    def server(self, kind: str = "ec", days: int = 90, password: bytes | None = None) -> Pair:
        """A certificate for this machine."""
        return self._pair(
            f"server-{kind}", [HOST], None, SERVER, kind=kind, days=(-1, days), password=password
        )

    def station(
        self,
        *common_names: str,
        organization: str | None = "Garage",
        usage: x509.ObjectIdentifier | None = CLIENT,
        days: tuple[int, int] = (-1, 90),
        kind: str = "ec",
    ) -> Pair:
        """A certificate for a station."""
        return self._pair(
            "-".join(common_names), common_names, organization, usage, kind=kind, days=days
        )

    def by_itself(self, name: str) -> Pair:
        """A certificate that a station made for itself."""
        itself = Authority(self.folder, name)
        purpose = x509.ExtendedKeyUsage([CLIENT])
        signed = itself._sign(subject([name], None), itself._key.public_key(), purpose)
        pair = Pair(self.folder / f"{name}-itself.pem", self.folder / f"{name}-itself.key")
        pair.certificate.write_bytes(signed.public_bytes(Encoding.PEM))
        pair.key.write_bytes(_private(itself._key))
        return pair

    def station_below(self, name: str, authorities: int) -> Pair:
        """A certificate for a station with so many authorities between it and the root."""
        chain: list[x509.Certificate] = []
        last = self
        for number in range(authorities):
            below = Authority(self.folder, f"{self.name} {number}")
            may_sign = x509.BasicConstraints(ca=True, path_length=None)
            owner = subject([below.name], None)
            chain.insert(0, last._sign(owner, below._key.public_key(), may_sign))
            last = below
        pair = last.station(name)
        chain.insert(0, x509.load_pem_x509_certificates(pair.certificate.read_bytes())[0])
        pair.certificate.write_bytes(b"".join(one.public_bytes(Encoding.PEM) for one in chain))
        return pair

    def _pair(
        self,
        name: str,
        common_names: Iterable[str],
        organization: str | None,
        usage: x509.ObjectIdentifier | None,
        *,
        kind: str,
        days: tuple[int, int],
        password: bytes | None = None,
    ) -> Pair:
        own = key(f"{self.name}/{name}", kind)
        extensions: list[x509.ExtensionType] = [
            x509.SubjectAlternativeName([x509.DNSName(HOST)]),
            *([x509.ExtendedKeyUsage([usage])] if usage is not None else []),
        ]
        signed = self._sign(
            subject(common_names, organization), own.public_key(), *extensions, days=days
        )
        pair = Pair(self.folder / f"{name}.pem", self.folder / f"{name}.key")
        pair.certificate.write_bytes(signed.public_bytes(Encoding.PEM) + self.file.read_bytes())
        pair.key.write_bytes(_private(own, password))
        return pair

    def _sign(
        self,
        owner: x509.Name,
        public_key: Any,
        *extensions: x509.ExtensionType,
        days: tuple[int, int] = (-1, 90),
    ) -> x509.Certificate:
        builder = (
            x509.CertificateBuilder()
            .subject_name(owner)
            .issuer_name(subject([self.name], None))
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(TODAY + timedelta(days=days[0]))
            .not_valid_after(TODAY + timedelta(days=days[1]))
        )
        for extension in extensions:
            builder = builder.add_extension(
                extension, critical=isinstance(extension, x509.BasicConstraints)
            )
        return builder.sign(self._key, hashes.SHA256())


@dataclass(frozen=True)
class Pair:
    """The files of a certificate and its key."""

    certificate: Path
    key: Path


def _private(own: Any, password: bytes | None = None) -> bytes:
    sealed: KeySerializationEncryption = NoEncryption()
    if password is not None:
        sealed = BestAvailableEncryption(password)
    text: bytes = own.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, sealed)
    return text


def client(
    trusted: Authority | None,
    own: Pair | None = None,
    *,
    at_most: ssl.TLSVersion | None = None,
    suites: str | None = None,
) -> ssl.SSLContext:
    """A station's end; of low versions too, which OpenSSL hides."""
    context = ssl.create_default_context(cafile=None if trusted is None else trusted.file)
    if suites is not None:
        context.set_ciphers(suites)
    if own is not None:
        context.load_cert_chain(own.certificate, own.key)
    if at_most is not None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = ssl.TLSVersion.TLSv1
            context.maximum_version = at_most
    return context
