"""Puts secrets into every way there is, and keeps what comes back."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from csms.domain.versions import OcppVersion
from csms.ocpp.directions import FROM_STATION
from tests.acceptance.processes import TOKEN, Server, eventually
from tests.attacks.canaries import Canaries, Everything, ask, opened
from tests.attacks.raw import Raw, credentials, frame, knock, upgrade
from tests.attacks.reading import answers
from tests.attacks.witness import Known
from tests.attacks.words import basic


class Tour:
    """Puts canaries into every way, and keeps what comes back."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.canaries = Canaries()
        self.told = Everything()

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """A request as an admin, whatever comes of it; what comes is kept."""
        answer = self.ask_once(method, path, body, **headers)
        self.told.add(f"answer of {method} {general(path)}", json.dumps(answer))
        return answer

    def ask_once(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """The same where the answer may show a secret, once."""
        bearer = {"Authorization": f"Bearer {TOKEN}"}
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        _, text = ask(f"{self.server.client.url}{path}", method, bearer | more, body)
        try:
            return json.loads(text)
        except ValueError:
            return text.decode(errors="replace")

    def make(self, identity: str) -> Known:
        """A station with a password that a person gave, and then with one that was shown."""
        body = {"identity": identity, "password": self.canaries.new(f"given to {identity}")}
        for _ in range(2):
            made = self.ask("POST", "/api/v1/stations", body, Idempotency_Key=f"make-{identity}")
        rotate = f"/api/v1/stations/{made['id']}/credentials/rotate"
        shown = self.ask_once("POST", rotate, {}, Idempotency_Key=f"rotate-{identity}")
        self.canaries.watch(f"shown of {identity}", shown["password"])
        self.ask("POST", rotate, {}, Idempotency_Key=f"rotate-{identity}")
        return Known(self.server, identity, made["id"], shown["password"])

    async def doors(self, station: Known) -> None:
        """Credentials that are wrong, and secrets where none belongs."""
        new, own, wanted = self.canaries.new, station.identity, list[bytes]()
        bearer = {"Authorization": f"Bearer {new('a bearer at the door')}"}
        for identity, headers in (
            (own, basic(own, new("a wrong password"))),
            ("STRANGER", basic("STRANGER", new("a stranger's password"))),
            (own, basic(new("a password as the user"), "x" * 16)),
            (own, bearer),
            (own, {"Authorization": f"Basic {new('no base64')}!"}),
            (own, {"Authorization": new("no scheme")}),
            (own, {"Cookie": f"session={new('a cookie at the door')}"}),
            (f"{own}?password={new('a query of a refused one')}", {}),
            (f"{own}?token={new('a query of an accepted one')}", credentials(station)),
            (f"u:{new('a user in the path')}@x/{own}", basic(own, "x" * 16)),
            (f"u:{new('a user before the id')}@{own}", {}),
            (f"u%3A{new('a user before the id, encoded')}%40{own}", {}),
            (own, {"Origin": f"https://page.example/?token={new('a query of an Origin')}"}),
            (own, {"User-Agent": f"Box AuthorizationKey={new('a program')}"}),
            (own, {"Sec-WebSocket-Protocol": new("a subprotocol")}),
        ):
            lines = [f"{name}: {value}" for name, value in headers.items()]
            request = upgrade(identity, "1.6", *lines)
            bare = re.sub(rb"Sec-WebSocket-Protocol: [^\r]*\r\n", b"", request)
            wanted += [request, upgrade(identity, "2.0.1", *lines), bare]
        for answer in await asyncio.gather(*(knock(self.server.port, one) for one in wanted)):
            self.told.add("answer of the door", answer.head)
            answer.writer.close()

    def tokens(self) -> None:
        """Tokens that are good, that are not, and where they do not belong."""
        made = self.ask_once("POST", "/api/v1/tokens", {"name": "canary", "role": "admin"})
        token = self.canaries.watch("a token", made["token"])
        new, url = self.canaries.new, self.server.client.url
        for path, headers in (
            ("/api/v1/stations", {"Authorization": f"Bearer {token}"}),
            ("/api/v1/stations", {"Authorization": f"Bearer {new('a wrong token')}"}),
            ("/api/v1/stations", {"Authorization": f"Basic {new('a basic token')}"}),
            ("/api/v1/stations", {"X-API-Key": new("a key in another header")}),
            ("/api/v1/stations", {"Cookie": f"session={new('a cookie')}"}),
            (f"/api/v1/events?access_token={new('a token in a query')}", {}),
            (f"/api/v3/chargers?api_key={new('a key in a query')}", {}),
            (f"/ocpp/locations?token={new('a token of the other dialect')}", {}),
        ):
            self.told.add("answer to a token", ask(f"{url}{path}", "GET", headers)[1])
        for method, path, body in (
            ("POST", "/api/v1/auth/sign-in", {"code": new("a code to sign in")}),
            ("GET", f"/files/{new('a link to nothing')}/x.bin", None),
            ("POST", "/api/v1/stations", {"identity": "a/b", "password": new("of a bad station")}),
            ("POST", "/api/v1/stations", {"identity": 5, "password": [new("in a list")]}),
            ("POST", "/api/v1/stations", {"passwort": new("of an unknown field")}),
            ("POST", "/api/v1/stations", {"identity": "L", "password": new("too long") * 5}),
            ("POST", "/api/v1/stations", [new("no object")]),
        ):
            self.told.add("an error", ask(f"{url}{path}", method, {}, body)[1])
            self.ask(method, path, body)

    def people(self) -> None:
        """Links to sign in, of which one is used; the cookie that it becomes, and wrong ones."""
        url, path = self.server.client.url, "/api/v1/auth/sign-in"
        for name in ("a link that is used", "a link that is not"):
            made = self.ask_once(
                "POST", f"{path}-links", {}, Idempotency_Key=name.replace(" ", "-")
            )
            code = self.canaries.watch(name, made["secret"])
            self.ask("POST", f"{path}-links", {}, Idempotency_Key=name.replace(" ", "-"))
            if name == "a link that is used":
                signed_in = opened(f"{url}{path}", "POST", {}, {"code": code})
                self.told.add(
                    "answer to a used link", ask(f"{url}{path}", "POST", {}, {"code": code})[1]
                )
        cookie = signed_in.headers["Set-Cookie"].partition(";")[0]
        self.canaries.watch("a session's cookie", cookie.partition("=")[2])
        csrf = json.loads(signed_in.text)["session"]["csrf_token"]
        self.canaries.watch("what goes along with the cookie", csrf)
        name = cookie.partition("=")[0]
        page = {"Origin": url, "X-CSRF-Token": csrf}
        for headers in (
            {"Cookie": cookie, **page},
            {"Cookie": cookie, "Origin": url, "X-CSRF-Token": self.canaries.new("a wrong one")},
            {"Cookie": f"{name}={self.canaries.new('a wrong cookie')}", **page},
        ):
            told = ask(f"{url}/api/v1/locations", "POST", headers, {"name": "Hall"})[1]
            self.told.add("answer to a cookie", told)

    async def garbled(self) -> None:
        """What is no HTTP, first on its connection and after a request that was fine."""
        fine = b"GET /healthz HTTP/1.1\r\nHost: csms\r\n\r\n"
        for name, garbled in (
            ("a header without a colon", "GET / HTTP/1.1\r\nAuthorization Bearer {}\r\n\r\n"),
            ("a control character", "GET / HTTP/1.1\r\nAuthorization: Bearer {}\x01\r\n\r\n"),
            (
                "a long header",
                "GET / HTTP/1.1\r\nAuthorization: Bearer {}%s\r\n\r\n" % ("x" * 9000),
            ),
            ("a long query", "GET /?token={}%s HTTP/1.1\r\n\r\n" % ("x" * 9000)),
            ("no version", "GET /?token={} HTTP/9.x\r\n\r\n"),
            ("no length", "POST / HTTP/1.1\r\nContent-Length: {}\r\n\r\n"),
            ("no request", "{}\r\n\r\n"),
        ):
            for before in (b"", fine):
                secret = self.canaries.new(f"{name}, {'second' if before else 'first'}")
                request = before + garbled.format(secret).encode()
                answer = await knock(self.server.port, request)
                self.told.add("answer to no HTTP", answer.head + await answer.reader.read())
                answer.writer.close()

    def webhooks(self) -> None:
        """A receiver that is not there, its secrets, and one in its address."""
        address = self.canaries.new("a receiver's address")
        body = {"url": f"http://127.0.0.1:9/{address}?key={address}", "event_types": ["*"]}
        made = self.ask_once("POST", "/api/v1/webhooks", body, Idempotency_Key="hook")
        self.canaries.watch("a webhook's secret", bare(made["secret"]))
        rotate = f"/api/v1/webhooks/{made['id']}/rotate-secret"
        turned = self.ask_once("POST", rotate, {}, Idempotency_Key="turn")
        self.canaries.watch("a webhook's next secret", bare(turned["secret"]))
        self.ask("POST", rotate, {}, Idempotency_Key="turn")
        self.ask("POST", f"/api/v1/webhooks/{made['id']}/test")

    async def frames(self, raw: Raw) -> None:
        """What a station tells by itself."""

        def new(name: str) -> str:
            return self.canaries.new(f"{name}, {raw.version}")

        variable = {
            "component": {"name": "SecurityCtrlr"},
            "variable": {"name": "BasicAuthPassword"},
        }
        report = {
            "requestId": 1,
            "generatedAt": "2026-11-20T10:00:00Z",
            "seqNo": 0,
            "reportData": [{**variable, "variableAttribute": [{"value": new("a report")}]}],
        }
        for action, payload in (
            (
                "DataTransfer",
                {"vendorId": "v", "data": json.dumps({"password": new("JSON in text")})},
            ),
            ("DataTransfer", {"vendorId": "v", "data": {"AuthorizationKey": new("an object")}}),
            ("DataTransfer", {"vendorId": "v", "data": f"AuthorizationKey={new('text')}"}),
            ("DataTransfer", {"vendorId": "v", "x": {"password": [new("a list")]}}),
            ("DataTransfer", {"data": {"BasicAuthPassword": new("a flawed message")}}),
            ("NotifyReport", report),
            ("Nope", {"password": new("an unknown action")}),
            ("Reset", {"password": new("an action of ours")}),
            (
                "SecurityEventNotification",
                {
                    "type": "SettingSystemTime",
                    "timestamp": "2026-11-20T10:00:00Z",
                    "techInfo": f"password: {new('a security event')}",
                },
            ),
            ("LogStatusNotification", {"status": "x", "info": {"password": new("a status")}}),
            (f"AuthorizationKey={new('an action')}", {}),
            ("Heartbeat", {f"AuthorizationKey={new('the name of a field')}": 1}),
        ):
            self.told.add("answer to a station", json.dumps(await raw.ask(action, payload)))
        for action in sorted(FROM_STATION[OcppVersion(raw.version)]):  # some have no answer
            raw.send(action, {"customData": {"vendorId": "v", "AuthorizationKey": new(action)}})
        key = new("a cut off frame").encode()
        for broken in (
            b'[2,"x","DataTransfer",{"vendorId":"v","data":{"AuthorizationKey":"' + key,
            b'{"AuthorizationKey":"' + new("no frame").encode() + b'"}',
            b'[2,"y","DataTransfer",{"password":"' + new("twice").encode() + b'","password":"b"}]',
            b'[9,"z",{"password":"' + new("an unknown type").encode() + b'"}]',
            b'[2,"AuthorizationKey=' + new("a message id").encode() + b'","Heartbeat",{}]',
        ):
            raw.write(frame(broken))
        found, _ = await raw.until(raw.send("Heartbeat", {}))
        self.told.add("answer to a broken frame", json.dumps(found))

    def orders(self, station: Known, version: str, state: str) -> None:
        """What a station is told: through each way of telling it."""

        def new(name: str) -> str:
            return self.canaries.new(f"{name}, {version}, {state}")

        key, named = {"component": "Wifi", "variable": "Password"}, "Wifi.Password"
        if version == "1.6":
            key, named = {"variable": "WifiPassword"}, "WifiPassword"
        path = f"/api/v1/stations/{station.id}"
        for order in secret_orders(version, key, new):
            self.ask("POST", f"{path}/commands", {**order, "timeout_s": 2})
        self.ask("PATCH", f"{path}/variables", {"variables": [{**key, "value": new("a change")}]})
        self.ask("POST", f"{path}/credentials/rotate", {"push": True})
        self.ask("POST", f"{path}/logs", {})
        spec = set_variable(key, new("a job"))
        job = {"kind": "command", "target": {"station_ids": [station.id]}, "spec": spec}
        self.ask("POST", "/api/v1/jobs/preview", job)
        made = self.ask("POST", "/api/v1/jobs", job, Idempotency_Key=f"job-{version}-{state}")
        eventually(lambda: is_over(self.server, made["id"]), timeout_s=120, what="the job")
        configuration = {named: new("a configuration")}
        self.ask(
            "POST",
            "/ocpp/commands/configuration",
            {"target": {"charger_id": station.id}, "event": {"configuration": configuration}},
        )
        run = {
            "command": "ChangeConfiguration",
            "charger_ids": [station.id],
            "data": {"key": "WifiPassword", "value": new("a bulk run")},
        }
        self.ask("POST", "/api/v3/chargers/commands/bulk", run)

    async def late_answers(self, raw: Raw, station: Known) -> None:
        """An order is answered when nobody waits any more, and by a frame that is cut off."""
        for cut in (False, True):
            secret = self.canaries.new(f"a late answer, {raw.version}, {cut}")
            data = {"password": secret}
            payload = {"vendorId": "v", "data": json.dumps(data) if raw.version == "1.6" else data}
            order = {"action": "DataTransfer", "payload": payload}
            path = f"/api/v1/stations/{station.id}/commands"
            asked = asyncio.create_task(
                asyncio.to_thread(self.ask, "POST", path, {**order, "timeout_s": 1})
            )
            call = await raw.next_call()
            while secret not in json.dumps(call):
                call = await raw.next_call()
            late = json.dumps([3, call[1], {"status": "Accepted", "data": f"set to {secret}"}])
            if cut:
                raw.write(frame(late[:-3].encode()))
            await asked
            raw.write(frame(late.encode()))
            await raw.until(raw.send("Heartbeat", {}))

    def sheet(self) -> None:
        """Passwords of stations that a job made."""
        place = self.ask("POST", "/api/v1/locations", {"name": "Yard"})
        groups = [{"identity_prefix": "MANY-", "number": 3, "virtual": False}]
        spec = {"location_id": place["id"], "groups": groups}
        job = self.ask("POST", "/api/v1/jobs", {"kind": "station_create", "spec": spec})
        eventually(lambda: is_over(self.server, job["id"]), timeout_s=120, what="the stations")
        sheet = self.ask_once("POST", f"/api/v1/jobs/{job['id']}/credentials", {})
        for row in sheet["items"]:
            self.canaries.watch(f"the sheet, {row['identity']}", row["password"])

    def read_all(self, folder: Path) -> None:
        """Every answer of the API, the exports, a backup, and every file."""
        for path, text in answers(self.server.client):
            self.told.add(general(path), text)
        for path in ("/api/v1/messages", "/api/v1/stations"):
            self.ask("GET", path, Accept="application/x-ndjson")
        backup = folder / "backup.tar"
        subprocess.run(
            [sys.executable, "-m", "csms", "backup", str(backup), "--data-dir", str(folder / "data")],
            check=True, capture_output=True,
        )  # fmt: skip
        with tarfile.open(backup) as tar:
            for member in tar.getmembers():
                file = tar.extractfile(member)
                self.told.add(f"backup {member.name}", b"" if file is None else file.read())
        self.told.add_files(folder)  # while the process runs: the WAL is there, too


def is_over(server: Server, job_id: str) -> bool:
    """Whether nothing more comes of the job."""
    state = server.client.get(f"/api/v1/jobs/{job_id}")["state"]
    return state in {"done", "failed", "cancelled", "paused"}


def general(path: str) -> str:
    """Without its ids and its query."""
    return re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "{id}", path.partition("?")[0])


