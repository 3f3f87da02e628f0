"""The page in a real browser: nothing that anybody wrote runs there, and a link signs in once."""

from __future__ import annotations

import asyncio
import itertools
import json
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.acceptance.processes import Server
from tests.attacks.browser import CHROMIUM, Page, browsing
from tests.attacks.markup import PAYLOADS
from tests.attacks.raw import Raw, knock, upgrade
from tests.attacks.reading import paths
from tests.attacks.witness import Known

pytestmark = [
    pytest.mark.campaign,
    pytest.mark.timeout(300),
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed"),
]
AT = "2026-11-20T10:00:00Z"
# A person's texts have no control characters: those are refused.
WRITTEN = tuple(re.sub(r"[\x00-\x1f]", " ", text).strip() for text in PAYLOADS)
NOWHERE = ("/", "/assets/", "/ocpp/", "/ocpp/chargers/", "/api/v1/", "/api/v3/", "/files/x/")
ACCEPT = (
    "[...document.querySelectorAll('#inbox button')].find((one) => one.textContent === 'Accept')"
)
OPENED_ELSEWHERE = (
    'new EventSource(csms + "/api/v1/events", { withCredentials: true })',
    'new WebSocket(csms.replace("http", "ws") + "/ocpp/THEIRS", "ocpp1.6")',
    'new WebSocket(csms.replace("http", "ws") + "/ocpp/THEIRS", ["ocpp2.0.1", "ocpp1.6"])',
    """Object.assign(document.head.appendChild(document.createElement("script")),
        { src: csms + "/api/v1/auth/me" })""",
)
SIGNED_IN = "document.getElementById('live').textContent === 'live'"
SIGNED_OUT = "!document.getElementById('sign-in').hidden"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    made = Server(tmp_path, dev=False, CSMS_ONBOARDING__MODE="manual")
    made.start()
    yield made
    assert 0 == made.stop()


@pytest.fixture
async def page(tmp_path: Path) -> AsyncIterator[Page]:
    async with browsing(tmp_path / "profile") as made:
        yield made


