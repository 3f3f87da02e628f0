"""Named points at which a test may kill the process; in production each is a no-op.

`CSMS_CRASH_AT=item.sent:3` kills the process with SIGKILL at the third hit of `item.sent`.
"""

from __future__ import annotations

import os
import signal

from csms.errors import Invalid

POINTS = (
    "job.accepted",  # job and items committed, 202 not sent
    "item.claimed",  # chosen, intent not committed
    "item.intended",  # intent committed, nothing on the wire
    "item.sent",  # on the wire, no answer
    "item.answered",  # answer in memory, not journaled
    "item.settled",  # result committed
    "step.done",  # one step of a create committed, the next not begun
    "item.retried",  # a retry is committed
    "window.opened",  # outcome unknown is committed
    "window.settled",  # a late answer or evidence is committed
    "wave.ended",  # the last result of a wave is committed, and the next wave is open
    "job.paused",  # a pause is committed
    "job.resumed",  # and its end
    "job.done",  # the last result and done are committed
    "recovery.swept",  # the sweep is committed, the port not open
)


class CrashPoints:
    """Counts the hits of one armed point."""

    def __init__(self, armed: str | None = None) -> None:
        name, _, hit = (armed or "").partition(":")
        if name and (name not in POINTS or not (hit or "1").isdigit()):
            raise Invalid(f"CSMS_CRASH_AT: no crash point {armed!r}; known: {', '.join(POINTS)}")
        self._name = name
        self._left = int(hit or 1)

    def reach(self, name: str) -> None:
        """Die here when this is the armed hit."""
        if name != self._name:
            return
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
