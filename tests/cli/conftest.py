"""Running commands in this process, and a server of three lines that answers as told."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from csms.cli.children import Child, free_port
from csms.cli.main import main

START_S = 60


@dataclass(frozen=True, slots=True)
class Outcome:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def csms(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Outcome]:
    """`csms(…)` runs a command line and says how it ended."""

    def run(*arguments: str | Path) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["csms", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        written = capsys.readouterr()
        return Outcome(int(ended.value.code or 0), written.out, written.err)

    return run


@dataclass(slots=True)
class Scripted:
    """Answers to requests, in order; None breaks the connection off. The last one repeats."""

    answers: list[tuple[int, Any] | None] = field(default_factory=list)
    seen: list[tuple[str, str, Any]] = field(default_factory=list)
    url: str = ""

    def next(self) -> tuple[int, Any] | None:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def runs_on(self, data_dir: Path) -> None:
        """Leave the address file of a running server."""
        text = json.dumps({"url": self.url, "token": "csms_cli_secret"})
        (data_dir / "cli.json").write_text(text)


@pytest.fixture
def server() -> Iterator[Scripted]:
    scripted = Scripted()
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), _handler(scripted))
    scripted.url = f"http://127.0.0.1:{httpd.server_address[1]}"
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield scripted
    httpd.shutdown()
    thread.join()
    httpd.server_close()


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The data directory of a server that runs while the tests of a module do."""
    with running(tmp_path_factory.mktemp("server")) as directory:
        yield directory


@contextmanager
def running(directory: Path, *arguments: str) -> Iterator[Path]:
    """A real server with its data in `directory / "data"`, which it yields."""
    data, listen = directory / "data", f"127.0.0.1:{free_port(0)}"
    server = Child(
        "the server",
        ["serve", "--data-dir", str(data), "--listen", listen, *arguments],
        log=directory / "server.log",
        environment={},
    )
    server.start()
    try:
        server.wait_until((data / "cli.json").exists, timeout_s=START_S)
        yield data
    finally:
        server.stop()


def until(condition: Callable[[], bool]) -> None:
    """Return when something in another process has come true."""
    Child("it", [], log=Path(os.devnull), environment={}).wait_until(condition, timeout_s=START_S)


def _handler(scripted: Scripted) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Quiet."""

        def do_GET(self) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if self.path == "/healthz":
                self._send(200, {"status": "ok"})
                return
            body = json.loads(content) if content else None
            scripted.seen.append((self.command, self.path, body))
            answer = scripted.next()
            if answer is None:
                self.close_connection = True
            else:
                self._send(*answer)

        def _send(self, status: int, body: Any) -> None:
            content = b"" if body is None else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_DELETE = do_GET  # noqa: N815 - the names http.server looks for

    return Handler
