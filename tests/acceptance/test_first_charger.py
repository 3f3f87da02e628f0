"""A newcomer's first station, from `csms serve` to accepted: each mistake is made and explained."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidMessage, InvalidStatus
from websockets.typing import Subprotocol

from csms.cli.failures import Refused
from csms.domain.onboarding import NEXT_STEPS, Cause
from tests.attacks.words import basic

from .processes import Server, eventually, free_port

OWN = "the-factory-password"  # 20 bytes, as it came with the station
SECRETS = (OWN, "wrong-password-0001", "half-of-it")
BOOTS = {
    "ocpp1.6": {"chargePointVendor": "Acme", "chargePointModel": "One"},
    "ocpp2.0.1": {
        "reason": "PowerUp",
        "chargingStation": {"vendorName": "Acme", "model": "One"},
    },
}
VERSIONS = list(BOOTS)
# As long as the server asks held stations to wait before they boot again.
WITHIN_S = 10.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """As in production, with one port for ws and one for wss."""
    folder = tmp_path_factory.mktemp("first")
    data, tls_port = folder / "data", free_port()
    made = subprocess.run(
        [sys.executable, "-m", "csms", "tls", "init", "--host", "127.0.0.1", "--data-dir", data],
        capture_output=True,
        check=True,
    )
    assert b"[tls]" in made.stdout
    server = Server(
        folder,
        dev=False,
        also=[f"127.0.0.1:{tls_port},tls,ocpp-only"],
        CSMS_TLS__CERTIFICATES=str(data / "tls" / "ec.pem"),
        CSMS_TLS__KEYS=str(data / "tls" / "ec.key"),
    )
    server.start()
    server.tls_port = tls_port  # type: ignore[attr-defined]
    yield server
    assert server.stop() == 0
    text = server.log.read_text()
    assert "Traceback" not in text
    stored = b"".join(path.read_bytes() for path in data.glob("csms.sqlite3*"))
    for secret in SECRETS:
        assert secret not in text
        assert secret.encode() not in stored


def dial(
    server: Server,
    path: str,
    *subprotocols: str,
    credentials: tuple[str, str] | None = None,
    tls: bool | None = None,
    port: int | None = None,
) -> connect:
    """As a station does; `credentials` are user name and password."""
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    return connect(
        f"{'wss' if tls else 'ws'}://127.0.0.1:{port or server.port}{path}",
        subprotocols=[Subprotocol(one) for one in subprotocols] or None,
        additional_headers=basic(*credentials) if credentials else {},
        ssl=trusting if tls else None,
        open_timeout=10,
        ping_interval=None,
    )


async def fails(dialling: connect) -> int | None:
    """The status of the refusal; None when there was not even an answer."""
    try:
        async with dialling:
            raise AssertionError("it was let in")
    except InvalidStatus as refused:
        return refused.response.status_code
    except (OSError, EOFError, InvalidMessage, ssl.SSLError):
        return None


def ask(port: int, head: str) -> bytes:
    """The first line of the answer to a request as it stands."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as raw:
        raw.sendall((head + "\r\nHost: csms\r\n\r\n").encode())
        return raw.makefile("rb").readline()


def seen(server: Server, identity: str, cause: str) -> dict[str, Any]:
    """The entry of the inbox, once it is there; it says what to do."""
    entry: dict[str, Any] = eventually(
        lambda: next(
            (
                one
                for one in server.client.pages("/api/v1/inbox")
                if (one["identity"], one["cause"]) == (identity, cause)
            ),
            None,
        ),
        timeout_s=10,
        what=f"{cause} of {identity!r} in the inbox",
    )
    assert NEXT_STEPS[Cause(cause)] == entry["next_step"]
    assert not any(secret in json.dumps(entry) for secret in SECRETS)
    return entry


async def boot(station: ClientConnection, subprotocol: str) -> str:
    """Boot and return what the server makes of it."""
    await station.send(json.dumps([2, "boot", "BootNotification", BOOTS[subprotocol]]))
    async with asyncio.timeout(10):
        while True:
            frame = json.loads(await station.recv())
            if frame[0] == 3 and frame[1] == "boot":
                return str(frame[2]["status"])
            # OCPP 2.x lets us ask for a boot of a station that has not been accepted.
            await station.send(json.dumps([3, frame[1], {"status": "Accepted"}]))


# ---- mistakes --------------------------------------------------------------------------------


async def test_wss_to_the_plain_port(server: Server) -> None:
    assert await fails(dial(server, "/ocpp/M-1", "ocpp1.6", tls=True)) is None
    assert "ws://" in seen(server, "", "tls_on_plain_port")["next_step"]