@pytest.fixture
async def elsewhere() -> AsyncIterator[int]:
    """The port of another site, whose pages are empty."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as made:
        yield made.sockets[0].getsockname()[1]


def link(server: Server) -> str:
    """What `csms sign-in` prints."""
    made = server.client.post("/api/v1/auth/sign-in-links", {})
    return f"{server.client.url}/#sign-in={made['secret']}"


async def test_a_link_signs_in_once(server: Server, page: Page, tmp_path: Path) -> None:
    address = link(server)
    await page.goto(address)
    await page.until(SIGNED_IN)
    assert f"{server.client.url}/" == await page.run("location.href")
    assert "" == await page.run("document.cookie")
    assert 0 == await page.run("localStorage.length + sessionStorage.length")
    async with browsing(tmp_path / "another") as other:
        await other.goto(address)
        await other.until(SIGNED_OUT)
        assert "used" in await other.run("document.getElementById('alert').textContent")
        assert [] == other.incidents
    await page.goto(f"{server.client.url}/")  # the cookie is enough
    await page.until(SIGNED_IN)
    await page.click("#sign-out")
    await page.until(SIGNED_OUT)
    assert 401 == await page.run("fetch('/api/v1/stations').then((answer) => answer.status)")
    assert [] == page.incidents


async def test_what_should_not_be_is_noticed(server: Server, page: Page) -> None:
    """Whatever the other test finds none of."""
    show = f"document.body.innerHTML = {json.dumps('<img src=x onerror=ran(1)>')}"
    await page.goto("about:blank")
    await page.run(show)
    await page.noticed("ran: 1")
    await page.goto(f"{server.client.url}/")
    await page.run(show)
    await page.noticed("stopped: script-src-attr inline")
    await page.run("document.body.innerHTML = '<img src=//e.test/x>'")
    await page.noticed("stopped: img-src http://e.test/x")
    await page.run("setTimeout(() => { throw new Error('thrown') })")
    await page.noticed("exception: ")
    await page.run("setTimeout(() => alert('told'))")
    await page.noticed("dialog: told")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])  # another port, another site
async def test_another_site_does_nothing(
    server: Server, page: Page, elsewhere: int, host: str
) -> None:
    """A page of somebody else, in the browser of who is signed in."""
    await page.goto(link(server))
    await page.until(SIGNED_IN)
    await page.goto(f"http://{host}:{elsewhere}/")
    await page.run(f"globalThis.csms = {json.dumps(server.client.url)}")
    for mode, type_ in itertools.product(("cors", "no-cors"), ("application/json", "text/plain")):
        about = f'mode: "{mode}", credentials: "include", headers: {{"Content-Type": "{type_}"}}'
        written = f"""{about}, method: "POST", body: '{{"name": "Theirs"}}'"""
        opened = f'mode: "{mode}", credentials: "include", method: "POST"'  # needs no body
        for path, how in (("locations", written), ("onboarding", opened), ("auth/me", about)):
            request = f"fetch(csms + '/api/v1/{path}', {{{how}}})"
            assert "" == await page.run(f"{request}.then((answer) => answer.text(), () => '')")
    for what in OPENED_ELSEWHERE:
        assert "refused" == await page.run(f"""
            new Promise((done) => {{
                const made = {what};
                made.onopen = made.onload = () => done("let in");
                made.onerror = () => done("refused");
            }})
        """)
    await page.run("""
        new Promise((done) => {
            const frame = document.body.appendChild(document.createElement("iframe"));
            frame.onload = () => done();
            frame.src = csms + "/";
        })
    """)
    # That of another site is in a process of its own, and not told here.
    assert {"chrome-error://chromewebdata/"} >= set(await page.frames())
    await page.run("""
        document.body.innerHTML = "<form method=post enctype=text/plain><input></form>";
        document.querySelector("input").name = '{"name": "Theirs", "address": "';
        document.querySelector("input").value = '"}';
        document.forms[0].action = csms + "/api/v1/locations";
        document.forms[0].submit();
    """)
    await page.loaded()
    assert [] == server.client.get("/api/v1/locations")["items"]
    assert not server.client.get("/api/v1/onboarding")["open"]
    assert [] == server.client.get("/api/v1/stations")["items"]


async def test_nothing_that_was_written_runs(server: Server, page: Page) -> None:
    """CVE-2024-21550 and its kind: through sockets, by strangers, and by those with a token."""
    stations = await asyncio.to_thread(write_by_hand, server)
    for number, (text, station) in enumerate(zip(PAYLOADS, stations, strict=True)):
        await say(server, station, text, version="1.6" if number % 2 else "2.0.1")
        await knock_as(server, text, number)
    await page.goto(link(server))
    await page.until(SIGNED_IN)
    await page.until(f"document.querySelectorAll('#stations > li').length >= {len(stations)}")
    await look_at_stations(page)
    await look_at_inbox(server, page)
    await look_at_addresses(page)
    await look_at_fragments(server, page)
    shown = 0
    for path in await asyncio.to_thread(lambda: list(paths(server.client))):
        status = await page.goto(f"{server.client.url}{path}")
        assert status in {200, 404, 409, 422}, (path, status)
        shown += status == 200
    for text, where in zip(PAYLOADS, itertools.cycle(NOWHERE)):
        status = await page.goto(f"{server.client.url}{where}{quote(text, safe='')}")
        assert status in {400, 404, 426}, (where, text, status)
    print(f"{len(PAYLOADS)} texts, {shown} answers as documents")
    assert [] == page.incidents


def write_by_hand(server: Server) -> list[Known]:
    """What a person with a token writes; the stations that say the rest."""
    made = []
    for number, text in enumerate(WRITTEN):
        place = server.client.post("/api/v1/locations", {"name": text, "address": text})
        body = {"identity": f"X-{number}", "name": text, "location_id": place["id"]}
        station = server.client.post("/api/v1/stations", body)
        server.client.post("/api/v1/tokens", {"name": text[:100], "role": "viewer"})
        made.append(Known(server, f"X-{number}", station["id"], station["password"]))
    return made


async def say(server: Server, station: Known, text: str, *, version: str) -> None:
    """What a station can tell of itself, as long as it may be; and what breaks the schema."""
    raw = await Raw.open(server, station, version)
    for action, payload in said_16(text) if version == "1.6" else said_201(text):
        await raw.ask(action, payload)
    await raw.close()


def said_16(text: str) -> Iterator[tuple[str, dict[str, Any]]]:
    short = text[:20]
    yield (
        "BootNotification",
        {
            "chargePointVendor": short,
            "chargePointModel": short,
            "chargePointSerialNumber": text[:25],
            "chargeBoxSerialNumber": text[:25],
            "firmwareVersion": text[:50],
            "meterType": text[:25],
        },
    )
    status = {"connectorId": 1, "errorCode": "OtherError", "status": "Available", "timestamp": AT}
    more = {"info": text[:50], "vendorId": text, "vendorErrorCode": text[:50]}
    yield "StatusNotification", {**status, **more}
    yield "StatusNotification", {**status, "connectorId": 2, "status": text, "errorCode": text}
    yield "Authorize", {"idTag": short}
    start = {"connectorId": 1, "idTag": short, "meterStart": 0, "timestamp": AT}
    yield "StartTransaction", start
    yield "DataTransfer", {"vendorId": text, "messageId": text[:50], "data": text}
    yield "DiagnosticsStatusNotification", {"status": text}
    yield "SecurityEventNotification", {"type": text[:50], "timestamp": AT, "techInfo": text}


def said_201(text: str) -> Iterator[tuple[str, dict[str, Any]]]:
    itself = {
        "vendorName": text[:50],
        "model": text[:20],
        "serialNumber": text[:25],
        "firmwareVersion": text[:50],
    }
    yield "BootNotification", {"reason": "PowerUp", "chargingStation": itself}
    status = {"timestamp": AT, "evseId": 1, "connectorId": 1}
    yield "StatusNotification", {**status, "connectorStatus": text}
    token = {"idToken": text[:36], "type": "Central"}
    yield "Authorize", {"idToken": token}
    yield (
        "TransactionEvent",
        {
            "eventType": "Started",
            "timestamp": AT,
            "triggerReason": text,
            "seqNo": 0,
            "transactionInfo": {"transactionId": text[:36]},
            "idToken": token,
            "evse": {"id": 1},
        },
    )
    yield "DataTransfer", {"vendorId": text, "data": {text: text}}
    yield "SecurityEventNotification", {"type": text[:50], "timestamp": AT, "techInfo": text}
    variable = {"component": {"name": text[:50]}, "variable": {"name": text[:50]}}
    report = {**variable, "variableAttribute": [{"value": text}]}
    about = {"requestId": 1, "generatedAt": AT, "seqNo": 0}
    yield "NotifyReport", {**about, "reportData": [report]}


async def knock_as(server: Server, text: str, number: int) -> None:
    """A stranger that is called so and boots; and one that asks for a path like this."""
    source = f"127.0.1.{number + 1}"
    name = quote(text, safe="")
    found = await knock(server.port, upgrade(name, "1.6"), source=source)
    if found.status == 101:
        raw = Raw(found, "1.6")
        await raw.ask(*next(said_16(text)))
        await raw.close()
    found.writer.close()
    lost = upgrade(f"x/{name}/y", "1.6", f"User-Agent: {quote(text, safe='<>=/() ')}")
    (await knock(server.port, lost, source=source)).writer.close()


async def look_at_fragments(server: Server, page: Page) -> None:
    """What stands behind the # is a place in the page, or a code to sign in."""
    for path, mark in (("/docs", ""), ("/docs/errors", ""), ("/", "sign-in=")):
        await page.goto(f"{server.client.url}{path}?{quote(PAYLOADS[0])}")
        for text in (*PAYLOADS, *map(quote, PAYLOADS), "%", "%zz"):
            await page.run(f"location.hash = {json.dumps(mark + text)}")
    await page.until(SIGNED_IN)


