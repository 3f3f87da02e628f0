"""What the two older dialects call a station: a charger."""

from __future__ import annotations

import re

_STATION = re.compile(r"\b([Ss])tation(s?)\b")


def of_chargers(text: str) -> str:
    """A sentence of ours in the words of those dialects."""
    return _STATION.sub(lambda found: f"{'C' if found[1] == 'S' else 'c'}harger{found[2]}", text)
