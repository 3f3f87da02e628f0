from __future__ import annotations

import base64
import time

import pytest

from csms.domain.onboarding import is_word_of_the_path
from csms.domain.versions import OcppVersion
from csms.ocpp.handshake import (
    MAX_DESCRIPTION,
    Basic,
    Choice,
    Peer,
    Upgrade,
    basic_in,
    choose,
    comes_from_a_browser,
    described,
    identity_in,
    is_lost_station,
    oddities,
    shown_identity,
    shown_path,
    speaks_soap,
    subprotocols_in,
)

V16, V201, V21 = OcppVersion.V16, OcppVersion.V201, OcppVersion.V21


@pytest.mark.parametrize(
    ("target", "identity"),
    [
        ("/ocpp/ID", "ID"),
        ("/ID", "ID"),
        ("/ws/ID", "ID"),
        ("/ocpp/1.6/ID", "ID"),
        ("//ID", "ID"),
        ("//ID//", "ID"),
        ("/ocpp/ID/", "ID"),
        ("/ocpp/ID?token=x/y", "ID"),
        ("/ocpp/ID#part", "ID"),
        ("ws://host:9000/ocpp/ID", "ID"),
        ("http://host/ID/", "ID"),
        ("/ocpp/RDAM%7C123", "RDAM|123"),
        ("/ocpp/a%20b", "a b"),
        ("/ocpp/a%2Fb", "a/b"),
        ("/ocpp/a%252Fb", "a%2Fb"),
        ("/ocpp/caf%C3%A9", "café"),
        ("/ocpp/caf%E9", None),
        ("/ocpp/%00", "\x00"),
        ("/ocpp/%", "%"),
        ("/ocpp/a+b", "a+b"),
        ("/", None),
        ("", None),
        ("//", None),
        ("http://host", None),
    ],
)
def test_the_identity_is_the_last_segment_decoded_once(target: str, identity: str | None) -> None:
    assert identity_in(target) == identity


def encoded(pair: bytes) -> str:
    return base64.b64encode(pair).decode()


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, None),
        ("", None),
        ("Basic", None),
        ("Basic !!!", None),
        ("Basic " + encoded(b"no colon"), None),
        ("Bearer " + encoded(b"u:p"), None),
        ("Basic é", None),
        ("Basic " + encoded(b"u:p"), Basic(b"u", b"p")),
        ("basic   " + encoded(b"u:p") + " ", Basic(b"u", b"p")),
        ("Basic " + encoded(b"u:p").rstrip("="), Basic(b"u", b"p")),
        ("Basic " + encoded(b"u:a:b:"), Basic(b"u", b"a:b:")),
        ("Basic " + encoded(b":"), Basic(b"", b"")),
    ],
)
def test_basic_credentials(header: str | None, expected: Basic | None) -> None:
    assert basic_in(header) == expected


def test_a_password_is_any_bytes() -> None:
    password = bytes(range(256))
    assert basic_in("Basic " + encoded(b"u:" + password)) == Basic(b"u", password)


@pytest.mark.parametrize(
    ("user", "identity", "same"),
    [
        (b"ID-1", "ID-1", True),
        (b"id-1", "ID-1", True),
        ("CAFÉ".encode(), "cafÉ", True),
        ("café".encode(), "cafÉ", False),
        ("e\u0301".encode(), "é", False),
        (b"ID%2D1", "ID-1", False),
        (b"\xff", "\xff", False),
        (b"", "ID", False),
        (b"ID ", "ID", False),
    ],
)
def test_the_user_name_is_the_identity_without_ascii_case(
    user: bytes, identity: str, same: bool
) -> None:
    assert Basic(user, b"").is_for(identity) == same


ALL = frozenset(OcppVersion)


@pytest.mark.parametrize(
    ("offered", "pin", "expected"),
    [
        ("ocpp1.6", None, Choice(V16, "ocpp1.6")),
        ("OCPP1.6", None, Choice(V16, "OCPP1.6")),
        ("ocpp0.1,ocpp1.6", None, Choice(V16, "ocpp1.6")),
        ("ocpp1.6, ocpp2.0.1, ocpp2.1", None, Choice(V21, "ocpp2.1")),
        ("ocpp1.6,ocpp2.0.1", V16, Choice(V16, "ocpp1.6")),
        ("ocpp2.0.1", V16, Choice(V201, "ocpp2.0.1")),
        ("ocpp2.0", None, None),
        ("ocpp1.5", None, None),
        ("ocpp1.6x", None, None),
        ("chat", V16, None),
        ("", None, None),
        (" , ", V16, None),
    ],
)
def test_the_version_is_the_pin_or_the_newest_of_both(
    offered: str, pin: OcppVersion | None, expected: Choice | None
) -> None:
    assert choose(subprotocols_in([offered]), spoken=ALL, pin=pin, assume=None) == expected


