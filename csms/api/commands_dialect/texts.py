"""Texts in bodies of the commands dialect."""

from __future__ import annotations

from typing import Annotated

from pydantic import StringConstraints

from csms.api.models import PLAIN

Text = Annotated[str, StringConstraints(max_length=255, pattern=PLAIN)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=PLAIN)]
