"""GetChargingProfiles: have a station report the charging profiles it has."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from annotated_types import Ge, Le, MaxLen

from csms.domain.charging_profiles import ChargingProfilePurpose
from csms.domain.jobs import CommandClass
from csms.domain.multipart import ReportKind
from csms.domain.versions import OcppVersion
from csms.errors import Invalid, NotSupportedByVersion
from csms.ocpp.charging_profiles import purpose_v201
from csms.ocpp.commands.command import Command, Order, also_accepts, doc
from csms.ocpp.commands.report_requests import expects_all
from csms.ocpp.commands.request_ids import RequestId, request_id
from csms.ocpp.frames import JsonObject
from csms.ocpp.profile_reports import forget_unreported

_EMPTY = "NoProfiles"
_Count = Annotated[int, Ge(0), Le(2**31 - 1)]
_SOURCES_V201 = frozenset({"EMS", "Other", "SO", "CSO"})


@dataclass(frozen=True, slots=True)
class GetChargingProfiles:
    """Parameters of get_charging_profiles."""

    charging_profile_ids: list[int] = field(
        default_factory=list, metadata=doc("those with these ids; no other criterion then")
    )
    purpose: ChargingProfilePurpose | None = field(
        default=None, metadata=doc("those of this purpose")
    )
    stack_level: _Count | None = field(default=None, metadata=doc("those at this level"))
    sources: Annotated[list[Annotated[str, MaxLen(20)]], MaxLen(4)] = field(
        default_factory=list, metadata=doc("those set by one of these: CSO, EMS, SO, Other")
    )
    evse_id: _Count | None = field(
        default=None, metadata=doc("those of this EVSE, 0: of the station itself; left out: of all")
    )
    request_id: RequestId = request_id()

    def __post_init__(self) -> None:
        # OCPP 2.0.1 K09.FR.03
        criteria = (self.purpose, self.stack_level, self.sources or None) != (None, None, None)
        if bool(self.charging_profile_ids) == criteria:
            raise Invalid(
                "give either ids, or at least one of purpose, stack_level and sources",
                loc=("charging_profile_ids",),
            )


def encode_v201(params: GetChargingProfiles) -> Order:
    """Without the purposes of 2.1, and with four sources only."""
    if params.purpose is not None:
        purpose_v201(params.purpose)
    if not _SOURCES_V201.issuperset(params.sources):
        raise NotSupportedByVersion("OCPP 2.0.1 knows the sources CSO, EMS, SO and Other only")
    return encode_v21(params)


def encode_v21(params: GetChargingProfiles) -> Order:
    """The criteria are in the object `chargingProfile`."""
    criteria: JsonObject = {}
    if params.charging_profile_ids:
        criteria["chargingProfileId"] = params.charging_profile_ids
    if params.purpose is not None:
        criteria["chargingProfilePurpose"] = params.purpose.value
    if params.stack_level is not None:
        criteria["stackLevel"] = params.stack_level
    if params.sources:
        criteria["chargingLimitSource"] = params.sources
    payload: JsonObject = {"requestId": params.request_id, "chargingProfile": criteria}
    if params.evse_id is not None:
        payload["evseId"] = params.evse_id
    return Order("GetChargingProfiles", payload)


COMMAND = Command(
    name="get_charging_profiles",
    summary="Have the station report its charging profiles",
    command_class=CommandClass.A,
    params=GetChargingProfiles,
    actions=dict.fromkeys((OcppVersion.V201, OcppVersion.V21), "GetChargingProfiles"),
    encode={OcppVersion.V201: encode_v201, OcppVersion.V21: encode_v21},
    read=also_accepts(_EMPTY),
    settled=expects_all(ReportKind.CHARGING_PROFILES, forget_unreported, empty=_EMPTY),
)
