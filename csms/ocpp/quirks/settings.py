"""The closed set of things that can be done differently for one station."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Annotated

from annotated_types import Ge, Le, MaxLen, MinLen

from csms.domain.resemblance import Resemblance
from csms.domain.versions import OcppVersion
from csms.ocpp.commands.command import doc

Moment = Annotated[float, Ge(0), Le(60)]
Seconds = Annotated[int, Ge(1), Le(3600)]
Words = Annotated[list[Annotated[str, MinLen(1), MaxLen(200)]], MaxLen(100)]


class TimestampFormat(str, Enum):
    """How precise the instants are that we give a station."""

    SECONDS = "seconds"
    MILLISECONDS = "milliseconds"


class RateUnit(str, Enum):
    """ChargingRateUnitEnumType."""

    AMPERE = "A"
    WATT = "W"


class ProfileKind(str, Enum):
    """ChargingProfileKindEnumType."""

    ABSOLUTE = "Absolute"
    RECURRING = "Recurring"
    RELATIVE = "Relative"


def _no_list() -> list[str]:
    return []


@dataclass(frozen=True, slots=True)
class Quirks:
    """Nothing set: the station is treated like any other."""

    # The upgrade: endpoint.py.
    ocpp_version: OcppVersion | None = field(
        default=None, metadata=doc("speak this version when the station offers it")
    )
    assume_subprotocol: OcppVersion | None = field(
        default=None, metadata=doc("the version to speak when the station offers none")
    )
    compression: bool = field(
        default=True, metadata=doc("compress messages when a station of OCPP 2.x offers it")
    )
    # The connection: liveness.py, link.py, connection.py.
    ping_interval_s: Annotated[int, Ge(0), Le(3600)] | None = field(
        default=None, metadata=doc("how often the station is pinged; 0: never")
    )
    response_delay_s: Moment = field(
        default=0.0, metadata=doc("answer the station's messages so much later")
    )
    ready_delay_s: Moment = field(
        default=0.0, metadata=doc("send nothing for so long after the sign of readiness")
    )
    call_spacing_s: Moment = field(
        default=0.0, metadata=doc("leave so much time between two orders")
    )
    call_timeout_s: Seconds | None = field(
        default=None, metadata=doc("wait at least so long for an answer")
    )
    timestamp_format: TimestampFormat = field(
        default=TimestampFormat.MILLISECONDS, metadata=doc("how we write the current time")
    )
    # What it says of energy: sampled_values.py.
    registers_in_kwh: bool = field(
        default=False, metadata=doc("its energy registers are in kWh, whatever unit they name")
    )
    totals_from_phases: bool = field(
        default=False,
        metadata=doc("its totals are wrong where it tells the phases: power and current"),
    )
    # Whose token it shows: services/authorization.py.
    tag_spellings: list[Resemblance] = field(
        default_factory=list,
        metadata=doc("how its tags may differ from the one known tag that they mean"),
    )
    # What we ask by ourselves: questions.py.
    boot_trigger_delay_s: Seconds | None = field(
        default=None, metadata=doc("stay silent at least so long before asking for a boot")
    )
    trigger_status: bool = field(
        default=False, metadata=doc("ask for the status of connectors that do not tell it")
    )
    # What an operator orders: orders.py.
    deny: Words = field(
        default_factory=_no_list,
        metadata=doc("orders that are not sent: an action, or an action and one of its keys"),
    )
    connector_fallback: Words = field(
        default_factory=_no_list,
        metadata=doc("1.6 actions to repeat for connector 1 when 0 is rejected, or for 0 after 1"),
    )
    max_stack_level: Annotated[int, Ge(0)] | None = field(
        default=None, metadata=doc("the highest stack level of a charging profile")
    )
    profile_kinds: list[ProfileKind] = field(
        default_factory=list, metadata=doc("the kinds of charging profiles that work")
    )
    rate_units: list[RateUnit] = field(
        default_factory=list, metadata=doc("the units of charging limits that work")
    )
    limits_a: list[int] = field(
        default_factory=list, metadata=doc("the only limits in ampere that work")
    )
    zero_limit: bool = field(
        default=True, metadata=doc("whether a limit of 0 pauses charging and nothing more")
    )
    profile_in_start: bool = field(
        default=True, metadata=doc("whether a remote start may carry a charging profile")
    )
    firmware_protocols: Words = field(
        default_factory=_no_list,
        metadata=doc("the protocols, such as ftp, by which it fetches firmware"),
    )
    log_protocols: Words = field(
        default_factory=_no_list, metadata=doc("the protocols by which it brings logs")
    )
    min_meter_interval_s: Seconds | None = field(
        default=None, metadata=doc("the shortest interval of meter values it can stand")
    )
