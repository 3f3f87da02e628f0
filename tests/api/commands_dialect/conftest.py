"""A running engine behind the dialect's routes."""

from __future__ import annotations

from tests.api.live import engine, fleet, live

__all__ = ["engine", "fleet", "live"]
