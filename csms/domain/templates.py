"""Templates: what is thought out once and given to many stations by jobs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any


class TemplateKind(str, Enum):
    """What a template holds."""

    CONFIG = "config"
    CHARGING_PROFILE = "charging_profile"


@dataclass(frozen=True, slots=True)
class Template:
    """A named one; `content` is JSON that was checked when it was made."""

    id: int
    uuid: str
    kind: TemplateKind
    name: str
    description: str | None
    content: Any
    created_at: datetime
    updated_at: datetime
