"""The sign-in link of a first start, and those of the command."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from csms.cli.children import free_port
from tests.cli.conftest import START_S

LINK = re.compile(r"^sign in once  (http://\S+/#sign-in=\S+)$")


def _environment() -> dict[str, str]:
    return {name: text for name, text in os.environ.items() if not name.startswith("CSMS_")}


@contextmanager
def serving(data_dir: Path, *more: str) -> Iterator[tuple[Iterator[str], Callable[[], None]]]:
    """The lines that a server says, and how it is told to stop, after which they end."""
    words = ("serve", "--listen", f"127.0.0.1:{free_port(0)}", "--data-dir", str(data_dir), *more)
    with subprocess.Popen(
        [sys.executable, "-m", "csms", *words],
        env=_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None

        def stop() -> None:
            process.send_signal(signal.SIGTERM)

        try:
            yield iter(process.stdout), stop
        finally:
            stop()


def exchange(link: str) -> tuple[dict[str, Any], dict[str, str]]:
    """Who is signed in, and what a browser would send along from then on."""
    url, _, code = link.partition("/#sign-in=")
    answer = _ask(f"{url}/api/v1/auth/sign-in", {"Origin": url}, {"code": code})
    me: dict[str, Any] = json.load(answer)
    cookie = answer.headers["Set-Cookie"].partition(";")[0]
    return me, {"Cookie": cookie, "X-CSRF-Token": me["session"]["csrf_token"], "Origin": url}


def _ask(url: str, headers: dict[str, str], body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    headers = {**headers, "Content-Type": "application/json"}
    return urllib.request.urlopen(urllib.request.Request(url, data, headers), timeout=START_S)


def test_the_link_is_good_once_and_no_further_start_prints_one(tmp_path: Path) -> None:
    with serving(tmp_path) as (lines, _):
        link = next(match[1] for line in lines if (match := LINK.match(line)))
        me, browser = exchange(link)
        assert (me["name"], me["role"]) == ("first sign-in", "admin")
        url = link.partition("/#")[0]
        _ask(f"{url}/api/v1/locations", browser, {"name": "Depot"})
        with pytest.raises(urllib.error.HTTPError, match="422"):
            exchange(link)
    with serving(tmp_path) as (lines, stop):
        moved = next(line.split()[-1] for line in lines if line.startswith("page"))
        # The port is another one; but for that the cookie would be good still.
        name, value = browser["Cookie"].split("=")
        name = f"csms-{urlsplit(moved).port}"
        found = _ask(f"{moved}api/v1/locations", {"Cookie": f"{name}={value}"})
        assert [one["name"] for one in json.load(found)["items"]] == ["Depot"]
        stop()
        assert not [line for line in lines if LINK.match(line)]


def test_the_command_prints_another_link(tmp_path: Path) -> None:
    with serving(tmp_path) as (lines, _):
        next(line for line in lines if LINK.match(line))
        token = csms(tmp_path, "tokens", "create", "--name", "Ada", "--role", "viewer", "--json")
        link = csms(tmp_path, "sign-in", "--token", json.loads(token)["id"]).strip()
        assert exchange(link)[0]["name"] == "Ada"
        link = json.loads(csms(tmp_path, "sign-in", "--json"))["url"]
        assert exchange(link)[0]["role"] == "admin"
        assert csms(tmp_path, "sign-in", "--page", "https://csms.example/").startswith(
            "https://csms.example/#sign-in="
        )


def csms(data_dir: Path, *words: str) -> str:
    """What the command prints."""
    done = subprocess.run(
        [sys.executable, "-m", "csms", *words, "--data-dir", str(data_dir)],
        env=_environment(),
        capture_output=True,
        text=True,
        check=True,
        timeout=START_S,
    )
    return done.stdout