async def test_ws_to_the_port_with_tls(server: Server) -> None:
    port: int = server.tls_port  # type: ignore[attr-defined]
    assert await fails(dial(server, "/ocpp/M-2", "ocpp1.6", port=port)) is None
    assert "wss://" in seen(server, "", "plain_on_tls_port")["next_step"]


@pytest.mark.parametrize("path", ["/ocpp", "/ocpp/", "/steve/websocket/CentralSystemService"])
async def test_a_url_without_the_identity(server: Server, path: str) -> None:
    assert await fails(dial(server, path, "ocpp1.6", credentials=("x", OWN))) == 400
    entry = seen(server, path.strip("/").split("/")[-1], "no_identity")
    assert f"GET {path.rstrip('/')}" in entry["sent"]


@pytest.mark.parametrize(
    ("identity", "offered"), [("M-3", ()), ("M-4", ("ocpp1.5",)), ("M-5", ("ocpp2.0", "chat"))]
)
async def test_a_subprotocol_that_is_wrong_or_missing(
    server: Server, identity: str, offered: tuple[str, ...]
) -> None:
    assert await fails(dial(server, f"/ocpp/{identity}", *offered)) == 400
    entry = seen(server, identity, "no_common_subprotocol")
    assert entry["detail"] == (", ".join(offered) or "none offered")


def test_a_request_that_forgets_to_ask_for_a_websocket(server: Server) -> None:
    port: int = server.port
    assert b" 404 " in ask(port, "GET /ocpp/M-6 HTTP/1.1")
    assert "M-6" in seen(server, "M-6", "no_upgrade")["sent"]
    key = "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="
    assert b" 426 " in ask(port, f"GET /anywhere/M-7 HTTP/1.1\r\n{key}")
    assert "without Upgrade" in seen(server, "M-7", "no_upgrade")["detail"]


def test_a_request_of_a_program_is_no_lost_station(server: Server) -> None:
    with pytest.raises(Refused):
        server.client.get("/ocpp/M-8")
    found = server.client.pages("/api/v1/inbox")
    assert "M-8" not in {entry["identity"] for entry in found}


def test_a_broken_handshake(server: Server) -> None:
    assert b" 400 " in ask(server.port, "GET /ocpp/M-9 HTTP/1.1\r\nUpgrade: websocket")
    assert "Sec-WebSocket-Key" in seen(server, "M-9", "bad_handshake")["detail"]


@pytest.mark.parametrize("subprotocol", VERSIONS)
async def test_wrong_credentials(server: Server, subprotocol: str) -> None:
    identity = f"M-10-{subprotocol}"
    server.client.post("/api/v1/stations", {"identity": identity})
    for credentials, cause, words in (
        (None, "no_credentials", "no password"),
        ((identity, SECRETS[1]), "bad_password", "a password of 19 bytes"),
        (("other", SECRETS[1]), "identity_mismatch", "another user name (5 characters)"),
    ):
        dialling = dial(server, f"/ocpp/{identity}", subprotocol, credentials=credentials)
        assert await fails(dialling) == 401
        assert words in seen(server, identity, cause)["sent"]


async def test_fields_that_were_confused(server: Server) -> None:
    server.client.post("/api/v1/stations", {"identity": "M-11"})
    dialling = dial(server, "/ocpp/M-11", "ocpp1.6", credentials=(OWN, "M-11"))
    assert await fails(dialling) == 401
    entry = seen(server, "M-11", "identity_mismatch")
    assert "in each other's place" in entry["sent"]


async def test_a_blank_at_the_end_of_the_password(server: Server) -> None:
    made = server.client.post("/api/v1/stations", {"identity": "M-12"})
    credentials = ("M-12", made["password"] + " ")
    assert await fails(dial(server, "/ocpp/M-12", "ocpp1.6", credentials=credentials)) == 401
    entry = seen(server, "M-12", "bad_password")
    assert "a password of 21 bytes, with a blank at its end" in entry["sent"]


def test_soap_is_not_served_and_says_so(server: Server) -> None:
    head = "Content-Type: application/soap+xml; charset=utf-8\r\nContent-Length: 0"
    for path, identity in (("/ocpp/M-15", "M-15"), ("/", "")):
        assert b" 40" in ask(server.port, f"POST {path} HTTP/1.1\r\n{head}")
        entry = seen(server, identity, "no_upgrade")
        assert entry["detail"] == "it speaks SOAP"
        assert "choose OCPP JSON" in entry["next_step"]


