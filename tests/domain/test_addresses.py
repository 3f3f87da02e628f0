from __future__ import annotations

import pytest

from csms.domain.addresses import Proxies, origin_of, read_host

PROXIES = Proxies.read(["127.0.0.1", "10.0.0.0/24", "fd00::/64"])


@pytest.mark.parametrize(
    ("address", "origin"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("unix", "unix"),
    ],
)
def test_who_has_a_whole_network_counts_once(address: str, origin: str) -> None:
    assert origin == origin_of(address)


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("192.0.2.1", "198.51.100.1", "192.0.2.1"),
        ("127.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("::ffff:127.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("127.0.0.1", "203.0.113.9, 198.51.100.1", "198.51.100.1"),
        ("127.0.0.1", "203.0.113.9, 198.51.100.1, 10.0.0.5", "198.51.100.1"),
        ("127.0.0.1", "10.0.0.5, 10.0.0.6", "10.0.0.5"),
        ("127.0.0.1", "203.0.113.9, nonsense", "127.0.0.1"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("10.0.1.1", "198.51.100.1", "10.0.1.1"),
        ("fd00::9", "2001:db8::1", "2001:db8::1"),
        ("", "198.51.100.1", ""),
    ],
)
def test_only_what_our_own_proxies_add_is_believed(peer: str, forwarded: str, client: str) -> None:
    assert client == PROXIES.client_of(peer, {"x-forwarded-for": forwarded})


def test_without_proxies_nobody_is_believed() -> None:
    assert Proxies().client_of("127.0.0.1", {"x-forwarded-for": "192.0.2.1"}) == "127.0.0.1"


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("csms.example.com", "csms.example.com"),
        ("my_box", "my_box"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("192.0.2.4", "192.0.2.4"),
        ("[2001:DB8::1]", "2001:db8::1"),
        ("2001:db8::1", "2001:db8::1"),
    ],
)
def test_a_host_is_a_name_or_an_address(text: str, host: str) -> None:
    assert host == read_host(text)


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "a b", " a", "a\n", "no..host", "host.", "-a.example", "a-.example"),
        *("https://a.example", "a.example:9000", "a.example/x", "u@a.example", "*.example.com"),
        *("10.0.0.0/8", "10.0.0", "300.1.1.1", "[::1", "[192.0.2.4]", "fe80::1%eth0"),
        *("a" * 64 + ".example", ".".join(["a" * 60] * 5)),
    ],
)
def test_what_is_no_host(text: str) -> None:
    with pytest.raises(ValueError, match="host name"):
        read_host(text)
