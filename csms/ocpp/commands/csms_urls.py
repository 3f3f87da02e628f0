"""The URL that a station is given of a CSMS."""

from __future__ import annotations

from urllib.parse import urlsplit

from csms.errors import Invalid


def check_csms_url(url: str, security_profile: int) -> None:
    """Raise Invalid when no station could connect there with that security profile."""
    reason = _why_not(url, security_profile)
    if reason is not None:
        raise Invalid(reason, loc=("ocpp_csms_url",))


def _why_not(url: str, security_profile: int) -> str | None:
    if not url.isprintable() or " " in url:
        return "is no URL"
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname
    except ValueError:
        return "is no URL"
    # OCPP 2.0.1 A00.FR.304: TLS from profile 2 on.
    scheme = "ws" if security_profile == 1 else "wss"
    if parts.scheme.lower() != scheme or not host or port == 0:
        return f"is not {scheme}://HOST[:PORT]/PATH, as security profile {security_profile} needs"
    if parts.username is not None or parts.password is not None:
        return "must not hold a name or a password"
    if parts.fragment:
        return "must not have a fragment"
    return None