def test_our_own_doctor_leaves_no_attempt(server: Server) -> None:
    assert server.client.welcomes_stations()
    ask(server.port, "GET /ocpp/M-16 HTTP/1.1")
    seen(server, "M-16", "no_upgrade")  # by now the one before would be there too
    sent = [one["sent"] or "" for one in server.client.pages("/api/v1/inbox")]
    assert [] == [one for one in sent if "csms doctor" in one]


def test_a_blank_in_the_url_is_part_of_the_identity(server: Server) -> None:
    lines = ["GET /ocpp/My Charger HTTP/1.1", "Upgrade: websocket", "Sec-WebSocket-Version: 13"]
    lines += ["Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==", "Sec-WebSocket-Protocol: ocpp1.6"]
    assert b" 101 " in ask(server.port, "\r\n".join(lines))  # without `Connection: Upgrade`, too
    entry = seen(server, "My Charger", "unknown_identity")
    assert "/ocpp/My Charger" in entry["sent"]
    assert "its URL has a blank" in entry["detail"]
    assert "Connection: Upgrade" in entry["detail"]
    assert b" 101 " in ask(server.port, "\r\n".join([lines[0].replace("My ", "%20"), *lines[1:]]))
    assert "begins or ends with a blank" in known(server, " Charger")["detail"]


def test_an_attempt_can_be_forgotten(server: Server) -> None:
    ask(server.port, "GET /ocpp/M-13 HTTP/1.1")
    entry = seen(server, "M-13", "no_upgrade")
    server.client.delete(f"/api/v1/inbox/{entry['id']}")
    found = server.client.pages("/api/v1/inbox")
    assert "M-13" not in {one["identity"] for one in found}
    with pytest.raises(Refused, match="not found"):
        server.client.delete(f"/api/v1/inbox/{entry['id']}")


def test_the_command_line_says_what_to_do(server: Server, tmp_path: Path) -> None:
    ask(server.port, "GET /ocpp/M-14 HTTP/1.1")
    seen(server, "M-14", "no_upgrade")
    words = [*(sys.executable, "-m", "csms", "stations", "list", "--inbox")]
    words += ["--data-dir", str(server.directory / "data")]
    shown = subprocess.run(words, capture_output=True, check=True, text=True).stdout
    (line,) = (one for one in shown.splitlines() if one.startswith("M-14\t"))
    assert NEXT_STEPS[Cause.NO_UPGRADE] in line


# ---- accepted --------------------------------------------------------------------------------


@pytest.mark.parametrize("subprotocol", VERSIONS)
async def test_a_station_with_a_password_of_its_own_is_in_at_its_next_boot(
    server: Server, subprotocol: str
) -> None:
    identity = f"OWN-{subprotocol}"
    place = server.client.post("/api/v1/locations", {"name": "Garage"})["id"]
    credentials = (identity, OWN)
    async with dial(server, f"/ocpp/{identity}", subprotocol, credentials=credentials) as station:
        seen(server, identity, "unknown_identity")  # before it has booted
        assert await boot(station, subprotocol) == "Pending"
        entry = eventually(lambda: (one := known(server, identity))["vendor"] and one)
        assert (entry["model"], entry["attempts"]) == ("One", 1)
        body = {"location_id": place, "name": "Left"}
        accepted = server.client.post(f"/api/v1/inbox/{entry['id']}/accept", body)
        assert (accepted["password"], accepted["password_from"]) == (None, "station")
        assert accepted["admitted"]
        assert await boot(station, subprotocol) == "Accepted"
        shown = server.client.get(f"/api/v1/stations/{accepted['station_id']}")
        assert (shown["location_id"], shown["name"], shown["online"]) == (place, "Left", True)
    # From now on only with that password.
    assert await fails(dial(server, f"/ocpp/{identity}", subprotocol)) == 401
    async with dial(server, f"/ocpp/{identity}", subprotocol, credentials=credentials) as station:
        assert await boot(station, subprotocol) == "Accepted"


def known(server: Server, identity: str) -> dict[str, Any]:
    return seen(server, identity, "unknown_identity")


@pytest.mark.parametrize("subprotocol", VERSIONS)
async def test_a_silent_station_is_asked_for_the_boot_that_lets_it_in(
    server: Server, subprotocol: str
) -> None:
    identity = f"SILENT-{subprotocol}"
    credentials = (identity, OWN)
    async with dial(server, f"/ocpp/{identity}", subprotocol, credentials=credentials) as station:
        entry = known(server, identity)
        accepted = server.client.post(f"/api/v1/inbox/{entry['id']}/accept", {})
        assert accepted["admitted"]
        async with asyncio.timeout(WITHIN_S):
            asked = json.loads(await station.recv())
        assert asked[2:] == ["TriggerMessage", {"requestedMessage": "BootNotification"}]
        await station.send(json.dumps([3, asked[1], {"status": "Accepted"}]))
        assert await boot(station, subprotocol) == "Accepted"


