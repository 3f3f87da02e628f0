"""In `closed` mode the time of an answer does not tell which identities exist."""

from __future__ import annotations

import asyncio
import itertools
import math
import random
import time
from collections.abc import Callable

import pytest

from tests.attacks.raw import knock, upgrade
from tests.attacks.witness import Attacked, register
from tests.attacks.words import basic

# Two samples of the same thing lie further apart than this once in 30,000 times. With 1,000 of
# each an answer that is later than the other kind's in 55 of 100 cases is found out.
LIMIT = 4.2
AT_ONCE = 8
# So many guesses at one identity are looked at in a minute.
GUESSES = 18


@pytest.mark.campaign
@pytest.mark.timeout(1200)
async def test_the_time_of_a_thousand_answers_tells_nothing(server: Attacked) -> None:
    await compare(server, 1000)


async def compare(server: Attacked, samples: int) -> None:
    number = math.ceil(samples / GUESSES)
    generated = [register(server, "KNOWN").identity for _ in range(number)]
    chosen = [f"CHOSEN-{samples}-{n}" for n in range(number)]
    for identity in chosen:  # its check is a slow hash
        body = {"identity": identity, "password": "a-persons-password"}
        server.client.post("/api/v1/stations", body)
    unknown = [f"NOBODY-{samples}-{n}" for n in range(number)]
    kinds: dict[str, tuple[list[str], Callable[[str], dict[str, str]]]] = {
        "generated": (generated, _wrong),
        "chosen": (chosen, _wrong),
        "unknown": (unknown, _wrong),
        "generated, nothing shown": (generated, _nothing),
        "unknown, nothing shown": (unknown, _nothing),
    }
    wanted = [
        (kind, identity, show(identity))
        for kind, (identities, show) in kinds.items()
        for identity in itertools.islice(itertools.cycle(identities), samples)
    ]
    random.Random(5).shuffle(wanted)
    times: dict[str, list[float]] = {kind: [] for kind in kinds}
    sources = (f"127.1.{n // 250}.{n % 250 + 1}" for n in itertools.count())
    slots = asyncio.Semaphore(AT_ONCE)

    async def one(kind: str, identity: str, headers: dict[str, str]) -> None:
        async with slots:
            lines = [f"{name}: {value}" for name, value in headers.items()]
            request = upgrade(identity, "1.6", *lines)
            began = time.perf_counter()
            answer = await knock(server.port, request, source=next(sources))
            took = time.perf_counter() - began
            answer.writer.close()
        assert 401 == answer.status, (kind, answer.head)
        times[kind].append(took)

    async with asyncio.TaskGroup() as group:
        for sample in wanted:
            group.create_task(one(*sample))
    found = {
        f"{kind} / {other}": ranks(times[kind], times[other])
        for kind, other in (
            ("generated", "unknown"),
            ("chosen", "unknown"),
            ("generated, nothing shown", "unknown, nothing shown"),
        )
    }
    medians = {kind: round(sorted(of)[len(of) // 2] * 1000, 2) for kind, of in times.items()}
    print(f"{samples} of each, medians in ms {medians}, z {found}")
    assert all(abs(z) < LIMIT for z in found.values())


def _wrong(identity: str) -> dict[str, str]:
    return basic(identity, "a-wrong-password-1")


def _nothing(_: str) -> dict[str, str]:
    return {}


def ranks(some: list[float], others: list[float]) -> float:
    """The rank test of Mann and Whitney, as a deviation of the normal distribution."""
    ordered = sorted([(one, True) for one in some] + [(one, False) for one in others])
    rank_sum = sum(rank for rank, (_, mine) in enumerate(ordered, 1) if mine)
    n, m = len(some), len(others)
    mean, variance = n * (n + m + 1) / 2, n * m * (n + m + 1) / 12
    return round((rank_sum - mean) / math.sqrt(variance), 2)


def test_the_rank_test_finds_what_is_there() -> None:
    chance = random.Random(1)
    quick = [chance.gauss(250.0, 1.0) for _ in range(1000)]
    slow = [chance.gauss(250.3, 1.0) for _ in range(1000)]
    assert abs(ranks(quick[:500], quick[500:])) < LIMIT
    assert ranks(slow, quick) > LIMIT
