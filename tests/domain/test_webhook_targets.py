"""Where a webhook may lead."""

from __future__ import annotations

import pytest

from csms.domain.webhook_targets import check_url, is_public
from csms.errors import Invalid

ALLOWED = ("http://10.0.0.5:8080", "hooks.lab", "[::1]:9000")


@pytest.mark.parametrize(
    "address",
    ["1.1.1.1", "93.184.216.34", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2a00:1450::1"],
)
def test_addresses_of_the_internet_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "10.1.2.3",
        "100.64.0.1",
        "127.0.0.1",
        "127.9.9.9",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.8",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.255.255.250",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:127.0.0.1",
        "::ffff:1.1.1.1",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:db8::1",
        "2002:7f00:1::1",
        "3fff::1",
        "5f00::1",
        "fc00::1",
        "fd12:3456::1",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "ff02::1",
        "not an address",
        "",
    ],
)
def test_all_else_is_not(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.example.com/in?key=1",
        "https://hooks.example.com:8443/",
        "https://1.1.1.1/in",
        "https://[2606:4700::1111]/in",
        "http://10.0.0.5:8080/in",
        "http://hooks.lab/in",
        "https://hooks.lab:1234/in",
        "http://[::1]:9000/in",
    ],
)
def test_https_to_the_internet_and_what_is_allowed(url: str) -> None:
    check_url(url, ALLOWED)


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.com/",
        "ftp://hooks.example.com/",
        "file:///etc/passwd",
        "https://",
        "https:///in",
        "hooks.example.com",
        "//hooks.example.com",
        "",
        "https://10.0.0.5/in",
        "https://10.0.0.5:8081/in",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[fe80::1%25eth0]/",
        "https://169.254.169.254/latest/meta-data",
        "http://10.0.0.5:8080@evil.example/",
        "https://user@hooks.example.com/",
        "https://user:password@hooks.example.com/",
        "https://hooks.example.com/#part",
        "https://hooks.lab\\@evil.example/",
        "https://hooks.example.com:0/",
        "https://hooks.example.com:99999/",
        "https://hooks.example.com:x/",
        "https://[::1/",
        "https://hooks.example.com/a b",
        "https://hooks.example.com/a\nb",
        "https://hooks.example.com/ä",
        "https://höoks.example.com/",
        "https://hooks.example.com/" + "a" * 2000,
    ],
)
def test_nothing_else(url: str) -> None:
    with pytest.raises(Invalid) as refusal:
        check_url(url, ALLOWED)
    assert refusal.value.code == "target_not_allowed"
    assert refusal.value.loc == ("url",)
