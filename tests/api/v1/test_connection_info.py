"""What to enter in a station."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest

from csms.domain.onboarding import Onboarding
from csms.host import parse_listen
from csms.ocpp.settings import OcppSettings

if TYPE_CHECKING:
    from tests.api.conftest import Api, ScriptedHub

PATH = "/api/v1/connection-info"


async def shown(api: Api, query: str = "") -> dict[str, Any]:
    found: dict[str, Any] = await (await api.get(f"{PATH}{query}", role="viewer")).json()
    return found


def listen(api: Api, *addresses: str, external_url: str = "") -> None:
    listening = tuple(map(parse_listen, addresses))
    api.deps.settings = replace(api.deps.settings, listening=listening, external_url=external_url)


async def test_the_own_url_comes_first_and_this_machine_last(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    addresses = [("lo", "127.0.0.1", 4), ("eth0", "192.0.2.7", 4), ("eth0", "2001:db8::7", 6)]
    monkeypatch.setattr("csms.host.interface_addresses", lambda: addresses)
    monkeypatch.setattr("csms.host.reachable_names", lambda _: ["192.0.2.7", "127.0.0.1"])
    external = "wss://csms.example.com/ocpp"
    listen(api, "127.0.0.1:9000", "0.0.0.0:9443,tls", "[::]:9444,mtls", external_url=external)
    urls = (await shown(api))["urls"]
    assert [(one["url"], one["interface"], one["security_profile"]) for one in urls] == [
        ("wss://csms.example.com/ocpp", None, 2),
        ("wss://192.0.2.7:9443/ocpp", "eth0", 2),
        ("wss://[2001:db8::7]:9444/ocpp", "eth0", 3),
        ("ws://127.0.0.1:9000/ocpp", "lo", 1),
        ("wss://127.0.0.1:9443/ocpp", "lo", 2),
    ]
    assert [one["only_this_machine"] for one in urls] == [False, False, False, True, True]
    assert urls[0]["url_with_identity"] == "wss://csms.example.com/ocpp/<identity>"


async def test_the_qr_code_is_the_url_of_the_station(api: Api) -> None:
    listen(api, external_url="wss://csms.example.com/ocpp")
    found = await shown(api, "?identity=My%20%3Cbox%3E")
    url = "wss://csms.example.com/ocpp/My%20%3Cbox%3E"
    assert found["urls"][0]["url_with_identity"] == url
    root = ET.fromstring(found["qr_svg"])
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert root.findtext("{*}title") == url


@pytest.mark.parametrize("vendor", ["Autel", "autel", "AUTEL%20New%20Energy"])
async def test_what_its_maker_needs_is_told_with_the_source(api: Api, vendor: str) -> None:
    unasked = await shown(api)
    assert [] == unasked["known"]
    assert "Autel" in unasked["makers"]
    (step,) = (await shown(api, f"?vendor={vendor}"))["known"]
    assert "root certificate" in step["text"]
    assert "lbbrhzn/ocpp#2072" in step["sources"]


async def test_a_model_tells_the_maker_too(api: Api) -> None:
    (step,) = (await shown(api, "?vendor=unheard-of&model=A011KP1-E-B-W"))["known"]
    assert "FoxESS" == step["who"]


async def test_it_says_that_no_station_reaches_loopback(api: Api) -> None:
    listen(api, "127.0.0.1:9443,tls")
    assert "--listen 0.0.0.0:9443,tls:" in (await shown(api))["steps"][0]


@pytest.mark.parametrize(
    ("mode", "words"), [(Onboarding.MANUAL, "Not let in"), (Onboarding.CLOSED, "Add the")]
)
async def test_the_steps_fit_the_mode(
    api: Api, hub: ScriptedHub, mode: Onboarding, words: str
) -> None:
    hub.settings = OcppSettings(onboarding=mode)
    listen(api, external_url="ws://csms.example.com/ocpp")
    assert any(words in step for step in (await shown(api))["steps"])


@pytest.mark.parametrize("query", ["identity=a:b", "identity=" + "x" * 49, "vendor=" + "x" * 256])
async def test_what_cannot_be_is_refused(api: Api, query: str) -> None:
    assert (await api.get(f"{PATH}?{query}")).status == 422
