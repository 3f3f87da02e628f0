from __future__ import annotations

import pytest

from csms.config import ConfigError, load


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("", ""),
        ("wss://csms.example.com/ocpp", "wss://csms.example.com/ocpp"),
        ("WSS://csms.example.com:8443/a/b/", "wss://csms.example.com:8443/a/b"),
        ("ws://[2001:db8::1]:80", "ws://[2001:db8::1]:80"),
        ("ws://192.0.2.7/", "ws://192.0.2.7"),
    ],
)
def test_the_url_for_stations_is_kept_as_others_build_on_it(given: str, url: str) -> None:
    assert url == load({"external_url": given}).external_url


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ("csms.example.com", "does not begin with"),
        ("https://csms.example.com/ocpp", "does not begin with"),
        ("wss://", "'' is neither a host name"),
        ("wss:///ocpp", "'' is neither a host name"),
        ("wss://a..b/ocpp", "'a..b' is neither a host name"),
        ("wss://2001:db8::1/ocpp", "port"),
        ("wss://[2001:db8::1/ocpp", "IPv6"),
        ("wss://a.example:0/ocpp", "port"),
        ("wss://a.example:99999/ocpp", "port"),
        ("wss://a.example:/ocpp", "port"),
        ("wss://u@a.example/ocpp", "a user"),
        ("wss://a.example/ocpp?x=1", "a query"),
        ("wss://a.example/ocpp?", "a query"),
        ("wss://a.example/ocpp#x", "a fragment"),
        ("wss://a.example/o cpp", "blanks"),
        ("wss://a.example/ocpp\n", "blanks"),
        (" wss://a.example/ocpp", "blanks"),
    ],
)
def test_a_url_that_no_station_can_use_is_named(given: str, reason: str) -> None:
    with pytest.raises(ConfigError) as error:
        load({"external_url": given})
    assert error.value.message.startswith("setting external_url: ")
    assert reason in error.value.message


def test_a_password_in_a_url_is_not_repeated() -> None:
    with pytest.raises(ConfigError) as error:
        load({"external_url": "wss://box:s3/cr3t@a.example/ocpp"})
    assert "cr3t" not in error.value.message
