"""A config template for one station: given to it, and what becomes of it boot after boot.

A station is told once, after the boot with which it is accepted. While it does not take the whole
template, because it restarts in the middle of it, the next boot begins a new round: what it holds
by then is read and not written again. After a few rounds in vain that ends, or a station that
restarts whenever it is written to would do so for ever.
"""

from __future__ import annotations

from csms.domain.config_templates import MOST_ROUNDS, Assignment, Progress
from csms.domain.stations import Registration, Station
from csms.domain.templates import TemplateKind
from csms.services import station_events
from csms.services.alerts import raise_alert
from csms.store import config_assignments as store
from csms.store import templates
from csms.store.database import Tx

DUE = "station.config_template_due"
"""A station has booted that is to be told a template."""


def assign(tx: Tx, station: Station, template_uuid: str | None) -> None:
    """Tell it the template after its next accepted boot; None: none. Raises NotFound."""
    if template_uuid is None:
        store.delete(tx, station.id)
        return
    template = templates.get_by_uuid(tx, TemplateKind.CONFIG, template_uuid)
    store.upsert(tx, station.id, template.id)
    told = {"config_template_id": template.uuid, "name": template.name}
    station_events.emit(tx, station.id, "station.config_template_given", **told)


def booted(tx: Tx, station_id: int, registration: Registration) -> None:
    """A boot was answered; accepted, the station is told what it is to get."""
    if registration is Registration.ACCEPTED and store.update_booted(tx, station_id):
        station_events.emit(tx, station_id, DUE)


def settled(
    tx: Tx, station_id: int, job_id: int, progress: Progress, *, in_vain: bool = False
) -> None:
    """A job that told the station is over; `in_vain`: it was told, and not to the end."""
    found = store.find(tx, station_id)
    if found is None or found.job_id != job_id or found.progress is progress:
        return
    if progress is Progress.PENDING and found.progress is not Progress.RUNNING:
        return  # what came of it is known already
    rounds = found.rounds + in_vain
    if progress is Progress.PENDING and rounds >= MOST_ROUNDS:
        progress = Progress.STOPPED
    store.update_progress(tx, station_id, progress, rounds=rounds)
    if progress is Progress.PENDING:
        if found.booted:  # while the job had not heard yet that the socket was lost
            station_events.emit(tx, station_id, DUE)
        return
    told = {"config_template_id": found.template_uuid, "name": found.template_name}
    station_events.emit(tx, station_id, f"station.config_template_{progress.value}", **told)
    if progress is Progress.STOPPED:
        raise_alert(tx, station_id, "config_template_stopped", reported_at=None, **told)


def begun(tx: Tx, assignment: Assignment, job_id: int) -> None:
    """This job tells the station now."""
    store.update_running(tx, assignment.station_id, job_id)
