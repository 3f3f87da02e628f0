"""SetNetworkProfile: how the station reaches a CSMS, kept in one of its slots."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Annotated

from annotated_types import Ge, Le, MaxLen, MinLen

from csms.domain.jobs import CommandClass
from csms.domain.versions import OcppVersion
from csms.errors import NotSupportedByVersion
from csms.ocpp.commands.command import Command, Order, doc
from csms.ocpp.commands.csms_urls import check_csms_url
from csms.ocpp.frames import JsonObject

_Integer = Annotated[int, Ge(0), Le(2**31 - 1)]


class Interface(str, Enum):
    """OCPPInterfaceEnumType; Any came with OCPP 2.1."""

    WIRED_0 = "Wired0"
    WIRED_1 = "Wired1"
    WIRED_2 = "Wired2"
    WIRED_3 = "Wired3"
    WIRELESS_0 = "Wireless0"
    WIRELESS_1 = "Wireless1"
    WIRELESS_2 = "Wireless2"
    WIRELESS_3 = "Wireless3"
    ANY = "Any"


class ApnAuthentication(str, Enum):
    """APNAuthenticationEnumType."""

    PAP = "PAP"
    CHAP = "CHAP"
    NONE = "NONE"
    AUTO = "AUTO"


class VpnType(str, Enum):
    """VPNEnumType."""

    IKEV2 = "IKEv2"
    IPSEC = "IPSec"
    L2TP = "L2TP"
    PPTP = "PPTP"


@dataclass(frozen=True, slots=True)
class Apn:
    """The mobile network's access point; the limits are those of OCPP 2.1."""

    apn: Annotated[str, MinLen(1), MaxLen(2000)]
    authentication: ApnAuthentication
    user_name: Annotated[str, MaxLen(50)] | None = None
    password: Annotated[str, MaxLen(64)] | None = None
    sim_pin: _Integer | None = None
    preferred_network: Annotated[str, MaxLen(6)] | None = None
    use_only_preferred_network: bool = False


@dataclass(frozen=True, slots=True)
class Vpn:
    """The tunnel to go through; the limits are those of OCPP 2.1."""

    type: VpnType
    server: Annotated[str, MinLen(1), MaxLen(2000)]
    user: Annotated[str, MaxLen(50)]
    password: Annotated[str, MaxLen(64)]
    key: Annotated[str, MaxLen(255)]
    group: Annotated[str, MaxLen(50)] | None = None


@dataclass(frozen=True, slots=True)
class SetNetworkProfile:
    """Parameters of set_network_profile. The station's own password is not among them."""

    configuration_slot: _Integer = field(metadata=doc("which of the station's slots"))
    ocpp_csms_url: Annotated[str, MinLen(1), MaxLen(2000)] = field(
        metadata=doc("where the CSMS is, without the station's identity")
    )
    security_profile: Annotated[int, Ge(1), Le(3)] = field(
        metadata=doc("never below the one in use: the station refuses that")
    )
    ocpp_interface: Interface = field(metadata=doc("the network interface to use"))
    message_timeout_s: Annotated[int, Ge(1), Le(2**31 - 1)] = field(
        default=30, metadata=doc("how long the station waits for an answer")
    )
    ocpp_version: OcppVersion | None = field(
        default=None, metadata=doc("what to speak there; left out: as now, OCPP 2.1 ignores it")
    )
    identity: Annotated[str, MinLen(1), MaxLen(48)] | None = field(
        default=None, metadata=doc("under which identity to connect; OCPP 2.1 only")
    )
    apn: Apn | None = field(default=None, metadata=doc("the mobile network's access point"))
    vpn: Vpn | None = field(default=None, metadata=doc("the tunnel to go through"))

    def __post_init__(self) -> None:
        check_csms_url(self.ocpp_csms_url, self.security_profile)


_WORDS_V201 = {OcppVersion.V16: "OCPP16", OcppVersion.V201: "OCPP20"}
_WORDS_V21 = {
    OcppVersion.V16: "OCPP16",
    OcppVersion.V201: "OCPP201",
    OcppVersion.V21: "OCPP21",
}


def encode_v201(params: SetNetworkProfile) -> Order:
    """The version is required, and OCPP20 is the word for 2.0.1: 2.0 was withdrawn."""
    version = params.ocpp_version or OcppVersion.V201
    if version not in _WORDS_V201:
        raise NotSupportedByVersion(f"OCPP 2.0.1 cannot name OCPP {version.value}")
    if params.identity is not None:
        raise NotSupportedByVersion("OCPP 2.0.1 cannot change the identity")
    return _order(params, {"ocppVersion": _WORDS_V201[version]})


def encode_v21(params: SetNetworkProfile) -> Order:
    """The version is left to the handshake."""
    more: JsonObject = {}
    if params.ocpp_version is not None:
        more["ocppVersion"] = _WORDS_V21[params.ocpp_version]
    if params.identity is not None:
        more["identity"] = params.identity
    return _order(params, more)


def _order(params: SetNetworkProfile, more: JsonObject) -> Order:
    connection: JsonObject = {
        "ocppTransport": "JSON",
        "ocppCsmsUrl": params.ocpp_csms_url,
        "messageTimeout": params.message_timeout_s,
        "securityProfile": params.security_profile,
        "ocppInterface": params.ocpp_interface.value,
        **more,
    }
    if params.apn is not None:
        connection["apn"] = _apn(params.apn)
    if params.vpn is not None:
        connection["vpn"] = _vpn(params.vpn)
    return Order(
        "SetNetworkProfile",
        {"configurationSlot": params.configuration_slot, "connectionData": connection},
    )


def _apn(apn: Apn) -> JsonObject:
    optional = {
        "apnUserName": apn.user_name,
        "apnPassword": apn.password,
        "simPin": apn.sim_pin,
        "preferredNetwork": apn.preferred_network,
        "useOnlyPreferredNetwork": apn.use_only_preferred_network or None,
    }
    return {
        "apn": apn.apn,
        "apnAuthentication": apn.authentication.value,
        **{name: value for name, value in optional.items() if value is not None},
    }


def _vpn(vpn: Vpn) -> JsonObject:
    group = {} if vpn.group is None else {"group": vpn.group}
    return {
        "type": vpn.type.value,
        "server": vpn.server,
        "user": vpn.user,
        "password": vpn.password,
        "key": vpn.key,
        **group,
    }


COMMAND = Command(
    name="set_network_profile",
    summary="Set how the station reaches a CSMS",
    command_class=CommandClass.A,
    params=SetNetworkProfile,
    actions={OcppVersion.V201: "SetNetworkProfile", OcppVersion.V21: "SetNetworkProfile"},
    encode={OcppVersion.V201: encode_v201, OcppVersion.V21: encode_v21},
)
