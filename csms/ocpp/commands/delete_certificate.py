"""DeleteCertificate: take a root certificate from a station."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Annotated

from annotated_types import MaxLen, MinLen

from csms.domain.certificates import HashData
from csms.domain.jobs import CommandClass
from csms.domain.versions import OcppVersion
from csms.ocpp.certificate_words import read_hash_data, write_hash_data
from csms.ocpp.commands.command import Answer, Command, Order, doc
from csms.ocpp.frames import JsonObject
from csms.services import certificates
from csms.store.database import Tx

_Hash = Annotated[str, MinLen(1), MaxLen(128)]


class HashAlgorithm(str, Enum):
    """HashAlgorithmEnumType."""

    SHA256 = "SHA256"
    SHA384 = "SHA384"
    SHA512 = "SHA512"


@dataclass(frozen=True, slots=True)
class DeleteCertificate:
    """Parameters of delete_certificate: its hash data, as get_installed_certificate_ids tells."""

    hash_algorithm: HashAlgorithm = field(metadata=doc("of both hashes"))
    issuer_name_hash: _Hash = field(metadata=doc("hash of the issuer's name"))
    issuer_key_hash: _Hash = field(metadata=doc("hash of the issuer's public key"))
    serial_number: Annotated[str, MinLen(1), MaxLen(40)] = field(
        metadata=doc("hexadecimal, without leading zeros")
    )


def encode(params: DeleteCertificate) -> Order:
    """The same in every version."""
    hash_data = HashData(
        params.hash_algorithm.value,
        params.issuer_name_hash,
        params.issuer_key_hash,
        params.serial_number,
    )
    return Order("DeleteCertificate", {"certificateHashData": write_hash_data(hash_data)})


def decode_v16(payload: JsonObject) -> DeleteCertificate:
    """The schema has seen to it that all of it is there."""
    hash_data = read_hash_data(payload["certificateHashData"])
    assert hash_data is not None
    return DeleteCertificate(
        HashAlgorithm(hash_data.hash_algorithm),
        hash_data.issuer_name_hash,
        hash_data.issuer_key_hash,
        hash_data.serial_number,
    )


def settled(tx: Tx, station_id: int, payload: JsonObject, answer: Answer) -> None:
    """What is gone leaves the list of what is installed."""
    hash_data = read_hash_data(payload.get("certificateHashData"))
    if hash_data is not None and answer.status in {"Accepted", "NotFound"}:
        certificates.deleted(tx, station_id, hash_data)


COMMAND = Command(
    name="delete_certificate",
    summary="Take a certificate from the station",
    command_class=CommandClass.B,
    params=DeleteCertificate,
    actions=dict.fromkeys(OcppVersion, "DeleteCertificate"),
    encode=dict.fromkeys(OcppVersion, encode),
    gone=frozenset({"NotFound"}),
    settled=settled,
    decode_v16={"DeleteCertificate": decode_v16},
)
