"""Commands beside a real server, and how that server starts and ends."""

from __future__ import annotations

import json
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from websockets import Subprotocol
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from csms.cli.children import free_port
from csms.cli.http import Client, find_server
from tests.attacks.words import basic
from tests.cli.conftest import START_S, Outcome


def client_of(data_dir: Path) -> Client:
    client = find_server(data_dir)
    assert client is not None
    return client


def serve(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "csms", "serve", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=START_S,
        check=False,
    )


def test_the_address_file_is_for_its_owner_only(data_dir: Path) -> None:
    assert stat.S_IMODE((data_dir / "cli.json").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("listen", "settings", "reason"),
    [
        (["127.0.0.1:1,tls"], {}, "127.0.0.1:1,tls needs tls.certificates and tls.keys"),
        (["127.0.0.1:1,ocpp-only"], {}, "one address must serve the API, not only stations"),
        ([], {"CSMS_TLS__CERTIFICATES": "a.pem"}, "each of tls.certificates needs one"),
        (
            [],
            {"CSMS_TLS__CERTIFICATES": "no.pem", "CSMS_TLS__KEYS": "no.key"},
            "cannot use no.pem or no.key: no such file or directory",
        ),
    ],
)
def test_tls_that_cannot_work_is_refused_in_one_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    listen: list[str],
    settings: dict[str, str],
    reason: str,
) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    addresses = [word for one in listen for word in ("--listen", one)]
    ended = serve("--data-dir", tmp_path / "data", *addresses)
    assert 2 == ended.returncode
    assert ended.stderr.endswith(f"{reason}\n")
    assert 1 == len(ended.stderr.splitlines())


def test_a_second_server_on_the_same_data_is_refused_in_one_line(data_dir: Path) -> None:
    second = serve("--data-dir", data_dir, "--listen", f"127.0.0.1:{free_port(0)}")
    assert second.returncode == 2
    assert str(data_dir) in second.stderr
    assert second.stderr.count("\n") == 1


def test_a_busy_port_is_refused_in_one_line(data_dir: Path, tmp_path: Path) -> None:
    address = client_of(data_dir).url.removeprefix("http://")
    second = serve("--data-dir", tmp_path / "other", "--listen", address)
    assert second.returncode == 2
    assert address in second.stderr
    assert second.stderr.count("\n") == 1


def test_a_token_made_through_the_server_works_at_once(
    csms: Callable[..., Outcome], data_dir: Path
) -> None:
    made = csms("token", "create", "--name", "script", "--json", "--data-dir", data_dir)
    client = Client(client_of(data_dir).url, made.json["token"])
    assert client.get("/api/v1/jobs")["items"] == []
    assert csms("token", "revoke", made.json["id"], "--data-dir", data_dir).code == 0
    listed = csms("token", "list", "--json", "--data-dir", data_dir).json
    assert [one["id"] for one in listed if one["revoked_at"]] == [made.json["id"]]


def test_a_station_is_added_and_listed(csms: Callable[..., Outcome], data_dir: Path) -> None:
    added = csms("stations", "create", "CP 1", "--json", "--data-dir", data_dir).json
    listed = csms("stations", "list", "--json", "--data-dir", data_dir).json
    assert added["connection_url"].endswith("/ocpp/CP%201")
    assert len(added["password"]) == 20
    assert "CP 1" in {one["identity"] for one in listed}


def test_accepting_a_station_that_never_knocked_fails(
    csms: Callable[..., Outcome], data_dir: Path
) -> None:
    outcome = csms("stations", "accept", "nobody", "--data-dir", data_dir)
    assert outcome.code == 1
    assert "nobody is not in the inbox" in outcome.err


@pytest.mark.parametrize(
    ("options", "length", "words"),
    [
        ((), 0, "is told a password over OCPP"),
        (("--new-password",), 20, "Password, not shown again:"),
    ],
)
def test_a_station_that_knocked_is_accepted(
    csms: Callable[..., Outcome],
    data_dir: Path,
    options: tuple[str, ...],
    length: int,
    words: str,
) -> None:
    identity = f"Stranger{len(options)}"
    url = client_of(data_dir).url.replace("http", "ws") + f"/ocpp/{identity}"
    boot = {"chargePointVendor": "Acme", "chargePointModel": "One"}
    with connect(url, subprotocols=[Subprotocol("ocpp1.6")]) as station:
        station.send(json.dumps([2, "1", "BootNotification", boot]))
        assert json.loads(station.recv(START_S))[2]["status"] == "Pending"
        with pytest.raises(InvalidStatus):  # the newest attempt is not the one that waits
            connect(url, subprotocols=[Subprotocol("ocpp1.5")])
        listed = csms("stations", "list", "--inbox", "--json", "--data-dir", data_dir).json
        named = (identity.lower(), "--name", "Gate", *options)
        accepted = csms("stations", "accept", *named, "--data-dir", data_dir)
    stations = csms("stations", "list", "--json", "--data-dir", data_dir).json
    assert [one["cause"] for one in listed] == ["no_common_subprotocol", "unknown_identity"]
    assert "127.0.0.1: unknown_identity, which waits to be accepted" in accepted.err
    assert length == len(accepted.out.strip())
    assert words in accepted.err
    assert (identity, "Gate") in {(one["identity"], one["name"]) for one in stations}


