"""Where our own virtual stations may dial."""

from __future__ import annotations

import pytest

from csms.domain.targets import may_dial

ALLOWED = ("wss://csms.example", "10.0.0.5:9000", "lab.example")


@pytest.mark.parametrize(
    "url",
    [
        "ws://localhost:9000/ocpp",
        "ws://127.0.0.1/ocpp",
        "ws://127.9.9.9:1/",
        "ws://[::1]:9000/ocpp",
        "ws://[::ffff:127.0.0.1]:9000/ocpp",
        "wss://csms.example/ocpp",
        "wss://csms.example:443/ocpp",
        "ws://10.0.0.5:9000/ocpp",
        "wss://10.0.0.5:9000/",
        "ws://lab.example:8080/x",
    ],
)
def test_loopback_and_listed_origins_are_dialled(url: str) -> None:
    assert may_dial(url, ALLOWED)


@pytest.mark.parametrize(
    "url",
    [
        "wss://ocpp.example.com",
        "ws://csms.example/ocpp",
        "wss://csms.example:8443/ocpp",
        "ws://10.0.0.5:9001/",
        "ws://127.0.0.1.example.com/",
        "ws://localhost.example.com/",
        "ws://169.254.169.254/",
        "ws://0.0.0.0:9000/",
        "ws://host:notaport/",
        "nonsense",
    ],
)
def test_anything_else_is_not(url: str) -> None:
    assert not may_dial(url, ALLOWED)
