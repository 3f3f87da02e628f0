"""What happens to a charging station that nobody registered."""

from __future__ import annotations

from enum import Enum


class Onboarding(str, Enum):
    """The server's answer to an unknown identity."""

    CLOSED = "closed"
    """Refused, with the same bytes and time as a bad password."""
    MANUAL = "manual"
    """Held in Pending and shown in the inbox until a person accepts it."""
    OPEN = "open"
    """Registered at its first contact."""


class Cause(str, Enum):
    """Why an attempt did not become a connection."""

    UNKNOWN_IDENTITY = "unknown_identity"
    UNKNOWN_WITH_CERTIFICATE = "unknown_with_certificate"
    """As above, but its certificate is good; its serial number is the one in there."""
    NO_IDENTITY = "no_identity"
    INVALID_IDENTITY = "invalid_identity"
    BAD_HANDSHAKE = "bad_handshake"
    NO_UPGRADE = "no_upgrade"
    """The URL of a station, asked for as if it were a page."""
    BROWSER = "browser"
    NO_COMMON_SUBPROTOCOL = "no_common_subprotocol"
    NO_CREDENTIALS = "no_credentials"
    BAD_PASSWORD = "bad_password"  # noqa: S105
    NO_PASSWORD_SET = "no_password_set"  # noqa: S105
    IDENTITY_MISMATCH = "identity_mismatch"
    IDENTITY_IS_SERIAL_NUMBER = "identity_is_serial_number"
    TOO_MANY_ATTEMPTS = "too_many_attempts"
    BLOCKED = "blocked"
    TWO_STATIONS = "two_stations"
    SERVER_FULL = "server_full"
    SECURITY_PROFILE = "security_profile"
    CERTIFICATE_MISMATCH = "certificate_mismatch"
    BAD_CLIENT_CERTIFICATE = "bad_client_certificate"
    NO_CLIENT_CERTIFICATE = "no_client_certificate"
    TLS_ON_PLAIN_PORT = "tls_on_plain_port"
    PLAIN_ON_TLS_PORT = "plain_on_tls_port"
    TLS_VERSION_TOO_LOW = "tls_version_too_low"
    NO_COMMON_CIPHER_SUITE = "no_common_cipher_suite"
    TLS_ALERT = "tls_alert"
    TLS_FAILED = "tls_failed"
    TLS_DROPPED = "tls_dropped"
    """It began a handshake and left, without a word of why."""


