"""Raise the security profile by which a station connects; OCPP has no way to lower it.

On 1.6 that is one configuration key. A station of 2.x gets a network profile, the order to try it
before those that it has, and a reset. Either falls back when it cannot connect the new way, so
what it needs is only recorded when it comes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated

from annotated_types import Ge, Le, MaxLen, MinLen

from csms.clock import to_micros
from csms.domain.device_model import VariableKey
from csms.domain.jobs import CommandClass
from csms.domain.versions import OcppVersion
from csms.errors import Invalid, NotSupportedByVersion
from csms.ocpp.commands import reset, set_variables
from csms.ocpp.commands.command import Answer, Command, Evidence, EvidenceQuery, Order, doc
from csms.ocpp.commands.csms_urls import check_csms_url
from csms.ocpp.commands.device_variables import read_results
from csms.ocpp.commands.set_network_profile import (
    COMMAND as SET_NETWORK_PROFILE,
)
from csms.ocpp.commands.set_network_profile import (
    Interface,
    SetNetworkProfile,
)
from csms.ocpp.commands.set_variables import SetVariables, VariableValue
from csms.ocpp.commands.variable_values import settle_written
from csms.ocpp.frames import JsonObject
from csms.store import stations, variables
from csms.store.database import ReadTx

Slot = Annotated[int, Ge(0), Le(2**31 - 1)]
_KEY = "SecurityProfile"
_PRIORITY = VariableKey(component="OCPPCommCtrlr", variable="NetworkConfigurationPriority")


@dataclass(frozen=True, slots=True)
class RaiseSecurityProfile:
    """Parameters of raise_security_profile."""

    security_profile: Annotated[int, Ge(1), Le(3)] = field(
        metadata=doc("1 a password, 2 a password over TLS, 3 a certificate")
    )
    configuration_slot: Slot | None = field(
        default=None, metadata=doc("which of the station's slots is for it; OCPP 2.x")
    )
    ocpp_csms_url: Annotated[str, MinLen(1), MaxLen(2000)] | None = field(
        default=None, metadata=doc("where to connect then, without the identity; OCPP 2.x")
    )
    ocpp_interface: Interface = field(
        default=Interface.WIRED_0, metadata=doc("the network interface to use; OCPP 2.x")
    )
    fallback_slots: list[Slot] | None = field(
        default=None,
        metadata=doc(
            "the slots to try after it; left out: those that the station uses now, as far as it"
            " has told them; OCPP 2.x"
        ),
    )

    def __post_init__(self) -> None:
        if self.ocpp_csms_url is not None:
            check_csms_url(self.ocpp_csms_url, self.security_profile)


def encode_v16(params: RaiseSecurityProfile) -> Order:
    """The station connects anew by itself (1.6 security whitepaper A05)."""
    return Order("ChangeConfiguration", {"key": _KEY, "value": str(params.security_profile)})


def encode_v2x(version: OcppVersion, params: RaiseSecurityProfile) -> Order:
    """One step after the other (OCPP 2.0.1 A05)."""
    slot, url = params.configuration_slot, params.ocpp_csms_url
    if slot is None or url is None:
        raise NotSupportedByVersion(
            f"OCPP {version.value} needs configuration_slot and ocpp_csms_url"
        )
    profile = SetNetworkProfile(slot, url, params.security_profile, params.ocpp_interface)
    slots = [slot, *(one for one in params.fallback_slots or () if one != slot)]
    priority = VariableValue(
        component=_PRIORITY.component,
        variable=_PRIORITY.variable,
        value=",".join(map(str, slots)),
    )
    return replace(
        SET_NETWORK_PROFILE.order(version, profile),
        then=(
            set_variables.encode_v2x(SetVariables([priority])),
            reset.COMMAND.order(version, reset.Reset(reset.ResetType.ON_IDLE)),
        ),
    )


def read(payload: JsonObject) -> Answer:
    """Each of the CALLs has a status, that of the priority inside a list."""
    return read_results(payload, "setVariableResult")


def prepare(
    tx: ReadTx,
    station_id: int,
    version: OcppVersion,
    params: RaiseSecurityProfile,
    sent: Sequence[JsonObject],
) -> RaiseSecurityProfile:
    """Refuse what would not be a raise (OCPP 2.0.1 A00.FR.005), and fill in the fallback."""
    present = stations.get(tx, station_id).security_profile
    if params.security_profile <= present:
        raise Invalid(f"the station has {present} already", loc=("security_profile",))
    if params.fallback_slots is not None or version is OcppVersion.V16:
        return params
    told = variables.find_value(tx, station_id, _PRIORITY) or ""
    slots = [int(slot) for slot in map(str.strip, told.split(",")) if slot.isdecimal()]
    return replace(params, fallback_slots=slots)


def evidence(tx: ReadTx, query: EvidenceQuery) -> Evidence | None:
    """The station has connected with the profile: its requirement was raised."""
    connection = query.payload.get("connectionData", {})
    wanted = int(connection.get("securityProfile") or query.payload["value"])
    station = stations.get(tx, query.station_id)
    if station.security_profile < wanted or station.last_connected_at is None:
        return None
    return Evidence("connection", to_micros(station.last_connected_at), inferred=False)


COMMAND = Command(
    name="raise_security_profile",
    summary="Raise the security profile by which the station connects",
    # Its last step is a reset.
    command_class=CommandClass.C,
    params=RaiseSecurityProfile,
    actions={
        OcppVersion.V16: "ChangeConfiguration",
        OcppVersion.V201: "SetNetworkProfile",
        OcppVersion.V21: "SetNetworkProfile",
    },
    borrows_actions=True,
    encode={
        OcppVersion.V16: encode_v16,
        OcppVersion.V201: lambda params: encode_v2x(OcppVersion.V201, params),
        OcppVersion.V21: lambda params: encode_v2x(OcppVersion.V21, params),
    },
    read=read,
    prepare=prepare,
    leads_to_profile=lambda params: params.security_profile,
    settled=settle_written,
    evidence=evidence,
    stops_when_refused=True,
)
