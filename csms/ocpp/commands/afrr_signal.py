"""AFRRSignal: a grid operator's signal, which a curve of the charging profile turns into power."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated

from annotated_types import Ge, Le

from csms.domain.jobs import CommandClass
from csms.domain.versions import OcppVersion
from csms.ocpp.commands import wire
from csms.ocpp.commands.command import Command, doc


@dataclass(frozen=True, slots=True)
class AfrrSignal:
    """Parameters of afrr_signal."""

    timestamp: datetime = field(metadata=doc("when the signal becomes active"))
    signal: Annotated[int, Ge(-(2**31)), Le(2**31 - 1)] = field(
        metadata=doc("its value; what it means is in the v2xSignalWattCurve of the profile")
    )


COMMAND = Command(
    name="afrr_signal",
    summary="Pass a signal for automatic frequency restoration on",
    command_class=CommandClass.A,
    params=AfrrSignal,
    actions={OcppVersion.V21: "AFRRSignal"},
    encode={OcppVersion.V21: wire.encoder("AFRRSignal")},
)
