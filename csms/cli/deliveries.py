"""What virtual stations wrote down about the commands that reached them."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

_CALL = 2


@dataclass(frozen=True, slots=True)
class Deliveries:
    """One command, counted by those who received it."""

    delivered: int
    """Every arrival, a repetition too."""
    stations: int
    """How many different stations it reached."""


def count_deliveries(frames: Path, actions: Collection[str]) -> Deliveries:
    """Read a fleet's frame file: one JSON object a line, `dir` as the station sees it.

    `actions` are what the command is called in the versions that the stations speak.
    """
    reached: list[str] = []
    with frames.open("rb") as lines:
        for line in lines:
            record = json.loads(line)
            frame = record["frame"]
            if record["dir"] == "in" and frame[0] == _CALL and frame[2] in actions:
                reached.append(record["identity"])
    return Deliveries(delivered=len(reached), stations=len(set(reached)))
