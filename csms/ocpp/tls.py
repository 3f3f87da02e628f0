"""TLS of our own (security profiles 2 and 3): its files, its rules, and who the other end is."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from csms.domain.certificates import read_server_certificate
from csms.domain.client_certificates import ClientCertificate, read_client_certificate
from csms.domain.onboarding import Cause
from csms.errors import Invalid
from csms.ocpp.handshake import Peer

# OCPP 2.0.1 A00.FR.318 asks for the ECDSA suites. A server with an RSA certificate needs the ones
# below them, or static RSA, which has no forward secrecy.
_SUITES = (
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES256-GCM-SHA384",
)
_STATIC_RSA_SUITES = ("AES128-GCM-SHA256", "AES256-GCM-SHA384")
# Keys of 2048 bits with RSA and 224 with EC at least, ours and theirs (A00.FR.502, A00.FR.503),
# also where OpenSSL was built to take less.
_STRENGTH = "@SECLEVEL=2"


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """What the operator gives us, all in PEM."""

    certificates: tuple[Path, ...]
    """Chains, our own certificate first; at most one with an RSA and one with an EC key."""
    keys: tuple[Path, ...]
    """The private keys of these, in the same order."""
    client_ca: Path | None = None
    """Who signs the certificates of stations."""
    static_rsa: bool = False

    @property
    def paths(self) -> tuple[Path, ...]:
        """All of them."""
        more = () if self.client_ca is None else (self.client_ca,)
        return (*self.certificates, *self.keys, *more)


@dataclass(frozen=True, slots=True)
class Contexts:
    """What the files make of a socket."""

    by_password: ssl.SSLContext
    """For security profile 2: we show a certificate, the station does not."""
    by_certificate: ssl.SSLContext | None
    """For security profile 3; None when no CA is given."""
    expires_at: datetime
    """When the first of our certificates does."""


def load(files: TlsFiles) -> Contexts:
    """Read and check all files; raises Invalid, which names the one that cannot be used."""
    return Contexts(
        by_password=_context(files),
        by_certificate=None if files.client_ca is None else _asking(files, files.client_ca),
        expires_at=_check_kinds(files.certificates),
    )


def _context(files: TlsFiles) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2  # OCPP 2.0.1 A00.FR.312
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    more = _STATIC_RSA_SUITES if files.static_rsa else ()
    context.set_ciphers(":".join((*_SUITES, *more, _STRENGTH)))
    for certificate, key in zip(files.certificates, files.keys, strict=True):
        try:
            # Without a password given OpenSSL would ask on the terminal.
            context.load_cert_chain(certificate, key, password="")
        except ssl.SSLError as error:
            raise _unusable(f"{certificate} with {key}", error) from error
        except OSError as error:
            raise _unusable(f"{certificate} or {key}", error) from error
    return context


def _asking(files: TlsFiles, client_ca: Path) -> ssl.SSLContext:
    context = _context(files)
    context.verify_mode = ssl.CERT_REQUIRED
    # A resumed session would not look at the certificate again.
    context.options |= ssl.OP_NO_TICKET
    context.num_tickets = 0
    try:
        context.load_verify_locations(client_ca)
    except OSError as error:
        raise _unusable(str(client_ca), error) from error
    return context


def _check_kinds(chains: Iterable[Path]) -> datetime:
    kinds: dict[str, Path] = {}
    ends: list[datetime] = []
    for path in chains:
        try:
            own = read_server_certificate(path.read_bytes())
        except (OSError, Invalid) as error:
            raise _unusable(str(path), error) from error
        if own.kind in kinds:  # OpenSSL would forget the first one
            raise Invalid(f"{kinds[own.kind]} and {path} have the same kind of key")
        kinds[own.kind] = path
        ends.append(own.expires_at)
    return min(ends)


def _unusable(what: str, error: Exception) -> Invalid:
    reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or str(error)
    return Invalid(f"cannot use {what}: {str(reason).replace('_', ' ').lower()}")


# ---- the other end ---------------------------------------------------------------------------


def peer_of(transport: asyncio.BaseTransport | None) -> Peer:
    """Who is at the other end."""
    if transport is None:
        return Peer("")
    address = address_of(transport)
    tls: ssl.SSLObject | None = transport.get_extra_info("ssl_object")
    if tls is None:
        return Peer(address)
    # None unless it was asked for, and then it has been verified.
    der = tls.getpeercert(binary_form=True)
    return Peer(address, encrypted=True, certificate=None if der is None else _read(der))


def address_of(transport: asyncio.BaseTransport) -> str:
    """The address of the other end, without its port."""
    peer = transport.get_extra_info("peername")
    return str(peer[0]) if peer else ""


def _read(der: bytes) -> ClientCertificate:
    try:
        return read_client_certificate(der)
    except Invalid:  # OpenSSL has accepted what cannot be read here: it opens nothing
        return ClientCertificate((), (), is_for_clients=False)


# ---- who could not be understood -------------------------------------------------------------


def why_refused(error: ssl.SSLError) -> tuple[Cause, str | None]:
    """The cause of a failed handshake, as the inbox names it, and what else is known."""
    reason = error.reason or ""
    if reason == "CERTIFICATE_VERIFY_FAILED":
        return Cause.BAD_CLIENT_CERTIFICATE, getattr(error, "verify_message", None)
    if "ALERT" in reason:
        return Cause.TLS_ALERT, reason.partition("ALERT_")[2].replace("_", " ").lower()
    return _CAUSES.get(reason, Cause.TLS_FAILED), reason.replace("_", " ").lower() or None


_CAUSES = {
    "HTTP_REQUEST": Cause.PLAIN_ON_TLS_PORT,
    "PEER_DID_NOT_RETURN_A_CERTIFICATE": Cause.NO_CLIENT_CERTIFICATE,
    "UNSUPPORTED_PROTOCOL": Cause.TLS_VERSION_TOO_LOW,
    "VERSION_TOO_LOW": Cause.TLS_VERSION_TOO_LOW,
    "NO_SHARED_CIPHER": Cause.NO_COMMON_CIPHER_SUITE,
}
