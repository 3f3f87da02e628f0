"""GetInstalledCertificateIds: ask a station which certificates it has."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated

from annotated_types import MaxLen

from csms.domain.jobs import CommandClass
from csms.domain.versions import OcppVersion
from csms.errors import NotSupportedByVersion
from csms.ocpp.certificate_words import (
    CertificateType,
    read_hash_data,
    type_of_v16,
    type_v16,
    type_v201,
)
from csms.ocpp.commands.command import Answer, Command, Order, also_accepts, doc
from csms.ocpp.fields import objects, text
from csms.ocpp.frames import JsonObject
from csms.services import certificates
from csms.store.database import Tx
from csms.store.installed_certificates import Installed

_ACTION = "GetInstalledCertificateIds"


@dataclass(frozen=True, slots=True)
class GetInstalledCertificateIds:
    """Parameters of get_installed_certificate_ids."""

    certificate_types: Annotated[list[CertificateType], MaxLen(6)] = field(
        default_factory=list, metadata=doc("which kinds; left out: all; one for OCPP 1.6")
    )


def encode_v16(params: GetInstalledCertificateIds) -> Order:
    """One type at a time."""
    if len(params.certificate_types) != 1:
        raise NotSupportedByVersion("OCPP 1.6 asks for certificates of one type at a time")
    return Order(_ACTION, {"certificateType": type_v16(params.certificate_types[0])})


def encode_v201(params: GetInstalledCertificateIds) -> Order:
    """As 2.1, which knows one type more."""
    return _order([type_v201(type_) for type_ in params.certificate_types])


def encode_v21(params: GetInstalledCertificateIds) -> Order:
    """No type at all means every type (2.0.1 M03)."""
    return _order([type_.value for type_ in params.certificate_types])


def decode_v16(payload: JsonObject) -> GetInstalledCertificateIds:
    """One type."""
    return GetInstalledCertificateIds([type_of_v16(payload["certificateType"])])


def _order(types: list[str]) -> Order:
    return Order(_ACTION, {"certificateType": types} if types else {})


def settled(tx: Tx, station_id: int, payload: JsonObject, answer: Answer) -> None:
    """What the station has of the types that were asked for."""
    if not answer.accepted:
        return
    asked = payload.get("certificateType")
    if isinstance(asked, str):
        type_ = type_of_v16(asked).value
        hashes = objects(answer.payload.get("certificateHashData"))
        found = [Installed(type_, one) for one in map(read_hash_data, hashes) if one]
        certificates.reported(tx, station_id, [type_], found)
    else:
        chains = objects(answer.payload.get("certificateHashDataChain"))
        found = [one for chain in chains for one in _chain(chain)]
        certificates.reported(tx, station_id, asked or [], found)


def _chain(chain: JsonObject) -> Iterator[Installed]:
    first = read_hash_data(chain.get("certificateHashData"))
    if first is None:
        return
    type_ = text(chain, "certificateType") or ""
    yield Installed(type_, first)
    for child in objects(chain.get("childCertificateHashData")):
        hash_data = read_hash_data(child)
        if hash_data is not None:
            yield Installed(type_, hash_data, parent_serial_number=first.serial_number)


COMMAND = Command(
    name="get_installed_certificate_ids",
    summary="Ask the station which certificates it has",
    command_class=CommandClass.A,
    params=GetInstalledCertificateIds,
    actions=dict.fromkeys(OcppVersion, _ACTION),
    encode={
        OcppVersion.V16: encode_v16,
        OcppVersion.V201: encode_v201,
        OcppVersion.V21: encode_v21,
    },
    read=also_accepts("NotFound"),
    settled=settled,
    decode_v16={_ACTION: decode_v16},
)
