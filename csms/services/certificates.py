"""Certificates of stations: who may have one signed, and what became of each request."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import Enum

from csms.clock import to_micros
from csms.domain.certificates import (
    MAX_CSR,
    Chain,
    HashData,
    RequestState,
    SigningRequest,
    SigningUse,
    check_owner,
    read_chain,
    read_signing_request,
)
from csms.domain.device_model import VariableKey
from csms.errors import Invalid
from csms.services import station_events
from csms.store import certificate_requests, installed_certificates, stations, variables
from csms.store.certificate_requests import CertificateRequest
from csms.store.database import ReadTx, Tx
from csms.store.installed_certificates import Installed

# A station that gets no certificate asks again after 30 s and doubles the time (A02.FR.18).
MAX_PER_HOUR = 20
KEPT = 50
_HOUR_US = 3600 * 1_000_000
_MAX_REASON = 500


@dataclass(frozen=True, slots=True)
class Asked:
    """A SignCertificate, version-neutral."""

    csr: str
    use: str
    """ChargingStationCertificate where the station does not say."""
    request_id: int | None = None
    root: str | None = None
    """JSON hash data of the root that it is to come from."""


class Cause(str, Enum):
    """Why a signing request is refused."""

    BAD_CSR = "bad_csr"
    NO_SIGNER = "no_signer"
    TOO_MANY = "too_many"


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a station is told instead of Accepted."""

    cause: Cause
    reason: str


def request(tx: Tx, station_id: int, asked: Asked, *, signs: bool) -> Refusal | None:
    """Judge and store a signing request; None: it is accepted.

    `signs` is whether anybody is there to sign it.
    """
    if certificate_requests.count_since(tx, station_id, tx.now - _HOUR_US) >= MAX_PER_HOUR:
        return Refusal(Cause.TOO_MANY, "too many signing requests, try again later")
    try:
        checked = _checked(tx, station_id, asked)
    except Invalid as fault:
        return _refuse(tx, station_id, asked, Refusal(Cause.BAD_CSR, fault.message))
    if not signs:  # OCPP 2.0.1 A02.FR.12: not able to process the request
        return _refuse(tx, station_id, asked, Refusal(Cause.NO_SIGNER, "no signer is configured"))
    found = certificate_requests.find_open(tx, station_id, asked.use)
    if found is not None:
        if found.state is RequestState.PENDING and _is_same(found, checked, asked):
            return None
        # It has not got the chain, or has a new key pair (OCPP 2.0.1 A02.FR.17).
        _settle(tx, found, RequestState.SUPERSEDED)
    made = certificate_requests.insert(
        tx,
        station_id,
        use=asked.use,
        request=checked,
        station_request_id=asked.request_id,
        root=asked.root,
    )
    certificate_requests.delete_old(tx, station_id, keep=KEPT)
    _tell(tx, "certificate.requested", made)
    return None


def signed(tx: Tx, request_id: int, chain: Chain) -> bool:
    """The signer answered; False when the station has asked for another one meanwhile."""
    found = certificate_requests.get(tx, request_id)
    if found.state is not RequestState.PENDING:
        return False
    certificate_requests.update(
        tx,
        request_id,
        state=RequestState.SIGNED.value,
        chain=chain.pem,
        expires_at=to_micros(chain.expires_at),
        signed_at=tx.now,
    )
    _tell(tx, "certificate.signed", found)
    return True


def failed(tx: Tx, request_id: int, reason: str) -> None:
    """The signer gave nothing usable; a person has to look (OCPP 2.0.1 A02, error handling)."""
    found = certificate_requests.get(tx, request_id)
    if found.state is RequestState.PENDING:
        _settle(tx, found, RequestState.FAILED, reason)


def longest_chain(tx: ReadTx, station_id: int) -> int | None:
    """How many characters the station takes, as far as it has told."""
    told = (variables.find_value(tx, station_id, key) for key in _LONGEST_CHAIN)
    return next((int(value) for value in told if value and value.isdecimal()), None)


_LONGEST_CHAIN = (
    VariableKey(component="SecurityCtrlr", variable="MaxCertificateChainSize"),
    VariableKey(component="v16", variable="CertificateSignedMaxChainSize"),
)


def sent(tx: Tx, request_id: int, job_uuid: str) -> None:
    """A job brings the chain to the station."""
    certificate_requests.update(tx, request_id, job_uuid=job_uuid)


def answered(tx: Tx, station_id: int, pem: str, *, accepted: bool, reason: str | None) -> None:
    """The station took or declined a chain, whoever sent it."""
    try:
        chain = read_chain(pem)
    except Invalid:  # passed through as it was given
        return
    found = certificate_requests.find_by_key(tx, station_id, chain.public_key)
    if found is None:
        return
    certificate_requests.update(
        tx, found.id, chain=chain.pem, expires_at=to_micros(chain.expires_at)
    )
    _settle(tx, found, RequestState.INSTALLED if accepted else RequestState.DECLINED, reason)


def reported(
    tx: Tx, station_id: int, types: Collection[str], certificates: Iterable[Installed]
) -> None:
    """The station said which certificates of these types it has; no types: of all."""
    installed_certificates.delete_types(tx, station_id, types)
    installed_certificates.insert_many(tx, station_id, certificates)


def deleted(tx: Tx, station_id: int, hash_data: HashData) -> None:
    """The station does not have it, any more or at all."""
    installed_certificates.delete(tx, station_id, hash_data)


def _checked(tx: Tx, station_id: int, asked: Asked) -> SigningRequest:
    try:
        use = SigningUse(asked.use)
    except ValueError as error:
        raise Invalid("the certificate type is not known") from error
    checked = read_signing_request(asked.csr)
    station = stations.get(tx, station_id)
    check_owner(checked, use, identity=station.identity, serial_number=station.serial_number)
    if use is SigningUse.STATION and stations.is_name_of_another(tx, station, checked.common_name):
        # A serial number is what a boot says, and the certificate would open another's door.
        raise Invalid("the CSR's common name is also the one of another station", code="bad_csr")
    return checked


def _is_same(found: CertificateRequest, checked: SigningRequest, asked: Asked) -> bool:
    return (found.csr, found.station_request_id) == (checked.pem, asked.request_id)


def _refuse(tx: Tx, station_id: int, asked: Asked, refusal: Refusal) -> Refusal:
    certificate_requests.insert_refused(
        tx, station_id, use=asked.use, csr=asked.csr[:MAX_CSR], reason=refusal.reason
    )
    certificate_requests.delete_old(tx, station_id, keep=KEPT)
    station_events.emit(
        tx,
        station_id,
        "certificate.refused",
        certificate_type=asked.use,
        reason=refusal.reason,
    )
    return refusal


def _settle(
    tx: Tx, found: CertificateRequest, state: RequestState, reason: str | None = None
) -> None:
    reason = reason and reason[:_MAX_REASON]
    certificate_requests.update(tx, found.id, state=state.value, reason=reason, settled_at=tx.now)
    _tell(tx, f"certificate.{state.value}", found, reason=reason)


def _tell(tx: Tx, type_: str, about: CertificateRequest, reason: str | None = None) -> None:
    station_events.emit(
        tx,
        about.station_id,
        type_,
        id=about.uuid,
        certificate_type=about.use,
        common_name=about.common_name,
        key=about.key,
        reason=reason,
    )
