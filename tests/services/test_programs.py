from __future__ import annotations

import asyncio
import shlex
import sys

import pytest

from csms.errors import ProgramFailed
from csms.services import programs
from csms.services.programs import Program


def python(code: str, *, timeout_s: float = 20) -> Program:
    return Program(shlex.join([sys.executable, "-c", code]), timeout_s=timeout_s)


async def test_answers_with_what_it_writes():
    echo = python("import sys; sys.stdout.write(sys.stdin.read().upper())")
    assert await echo.run(b"hello", {}) == b"HELLO"


async def test_hears_what_it_is_about_and_none_of_our_secrets(monkeypatch):
    monkeypatch.setenv("CSMS_ADMIN_TOKEN", "secret")
    code = "import os; print(os.environ.get('OCPP_STATION'), os.environ.get('CSMS_ADMIN_TOKEN'))"
    assert await python(code).run(b"", {"OCPP_STATION": "CP-1; rm"}) == b"CP-1; rm None\n"


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        (python("import sys; sys.exit('no such key')"), "ended with 1: no such key"),
        (python("import time; time.sleep(60)", timeout_s=0.2), "took too long"),
        (Program("/does/not/exist", timeout_s=5), "cannot be started"),
    ],
)
async def test_says_why_there_is_no_answer(program, reason):
    with pytest.raises(ProgramFailed, match=reason):
        await program.run(b"", {})


async def test_a_program_that_is_not_waited_for_is_killed(tmp_path):
    mark = tmp_path / "pid"
    code = f"import os, time; open({str(mark)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    task = asyncio.create_task(python(code, timeout_s=30).run(b"", {}))
    async with asyncio.timeout(20):
        while not (mark.exists() and mark.read_text()):  # noqa: ASYNC110 - the file is the event
            await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    with pytest.raises(ProcessLookupError):
        programs.os.kill(int(mark.read_text()), 0)


async def test_so_many_questions_at_once_are_refused(monkeypatch):
    monkeypatch.setattr(programs, "MAX_QUEUED", 0)
    with pytest.raises(ProgramFailed, match="too many"):
        await python("").run(b"", {})
