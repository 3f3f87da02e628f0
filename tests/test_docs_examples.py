"""The examples of the documents, run as a reader would: by copy and paste into a shell."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from csms.api import routes
from csms.api.body import validate_body
from csms.cli.http import Client
from tests.acceptance.processes import eventually, free_port

ROOT = Path(__file__).resolve().parent.parent
BLOCK = re.compile(r"^(?:(##+) .*?|```(\w*) ?([^\n]*)\n(.*?)^```)$", re.MULTILINE | re.DOTALL)
PAGE = ROOT / "docs" / "api.md"
READY_S = 60
ELIDED = "\N{HORIZONTAL ELLIPSIS}"


@dataclass(frozen=True)
class Block:
    """A block of a page; `answer` is the JSON that is shown after it."""

    text: str
    background: bool
    answer: Any = None

    @property
    def repeatable(self) -> bool:
        """Whether it only looks, so that a reader would look again."""
        return not re.search(r" -d | -X ", self.text)


def blocks(page: Path) -> list[Block]:
    """What a reader does, in order."""
    found: list[Block] = []
    loose = True
    for heading, kind, more, text in BLOCK.findall(page.read_text("utf-8")):
        if heading:
            loose = True
        elif kind == "sh":
            found.append(Block(text, more == "background"))
            loose = False
        elif kind == "json" and not more:
            assert not loose, f"an example that nobody runs: {text}"
            found[-1] = Block(found[-1].text, background=False, answer=shown(text))
            loose = True
    return found


def bodies(page: Path) -> list[tuple[str, str, str]]:
    """Bodies that are only shown: ```json METHOD /path."""
    return [
        (*more.split(), text)
        for _, kind, more, text in BLOCK.findall(page.read_text("utf-8"))
        if kind == "json" and more
    ]


def shown(text: str) -> Any:
    """JSON in which `…` ends what is left out: of a text, a list or an object."""
    text = text.replace(f", {ELIDED}]", f', "{ELIDED}"]').replace(
        f", {ELIDED}}}", f', "{ELIDED}": 0}}'
    )
    return json.loads(text)


def differences(documented: Any, actual: Any, where: str = "") -> Iterator[str]:
    """Where an answer is not as the page shows it."""
    if isinstance(documented, dict) and isinstance(actual, dict):
        more = ELIDED in documented
        named = documented.keys() - {ELIDED}
        if named - actual.keys() or (not more and actual.keys() - named):
            yield f"{where} has {sorted(actual)}, not {sorted(named)}"
        for key in named & actual.keys():
            yield from differences(documented[key], actual[key], f"{where}/{key}")
    elif isinstance(documented, list) and isinstance(actual, list):
        more = documented[-1:] == [ELIDED]
        named_items = documented[:-1] if more else documented
        if len(actual) < len(named_items) or (not more and len(actual) != len(named_items)):
            yield f"{where} has {len(actual)} entries, not {len(named_items)}"
        for place, (one, other) in enumerate(zip(named_items, actual, strict=False)):
            yield from differences(one, other, f"{where}/{place}")
    elif not same(documented, actual):
        yield f"{where} is {actual!r}, not {documented!r}"


def same(documented: Any, actual: Any) -> bool:
    """Words and states are compared; ids, times and measurements by their form only."""
    if isinstance(documented, str) and isinstance(actual, str):
        if documented.endswith(ELIDED):
            return len(actual) >= len(documented)
        if re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z", documented):
            return len(documented) == len(actual)
        return documented == actual
    if isinstance(documented, int) and not isinstance(documented, bool) and documented > 1:
        return isinstance(actual, int)
    return bool(documented == actual) and type(documented) is type(actual)


class Terminal:
    """A shell that stays open; what it was told to run comes back as text."""

    _END = "---end-of-block---"

    def __init__(self, directory: Path, environment: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            ["bash"],
            cwd=directory,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, text: str) -> str:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{text}\nprintf '\\n%s\\n' '{self._END}'\n")
        self.process.stdin.flush()
        lines = []
        for line in self.process.stdout:
            if line.strip() == self._END:
                return "".join(lines)
            lines.append(line)
        raise AssertionError(f"the shell ended: {''.join(lines)}")

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(10)
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()


class Reader:
    """Somebody with a page, a directory and as many terminals as the page asks for."""

    def __init__(self, directory: Path, port: int) -> None:
        self.directory = directory
        self.port = port
        binaries = directory / "bin"
        binaries.mkdir()
        csms = binaries / "csms"
        csms.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m csms "$@"\n')
        csms.chmod(0o755)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("CSMS_")}
        self.environment = {
            **kept,
            "PATH": f"{binaries}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "TOKEN": "please-change-this-token",
            "CSMS": f"http://127.0.0.1:{port}",
            "HOME": str(directory),
            "XDG_DATA_HOME": str(directory / "share"),
        }
        self.terminal = Terminal(directory, self.environment)
        self.others: list[subprocess.Popen[bytes]] = []

    def read(self, block: Block) -> None:
        """Do as the block says; raises when what comes is not what it shows."""
        text = self.here(block.text)
        if block.background:
            self.start(text)
        elif block.answer is None:
            self.terminal.run(text)
        else:
            answer = json.loads(self.here(json.dumps(block.answer)))
            wrong = self.wrong(text, answer)
            if wrong and block.repeatable:
                wrong = self.look_again(text, answer)
            assert wrong == []

    def look_again(self, text: str, answer: Any) -> list[str]:
        """What is still wrong after looking for a while."""
        wrong: list[str] = []

        def is_right() -> bool:
            wrong[:] = self.wrong(text, answer)
            return not wrong

        with suppress(AssertionError):
            eventually(is_right, timeout_s=30)
        return wrong

    def here(self, text: str) -> str:
        """On a port and in a directory of our own."""
        text = text.replace("127.0.0.1:9000", f"127.0.0.1:{self.port}")
        text = text.replace("0.0.0.0:9000", f"0.0.0.0:{self.port}").replace("<identity>", "BAY-7")
        text = text.replace("/tmp/csms-first", str(self.directory / "data"))
        if "--listen" in text:
            return text
        return text.replace("csms serve", f"csms serve --listen 127.0.0.1:{self.port}")

    def wrong(self, text: str, answer: Any) -> list[str]:
        return list(differences(answer, last_of(self.terminal.run(text).strip())))

    def start(self, text: str) -> None:
        log = self.directory / f"terminal-{len(self.others)}.log"  # for who looks why it failed
        with log.open("wb") as output:
            self.others.append(
                subprocess.Popen(
                    ["bash", "-c", text],
                    cwd=self.directory,
                    env=self.environment,
                    stdout=output,
                    stderr=output,
                    start_new_session=True,
                )
            )
        if "csms serve" in text:
            client, server = Client(f"http://127.0.0.1:{self.port}", ""), self.others[-1]
            eventually(lambda: client.answers("/readyz") or server.poll(), timeout_s=READY_S)
            assert server.poll() is None, log.read_text()

    def stop_others(self) -> None:
        """Ctrl-C in every other terminal, the last one first."""
        while self.others:
            process = self.others.pop()
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(20)

    def close(self) -> None:
        self.terminal.close()
        self.stop_others()


def last_of(output: str) -> Any:
    """The last of several JSON texts in a row."""
    decoder, place, value = json.JSONDecoder(), 0, None
    while place < len(output):
        value, place = decoder.raw_decode(output, place)
    return value


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    one = Reader(tmp_path, free_port())
    yield one
    one.close()


@pytest.mark.timeout(240)
def test_the_api_page_works_by_copy_and_paste(reader: Reader) -> None:
    read = 0
    for block in blocks(PAGE):
        reader.read(block)
        read += block.answer is not None
    assert read >= 9
    events = (reader.directory / "terminal-1.log").read_text()
    for kind in ("station.connected", "station.booted", "transaction.started"):
        assert f"event: {kind}" in events


@pytest.mark.timeout(240)
def test_the_readme_works_by_copy_and_paste(reader: Reader) -> None:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    ran = 0
    for block in blocks(ROOT / "README.md"):
        for line in block.text.splitlines():
            if line.startswith("make "):  # installs and runs; CI does it by itself
                assert line.split()[1] in targets
            elif line.startswith("csms serve"):
                reader.stop_others()
                reader.start(reader.here(line))
            elif line.startswith("csms "):
                assert reader.terminal.run(f"{reader.here(line)}; echo $?").split()[-1] == "0", line
                ran += 1
    assert ran >= 4


@pytest.mark.parametrize(("method", "path", "text"), bodies(PAGE))
def test_a_body_that_is_shown_is_accepted(method: str, path: str, text: str) -> None:
    (route,) = [one for one in routes.ALL if (one.method, one.path) == (method, path)]
    validate_body(route.body, text.encode())
