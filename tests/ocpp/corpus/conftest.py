"""A real listener with every handler there is, and the API over the same database."""

from __future__ import annotations

import structlog

# The API's own fixtures; its hub is a stand-in, so the stations here are online elsewhere.
from tests.api.conftest import api, bearers, deps, engine, files, hub, serve

__all__ = ["api", "bearers", "deps", "engine", "files", "hub", "serve"]


def errors_of(entries: list[structlog.typing.EventDict]) -> list[structlog.typing.EventDict]:
    """What an operator would have to look at now."""
    return [entry for entry in entries if entry["log_level"] in {"error", "critical"}]
