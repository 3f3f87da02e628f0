"""UsePriorityCharging: let a transaction charge with priority, or no longer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from annotated_types import MaxLen, MinLen

from csms.domain.jobs import CommandClass
from csms.domain.versions import OcppVersion
from csms.ocpp.commands import wire
from csms.ocpp.commands.command import Command, doc


@dataclass(frozen=True, slots=True)
class UsePriorityCharging:
    """Parameters of use_priority_charging."""

    transaction_id: Annotated[str, MinLen(1), MaxLen(36)] = field(
        metadata=doc("the station's transaction id")
    )
    activate: bool = field(metadata=doc("from now on; false: no longer"))


COMMAND = Command(
    name="use_priority_charging",
    summary="Let a transaction charge with priority, or no longer",
    command_class=CommandClass.A,
    params=UsePriorityCharging,
    actions={OcppVersion.V21: "UsePriorityCharging"},
    encode={OcppVersion.V21: wire.encoder("UsePriorityCharging")},
    single_target=True,
)
