"""The processes of the demo: a server, and a fleet of its own when the server is to be killed."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from pathlib import Path

from csms.cli.children import Child, free_port
from csms.cli.failures import BadUsage, CommandFailed, Refused, ServerUnreachable
from csms.cli.http import Client

PORT = 9000
PORT_ATTEMPTS = 5
READY_S = 30.0


class Stage:
    """What runs for the demo, all of it in one directory, and the way to its server."""

    client: Client
    station_url: str
    _server: Child

    def __init__(self, directory: Path, *, frames: Path | None, crash: bool) -> None:
        self.crash = crash
        self.frames = (frames or directory / "frames.ndjson").resolve()
        if self.frames.exists():
            raise BadUsage(f"{self.frames} exists; what is in it would be counted too")
        self._directory = directory
        self._token = secrets.token_urlsafe(24)
        self._fleet: Child | None = None
        self._choose(free_port(PORT))

    def open(self) -> None:
        """Start the server; raises CommandFailed when it does not come up."""
        for _ in range(PORT_ATTEMPTS):
            try:
                self.start_server()
            except CommandFailed:
                if "cannot listen" not in self._server.last_words():
                    raise
                # Somebody took the port since we looked.
                self._choose(free_port(0))
            else:
                return
        raise CommandFailed("every port was taken by somebody else")

    def start_server(self) -> None:
        """Start it, or start it again, and wait until it accepts stations."""
        self._server.start()
        self._server.wait_until(self._is_ready, timeout_s=READY_S)

    def kill_server(self) -> None:
        """SIGKILL."""
        self._server.kill()

    def start_fleet(self, versions: Mapping[str, str]) -> None:
        """Let stations live in a process that no crash of the server reaches.

        `versions` of OCPP by identity.
        """
        roster = self._directory / "stations.ndjson"
        lines = [
            json.dumps({"identity": identity, "version": version})
            for identity, version in versions.items()
        ]
        roster.write_text("".join(f"{line}\n" for line in lines))
        arguments = ["fleet", "run", "--url", self.station_url, "--from", str(roster)]
        self._fleet = Child(
            "the fleet",
            [*arguments, "--frames", str(self.frames)],
            log=self._directory / "fleet.log",
            environment={},
        )
        self._fleet.start()

    def check(self) -> None:
        """Raises CommandFailed when a process has ended by itself."""
        for child in self._children():
            child.check()

    def wait(self) -> None:
        """Return when the server ends."""
        self._server.wait()

    def stop(self) -> None:
        """End everything, the stations first."""
        for child in self._children():
            child.stop()

    def _children(self) -> list[Child]:
        return [self._server] if self._fleet is None else [self._fleet, self._server]

    def _choose(self, port: int) -> None:
        self.client = Client(f"http://127.0.0.1:{port}", self._token)
        self.station_url = f"ws://127.0.0.1:{port}/ocpp"
        environment = {"CSMS_ADMIN_TOKEN": self._token}
        if not self.crash:
            environment["CSMS_FLEET__FRAMES"] = str(self.frames)
        data = self._directory / "data"
        self._server = Child(
            "the server",
            ["serve", "--dev", "--listen", f"127.0.0.1:{port}", "--data-dir", str(data)],
            log=self._directory / "server.log",
            environment=environment,
        )

    def _is_ready(self) -> bool:
        if not self.client.answers("/readyz"):
            return False
        try:
            self.client.get("/api/v1/jobs", limit=1)
        except (Refused, ServerUnreachable):
            return False  # it does not know our token, so it is not ours
        return True
