"""Config templates: named sets of values for variables, and how far a station is with one."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from csms.domain.versions import OcppVersion

MOST_ROUNDS = 3
"""Boots in a row after which a station is told a template, when it never took it to the end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One variable, or one configuration key of OCPP 1.6, and what it shall be."""

    component: str
    variable: str
    value: str
    component_instance: str | None = None
    variable_instance: str | None = None
    evse_id: int | None = None
    connector_id: int | None = None
    attribute: str = "Actual"
    ocpp_versions: list[str] | None = None
    """For stations that speak one of these; None: for all."""

    def is_for(self, version: OcppVersion) -> bool:
        """Whether stations that speak it get this one."""
        return self.ocpp_versions is None or version.value in self.ocpp_versions

    def named(self) -> dict[str, Any]:
        """Which variable, as JSON."""
        plain = asdict(self)
        del plain["value"], plain["ocpp_versions"]
        return {name: given for name, given in plain.items() if given is not None}

    def dumped(self) -> dict[str, Any]:
        """All of it, as JSON that makes it again."""
        more = {} if self.ocpp_versions is None else {"ocpp_versions": self.ocpp_versions}
        return {**self.named(), "value": self.value, **more}


class Progress(str, Enum):
    """How far a station is that is to get a template."""

    PENDING = "pending"  # after its next accepted boot
    RUNNING = "running"  # a job tells it
    APPLIED = "applied"
    REJECTED = "rejected"  # it refused a part, and would do so again
    STOPPED = "stopped"  # it never took it to the end, boot after boot


@dataclass(frozen=True, slots=True)
class Assignment:
    """The template that a station was given when it was registered, or later."""

    station_id: int
    template_id: int
    template_uuid: str
    template_name: str
    progress: Progress
    rounds: int
    """Boots since then after which it was told in vain."""
    booted: bool
    """It has booted since the last round began."""
    job_id: int | None
    """The last job that told it."""
    changed_at: datetime
