"""Webhooks over kills: a real server, a real receiver, and every event at least once."""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random
from typing import Any

import pytest

from csms.domain.webhooks import signature

from .processes import Server, eventually

KILLS = 3
PER_LIFE = 25


class Receiver(ThreadingHTTPServer):
    """Fails one in ten, keeps what it was sent, and when told to, lets it wait for an answer."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.posts: list[tuple[dict[str, str], bytes]] = []
        self.taken: dict[str, set[bytes]] = defaultdict(set)
        self.answers = threading.Event()
        self.answers.set()
        self.unanswered: list[str] = []
        self.random = Random(4)
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/in"

    def take(self, headers: dict[str, str], body: bytes) -> int:
        if not self.answers.is_set():
            self.unanswered.append(headers["webhook-id"])
            self.answers.wait()
            return 500
        with self._lock:
            self.posts.append((headers, body))
            if self.random.random() < 0.1:
                return 500
            self.taken[headers["webhook-id"]].add(body)
            return 204

    def seen(self) -> tuple[list[tuple[dict[str, str], bytes]], dict[str, set[bytes]]]:
        """What it was sent, and what of it it took."""
        with self._lock:
            return list(self.posts), dict(self.taken)


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.send_response(self.server.take(headers, body))
        self.end_headers()

    def handle(self) -> None:
        try:
            super().handle()
        except ConnectionError:
            return  # the server was killed

    def log_message(self, *_: Any) -> None:
        """The test looks by itself."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    thread = threading.Thread(target=made.serve_forever)
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    made = Server(tmp_path, CSMS_LOG__LEVEL="warning")
    made.start()
    yield made
    if not made.dead:
        made.kill()


def test_every_event_arrives_though_the_server_is_killed(
    server: Server, receiver: Receiver
) -> None:
    webhook = server.client.post(
        "/api/v1/webhooks", {"url": receiver.url, "event_types": ["location.*"]}
    )
    for life in range(KILLS):
        for number in range(PER_LIFE - 1):
            server.client.post("/api/v1/locations", {"name": f"{life}-{number}"})
        receiver.answers.clear()
        server.client.post("/api/v1/locations", {"name": f"{life}-last"})
        eventually(lambda: receiver.unanswered, what="a delivery that waits for its answer")
        server.kill()
        receiver.unanswered.clear()
        receiver.answers.set()
        server.start()
    owed = {
        row["id"]: row["data"]
        for row in server.rows("SELECT id, data FROM events WHERE type = 'location.created'")
    }
    assert KILLS * PER_LIFE == len(owed)
    eventually(lambda: len(receiver.taken) == len(owed), what="every event to arrive")
    posts, taken = receiver.seen()
    # One id and one body for each event, however often it came.
    assert dict.fromkeys(taken, 1) == {name: len(bodies) for name, bodies in taken.items()}
    told = {
        (message := json.loads(body))["id"]: message["data"]
        for bodies in taken.values()
        for body in bodies
    }
    assert {number: json.loads(data) for number, data in owed.items()} == told
    for headers, body in posts:
        assert headers["webhook-signature"] == signature(
            [webhook["secret"]],
            message=headers["webhook-id"],
            timestamp=int(headers["webhook-timestamp"]),
            body=body,
        )
    eventually(lambda: _left(server, webhook) == [], what="the books to be closed")
    assert 0 == server.stop()


def _left(server: Server, webhook: Any) -> list[Any]:
    path = f"/api/v1/webhooks/{webhook['id']}/deliveries"
    return list(server.client.get(path, state="pending")["items"])
