"""Words about certificates, as OCPP 1.6 and 2.x write them."""

from __future__ import annotations

from enum import Enum

from csms.domain.certificates import HashData
from csms.errors import NotSupportedByVersion
from csms.ocpp.fields import text
from csms.ocpp.frames import JsonObject


class CertificateType(str, Enum):
    """GetCertificateIdUseEnumType; the last one came with OCPP 2.1."""

    V2G_ROOT = "V2GRootCertificate"
    MO_ROOT = "MORootCertificate"
    CSMS_ROOT = "CSMSRootCertificate"
    V2G_CHAIN = "V2GCertificateChain"
    MANUFACTURER_ROOT = "ManufacturerRootCertificate"
    OEM_ROOT = "OEMRootCertificate"


_TO_V16 = {
    CertificateType.CSMS_ROOT: "CentralSystemRootCertificate",
    CertificateType.MANUFACTURER_ROOT: "ManufacturerRootCertificate",
}
_FROM_V16 = {word: kind for kind, word in _TO_V16.items()}


def type_v16(type_: CertificateType) -> str:
    """The word of 1.6; raises NotSupportedByVersion."""
    word = _TO_V16.get(type_)
    if word is None:
        raise NotSupportedByVersion(f"OCPP 1.6 has no {type_.value}")
    return word


def type_v201(type_: CertificateType) -> str:
    """The word of 2.0.1; raises NotSupportedByVersion."""
    if type_ is CertificateType.OEM_ROOT:
        raise NotSupportedByVersion(f"OCPP 2.0.1 has no {type_.value}")
    word: str = type_.value
    return word


def type_of_v16(word: str) -> CertificateType:
    """Ours for a word of 1.6."""
    return _FROM_V16[word]


def read_hash_data(value: object) -> HashData | None:
    """What a CertificateHashDataType says; None when something of it is missing."""
    if not isinstance(value, dict):
        return None
    found = [text(value, name) for name in _HASH_FIELDS]
    return HashData(*(one for one in found if one)) if all(found) else None


def write_hash_data(hash_data: HashData) -> JsonObject:
    """CertificateHashDataType, the same in every version."""
    return dict(
        zip(
            _HASH_FIELDS,
            (
                hash_data.hash_algorithm,
                hash_data.issuer_name_hash,
                hash_data.issuer_key_hash,
                hash_data.serial_number,
            ),
            strict=True,
        )
    )


_HASH_FIELDS = ("hashAlgorithm", "issuerNameHash", "issuerKeyHash", "serialNumber")
