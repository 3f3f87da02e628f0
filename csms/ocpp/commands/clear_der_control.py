"""ClearDERControl: remove controls of distributed energy resources."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from annotated_types import MaxLen, MinLen

from csms.domain.der_controls import DerControlType
from csms.domain.jobs import CommandClass
from csms.domain.versions import OcppVersion
from csms.ocpp.commands import wire
from csms.ocpp.commands.command import Command, doc


@dataclass(frozen=True, slots=True)
class ClearDerControl:
    """Parameters of clear_der_control."""

    is_default: bool = field(metadata=doc("remove defaults; false: scheduled controls"))
    control_type: DerControlType | None = field(
        default=None, metadata=doc("of this type only; left out: of every type")
    )
    control_id: Annotated[str, MinLen(1), MaxLen(36)] | None = field(
        default=None, metadata=doc("this one only")
    )


COMMAND = Command(
    name="clear_der_control",
    summary="Remove controls of distributed energy resources",
    command_class=CommandClass.B,
    params=ClearDerControl,
    actions={OcppVersion.V21: "ClearDERControl"},
    encode={OcppVersion.V21: wire.encoder("ClearDERControl")},
    gone=frozenset({"NotFound"}),
)
