"""Every bad frame over a real socket, in every version: each has the end that is written for it."""

from __future__ import annotations

from typing import Any, Self

import pytest

from tests.attacks.bad_frames import Bad, everything
from tests.attacks.raw import Raw, frame
from tests.attacks.reading import read_everything
from tests.attacks.witness import Attacked, Known, bystanders, register

VERSIONS = ("1.6", "2.0.1", "2.1")
FRAMES = everything()


def test_there_are_four_hundred() -> None:
    assert len(FRAMES) >= 400
    assert len({bad.data for bad in FRAMES}) == len(FRAMES)


@pytest.mark.parametrize(
    "version",
    [VERSIONS[0], *(pytest.param(one, marks=pytest.mark.campaign) for one in VERSIONS[1:])],
)
@pytest.mark.timeout(600)
async def test_each_bad_frame_ends_as_it_must(hurried: Attacked, version: str) -> None:
    wrong = []
    async with bystanders(hurried), Talking(hurried, version) as one:
        for number, bad in enumerate(FRAMES):
            ended = await one.end_of(bad, f"{number:03x}")
            if ended != bad.end(version):
                wrong.append(f"{bad.name}: {ended}, not {bad.end(version)}")
    assert not wrong, "\n".join(wrong)
    assert read_everything(hurried.client) > 50


class Talking:
    """Connected as long as it may be, and again after that."""

    def __init__(self, server: Attacked, version: str) -> None:
        self._server = server
        self._version = version
        self._station: Known
        self._raw: Raw | None = None

    async def __aenter__(self) -> Self:
        self._station = register(self._server, "BAD")
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._raw is not None:
            await self._raw.close()

    async def end_of(self, bad: Bad, message_id: str) -> str:
        """What became of the frame, in the words of the corpus."""
        if self._raw is None:
            self._raw = await Raw.booted(self._server, self._station, self._version)
        data = bad.data.replace(b"$ID", message_id.encode())
        self._raw.write(data if bad.is_raw else frame(data))
        answers, closed = await self._raw.until(self._raw.send("Heartbeat", {}))
        if closed is not None:
            await self._raw.close()
            self._raw = None
            return f"closed {closed}"
        return _said(answers, message_id)


def _said(answers: list[Any], message_id: str) -> str:
    if not answers:
        return "ignored"
    (answer,) = answers
    assert answer[1] == "-1" or answer[1].startswith(message_id), answer
    if answer[0] == 3:
        return "answer"
    assert len(answer[3]) <= 255
    return f"{'-1' if answer[1] == '-1' else 'error'} {answer[2]}"