@pytest.mark.parametrize("subprotocol", VERSIONS)
async def test_a_station_without_a_password_stays_and_is_told_one(
    server: Server, subprotocol: str
) -> None:
    identity = f"BARE-{subprotocol}"
    async with dial(server, f"/ocpp/{identity}", subprotocol) as station:
        assert await boot(station, subprotocol) == "Pending"
        path = f"/api/v1/inbox/{known(server, identity)['id']}/accept"
        accepted = server.client.post(path, {})
        assert (accepted["password_from"], accepted["admitted"]) == ("told", True)
        assert accepted["password"] is None
        # While it is in nobody else comes in its name.
        assert await fails(dial(server, f"/ocpp/{identity}", subprotocol)) == 401
        assert await boot(station, subprotocol) == "Accepted"
        credentials = (identity, await takes_a_password(station))
    async with dial(server, f"/ocpp/{identity}", subprotocol, credentials=credentials) as station:
        assert await boot(station, subprotocol) == "Accepted"
    assert await fails(dial(server, f"/ocpp/{identity}", subprotocol)) == 401


async def test_a_crash_right_after_accepting_is_nothing_to_the_station(server: Server) -> None:
    async with dial(server, "/ocpp/CRASH", "ocpp1.6") as station:
        assert await boot(station, "ocpp1.6") == "Pending"
        path = f"/api/v1/inbox/{known(server, 'CRASH')['id']}/accept"
        assert server.client.post(path, {})["password_from"] == "told"
        server.kill()
    server.start()
    async with dial(server, "/ocpp/CRASH", "ocpp1.6") as station:
        assert await boot(station, "ocpp1.6") == "Accepted"
        credentials = ("CRASH", await hears_a_password(station))  # its answer never arrives
    # Whichever the station uses now comes in, until it has used the one it was told.
    async with dial(server, "/ocpp/CRASH", "ocpp1.6") as station:
        assert await boot(station, "ocpp1.6") == "Accepted"
    async with dial(server, "/ocpp/CRASH", "ocpp1.6", credentials=credentials) as station:
        assert await boot(station, "ocpp1.6") == "Accepted"
    assert await fails(dial(server, "/ocpp/CRASH", "ocpp1.6")) == 401


async def hears_a_password(station: ClientConnection) -> str:
    """What it is told, without an answer."""
    async with asyncio.timeout(20):
        while (frame := json.loads(await station.recv()))[2] != "ChangeConfiguration":
            await station.send(json.dumps([3, frame[1], {"status": "Accepted"}]))
    return bytes.fromhex(frame[3]["value"]).decode()


async def takes_a_password(station: ClientConnection) -> str:
    """What it is told over OCPP, once it has said that it uses it; any other order is accepted."""
    told = None
    async with asyncio.timeout(20):
        while told is None:
            frame = json.loads(await station.recv())
            answer: dict[str, Any] = {"status": "Accepted"}
            if frame[2] == "ChangeConfiguration":
                told = bytes.fromhex(frame[3]["value"]).decode()
            elif frame[2] == "SetVariables":
                (data,) = frame[3]["setVariableData"]
                told = data["attributeValue"]
                named = {key: data[key] for key in ("component", "variable")}
                answer = {"setVariableResult": [{"attributeStatus": "Accepted", **named}]}
            await station.send(json.dumps([3, frame[1], answer]))
    return str(told)


@pytest.mark.parametrize("subprotocol", VERSIONS)
async def test_a_station_without_a_password_is_given_one_and_comes_back(
    server: Server, subprotocol: str
) -> None:
    identity = f"SHOWN-{subprotocol}"
    async with dial(server, f"/ocpp/{identity}", subprotocol) as station:
        assert await boot(station, subprotocol) == "Pending"
        path = f"/api/v1/inbox/{known(server, identity)['id']}/accept"
        accepted = server.client.post(path, {"new_password": True})
        assert (accepted["password_from"], accepted["admitted"]) == ("new", False)
        async with asyncio.timeout(5):
            await station.wait_closed()
        assert station.close_code == 1012
    assert await fails(dial(server, f"/ocpp/{identity}", subprotocol)) == 401
    assert "password" in seen(server, identity, "no_credentials")["next_step"]
    credentials = (identity, accepted["password"])
    async with dial(server, f"/ocpp/{identity}", subprotocol, credentials=credentials) as station:
        assert await boot(station, subprotocol) == "Accepted"


