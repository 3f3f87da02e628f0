"""Texts in bodies of the chargers dialect."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from csms.api.models import PLAIN

ShortText = Annotated[str, StringConstraints(max_length=255, pattern=PLAIN)]
Word = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=PLAIN)]
ChargerId = Annotated[str, StringConstraints(max_length=255)]
Number = Annotated[int, Field(ge=1, le=1000)]
"""Of a connector or an EVSE."""
