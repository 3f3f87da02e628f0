"""POST /api/v1/jobs/preview: what a job would be made of and come upon, with nothing written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from pydantic import Field

from csms.api.auth import require
from csms.api.models import Query, Shape
from csms.api.routing import Call, Reply
from csms.api.v1 import job_submit
from csms.api.v1.commands import version_of
from csms.api.v1.job_requests import SCOPES, AnyJob, StationCreateJob
from csms.domain.jobs import NewItem, OfflinePolicy, Submission
from csms.domain.stations import Station
from csms.domain.versions import OcppVersion
from csms.errors import CsmsError, NotSupportedByVersion
from csms.jobs import orders, provisioning
from csms.jobs.kinds import (
    charging_profile_template,
    command,
    config_template,
    file_transfer,
    id_token_import,
    station_delete,
    station_update,
)
from csms.ocpp.commands.command import Order
from csms.services.id_token_rehearsal import Rehearsal
from csms.services.redaction import redacted
from csms.store import stations
from csms.store.database import ReadTx

MOST_SHOWN = 10_000


class Outlook(str, Enum):
    """What would come of an item, were the job submitted now."""

    RUN = "run"
    WAIT = "wait"  # until the station is online and ready
    OFFLINE = "offline"
    FAIL = "fail"
    SKIP = "skip"


class PreviewQuery(Query):
    """How much to show; everything is counted."""

    limit: int = Field(default=1000, ge=0, le=MOST_SHOWN)


class PreviewItem(Shape):
    """One item."""

    seq: int
    key: str = Field(description="As a job's item has it; random suffixes are drawn anew.")
    station_id: str | None
    identity: str | None
    would: Outlook = Field(
        description="`run`; `wait` until it is online and ready; be reported `offline`; `fail` for"
        " what `code` says; `skip`: there is no such station within reach."
    )
    code: str | None
    message: str | None


class CallShape(Shape):
    """One CALL."""

    action: str
    payload: dict[str, Any] = Field(description="Without passwords.")


class PreviewVersion(Shape):
    """What stations of one OCPP version would be sent."""

    ocpp_version: OcppVersion
    stations: int
    calls: list[CallShape] = Field(
        description="In this order; lists that are too long for a station go in parts, and of a"
        " config template only what the station has otherwise is written."
    )
    error: str | None = Field(description="Why nothing can be sent.")


class JobPreview(Shape):
    """What would happen."""

    kind: str
    total: int
    counts: dict[Outlook, int]
    versions: list[PreviewVersion] = Field(description="Of orders to stations; else empty.")
    items: list[PreviewItem] = Field(description="The first `limit`, in order.")


@dataclass(frozen=True, slots=True)
class _Verdict:
    would: Outlook
    station: Station | None = None
    code: str | None = None
    message: str | None = None
    identity: str | None = None


_RUN = _Verdict(Outlook.RUN)
_SENDING = {
    charging_profile_template.KIND,
    command.KIND,
    config_template.KIND,
    *file_transfer.KINDS,
}
_Item = tuple[NewItem, _Verdict]


async def preview(call: Call[AnyJob, PreviewQuery]) -> Reply:
    """Judged as the job itself would be; a refusal is the same."""
    require(call.principal, SCOPES[call.body.kind])
    versions: list[PreviewVersion] = []
    if isinstance(call.body, StationCreateJob):
        items = await _of_plan(call, call.body)
    else:
        made = await job_submit.submission(call)
        items, versions = await call.deps.db.read(lambda tx: _judged(call, tx, made))
    counted = Counter(verdict.would for _, verdict in items)
    return Reply(
        JobPreview(
            kind=call.body.kind,
            total=len(items),
            counts={outlook: counted[outlook] for outlook in Outlook},
            versions=versions,
            items=[_shape(seq, *item) for seq, item in enumerate(items[: call.query.limit])],
        )
    )


async def _of_plan(call: Call[AnyJob, Any], body: StationCreateJob) -> list[_Item]:
    await job_submit.submission(call)  # whatever it would be refused for
    plan = await job_submit.plan_of(call, body)
    return [
        (
            NewItem(station.identity),
            _Verdict(
                Outlook.RUN if station.code is None else Outlook.FAIL,
                code=station.code,
                message=station.message,
                identity=station.identity,
            ),
        )
        for station in await provisioning.preview(call.deps.db, plan)
    ]


def _judged(
    call: Call[Any, Any], tx: ReadTx, made: Submission
) -> tuple[list[_Item], list[PreviewVersion]]:
    if made.kind == id_token_import.KIND:
        return list(_of_rows(tx, made)), []
    known = stations.find_many(tx, [item.target for item in made.items if item.target is not None])
    versions: list[PreviewVersion] = []
    calls: dict[OcppVersion, PreviewVersion] = {}
    if made.kind in _SENDING:
        counted = Counter(version_of(call.deps, station) for station in known.values())
        versions = [_version(made, version, counted[version]) for version in sorted(counted)]
        calls = {version.ocpp_version: version for version in versions}
    judged: list[_Item] = []
    for item in made.items:
        station = None if item.target is None else known.get(item.target)
        if station is None:
            judged.append((item, _Verdict(Outlook.SKIP)))
        else:
            verdict = _of_station(call, tx, made, station, calls)
            judged.append((item, replace(verdict, station=station)))
    return judged, versions


def _of_station(
    call: Call[Any, Any],
    tx: ReadTx,
    made: Submission,
    station: Station,
    calls: dict[OcppVersion, PreviewVersion],
) -> _Verdict:
    if made.kind == station_update.KIND:
        return _failing(station_update.obstacle(station, made.params["changes"]))
    if made.kind == station_delete.KIND:
        return _failing(station_delete.obstacle(tx, station, force=made.params["force"]))
    hub, waits = call.deps.hub, made.policy.offline is OfflinePolicy.WAIT
    unready = hub.unready(station.id)
    if unready is not None:
        if waits or unready.left_s > 0:
            return _Verdict(Outlook.WAIT)
        return _Verdict(Outlook.OFFLINE, code=command.NOT_READY, message=command.not_ready(unready))
    if not hub.is_connected(station.id):  # what it will speak is not known before it comes
        return _Verdict(Outlook.WAIT if waits else Outlook.OFFLINE)
    version = calls.get(version_of(call.deps, station))
    if version is not None and version.error is not None:
        return _Verdict(Outlook.FAIL, code=NotSupportedByVersion.code, message=version.error)
    return _RUN


def _of_rows(tx: ReadTx, made: Submission) -> Iterator[_Item]:
    rehearsal = Rehearsal(tx)
    for item in made.items:
        yield item, _failing(id_token_import.obstacle(rehearsal, made.params, item.data))


def _failing(obstacle: CsmsError | None) -> _Verdict:
    if obstacle is None:
        return _RUN
    return _Verdict(Outlook.FAIL, code=obstacle.code, message=obstacle.message)


def _version(made: Submission, version: OcppVersion, number: int) -> PreviewVersion:
    calls: Sequence[CallShape] = ()
    error = None
    try:
        calls = [
            CallShape(action=one.action, payload=redacted(one.payload))
            for one in _calls(made, version)
        ]
    except NotSupportedByVersion as refusal:
        error = refusal.message
    return PreviewVersion(ocpp_version=version, stations=number, calls=list(calls), error=error)


def _calls(made: Submission, version: OcppVersion) -> Sequence[Order]:
    if made.kind == config_template.KIND:
        return config_template.calls(made.params, version)
    order = orders.encode_params(made.params, version)
    return order, *order.then


def _shape(seq: int, item: NewItem, verdict: _Verdict) -> PreviewItem:
    station = verdict.station
    return PreviewItem(
        seq=seq,
        key=item.key,
        station_id=None if station is None else station.uuid,
        identity=verdict.identity if station is None else station.identity,
        would=verdict.would,
        code=verdict.code,
        message=verdict.message,
    )