async def test_a_password_of_the_operator_counts(server: Server) -> None:
    async with dial(server, "/ocpp/GIVEN", "ocpp1.6", credentials=("GIVEN", OWN)) as station:
        assert await boot(station, "ocpp1.6") == "Pending"
        path = f"/api/v1/inbox/{known(server, 'GIVEN')['id']}/accept"
        with pytest.raises(Refused, match="16 to 64"):
            server.client.post(path, {"password": "short"})
        accepted = server.client.post(path, {"password": "sixteen-or-more-bytes"})
        assert accepted["password"] is None
        assert (accepted["password_from"], accepted["admitted"]) == ("given", False)
    credentials = ("GIVEN", "sixteen-or-more-bytes")
    async with dial(server, "/ocpp/GIVEN", "ocpp1.6", credentials=credentials) as station:
        assert await boot(station, "ocpp1.6") == "Accepted"


# ---- for some minutes ------------------------------------------------------------------------


@pytest.fixture
def opened(server: Server) -> Iterator[dict[str, Any]]:
    """Unknown stations are let in."""
    yield server.client.post("/api/v1/onboarding", {"minutes": 1})
    server.client.delete("/api/v1/onboarding")


@pytest.mark.parametrize("subprotocol", VERSIONS)
async def test_while_the_window_is_open_a_station_keeps_what_it_brings(
    server: Server, opened: dict[str, Any], subprotocol: str
) -> None:
    identity = f"AUTO-{subprotocol}"
    assert opened["open"]
    credentials = (identity, OWN)
    async with dial(server, f"/ocpp/{identity}", subprotocol, credentials=credentials) as station:
        assert await boot(station, subprotocol) == "Accepted"
    (entry,) = server.client.get("/api/v1/onboarding")["stations"]
    assert (entry["identity"], entry["password_from"]) == (identity, "station")
    wrong = (identity, SECRETS[1])
    assert await fails(dial(server, f"/ocpp/{identity}", subprotocol, credentials=wrong)) == 401
    server.client.delete("/api/v1/onboarding")
    async with dial(server, f"/ocpp/{identity}", subprotocol, credentials=credentials) as station:
        assert await boot(station, subprotocol) == "Accepted"


@pytest.mark.parametrize("subprotocol", VERSIONS)
async def test_one_that_brings_no_password_is_told_one(
    server: Server, opened: dict[str, Any], subprotocol: str
) -> None:
    identity = f"TOLD-{subprotocol}"
    async with dial(server, f"/ocpp/{identity}", subprotocol) as station:
        assert await boot(station, subprotocol) == "Accepted"
        told = await takes_a_password(station)
    server.client.delete("/api/v1/onboarding")
    assert await fails(dial(server, f"/ocpp/{identity}", subprotocol)) == 401
    credentials = (identity, told)
    async with dial(server, f"/ocpp/{identity}", subprotocol, credentials=credentials) as station:
        assert await boot(station, subprotocol) == "Accepted"


async def test_a_station_that_is_held_connects_again_and_is_in(server: Server) -> None:
    credentials = ("HELD", OWN)
    async with dial(server, "/ocpp/HELD", "ocpp1.6", credentials=credentials) as station:
        assert await boot(station, "ocpp1.6") == "Pending"
        server.client.post("/api/v1/onboarding", {"minutes": 1})
        async with asyncio.timeout(5):
            await station.wait_closed()
    async with dial(server, "/ocpp/HELD", "ocpp1.6", credentials=credentials) as station:
        assert await boot(station, "ocpp1.6") == "Accepted"
    server.client.delete("/api/v1/onboarding")


async def test_one_that_takes_no_password_stays_out_after_the_window(
    server: Server, opened: dict[str, Any]
) -> None:
    for _ in range(2):  # it may come as often as it likes meanwhile
        async with dial(server, "/ocpp/NEVER", "ocpp1.6") as station:
            assert await boot(station, "ocpp1.6") == "Accepted"
    server.client.delete("/api/v1/onboarding")
    assert await fails(dial(server, "/ocpp/NEVER", "ocpp1.6")) == 401
    assert "csms stations password" in seen(server, "NEVER", "no_password_set")["next_step"]


async def test_no_restart_finds_the_window_open(server: Server, opened: dict[str, Any]) -> None:
    assert server.stop() == 0
    server.start()
    assert not server.client.get("/api/v1/onboarding")["open"]
    async with dial(server, "/ocpp/LATE", "ocpp1.6", credentials=("LATE", OWN)) as station:
        assert await boot(station, "ocpp1.6") == "Pending"
