"""SetDERControl: a default or a scheduled control of distributed energy resources."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Annotated

from annotated_types import MaxLen, MinLen

from csms.domain.der_controls import (
    Curve,
    DerControlType,
    EnterService,
    FixedPowerFactor,
    FixedVar,
    FreqDroop,
    Gradient,
    LimitMaxDischarge,
    setting_of,
)
from csms.domain.jobs import CommandClass
from csms.domain.versions import OcppVersion
from csms.errors import Invalid
from csms.ocpp.commands import wire
from csms.ocpp.commands.command import Command, doc

_NAMING = frozenset({"control_id", "control_type", "is_default"})


@dataclass(frozen=True, slots=True)
class SetDerControl:
    """Parameters of set_der_control; of the settings, the one that the type has."""

    control_id: Annotated[str, MinLen(1), MaxLen(36)] = field(
        metadata=doc("names it in clear_der_control and in what the station tells of it")
    )
    control_type: DerControlType = field(metadata=doc("what it controls"))
    is_default: bool = field(metadata=doc("holds always; false: scheduled, from its start_time on"))
    curve: Curve | None = field(
        default=None, metadata=doc("for all types that are none of the following")
    )
    enter_service: EnterService | None = field(default=None, metadata=doc("for EnterService"))
    fixed_pf_absorb: FixedPowerFactor | None = field(
        default=None, metadata=doc("for FixedPFAbsorb")
    )
    fixed_pf_inject: FixedPowerFactor | None = field(
        default=None, metadata=doc("for FixedPFInject")
    )
    fixed_var: FixedVar | None = field(default=None, metadata=doc("for FixedVar"))
    freq_droop: FreqDroop | None = field(default=None, metadata=doc("for FreqDroop"))
    gradient: Gradient | None = field(default=None, metadata=doc("for Gradients"))
    limit_max_discharge: LimitMaxDischarge | None = field(
        default=None, metadata=doc("for LimitMaxDischarge")
    )

    def __post_init__(self) -> None:
        wanted = setting_of(self.control_type)
        for name in (one.name for one in fields(self) if one.name not in _NAMING):
            if name != wanted and getattr(self, name) is not None:
                raise Invalid(f"does not go with {self.control_type.value}", loc=(name,))
        setting = getattr(self, wanted)
        if setting is None:
            raise Invalid(
                f"is required for {self.control_type.value}", loc=(wanted,), kind="missing"
            )
        if self.is_default and getattr(setting, "start_time", None) is not None:
            raise Invalid("a default holds always", loc=(wanted, "start_time"))


COMMAND = Command(
    name="set_der_control",
    summary="Set a default or a scheduled control of distributed energy resources",
    command_class=CommandClass.A,
    params=SetDerControl,
    actions={OcppVersion.V21: "SetDERControl"},
    encode={OcppVersion.V21: wire.encoder("SetDERControl")},
)
