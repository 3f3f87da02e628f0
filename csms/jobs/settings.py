"""The engine's settings as plain values; the config fills them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """How much runs at once, and how much may wait."""

    bulk_slots: int = 512
    interactive_slots: int = 64
    max_open_items: int = 500_000
    storage_retry_s: float = 1.0