NEXT_STEPS: dict[Cause, str] = {
    Cause.UNKNOWN_IDENTITY: "Nobody registered this id. If it is your station, accept it;"
    " if the id looks wrong, correct it in the station.",
    Cause.UNKNOWN_WITH_CERTIFICATE: "Its certificate is good, but nobody registered this id."
    " If it is your station, accept it.",
    Cause.NO_IDENTITY: "The URL in the station ends before its id. Make the id the last part of"
    " it: ws://HOST:PORT/ocpp/ID. Some stations append the id themselves once they have one:"
    " enter it in the field for it.",
    Cause.INVALID_IDENTITY: "The last part of the URL cannot be an id (see the detail). Give the"
    " station an id of at most 48 printable characters without / and :.",
    Cause.BAD_HANDSHAKE: "It asked for a websocket in a way that nobody can accept. Update its"
    " firmware, or look for a proxy in between that does not pass websockets on.",
    Cause.NO_UPGRADE: "It asked for the URL of a station without asking for a websocket. In a"
    " station: choose OCPP JSON (not SOAP) and a ws:// URL. Behind a proxy: pass the headers"
    " Upgrade and Connection on. In a browser there is nothing to see.",
    Cause.BROWSER: "A web page tried to open the socket of a station. Nothing to do, unless the"
    " page is a simulator of yours: run it outside of the browser.",
    Cause.NO_COMMON_SUBPROTOCOL: "Set the station to OCPP 1.6 JSON, 2.0.1 or 2.1. One that offers"
    " no subprotocol at all comes in with ocpp.assume_subprotocol, or a quirk of its own.",
    Cause.NO_CREDENTIALS: "The station showed no password. Enter the one of its registration in"
    " it (AuthorizationKey, or BasicAuthPassword), or make a new one: `csms stations password`.",
    Cause.BAD_PASSWORD: "The password is wrong. Make a new one (`csms stations password`) and enter"
    " it in the station; mind blanks at its ends, and a limit of 20 characters in some.",
    Cause.NO_PASSWORD_SET: "The station is registered without a password. Make one"
    " (`csms stations password`) and enter it in the station; one that cannot show any comes in"
    " with `csms stations password --waive`, as does anybody under its id.",
    Cause.IDENTITY_MISMATCH: "The user name is not the id in the URL. Set both to the same text;"
    " most stations take the user name from the id when it is left empty.",
    Cause.IDENTITY_IS_SERIAL_NUMBER: "Another station has this id as its serial number, so nobody"
    " is registered under it. Give this station another id; if it is that station, enter its own.",
    Cause.TOO_MANY_ATTEMPTS: "Too many wrong passwords came for this id or from this address."
    " Wait a minute. If it is not your station, somebody is guessing.",
    Cause.BLOCKED: "This station is blocked. Unblock it to let it in.",
    Cause.TWO_STATIONS: "Two stations use this id and push each other out. Give one of them"
    " another; if you have only one, somebody knows its password: make a new one.",
    Cause.SERVER_FULL: "The server has no room for more connections now, or too much to do (see the"
    " detail). The station tries again by itself; if that goes on, raise ocpp.max_sockets.",
    Cause.SECURITY_PROFILE: "The station came in less safely than it has to (see the detail). Give"
    " it a wss:// URL, or lower its security profile here.",
    Cause.CERTIFICATE_MISMATCH: "The certificate is not this station's (see the detail): its"
    " common name has to be the serial number on record, or the id.",
    Cause.BAD_CLIENT_CERTIFICATE: "The certificate of the station cannot be used: it has expired,"
    " is not for clients, or comes from another authority than tls.client_ca.",
    Cause.NO_CLIENT_CERTIFICATE: "This port asks for a certificate. Install one in the station,"
    " or send it to the port with passwords.",
    Cause.TLS_ON_PLAIN_PORT: "The station speaks TLS to a port that does not. Change wss:// to"
    " ws:// in the station, or give it the port with TLS.",
    Cause.PLAIN_ON_TLS_PORT: "The station does not speak TLS to a port that does. Change ws:// to"
    " wss:// in the station, or give it the port without TLS.",
    Cause.TLS_VERSION_TOO_LOW: "The station knows TLS 1.0 or 1.1 only. Update its firmware.",
    Cause.NO_COMMON_CIPHER_SUITE: "The station knows none of our cipher suites. Add a certificate"
    " with the other kind of key (RSA or EC), or set tls.static_rsa.",
    Cause.TLS_ALERT: "The station ended the TLS handshake and said why (see the detail). `unknown"
    " ca`: install our root certificate in it.",
    Cause.TLS_FAILED: "The TLS handshake failed (see the detail).",
    Cause.TLS_DROPPED: "The station began TLS and left in the middle (see the detail). As a rule it"
    " does not trust our certificate: install our root certificate in it, set its clock, and give"
    " it a URL whose host name or address is in the certificate (`csms tls init --host`).",
}
"""What a person can do about it, in plain words."""

DOCTOR = "csms doctor"
"""The user agent of our own look at the door, which is nobody's attempt to come in."""

# Last parts of URLs that people enter without the id behind them.
_PATH_WORDS = frozenset(
    {
        *("ocpp", "ocppj", "ocpp1.6", "ocpp1.6j", "ocpp16", "ocpp2.0.1", "ocpp201", "ocpp2.1"),
        *("1.6", "1.6j", "2.0.1", "2.1", "ws", "wss", "websocket", "centralsystemservice"),
    }
)


def is_word_of_the_path(identity: str) -> bool:
    """Whether it is what a URL has before the identity, so that the identity is missing."""
    return identity.lower() in _PATH_WORDS