def bare(secret: str) -> str:
    """What is secret in a webhook's secret."""
    return secret.removeprefix("whsec_").rstrip("=")


def set_variable(key: dict[str, str], value: str) -> dict[str, Any]:
    return {"command": "set_variables", "params": {"variables": [{**key, "value": value}]}}


def secret_orders(
    version: str, key: dict[str, str], new: Callable[[str], str]
) -> list[dict[str, Any]]:
    """Every order that has a place for a secret; `key` is a variable of the station's."""
    # Of a station's own password we take none; of others it may have any.
    if version == "1.6":
        own = {"variable": "AuthorizationKey"}
        pair = {"key": "WifiPassword", "value": new("a raw order")}
        call: dict[str, Any] = {"action": "ChangeConfiguration", "payload": pair}
    else:
        own = {"component": "SecurityCtrlr", "variable": "BasicAuthPassword"}
        call = {
            "action": "SetVariables",
            "payload": {"setVariableData": [{
                "component": {"name": "Wifi"}, "variable": {"name": "Password"},
                "attributeValue": new("a raw order"),
            }]},
        }  # fmt: skip
    vpn = {"type": "L2TP", "server": "s", "user": "u"}
    network = {
        "configuration_slot": 1,
        "ocpp_csms_url": "wss://csms.example.com/ocpp",
        "security_profile": 3,
        "ocpp_interface": "Wired0",
        "vpn": {**vpn, "password": new("a VPN"), "key": new("its key")},
    }
    data = json.dumps({"password": new("a transfer")})
    firmware = {
        "location": f"https://u:{new('firmware')}@h/x",
        "retrieve_at": "2026-11-20T10:00:00Z",
    }
    return [
        call,
        set_variable(key, new("an order")),
        set_variable(own, new("its own")),
        {"command": "set_network_profile", "params": network},
        {"command": "data_transfer", "params": {"vendor_id": "v", "data": data}},
        {"command": "get_log", "params": {"location": f"ftp://u:{new('a log')}@h/x"}},
        {"command": "update_firmware", "params": firmware},
    ]
