"""Behind a reverse proxy: what it says of the station, when it is one of ours."""

from __future__ import annotations

import base64
import binascii
from dataclasses import replace

from csms.domain.addresses import Proxies
from csms.domain.client_certificates import ClientCertificate, read_client_certificate
from csms.errors import Invalid
from csms.ocpp.handshake import Peer, Upgrade


def seen_through(upgrade: Upgrade, proxies: Proxies) -> Upgrade:
    """The upgrade as it reached the outermost of our proxies; unchanged when it came directly.

    X-Forwarded-For and X-Forwarded-Proto say where it came from and whether it was encrypted,
    Client-Cert (RFC 9440) which certificate the proxy has verified.
    """
    address, headers = upgrade.peer.address, upgrade.headers
    if not proxies.trusts(address):
        return upgrade
    encrypted = headers.get("x-forwarded-proto", "").lower() in {"https", "wss"}
    certificate = _certificate_in(headers.get("client-cert")) if encrypted else None
    peer = Peer(proxies.client_of(address, headers), encrypted, certificate)
    return replace(upgrade, peer=peer)


def _certificate_in(header: str | None) -> ClientCertificate | None:
    """What cannot be read is none: the station has to show a password then."""
    if header is None or len(header) < 2 or not header[0] == header[-1] == ":":
        return None
    try:
        return read_client_certificate(base64.b64decode(header[1:-1], validate=True))
    except (binascii.Error, ValueError, Invalid):
        return None
