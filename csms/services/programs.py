"""Programs of the operator's that do what csms does not: sign certificates, look things up."""

from __future__ import annotations

import asyncio
import os
import shlex
import signal
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping
from contextlib import suppress

from csms.errors import ProgramFailed

# Of one program; more would only take the machine from the stations.
AT_ONCE = 4
MAX_QUEUED = 100
MAX_COMPLAINT = 200


class Program:
    """A command line; it is given something on stdin and answers on stdout with exit code 0."""

    def __init__(self, command: str, *, timeout_s: float) -> None:
        self._arguments = shlex.split(command)
        self._timeout_s = timeout_s
        self._turn = asyncio.Semaphore(AT_ONCE)
        self._queued = 0

    async def run(self, given: bytes, about: Mapping[str, str]) -> bytes:
        """What it answers; `about` becomes variables of its environment. Raises ProgramFailed.

        The deadline includes the wait for a turn. Cancelling kills the program.
        """
        if self._queued >= MAX_QUEUED:
            raise ProgramFailed("too many questions to the program at once")
        self._queued += 1
        try:
            async with asyncio.timeout(self._timeout_s), self._turn:
                return await self._answer(given, about)
        except TimeoutError:
            raise ProgramFailed("the program took too long") from None
        finally:
            self._queued -= 1

    async def _answer(self, given: bytes, about: Mapping[str, str]) -> bytes:
        try:
            process = await asyncio.create_subprocess_exec(
                *self._arguments,
                stdin=PIPE,
                stdout=PIPE,
                stderr=PIPE,
                env={**_environment(), **about},
                start_new_session=True,
            )
        except OSError as error:
            raise ProgramFailed(f"the program cannot be started: {error}") from error
        try:
            answer, complaint = await process.communicate(given)
        except BaseException:
            await _kill(process)
            raise
        if process.returncode:
            said = complaint.decode(errors="replace").strip()[-MAX_COMPLAINT:]
            raise ProgramFailed(f"the program ended with {process.returncode}: {said}")
        return answer


async def _kill(process: Process) -> None:
    # The whole group: a shell's children would hold the pipes open.
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()


def _environment() -> dict[str, str]:
    """Ours without our secrets."""
    return {name: value for name, value in os.environ.items() if not name.startswith("CSMS_")}
