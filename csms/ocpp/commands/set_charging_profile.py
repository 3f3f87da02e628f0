"""SetChargingProfile: limit what a station, an EVSE or a transaction may draw."""

from __future__ import annotations

from dataclasses import dataclass, field

from csms.domain.charging_profiles import (
    ChargingProfile,
    check_for_evse,
    check_for_evse_v16,
)
from csms.domain.jobs import CommandClass
from csms.domain.versions import OcppVersion
from csms.errors import Invalid, NotSupportedByVersion
from csms.ocpp.charging_profiles import (
    params_of_v16,
    profile_v16,
    profile_v21,
    profile_v201,
    read_profile,
)
from csms.ocpp.commands import params as parameters
from csms.ocpp.commands import profiles_v16
from csms.ocpp.commands.command import Answer, Command, EvseId, Order, doc, evse_of_v16
from csms.ocpp.commands.effects import station_limit_is_kept
from csms.ocpp.fields import integer
from csms.ocpp.frames import JsonObject
from csms.services import charging_profiles
from csms.store.database import Tx


@dataclass(frozen=True, slots=True)
class SetChargingProfile:
    """Parameters of set_charging_profile."""

    charging_profile: ChargingProfile = field(
        metadata=doc("the profile; one with the same id is replaced")
    )
    evse_id: EvseId | None = field(
        default=None,
        metadata=doc("for which EVSE; left out: the station, or by default each of its EVSEs"),
    )

    def __post_init__(self) -> None:
        check_for_evse(self.charging_profile, self.evse_id)


def encode_v16(params: SetChargingProfile) -> Order:
    """Connector 0 is the whole station."""
    return Order(
        "SetChargingProfile",
        {
            "connectorId": params.evse_id or 0,
            "csChargingProfiles": profile_v16(params.charging_profile),
        },
    )


def encode_v201(params: SetChargingProfile) -> Order:
    """EVSE 0 is the whole station."""
    return _order_v2x(params, profile_v201(params.charging_profile))


def encode_v21(params: SetChargingProfile) -> Order:
    """As 2.0.1, with more in the profile."""
    return _order_v2x(params, profile_v21(params.charging_profile))


def _order_v2x(params: SetChargingProfile, profile: JsonObject) -> Order:
    return Order("SetChargingProfile", {"evseId": params.evse_id or 0, "chargingProfile": profile})


def decode_v16(payload: JsonObject) -> SetChargingProfile:
    """OCPP 1.6 asks less of a profile than 2.x does."""
    values: JsonObject = {"charging_profile": params_of_v16(payload["csChargingProfiles"])}
    evse_id = evse_of_v16(payload)
    if evse_id is not None:
        values["evse_id"] = evse_id
    try:
        found: SetChargingProfile = parameters.parse(SetChargingProfile, values)
    except Invalid as error:
        where = ".".join(str(part) for part in error.loc)
        raise NotSupportedByVersion(f"no profile of OCPP 2.x: {where} {error.message}") from error
    return found


def check_v16(payload: JsonObject) -> None:
    """What holds on every version, and connector 0 for the whole station."""
    connector = payload["connectorId"]
    if connector < 0:
        raise Invalid("must be at least 0", loc=("connectorId",), given=connector)
    profiles_v16.check(
        payload,
        "csChargingProfiles",
        lambda profile: check_for_evse_v16(profile, connector or None),
    )


def settled(tx: Tx, station_id: int, payload: JsonObject, answer: Answer) -> None:
    """The station has it now."""
    if not answer.accepted:
        return
    if "csChargingProfiles" in payload:
        evse_id, wire = integer(payload, "connectorId"), payload["csChargingProfiles"]
        install = charging_profiles.install_v16
    else:
        evse_id, wire = integer(payload, "evseId"), payload["chargingProfile"]
        install = charging_profiles.install
    profile = read_profile(wire, evse_id=evse_id or 0)
    if profile is not None:
        install(tx, station_id, profile)


COMMAND = Command(
    name="set_charging_profile",
    summary="Set a charging profile",
    command_class=CommandClass.A,
    params=SetChargingProfile,
    actions=dict.fromkeys(OcppVersion, "SetChargingProfile"),
    encode={
        OcppVersion.V16: encode_v16,
        OcppVersion.V201: encode_v201,
        OcppVersion.V21: encode_v21,
    },
    decode_v16={"SetChargingProfile": decode_v16},
    check_v16={"SetChargingProfile": check_v16},
    settled=settled,
    effect=station_limit_is_kept,
)
