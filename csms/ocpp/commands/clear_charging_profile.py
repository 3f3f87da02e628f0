"""ClearChargingProfile: remove charging profiles."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from annotated_types import Ge, Le

from csms.domain.charging_profiles import ChargingProfilePurpose
from csms.domain.jobs import CommandClass
from csms.domain.versions import OcppVersion
from csms.errors import Invalid, NotSupportedByVersion
from csms.ocpp.charging_profiles import in_2x_words, purpose_v16, purpose_v201, read_filter
from csms.ocpp.commands.command import Answer, Command, Order, doc
from csms.ocpp.fields import integer
from csms.ocpp.frames import JsonObject
from csms.services import charging_profiles
from csms.store.database import Tx

_Count = Annotated[int, Ge(0), Le(2**31 - 1)]


@dataclass(frozen=True, slots=True)
class ClearChargingProfile:
    """Parameters of clear_charging_profile."""

    charging_profile_id: int | None = field(
        default=None, metadata=doc("the one with this id; all else is then left out")
    )
    evse_id: _Count | None = field(
        default=None, metadata=doc("those of this EVSE, 0: of the station itself")
    )
    purpose: ChargingProfilePurpose | None = field(
        default=None, metadata=doc("those of this purpose")
    )
    stack_level: _Count | None = field(default=None, metadata=doc("those at this level"))

    def __post_init__(self) -> None:
        # OCPP 2.0.1 K10.FR.02, K10.FR.06
        if self.charging_profile_id is not None and self.has_criteria:
            raise Invalid("give either the id or criteria", loc=("charging_profile_id",))
        if self.purpose is ChargingProfilePurpose.EXTERNAL_CONSTRAINTS:
            raise Invalid("is for other systems than a CSMS", loc=("purpose",))

    @property
    def has_criteria(self) -> bool:
        """Whether anything but an id narrows it down."""
        return (self.evse_id, self.purpose, self.stack_level) != (None, None, None)


def encode_v16(params: ClearChargingProfile) -> Order:
    """Without any parameter it clears them all."""
    payload: JsonObject = {}
    if params.charging_profile_id is not None:
        payload["id"] = params.charging_profile_id
    if params.evse_id is not None:
        payload["connectorId"] = params.evse_id
    if params.purpose is not None:
        payload["chargingProfilePurpose"] = purpose_v16(params.purpose)
    if params.stack_level is not None:
        payload["stackLevel"] = params.stack_level
    return Order("ClearChargingProfile", payload)


def encode_v201(params: ClearChargingProfile) -> Order:
    """Without the purposes of 2.1."""
    if params.purpose is not None:
        purpose_v201(params.purpose)
    return encode_v21(params)


def encode_v21(params: ClearChargingProfile) -> Order:
    """Either the id or criteria."""
    if params.charging_profile_id is not None:
        return Order("ClearChargingProfile", {"chargingProfileId": params.charging_profile_id})
    if not params.has_criteria:
        raise NotSupportedByVersion("OCPP 2.x clears profiles by id or by at least one criterion")
    criteria: JsonObject = {}
    if params.evse_id is not None:
        criteria["evseId"] = params.evse_id
    if params.purpose is not None:
        criteria["chargingProfilePurpose"] = params.purpose.value
    if params.stack_level is not None:
        criteria["stackLevel"] = params.stack_level
    return Order("ClearChargingProfile", {"chargingProfileCriteria": criteria})


def decode_v16(payload: JsonObject) -> ClearChargingProfile:
    """OCPP 1.6 takes an id and criteria at once."""
    purpose = payload.get("chargingProfilePurpose")
    try:
        return ClearChargingProfile(
            payload.get("id"),
            payload.get("connectorId"),
            None if purpose is None else ChargingProfilePurpose(in_2x_words(purpose)),
            payload.get("stackLevel"),
        )
    except Invalid as error:
        raise NotSupportedByVersion(f"OCPP 2.x cannot clear so: {error.message}") from error


def settled(tx: Tx, station_id: int, payload: JsonObject, answer: Answer) -> None:
    """They are gone; by `Unknown` the station says that it never had them or has them no more."""
    if not answer.accepted and answer.status not in COMMAND.gone:
        return
    criteria = payload.get("chargingProfileCriteria")
    if isinstance(criteria, dict):
        wanted = read_filter(criteria, evse_id=integer(criteria, "evseId"), id_name="id")
    elif "chargingProfileId" in payload:
        wanted = read_filter(payload, evse_id=None, id_name="chargingProfileId")
    else:
        wanted = read_filter(payload, evse_id=integer(payload, "connectorId"), id_name="id")
    charging_profiles.clear(tx, station_id, wanted)


COMMAND = Command(
    name="clear_charging_profile",
    summary="Clear charging profiles",
    command_class=CommandClass.B,
    params=ClearChargingProfile,
    actions=dict.fromkeys(OcppVersion, "ClearChargingProfile"),
    encode={
        OcppVersion.V16: encode_v16,
        OcppVersion.V201: encode_v201,
        OcppVersion.V21: encode_v21,
    },
    decode_v16={"ClearChargingProfile": decode_v16},
    gone=frozenset({"Unknown"}),
    settled=settled,
)
