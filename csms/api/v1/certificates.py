"""Certificates of a station natively: what it wants signed, and what it says it has."""

from __future__ import annotations

from pydantic import Field

from csms.api import times
from csms.api.models import Shape
from csms.api.routing import Call, Reply
from csms.api.v1 import stations
from csms.api.v1.shapes import Instant
from csms.domain.certificates import RequestState
from csms.store import certificate_requests, installed_certificates
from csms.store.certificate_requests import CertificateRequest
from csms.store.database import ReadTx
from csms.store.installed_certificates import Installed


class CertificateRequestShape(Shape):
    """One SignCertificate and what became of it."""

    id: str
    certificate_type: str
    state: RequestState
    reason: str | None = Field(description="Why it was refused, failed or was declined.")
    csr: str = Field(description="In PEM as it was checked; as received when it was refused.")
    common_name: str | None
    key: str | None = Field(description="Kind and size, such as `EC 256`.")
    certificate_chain: str | None
    expires_at: Instant | None = Field(description="The end of the certificate's validity.")
    job_id: str | None = Field(description="The job that brings the chain to the station.")
    requested_at: Instant
    signed_at: Instant | None
    settled_at: Instant | None

    @classmethod
    def of(cls, request: CertificateRequest) -> CertificateRequestShape:
        """The request as it is shown."""
        return cls(
            id=request.uuid,
            certificate_type=request.use,
            state=request.state,
            reason=request.reason,
            csr=request.csr,
            common_name=request.common_name,
            key=request.key,
            certificate_chain=request.chain,
            expires_at=times.micros(request.expires_at),
            job_id=request.job_uuid,
            requested_at=times.micros(request.requested_at),
            signed_at=times.micros(request.signed_at),
            settled_at=times.micros(request.settled_at),
        )


class InstalledCertificateShape(Shape):
    """One certificate that the station has, by its hash data."""

    certificate_type: str
    hash_algorithm: str
    issuer_name_hash: str
    issuer_key_hash: str
    serial_number: str
    parent_serial_number: str | None = Field(description="Of the first one of its chain.")
    reported_at: Instant | None

    @classmethod
    def of(cls, installed: Installed) -> InstalledCertificateShape:
        """The certificate as it is shown."""
        return cls(
            certificate_type=installed.type,
            hash_algorithm=installed.hash_data.hash_algorithm,
            issuer_name_hash=installed.hash_data.issuer_name_hash,
            issuer_key_hash=installed.hash_data.issuer_key_hash,
            serial_number=installed.hash_data.serial_number,
            parent_serial_number=installed.parent_serial_number,
            reported_at=times.micros(installed.reported_at),
        )


class CertificatesShape(Shape):
    """The newest request comes first."""

    requests: list[CertificateRequestShape]
    installed: list[InstalledCertificateShape] = Field(
        description="As the last get_installed_certificate_ids told."
    )


async def show(call: Call[None, None]) -> Reply:
    """Of one station, by id or `identity:<x>`."""

    def look(tx: ReadTx) -> CertificatesShape:
        station = stations.find(tx, call.path["station_id"], call.principal)
        requests = certificate_requests.list_of_station(tx, station.id)
        installed = installed_certificates.list_of_station(tx, station.id)
        return CertificatesShape(
            requests=[CertificateRequestShape.of(one) for one in requests],
            installed=[InstalledCertificateShape.of(one) for one in installed],
        )

    return Reply(await call.deps.db.read(look))
