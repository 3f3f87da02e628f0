"""What stations are asked to do that goes on after the answer, and how far they say they are."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Task(str, Enum):
    """A kind of such work."""

    FIRMWARE_UPDATE = "firmware_update"
    FIRMWARE_PUBLICATION = "firmware_publication"
    """A local controller offers the firmware to the stations behind it."""
    LOG_UPLOAD = "log_upload"


@dataclass(frozen=True, slots=True)
class Progress:
    """One piece of news about a task."""

    task: Task
    request_id: int | None
    """None: 1.6 without its security extension, or triggered while nothing is going on."""
    status: str
    """In the words of OCPP 2.x; one that is not known stays as it is."""
    raw: str
    answered: bool = False
    """The station's answer to our command; else its own report."""