def test_a_version_without_handlers_is_not_spoken() -> None:
    offers = ["ocpp2.0.1", "ocpp1.6"]
    assert choose(offers, spoken={V16}, pin=None, assume=None) == Choice(V16, "ocpp1.6")
    assert choose(offers, spoken={V16}, pin=V201, assume=None) == Choice(V16, "ocpp1.6")
    assert choose(["ocpp2.0.1"], spoken={V16}, pin=V201, assume=V16) is None


def test_without_an_offer_the_setting_decides_and_nothing_is_echoed() -> None:
    assert choose([], spoken=ALL, pin=None, assume=V16) == Choice(V16, None)
    assert choose([], spoken=ALL, pin=V201, assume=V16) == Choice(V201, None)
    assert choose([], spoken={V201}, pin=None, assume=V16) is None


def test_several_headers_are_one_list() -> None:
    assert subprotocols_in(["a, b", "c"]) == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("names", "agent", "browser"),
    [
        (["Host"], "Mozilla/5.0", False),
        (["Origin"], "station/1.0", False),
        (["Origin"], "Mozilla/5.0 (X11)", True),
        (["Origin", "Sec-Fetch-Mode"], "", True),
        (["origin", "sec-fetch-site"], "", True),
        (["Sec-Fetch-Mode"], "", False),
    ],
)
def test_origin_and_a_browsers_mark_together_are_a_browser(
    names: list[str], agent: str, browser: bool
) -> None:
    assert comes_from_a_browser(names, agent) == browser


# ---- what is shown of an attempt -------------------------------------------------------------

SECRET = "a-secret-of-24-characters"


@pytest.mark.parametrize(
    ("target", "user", "password", "words"),
    [
        ("/ocpp/ID", "id", SECRET, "the id as user name, a password of 25 bytes"),
        ("/ocpp/ID", "ID", "", "the id as user name, no password"),
        ("/ocpp/ID", "", SECRET, "no user name, a password of 25 bytes"),
        ("/ocpp/ID", SECRET, "ID", "user name and password in each other's place"),
        ("/ocpp/ID", SECRET, SECRET, "another user name (25 characters)"),
        ("/ocpp/ID", "ID", f"{SECRET} ", "with a blank at its end"),
        (f"/ocpp/ID?password={SECRET}", "ID", SECRET, "GET /ocpp/ID;"),
        (f"ws://ID:{SECRET}@csms:9000/ocpp/ID", "ID", SECRET, "GET /ocpp/ID;"),
    ],
)
def test_what_came_is_described_without_its_secrets(
    target: str, user: str, password: str, words: str
) -> None:
    pair = base64.b64encode(f"{user}:{password}".encode()).decode()
    headers = {"authorization": f"Basic {pair}", "sec-websocket-protocol": "ocpp1.6"}
    text = described(Upgrade("GET", target, headers, Peer("192.0.2.1")))
    assert words in text
    assert SECRET not in text
    assert pair not in text


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ({}, "offers no subprotocol; no password"),
        ({"authorization": f"Bearer {SECRET}"}, "an Authorization header that is not Basic"),
        ({"authorization": f"Basic {SECRET}"}, "an Authorization header that is not Basic"),
        ({"origin": f"https://u:{SECRET}@page.example"}, "Origin https://***@page.example"),
        ({"origin": f"https://page.example/?token={SECRET}"}, "Origin https://page.example/"),
        ({"origin": f"https://page.example/#{SECRET}"}, "Origin https://page.example/"),
        ({"user-agent": f"Box AuthorizationKey={SECRET}"}, "User-Agent ***"),
        (
            {"sec-websocket-protocol": f"ocpp1.5, {SECRET}, chat"},
            "offers ocpp1.5, a name of 25 characters, chat",
        ),
        ({"user-agent": "Box/1.0\x1b[31m"}, "User-Agent Box/1.0?[31m"),
    ],
)
def test_other_headers_are_described(headers: dict[str, str], words: str) -> None:
    text = described(Upgrade("GET", "/ocpp/ID", headers, Peer("192.0.2.1")))
    assert words in text
    assert SECRET not in text
    assert text.isprintable()