def test_unknown_stations_are_let_in_for_a_while(
    csms: Callable[..., Outcome], data_dir: Path
) -> None:
    opened = csms("onboarding", "open", "--minutes", "2", "--json", "--data-dir", data_dir).json
    assert opened["open"]
    url = client_of(data_dir).url.replace("http", "ws") + "/ocpp/Paired"
    boot = {"chargePointVendor": "Acme", "chargePointModel": "One"}
    credentials = basic("Paired", "x" * 20)
    with connect(
        url, subprotocols=[Subprotocol("ocpp1.6")], additional_headers=credentials
    ) as station:
        station.send(json.dumps([2, "1", "BootNotification", boot]))
        assert json.loads(station.recv(START_S))[2]["status"] == "Accepted"
    shown = csms("onboarding", "show", "--data-dir", data_dir).out
    assert "Paired" in shown
    assert csms("onboarding", "close", "--data-dir", data_dir).code == 0
    assert not csms("onboarding", "show", "--json", "--data-dir", data_dir).json["open"]
    assert csms("onboarding", "open", "--minutes", "61", "--data-dir", data_dir).code == 2


def test_an_attempt_is_explained_and_forgotten(
    csms: Callable[..., Outcome], data_dir: Path
) -> None:
    url = client_of(data_dir).url.replace("http", "ws") + "/ocpp"
    with pytest.raises(InvalidStatus):
        connect(url, subprotocols=[Subprotocol("ocpp1.6")])
    listed = csms("stations", "list", "--inbox", "--data-dir", data_dir).out
    assert "ends before its id" in listed
    entries = csms("stations", "list", "--inbox", "--json", "--data-dir", data_dir).json
    (entry,) = (one for one in entries if one["cause"] == "no_identity")
    assert csms("onboarding", "forget", entry["id"], "--data-dir", data_dir).code == 0
    left = csms("stations", "list", "--inbox", "--json", "--data-dir", data_dir).json
    assert entry["id"] not in {one["id"] for one in left}
    assert csms("onboarding", "forget", entry["id"], "--data-dir", data_dir).code == 1


def test_the_doctor_says_what_to_enter_in_a_station(
    csms: Callable[..., Outcome], data_dir: Path
) -> None:
    found = csms("doctor", "--json", "--data-dir", data_dir).json
    (line,) = (one for one in found if one["check"] == "station url")
    assert line["found"].startswith(client_of(data_dir).url.replace("http", "ws") + "/ocpp/")
    port = client_of(data_dir).url.rpartition(":")[2]
    assert (line["verdict"], f"--listen 0.0.0.0:{port} " in line["fix"]) == ("warn", True)


def test_the_doctor_guides_a_person_to_the_settings_of_a_maker(
    csms: Callable[..., Outcome], data_dir: Path
) -> None:
    where = ("--data-dir", data_dir)
    told = csms("doctor", "--vendor", "autel", "--identity", "GARAGE-1", *where).err
    assert client_of(data_dir).url.replace("http", "ws") + "/ocpp/GARAGE-1" in told
    assert "1. Autel: In the app Autel Charge" in told
    assert "Nothing is known of Nobody; makers that are: ABB" in (
        csms("doctor", "--vendor", "Nobody", *where).err
    )
    assert "--vendor NAME also knows: ABB" in csms("doctor", *where).err
    refused = csms("doctor", "--identity", "a:b", *where)
    assert (2, True) == (refused.code, "must not contain" in refused.err)


def test_a_job_can_be_listed_shown_and_watched(
    csms: Callable[..., Outcome], data_dir: Path
) -> None:
    client = client_of(data_dir)
    location = client.post("/ocpp/locations", {"name": "Depot"})["id"]
    template = {
        "brand_slug": "generic",
        "model_slug": "ac-22kw",
        "connector_type": "Type2",
        "ws_url": "ws://127.0.0.1:9000/ocpp",
        "identity_prefix": "J-",
    }
    # The same identity twice: one item of the three fails.
    groups = [{"template": template, "charger_ids": ["1", "2", "2"]}]
    job = client.post(f"/ocpp/locations/{location}/chargers", groups)["job_id"]
    watched = csms("jobs", "watch", job, "--data-dir", data_dir)
    shown = csms("jobs", "show", job, "--json", "--data-dir", data_dir).json
    listed = csms("jobs", "list", "--json", "--data-dir", data_dir).json
    assert watched.code == 3
    assert watched.err.splitlines()[-1].endswith("3/3 1 not succeeded")
    assert shown["state"] == "done"
    assert [item["identity"] or item["key"] for item in shown["items"]] == ["J-2"]
    assert [one["id"] for one in listed] == [job]


def test_sigterm_is_an_orderly_end(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "csms", "serve", "--data-dir", str(tmp_path / "data")),
            *("--listen", f"127.0.0.1:{free_port(0)}"),
        ],
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    with process, process.stderr as said:
        # The sign-in link is the last thing a first start says.
        assert any("#sign-in=" in line for line in said)
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    assert not (tmp_path / "data" / "cli.json").exists()
