from __future__ import annotations

import asyncio
from typing import Any

import pytest

from csms.ocpp.bursts import AT_ONCE, Bursts


class Transport:
    """Remembers what was written."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.closing = False

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def is_closing(self) -> bool:
        return self.closing


@pytest.fixture
def transport() -> Any:
    return Transport()


async def test_what_is_sent_in_one_turn_goes_out_by_the_next(transport: Any) -> None:
    bursts = Bursts()
    bursts.put(transport, b"a")
    bursts.put(transport, b"b")
    assert [] == transport.written
    await asyncio.sleep(0)
    assert [b"a", b"b"] == transport.written
    bursts.put(transport, b"c")
    await asyncio.sleep(0)
    assert [b"a", b"b", b"c"] == transport.written


async def test_of_many_none_waits_for_the_next_turn(transport: Any) -> None:
    bursts = Bursts()
    frames = [b"%d" % number for number in range(2 * AT_ONCE)]
    for frame in frames:
        bursts.put(transport, frame)
    assert frames == transport.written


async def test_nothing_is_written_to_what_has_gone_meanwhile(transport: Any) -> None:
    bursts, other = Bursts(), Transport()
    bursts.put(transport, b"a")
    bursts.put(other, b"b")  # type: ignore[arg-type]
    transport.closing = True
    bursts.flush()
    assert ([], [b"b"]) == (transport.written, other.written)
