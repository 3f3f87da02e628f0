"""Has accepted signing requests signed by the operator's program, and sends the chains.

Every step is a row, so what a crash interrupts goes on at the next start: the program may be
asked a second time, the station gets one job all the same.
"""

from __future__ import annotations

import asyncio
import hashlib
from typing import Any

import structlog

from csms.domain.certificates import Chain, RequestState, read_chain
from csms.domain.jobs import IdempotencyKey, Lane, NewItem, OfflinePolicy, Policy
from csms.domain.permissions import SYSTEM
from csms.errors import CsmsError, Invalid, ProgramFailed
from csms.events import Bus, Event
from csms.jobs.engine import Engine
from csms.jobs.kinds import command
from csms.services import certificates
from csms.services.programs import Program
from csms.store import certificate_requests, stations
from csms.store.certificate_requests import CertificateRequest
from csms.store.database import Database

log = structlog.get_logger(__name__)

# A station that is away for longer asks again by itself (OCPP 2.0.1 A02.FR.17).
DELIVERED_WITHIN_S = 900.0


class Signing:
    """Serves every open request, as many at once as the program is run."""

    def __init__(self, *, db: Database, bus: Bus, engine: Engine, signer: Program) -> None:
        self._db = db
        self._bus = bus
        self._engine = engine
        self._signer = signer
        self._news = asyncio.Event()
        self._tasks: dict[int, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Take up what is open, then whatever comes, until cancelled."""
        unsubscribe = self._bus.subscribe(Event, self._on_event)
        try:
            while True:
                self._news.clear()
                for request in await self._db.read(certificate_requests.list_open):
                    if request.id not in self._tasks and _is_ours(request):
                        self._spawn(request)
                await self._news.wait()
        finally:
            unsubscribe()
            for task in self._tasks.values():
                task.cancel()
            await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    def _on_event(self, event: Event) -> None:
        if event.type == "certificate.requested":
            self._news.set()

    def _spawn(self, request: CertificateRequest) -> None:
        task = asyncio.create_task(self._serve(request))
        self._tasks[request.id] = task
        task.add_done_callback(lambda _: self._tasks.pop(request.id, None))

    async def _serve(self, request: CertificateRequest) -> None:
        try:
            if request.state is RequestState.PENDING and not await self._sign(request):
                return
            await self._send(
                await self._db.read(lambda tx: certificate_requests.get(tx, request.id))
            )
        except CsmsError as error:  # the row says how far it came
            log.warning("certificate is not on its way", request=request.uuid, reason=error.code)
        except Exception:
            log.exception("signing failed", request=request.uuid)

    async def _sign(self, request: CertificateRequest) -> bool:
        try:
            chain = await self._ask(request)
        except (ProgramFailed, Invalid) as error:
            reason = error.message
            log.warning("certificate request not signed", request=request.uuid, reason=reason)
            await self._db.write(lambda tx: certificates.failed(tx, request.id, reason))
            return False
        return await self._db.write(lambda tx: certificates.signed(tx, request.id, chain))

    async def _ask(self, request: CertificateRequest) -> Chain:
        station, longest = await self._db.read(
            lambda tx: (
                stations.get(tx, request.station_id),
                certificates.longest_chain(tx, request.station_id),
            )
        )
        about = {
            "OCPP_STATION": station.identity,
            "OCPP_CERTIFICATE_TYPE": request.use,
            "OCPP_ROOT": request.root or "",
        }
        answer = await self._signer.run(request.csr.encode(), about)
        chain = read_chain(answer.decode(errors="replace"))
        if chain.public_key != request.public_key:
            raise Invalid("the signer's certificate is for another key")
        if longest is not None and len(chain.pem) > longest:  # OCPP 2.0.1 A02.FR.16
            raise Invalid(f"the chain has {len(chain.pem)} characters, the station takes {longest}")
        return chain

    async def _send(self, request: CertificateRequest) -> None:
        """One job for one request, however often a crash repeats this."""
        station = await self._db.read(lambda tx: stations.get(tx, request.station_id))
        params: dict[str, Any] = {"certificate_chain": request.chain}
        if request.station_request_id is not None:  # OCPP 2.1 A02.FR.25
            params["request_id"] = request.station_request_id
        params["certificate_type"] = request.use
        submission = command.submission(
            principal=SYSTEM,
            wanted=command.Wanted(command="certificate_signed", params=params),
            targets=[NewItem(station.uuid, target=station.id)],
            dialect="native",
            lane=Lane.INTERACTIVE,
            policy=Policy(offline=OfflinePolicy.WAIT, expires_in_s=DELIVERED_WITHIN_S),
        )
        key = IdempotencyKey(
            SYSTEM.id, request.uuid, hashlib.sha256(request.uuid.encode()).digest()
        )
        job = (await self._engine.submit(submission, key)).job
        await self._db.write(lambda tx: certificates.sent(tx, request.id, job.uuid))


def _is_ours(request: CertificateRequest) -> bool:
    return request.state is RequestState.PENDING or request.job_uuid is None
