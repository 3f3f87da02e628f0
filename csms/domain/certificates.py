"""Certificates of stations: what a signing request must be like, and whether a chain answers it."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.hashes import MD5, SHA1
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from csms.domain.identity import name_key
from csms.errors import Invalid

# The `csr` of SignCertificate and the `certificateChain` of CertificateSigned, in every version.
MAX_CSR = 5500
MAX_CHAIN = 10_000
# OCPP 2.0.1 A00.FR.502 and A00.FR.503.
MIN_RSA_BITS = 2048
MIN_EC_BITS = 224
_CSR = re.compile(
    r"-----BEGIN (?:NEW )?CERTIFICATE REQUEST-----(.*?)-----END (?:NEW )?CERTIFICATE REQUEST-----",
    re.DOTALL,
)


class SigningUse(str, Enum):
    """CertificateSigningUseEnumType; the last one came with OCPP 2.1."""

    STATION = "ChargingStationCertificate"
    V2G = "V2GCertificate"
    V2G20 = "V2G20Certificate"


class RequestState(str, Enum):
    """Where a signing request stands."""

    REFUSED = "refused"
    """We answered Rejected."""
    PENDING = "pending"
    """We answered Accepted; nobody has signed it yet."""
    SIGNED = "signed"
    """There is a chain; the station has not taken it yet."""
    INSTALLED = "installed"
    DECLINED = "declined"
    """The station answered Rejected to the chain."""
    FAILED = "failed"
    """The signer could not or did not want to sign it."""
    SUPERSEDED = "superseded"
    """The station sent another one for the same purpose."""


@dataclass(frozen=True, slots=True)
class SigningRequest:
    """A CSR (RFC 2986) that is well formed and signed with its own key."""

    pem: str
    """Written anew from what was checked, so that nothing else reaches the signer."""
    common_name: str
    dns_names: tuple[str, ...]
    key: str
    """Kind and size, such as `RSA 2048`."""
    public_key: bytes
    """DER; what ties a certificate to this request."""


@dataclass(frozen=True, slots=True)
class Chain:
    """A certificate and what stands between it and its root."""

    pem: str
    public_key: bytes
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class ServerCertificate:
    """One of our own."""

    kind: str
    """Of its key, `RSA` or `EC`; a server shows at most one of each."""
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class HashData:
    """CertificateHashDataType: what names a certificate without showing it."""

    hash_algorithm: str
    issuer_name_hash: str
    issuer_key_hash: str
    serial_number: str


def read_signing_request(text: str) -> SigningRequest:
    """The checked content of a CSR; raises Invalid with the reason."""
    if len(text) > MAX_CSR:
        raise _refusal(f"the CSR is longer than {MAX_CSR} characters")
    with _readable("the CSR cannot be read", "bad_csr"):
        request = x509.load_der_x509_csr(_der(text))
        if isinstance(request.signature_hash_algorithm, (MD5, SHA1)):  # A00.FR.504
            raise _refusal("the CSR is signed over a weak hash")
        if not request.is_signature_valid:
            raise _refusal("the CSR is not signed with its own key")
        if _wants_to_sign(request):  # programs that copy the extensions would grant it
            raise _refusal("the CSR asks for a certificate that signs others")
        return SigningRequest(
            pem=request.public_bytes(Encoding.PEM).decode(),
            common_name=_common_name(request.subject),
            dns_names=_dns_names(request),
            key=_check_key(request.public_key()),
            public_key=_key_bytes(request.public_key()),
        )


def check_owner(
    request: SigningRequest, use: SigningUse, *, identity: str, serial_number: str | None
) -> None:
    """Raise Invalid when the CSR asks for the name of somebody else."""
    if use is not SigningUse.STATION:
        # OCPP 2.1 A02: the name is the SeccId, which the CA knows and we may not.
        return
    own = own_names(identity, serial_number)
    if name_key(request.common_name) not in own:
        raise _refusal("the CSR's common name is neither the station's serial number nor its id")
    if any(name_key(name) not in own for name in request.dns_names):
        raise _refusal("the CSR asks for a DNS name that is not the station's")


def own_names(identity: str, serial_number: str | None) -> frozenset[str]:
    """What a certificate may call the station, as `name_key` writes it.

    OCPP 2.0.1 A00.FR.511 asks for the serial number; many stations use their identity.
    """
    return frozenset(name_key(name) for name in (identity, serial_number) if name)


def is_for_clients(der: bytes) -> bool:
    """Whether the certificate names clientAuth (RFC 5280 4.2.1.12).

    OpenSSL lets one pass that has no extended key usage at all.
    """
    try:
        extensions = x509.load_der_x509_certificate(der).extensions
        usage = extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except Exception:  # see _readable
        return False
    return ExtendedKeyUsageOID.CLIENT_AUTH in usage


def read_chain(text: str) -> Chain:
    """The certificates of a PEM text, the station's own first; raises Invalid."""
    with _readable("is no chain of certificates in PEM", "bad_certificate"):
        found = x509.load_pem_x509_certificates(text.encode())
        pem = "".join(one.public_bytes(Encoding.PEM).decode() for one in found)
        first = found[0]
        chain = Chain(pem, _key_bytes(first.public_key()), first.not_valid_after_utc)
    if len(pem) > MAX_CHAIN:
        raise Invalid(f"has more than {MAX_CHAIN} characters", code="bad_certificate")
    return chain


