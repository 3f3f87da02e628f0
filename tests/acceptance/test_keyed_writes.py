"""Writes under keys while the server is killed: each is done once, and is once in the audit."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from .processes import TOKEN, Server, eventually

WRITES = 150
KILLED_AFTER = (40, 90)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path)
    server.start()
    yield server
    if not server.dead:
        server.kill()


def send(server: Server, method: str, path: str, body: Any, key: str) -> tuple[int, bool, Any]:
    """Status, whether it was a repetition, and the body; status 0 when the server died over it."""
    request = urllib.request.Request(
        server.client.url + path,
        json.dumps(body).encode(),
        {
            "Authorization": f"Bearer {TOKEN}",
            "Content-Type": "application/json",
            "Idempotency-Key": key,
        },
        method=method,
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            replayed = answer.headers.get("Idempotency-Replayed") == "true"
            return answer.status, replayed, json.load(answer)
    except urllib.error.HTTPError as refusal:
        return refusal.code, False, json.load(refusal)
    except (OSError, ValueError):
        return 0, False, None


def events(server: Server, kind: str) -> int:
    """How often it happened, by the rows."""
    return int(server.rows("SELECT count(*) FROM events WHERE type = ?", kind)[0][0])


def _done(answers: Sequence[Future[Any]], least: int) -> bool:
    return sum(one.done() for one in answers) >= least


def test_each_write_is_done_once_and_is_once_in_the_audit(server: Server) -> None:
    place = server.client.post("/api/v1/locations", {"name": "Depot"})
    path = f"/api/v1/locations/{place['id']}"

    def write(number: int) -> tuple[int, bool, Any]:
        if number % 2:
            return send(server, "POST", "/api/v1/locations", {"name": f"L{number}"}, f"k{number}")
        return send(server, "PATCH", path, {"name": f"N{number}"}, f"k{number}")

    with ThreadPoolExecutor(8) as pool:
        for least in KILLED_AFTER:
            answers = [pool.submit(write, number) for number in range(WRITES)]
            eventually(partial(_done, answers, least), what="some writes")
            server.kill()
            assert {one.result()[0] for one in answers} <= {0, 200, 201, 409}
            server.start()
        answers = [pool.submit(write, number) for number in range(WRITES)]
        found = [one.result() for one in answers]
    lost = [body["code"] for status, _, body in found if status == 409]
    assert set(lost) <= {"idempotency_answer_lost"}
    assert {status for status, _, _ in found} <= {200, 201, 409}
    assert sum(replayed for _, replayed, _ in found) > KILLED_AFTER[0] / 2
    assert events(server, "location.created") == WRITES // 2 + 1
    assert events(server, "location.updated") == WRITES // 2
    assert len(server.rows("SELECT 1 FROM locations")) == WRITES // 2 + 1
    entries = server.rows("SELECT events, path FROM audit_entries WHERE count = 1")
    written = [entry for entry in entries if json.loads(entry["events"])]
    assert len(written) == WRITES + 1