@pytest.mark.parametrize("long", [":" * 60_000, "u:@" * 20_000, "%40" * 20_000])
def test_what_was_made_to_be_slow_to_show_is_not(long: str) -> None:
    began = time.perf_counter()
    described(Upgrade("GET", f"/ocpp/{long}", {"origin": long}, Peer("192.0.2.1")))
    shown_identity(f"/ocpp/{long}")
    assert time.perf_counter() - began < 0.5


def test_a_description_is_bounded() -> None:
    headers = {"sec-websocket-protocol": "x" * 9000, "user-agent": "y" * 9000}
    text = described(Upgrade("GET", "/" + "z" * 9000, headers, Peer("192.0.2.1")))
    assert len(text) == MAX_DESCRIPTION


@pytest.mark.parametrize(
    ("identity", "is_word"),
    [("ocpp", True), ("OCPP", True), ("1.6J", True), ("ws", True), ("CP-1", False), ("", False)],
)
def test_words_of_the_path_are_no_identity(identity: str, is_word: bool) -> None:
    assert is_word_of_the_path(identity) is is_word


@pytest.mark.parametrize(
    ("target", "shown"),
    [
        ("/ocpp/CP-1?password=p&token=t", "/ocpp/CP-1"),
        ("/ocpp/CP-1#p", "/ocpp/CP-1"),
        ("ws://u:p@host/ocpp/CP-1", "/ocpp/CP-1"),
        ("/u:p@host/CP-1", "/***@host/CP-1"),
        ("/ocpp/u:p@CP-1", "/ocpp/***@CP-1"),
        ("/ocpp/u%3Ap%40CP-1", "/ocpp/***@CP-1"),
        ("/ocpp/CP\x1b[2J", "/ocpp/CP?[2J"),
    ],
)
def test_a_target_is_shown_without_secrets(target: str, shown: str) -> None:
    assert shown == shown_path(target)


@pytest.mark.parametrize(
    ("target", "shown"),
    [
        ("/ocpp/u:p@CP-1", "***@CP-1"),
        ("/ocpp/u%3Ap%40x%40CP-1", "***@CP-1"),
        ("/ocpp/me@CP-1", "me@CP-1"),  # may be one
        ("/ocpp/AA:BB:CC", "AA:BB:CC"),
        ("/", ""),
    ],
)
def test_an_identity_is_shown_without_a_password_before_it(target: str, shown: str) -> None:
    assert shown == shown_identity(target)


UPGRADE = {"connection": "keep-alive, Upgrade"}


@pytest.mark.parametrize(
    ("target", "headers", "found"),
    [
        ("/ocpp/CP-1", UPGRADE, None),
        ("/ocpp/My%20Box", UPGRADE, None),
        ("/ocpp/My Box", UPGRADE, "its URL has a blank, which counts as part of the id"),
        ("/ocpp/CP-1 ", UPGRADE, "its id begins or ends with a blank"),
        ("/ocpp/%20CP-1", UPGRADE, "its id begins or ends with a blank"),
        ("/ocpp/CP-1", {}, "it leaves the header Connection: Upgrade out, which is overlooked"),
    ],
)
def test_what_is_odd_though_it_counts_is_told(
    target: str, headers: dict[str, str], found: str | None
) -> None:
    assert found == oddities(Upgrade("GET", target, headers, Peer("192.0.2.1")))


@pytest.mark.parametrize(
    ("method", "headers", "is_soap"),
    [
        ("POST", {"content-type": "application/soap+xml; charset=utf-8"}, True),
        ("POST", {"content-type": "Text/XML"}, True),
        ("POST", {"soapaction": '"/BootNotification"'}, True),
        ("POST", {"content-type": "application/json"}, False),
        ("GET", {"content-type": "text/xml"}, False),
    ],
)
def test_a_post_of_soap_is_a_lost_station(
    method: str, headers: dict[str, str], is_soap: bool
) -> None:
    request = Upgrade(method, "/services/CentralSystemService", headers, Peer("192.0.2.1"))
    assert (is_soap, is_soap) == (speaks_soap(request), is_lost_station(request))