async def look_at_stations(page: Page) -> None:
    """Each is found by its name, which stands there as it was written."""
    for text in WRITTEN:
        await page.run(f"""
            document.getElementById("filter").value = {json.dumps(text)};
            document.getElementById("filter").dispatchEvent(new Event("input"));
        """)
        names = await page.run(
            "[...document.querySelectorAll('#stations .detail')].map((one) => one.textContent)"
        )
        assert text in names


async def look_at_inbox(server: Server, page: Page) -> None:
    """All of it, some at a time; one is accepted."""
    seen: set[str] = set()
    forms = 0
    while entries := server.client.get("/api/v1/inbox", limit=50)["items"]:
        newest = json.dumps(entries[0]["next_step"].replace("`", ""))  # which mark code
        await page.until(f"document.getElementById('inbox').textContent.includes({newest})")
        seen |= set(
            await page.run(
                "[...document.querySelectorAll('#inbox .title > :first-child')]"
                ".map((one) => one.textContent)"
            )
        )
        if not forms and await page.run(f"{ACCEPT} !== undefined"):
            forms += 1
            await page.run(f"{ACCEPT}.click()")
            await page.until("document.querySelector('#inbox select')")
            places = await page.run(
                "[...document.querySelectorAll('#inbox option')].map((one) => one.textContent)"
            )
            assert set(WRITTEN) <= set(places)
            await page.run("document.querySelector('#inbox form').requestSubmit()")
            await page.until("!document.getElementById('accepted').hidden")
            await page.click("#accepted-done")
        for entry in server.client.get("/api/v1/inbox", limit=50)["items"]:
            server.client.delete(f"/api/v1/inbox/{entry['id']}")
    assert 1 == forms
    assert len(PAYLOADS) / 2 < len(seen & set(PAYLOADS)), seen


async def look_at_addresses(page: Page) -> None:
    """What to enter in a station that is called so."""
    await page.click("#point summary")
    await page.until("document.querySelector('#point-qr svg')")
    for text in PAYLOADS:
        await page.run(f"""
            document.getElementById("alert").hidden = true;
            document.getElementById("point-urls").replaceChildren();
            document.getElementById("point-identity").value = {json.dumps(text)};
            document.getElementById("point-form").requestSubmit();
        """)
        await page.until(
            "!document.getElementById('alert').hidden || document.querySelector('#point-urls li')"
        )
