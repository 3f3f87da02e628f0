"""Kind `station_update`: change what is known of many stations, each in a transaction."""

from __future__ import annotations

from typing import Any

from csms.domain.jobs import Job, JobItem, NewItem, Submission
from csms.domain.permissions import Principal, Scope
from csms.domain.stations import Registration, Station
from csms.errors import CsmsError, Forbidden, NotFound
from csms.jobs import permits
from csms.jobs.kinds.own_rows import OwnRowsRunner
from csms.services import stations as service
from csms.store import stations
from csms.store.database import Tx

KIND = "station_update"
SCOPE = Scope.STATIONS_WRITE


def submission(
    *, principal: Principal, items: list[NewItem], changes: dict[str, Any]
) -> Submission:
    """A job that makes these changes to every target: columns of a station, and `blocked`."""
    return Submission(
        kind=KIND,
        dialect="native",
        principal=principal.id,
        reach=principal.location_ids,
        params={"changes": changes},
        items=items,
    )


def runner() -> OwnRowsRunner:
    """Runs the items."""
    return OwnRowsRunner(KIND, SCOPE, _change)


def obstacle(station: Station, changes: dict[str, Any]) -> CsmsError | None:
    """Why the station cannot be changed so."""
    if changes.get("security_profile", station.security_profile) < station.security_profile:
        return Forbidden("a job raises security profiles only; lower this one by itself")
    return None


def _change(tx: Tx, job: Job, item: JobItem) -> None:
    assert item.target is not None
    station = stations.get(tx, item.target)
    changes = dict(job.params["changes"])
    in_the_way = obstacle(station, changes)
    if in_the_way is not None:
        raise in_the_way
    if "location_id" in changes and not permits.may_act(tx, job, SCOPE, changes["location_id"]):
        raise NotFound("Location not found")
    blocked = changes.pop("blocked", None)
    if "registration" in changes:
        changes["registration"] = Registration(changes["registration"])
    if changes:
        station = service.update(tx, station, changes)
    if blocked is not None:
        (service.block if blocked else service.unblock)(tx, station)
