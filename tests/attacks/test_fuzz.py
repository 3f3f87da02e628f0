"""Frames by chance over real sockets: each ends in an answer, in silence or in a close, and all is well."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import Counter
from itertools import pairwise
from typing import Any

import psutil
import pytest

from tests.attacks.fuzzing import Fuzzer
from tests.attacks.raw import UNFINISHED, Raw
from tests.attacks.reading import read_everything
from tests.attacks.witness import Attacked, bystanders, register

VERSIONS = ("1.6", "2.0.1", "2.1")
# So many frames go out before their end is looked at: a sentinel behind each batch.
BATCH = 10
UNFINISHED_S, LONGEST_S = 1.0, 30.0
# Above what the process took after a first tenth, which fills caches and pools.
MARGIN_MIB = 48


async def test_two_thousand_frames_by_chance(hurried: Attacked) -> None:
    await fuzz(hurried, frames=2100, seed="every commit")


@pytest.mark.campaign
@pytest.mark.timeout(3600)
async def test_fifty_thousand_frames_by_chance(hurried: Attacked) -> None:
    await fuzz(hurried, frames=51_000, seed=str(time.time_ns()))


async def fuzz(server: Attacked, *, frames: int, seed: str) -> None:
    print(f"seed {seed}")
    assert server.process is not None
    process = psutil.Process(server.process.pid)
    each = frames // len(VERSIONS)
    talkers = [Talker(server, version, seed) for version in VERSIONS]
    await asyncio.gather(*(one.send(each // 10) for one in talkers))
    memory = [process.memory_info().rss / 2**20]
    async with bystanders(server):
        for _ in range(3):
            await asyncio.gather(*(one.send(each * 3 // 10) for one in talkers))
            memory.append(process.memory_info().rss / 2**20)
    ends = sum((one.ends for one in talkers), Counter[str]())
    grown = [round(late - early, 1) for early, late in pairwise(memory)]
    print(f"{frames} frames, MiB in each third {grown}, {dict(sorted(ends.items()))}")
    assert sum(grown) < MARGIN_MIB
    log = server.log.read_text()
    assert "Traceback" not in log
    assert "[error" not in log, [line for line in log.splitlines() if "[error" in line][:5]
    assert await asyncio.to_thread(read_everything, server.client) > 50


class Talker:
    """Sends what chance makes in one version, and looks at what comes of it."""

    def __init__(self, server: Attacked, version: str, seed: str) -> None:
        self.ends = Counter[str]()
        self._server = server
        self._version = version
        self._fuzzer = Fuzzer(version, seed)
        # Whose socket was cut may be there again before that is seen, but not always the same one.
        self._stations = itertools.cycle([register(server, "FUZZ") for _ in range(20)])

    async def send(self, count: int) -> None:
        """So many, in batches; whatever ends the socket is followed by a new one."""
        raw: Raw | None = None
        try:
            for _ in range(0, count, BATCH):
                if raw is None:
                    raw = await Raw.booted(self._server, next(self._stations), self._version)
                if await self._batch(raw):
                    await raw.close()
                    raw = None
        finally:
            if raw is not None:
                await raw.close()

    async def _batch(self, raw: Raw) -> bool:
        """Whether it was the end of the socket."""
        self._fuzzer.is_wild = False
        raw.write(b"".join(self._fuzzer.next() for _ in range(BATCH)))
        # What was cut off in its length swallows all that follows, as it has to.
        patience_s = UNFINISHED_S if self._fuzzer.is_wild else LONGEST_S
        answers, closed = await raw.until(raw.send("Heartbeat", {}), patience_s=patience_s)
        self.ends.update(_word(answer) for answer in answers)
        if closed is None:
            return False
        assert closed is not UNFINISHED or self._fuzzer.is_wild
        assert closed in {UNFINISHED, *range(1000, 1015)} or 3000 <= closed < 5000, closed
        self.ends[f"closed {closed}" if closed else "unfinished"] += 1
        return True


def _word(answer: list[Any]) -> str:
    if answer[0] == 3:
        return "answer"
    assert answer[0] == 4, answer
    assert len(answer[3]) <= 255, answer
    return str(answer[2])
