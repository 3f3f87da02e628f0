"""Kind `station_create`: many stations under a location, each made in durable steps.

register: the row, its credential and the step's result in one transaction, so exactly once.
deploy: start the virtual station. verify: its BootNotification was accepted where it dialled.
A physical station needs only the first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from csms.domain.jobs import (
    ItemState,
    Job,
    JobError,
    JobItem,
    NewItem,
    Policy,
    Submission,
)
from csms.domain.permissions import Principal, Scope
from csms.domain.stations import NewStation, Station
from csms.domain.versions import OcppVersion
from csms.errors import Conflict, DuplicateIdentity, IdentityIsSerialNumber
from csms.jobs import permits
from csms.jobs.expansion import DUPLICATE_IDENTITY, DUPLICATE_MESSAGE, Planned
from csms.jobs.kinds.no_calls import SendsNoCall
from csms.jobs.port import Admission, Done, Go, Intent, JobFailed, NextStep, Result, Retry
from csms.services import stations as station_service
from csms.store import locations, stations
from csms.store.database import ReadTx, Tx

KIND = "station_create"
REGISTER, DEPLOY, VERIFY = "register", "deploy", "verify"


@dataclass(frozen=True, slots=True)
class Template:
    """What the stations of one group have in common."""

    brand_slug: str | None
    model_slug: str | None
    connector_type: str | None
    ws_url: str
    ocpp_version: OcppVersion | None
    connectors: int
    virtual: bool
    target_allowed: bool
    """Whether a virtual station may dial `ws_url`; judged when the job was accepted."""
    security_profile: int = 0


def submission(
    *,
    principal: Principal,
    dialect: str,
    location_id: int | None,
    templates: Sequence[Template],
    planned: Sequence[Planned],
    policy: Policy | None = None,
) -> Submission:
    """The job; every suffix in `planned` is drawn, so nothing is left to chance later."""
    return Submission(
        kind=KIND,
        dialect=dialect,
        principal=principal.id,
        reach=principal.location_ids,
        location_id=location_id,
        params={"templates": [asdict(template) for template in templates]},
        items=[_item(plan) for plan in planned],
        policy=policy or Policy(),
    )


def _item(plan: Planned) -> NewItem:
    data = {"identity": plan.identity, "name": plan.name, "group": plan.group, "step": plan.step}
    if plan.code is None:
        return NewItem(plan.identity, data=data, step=REGISTER)
    return NewItem(
        plan.identity, data=data, state=ItemState.ERROR, code=plan.code, message=plan.message
    )


class Deployment(Protocol):
    """What the kind needs of the fleet of virtual stations."""

    async def deploy(self, station: Station) -> None:
        """Start the virtual station unless it runs already."""
        ...

    async def verify(self, station: Station) -> str | None:
        """Wait until its boot was accepted; the reason why it was not, or None."""
        ...


class StationCreateRunner(SendsNoCall):
    """Runs the items of create jobs."""

    name: str = KIND
    first_step: str | None = REGISTER
    late_effects: bool = False

    def __init__(
        self,
        *,
        read: Callable[[Callable[[ReadTx], Any]], Any],
        deployment: Deployment,
        max_virtual: int,
    ) -> None:
        self._read = read
        self._max_virtual = max_virtual
        self._deployment = deployment

    def keep(self, params: dict[str, Any]) -> dict[str, Any]:
        """There are no secrets among them."""
        return params

    def admit(self, job: Job, item: JobItem) -> Admission:
        """Nothing is in the way of making a station."""
        return Go()

    def intent(self, job: Job, item: JobItem) -> Intent | None:
        """Register is one transaction and needs none; the other steps leave the process."""
        return None if item.step == REGISTER else Intent()

    def permitted(self, tx: Tx, job: Job, items: Sequence[JobItem]) -> Sequence[JobItem]:
        """All, while the submitter may still write stations at the location."""
        return items if permits.may_act(tx, job, Scope.STATIONS_WRITE, job.location_id) else ()

    async def run(
        self, job: Job, item: JobItem, intent: Intent | None, on_sent: Callable[[], None]
    ) -> Result:
        """One step."""
        template = template_of(job, item)
        if item.step == REGISTER:
            return self._register(job, item, template)
        assert item.target is not None
        target = item.target
        station: Station | None = await self._read(lambda tx: stations.find(tx, target))
        if station is None:
            return Done(ItemState.ERROR, "deleted", "the station was deleted meanwhile")
        if item.step == DEPLOY:
            await self._deployment.deploy(station)
            on_sent()
            return NextStep(VERIFY)
        reason = await self._deployment.verify(station)
        if reason is not None:
            return Retry("csms_unreachable", reason)
        return Done(ItemState.SUCCEEDED)

    def discard(self, tx: Tx, job: Job, item: JobItem) -> int | None:
        """A create that fails leaves no station behind."""
        if item.target is None:
            return None
        station = stations.find(tx, item.target)
        if station is not None and _is_own(station, job, item):
            station_service.remove(tx, station)
        return None

    def _register(self, job: Job, item: JobItem, template: Template) -> Result:
        if template.virtual and not template.target_allowed:
            return Done(
                ItemState.ERROR,
                "target_not_allowed",
                f"virtual stations may not dial {template.ws_url}",
            )

        def effect(tx: Tx) -> int:
            if job.location_id is not None and not locations.is_live(tx, job.location_id):
                raise JobFailed(JobError("location_deleted", "the location was deleted"))
            # Judged again: when the job was accepted, others may have been on their way.
            if template.virtual and stations.count_virtual(tx) >= self._max_virtual:
                raise Conflict(
                    f"there are {self._max_virtual} virtual stations already",
                    code="too_many_virtual",
                )
            try:
                station = station_service.create(tx, _new_station(job, item, template))
            except IdentityIsSerialNumber:
                raise
            except DuplicateIdentity:
                known = stations.find_by_identity(tx, item.data["identity"])
                if known is None or not _is_own(known, job, item):
                    raise DuplicateIdentity(DUPLICATE_MESSAGE, code=DUPLICATE_IDENTITY) from None
                station = known
            return station.id

        if template.virtual:
            return NextStep(DEPLOY, effect)
        return Done(ItemState.SUCCEEDED, effect=effect)


def template_of(job: Job, item: JobItem) -> Template:
    """The template of the item's group."""
    values = job.params["templates"][item.data["group"]]
    version = values["ocpp_version"]
    return Template(**{**values, "ocpp_version": None if version is None else OcppVersion(version)})


def _new_station(job: Job, item: JobItem, template: Template) -> NewStation:
    return NewStation(
        identity=item.data["identity"],
        name=item.data["name"],
        location_id=job.location_id,
        brand_slug=template.brand_slug,
        model_slug=template.model_slug,
        connector_type=template.connector_type,
        connectors=template.connectors,
        ws_url=template.ws_url,
        ocpp_version=template.ocpp_version,
        virtual=template.virtual,
        security_profile=template.security_profile,
        created_job_id=job.id,
        created_seq=item.seq,
    )


def _is_own(station: Station, job: Job, item: JobItem) -> bool:
    return station.created_job_id == job.id and station.created_seq == item.seq
