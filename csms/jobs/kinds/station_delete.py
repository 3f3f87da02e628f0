"""Kind `station_delete`: take many stations out of every list, each in a transaction."""

from __future__ import annotations

from csms.domain.jobs import Job, JobItem, NewItem, Submission
from csms.domain.permissions import Principal, Scope
from csms.domain.stations import Station
from csms.errors import CsmsError, TransactionOpen
from csms.jobs.kinds.own_rows import OwnRowsRunner
from csms.services import stations as service
from csms.store import stations
from csms.store.database import ReadTx, Tx

KIND = "station_delete"
SCOPE = Scope.STATIONS_WRITE


def submission(*, principal: Principal, items: list[NewItem], force: bool) -> Submission:
    """A job that deletes every target; with `force` also those with an open transaction."""
    return Submission(
        kind=KIND,
        dialect="native",
        principal=principal.id,
        reach=principal.location_ids,
        params={"force": force},
        items=items,
    )


def runner() -> OwnRowsRunner:
    """Runs the items."""
    return OwnRowsRunner(KIND, SCOPE, _delete)


def obstacle(tx: ReadTx, station: Station, *, force: bool) -> CsmsError | None:
    """Why the station cannot be deleted now."""
    if not force and stations.has_open_transaction(tx, station.id):
        return TransactionOpen("The station has an open transaction")
    return None


def _delete(tx: Tx, job: Job, item: JobItem) -> None:
    assert item.target is not None
    station = stations.get(tx, item.target)
    if job.params["force"]:
        service.delete_by_force(tx, station, job.principal)
    else:
        service.delete(tx, station)
