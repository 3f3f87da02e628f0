"""Whether a connection is alive, decided from what was seen of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from csms.ocpp.quirks.settings import Quirks
from csms.ocpp.settings import OcppSettings

WRITE_TIMEOUT_S = 30.0
MAX_UNSENT_BYTES = 1024 * 1024


class Step(Enum):
    """What the sweep does to a connection."""

    NOTHING = "nothing"
    PING = "ping"
    CLOSE = "close"
    """No frame for too long: the other end is gone or deaf."""
    CUT = "cut"
    """It does not read, so there is no way to say goodbye."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of a connection; monotonic seconds."""

    last_frame_at: float
    pinged_at: float
    has_ponged: bool
    writing_since: float | None
    unsent_bytes: int


def next_step(seen: Seen, settings: OcppSettings, quirks: Quirks, now: float) -> Step:
    """Any frame is a sign of life; a pong is demanded only of those that once sent one."""
    stalled = seen.writing_since is not None and now - seen.writing_since > WRITE_TIMEOUT_S
    if stalled or seen.unsent_bytes > MAX_UNSENT_BYTES:
        return Step.CUT
    own_s = quirks.ping_interval_s
    interval_s = settings.ping_interval_s if own_s is None else own_s
    # Who is pinged too rarely to pong in time is like one that never does.
    ponging = seen.has_ponged and 0 < interval_s < settings.pong_timeout_s
    if now - seen.last_frame_at > silence_limit_s(settings, has_ponged=ponging):
        return Step.CLOSE
    if interval_s and now - seen.pinged_at >= interval_s:
        return Step.PING
    return Step.NOTHING


def silence_limit_s(settings: OcppSettings, *, has_ponged: bool) -> float:
    """How long a connection may send nothing at all."""
    if has_ponged:
        return settings.pong_timeout_s
    # Mennekes AMTRON 4You: a limit of one heartbeat is hit by every late heartbeat.
    return max(3.0 * settings.heartbeat_interval_s, settings.silent_timeout_s)