def read_server_certificate(pem: bytes) -> ServerCertificate:
    """What we show to stations; raises Invalid."""
    with _readable("is no certificate in PEM", "bad_certificate"):
        own = x509.load_pem_x509_certificates(pem)[0]
        key = own.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        return ServerCertificate("RSA", own.not_valid_after_utc)
    if isinstance(key, ec.EllipticCurvePublicKey):
        return ServerCertificate("EC", own.not_valid_after_utc)
    raise Invalid("has neither an RSA nor an EC key", code="bad_certificate")


@contextmanager
def _readable(reason: str, code: str) -> Iterator[None]:
    """What the library stumbles over is Invalid: its own exceptions have nothing in common."""
    try:
        yield
    except Invalid:
        raise
    except Exception as error:
        raise Invalid(reason, code=code) from error


def _der(text: str) -> bytes:
    # Some stations send the line ends as two characters, some leave them out.
    flat = text.replace("\\r", "").replace("\\n", "\n")
    match = _CSR.search(flat)
    return base64.b64decode("".join((match[1] if match else flat).split()), validate=True)


def _check_key(key: CertificatePublicKeyTypes) -> str:
    if isinstance(key, (ed25519.Ed25519PublicKey, ed448.Ed448PublicKey)):
        return "Ed25519" if isinstance(key, ed25519.Ed25519PublicKey) else "Ed448"
    if isinstance(key, (rsa.RSAPublicKey, dsa.DSAPublicKey)):
        kind, least = "RSA" if isinstance(key, rsa.RSAPublicKey) else "DSA", MIN_RSA_BITS
    elif isinstance(key, ec.EllipticCurvePublicKey):
        kind, least = "EC", MIN_EC_BITS
    else:
        raise _refusal("the CSR has a kind of key that signs nothing")
    if key.key_size < least:
        raise _refusal(f"the CSR's {kind} key has {key.key_size} bits, {least} are the least")
    return f"{kind} {key.key_size}"


def _key_bytes(key: CertificatePublicKeyTypes) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _common_name(subject: x509.Name) -> str:
    names = subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    if len(names) != 1:
        raise _refusal("the CSR has no single common name")
    return str(names[0].value).strip()


def _dns_names(request: x509.CertificateSigningRequest) -> tuple[str, ...]:
    try:
        names = request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    return tuple(str(getattr(name, "value", name)) for name in names)


def _wants_to_sign(request: x509.CertificateSigningRequest) -> bool:
    for extension in request.extensions:
        wanted = extension.value
        if isinstance(wanted, x509.BasicConstraints) and wanted.ca:
            return True
        if isinstance(wanted, x509.KeyUsage) and (wanted.key_cert_sign or wanted.crl_sign):
            return True
    return False


def _refusal(reason: str) -> Invalid:
    return Invalid(reason, code="bad_csr")
