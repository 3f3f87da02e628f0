"""NotifyAllowedEnergyTransfer: which kinds of energy transfer a vehicle may use from now on."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Annotated

from annotated_types import MaxLen, MinLen

from csms.domain.jobs import CommandClass
from csms.domain.versions import OcppVersion
from csms.ocpp.commands import wire
from csms.ocpp.commands.command import Command, doc


class EnergyTransferMode(str, Enum):
    """EnergyTransferModeEnumType of OCPP 2.1."""

    AC_SINGLE_PHASE = "AC_single_phase"
    AC_TWO_PHASE = "AC_two_phase"
    AC_THREE_PHASE = "AC_three_phase"
    DC = "DC"
    AC_BPT = "AC_BPT"
    AC_BPT_DER = "AC_BPT_DER"
    AC_DER = "AC_DER"
    DC_BPT = "DC_BPT"
    DC_ACDP = "DC_ACDP"
    DC_ACDP_BPT = "DC_ACDP_BPT"
    WPT = "WPT"


@dataclass(frozen=True, slots=True)
class NotifyAllowedEnergyTransfer:
    """Parameters of notify_allowed_energy_transfer."""

    transaction_id: Annotated[str, MinLen(1), MaxLen(36)] = field(
        metadata=doc("the station's transaction id")
    )
    allowed_energy_transfer: Annotated[list[EnergyTransferMode], MinLen(1)] = field(
        metadata=doc("the modes that the vehicle may choose from")
    )


COMMAND = Command(
    name="notify_allowed_energy_transfer",
    summary="Say which energy transfer the vehicle of a transaction may use",
    command_class=CommandClass.A,
    params=NotifyAllowedEnergyTransfer,
    actions={OcppVersion.V21: "NotifyAllowedEnergyTransfer"},
    encode={OcppVersion.V21: wire.encoder("NotifyAllowedEnergyTransfer")},
    single_target=True,
)
