from __future__ import annotations

import pytest

from csms.config import ConfigError, load
from csms.host import Listen, Security, parse_listen


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("127.0.0.1:9000", Listen("127.0.0.1", 9000)),
        ("[::]:9443,tls", Listen("::", 9443, Security.TLS)),
        ("h:1,mtls,ocpp-only", Listen("h", 1, Security.MTLS, stations_only=True)),
        ("h:1, ocpp-only, tls", Listen("h", 1, Security.TLS, stations_only=True)),
        ("h:1,ocpp-only", Listen("h", 1, stations_only=True)),
        ("h:1,tls,api-only", Listen("h", 1, Security.TLS, programs_only=True)),
    ],
)
def test_an_address_and_its_options_are_read(text: str, expected: Listen) -> None:
    assert expected == parse_listen(text)


@pytest.mark.parametrize(
    "text",
    [
        *("", "9000", ":9000", "h:", "h:0", "h:65536", "h:x", "h:1,", "h:1,ssl"),
        *("h:1,tls,mtls", "h:1,tls,tls", "h:1,ocpp-only,api-only"),
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"HOST:PORT|options"):
        parse_listen(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        *(("0.0.0.0:1", True), ("192.0.2.2:1,ocpp-only", True), ("[::]:1,api-only", True)),
        *(("127.0.0.1:1", False), ("localhost:1", False), ("[::1]:1", False)),
        *(("0.0.0.0:1,tls", False), ("0.0.0.0:1,mtls,ocpp-only", False)),
    ],
)
def test_it_is_known_what_others_can_read(text: str, expected: bool) -> None:
    assert expected is parse_listen(text).in_the_clear


def test_an_address_says_how_it_is_reached() -> None:
    plain, secure = parse_listen("0.0.0.0:9000"), parse_listen("[::1]:9443,tls")
    assert "http://127.0.0.1:9000" == plain.loopback_url
    assert "http://127.0.0.1:9000" in plain.urls()
    assert "ws://127.0.0.1:9000" in plain.websocket_urls()
    assert ["https://[::1]:9443"] == secure.urls()
    assert ["wss://[::1]:9443"] == secure.websocket_urls()
    assert [] == parse_listen("[::1]:9443,tls,api-only").websocket_urls()


def test_the_environment_gives_several_addresses_with_options(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CSMS_LISTEN", "127.0.0.1:9000,0.0.0.0:9443,tls,ocpp-only,[::1]:1,mtls")
    assert ["127.0.0.1:9000", "0.0.0.0:9443,tls,ocpp-only", "[::1]:1,mtls"] == load().listen


def test_a_wrong_address_is_named() -> None:
    with pytest.raises(ConfigError) as error:
        load({"listen": ["h:1,ssl"]})
    assert error.value.message == (
        "setting listen: may have one of the options tls and mtls, and one of ocpp-only and"
        " api-only (given: 'h:1,ssl')"
    )
