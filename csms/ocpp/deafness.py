"""A station that talks and does not listen: its socket is closed, so that it makes a new one.

Some fall into a state in which heartbeats go on and no CALL is answered any more, until they
reconnect (mobilityhouse/ocpp#626, evcc-io/evcc#32039).
"""

from __future__ import annotations

TIMEOUTS = 3
"""So many CALLs in a row that got no answer, not even a late one."""


class Deafness:
    """Counts the CALLs of one connection that stay without an answer."""

    __slots__ = ("_frames", "_timeouts")

    def __init__(self) -> None:
        self._timeouts = 0
        self._frames = 0

    def heard(self) -> None:
        """It did answer something."""
        self._timeouts = 0

    def unheard(self, frames: int) -> bool:
        """One more got no answer; `frames` is how many came in so far. Returns whether it is deaf.

        One that sends nothing either is not deaf but gone, which is another place's business.
        """
        if self._timeouts == 0:
            self._frames = frames
        self._timeouts += 1
        return self._timeouts >= TIMEOUTS and frames > self._frames
