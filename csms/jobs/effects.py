"""Whether an order that a station accepted was followed by what it asks for.

Stations say Accepted and do nothing, most often to a remote start when no car is plugged in
(steve-community/steve#1211, goecharger/go-eCharger-API-v2#106).
"""

from __future__ import annotations

from csms.clock import to_micros
from csms.domain.effects import Effect
from csms.domain.jobs import ItemState, Job, JobItem
from csms.domain.versions import OcppVersion
from csms.jobs import orders
from csms.ocpp.commands.command import Evidence, EvidenceQuery
from csms.store import job_items
from csms.store.database import ReadTx, Row

_PUT_OFF = "Scheduled"


def of_item(tx: ReadTx, job: Job, item: JobItem, *, now: int) -> Effect | None:
    """None where no message would show it, or the attempt is forgotten; `now` in microseconds."""
    if item.state is not ItemState.SUCCEEDED or not orders.is_order(job):
        return None
    command = orders.command_of(job)
    # To a repeat, the word that there is nothing left to do: an attempt before it had the effect.
    if command.effect is None or item.response_status in command.gone:
        return None
    attempt = job_items.last_attempt(tx, item)
    query = None if attempt is None else _query(job, item, attempt)
    if query is None or item.executed_at is None:
        return None
    found = command.effect(tx, query, now - to_micros(item.executed_at))
    if found is Effect.NOT_SEEN and item.response_status == _PUT_OFF:
        return Effect.AWAITED
    return found


def shown(tx: ReadTx, job: Job, item: JobItem, attempt: Row) -> Evidence | None:
    """What the command's own query finds of an attempt at it."""
    command = orders.command_of(job)
    if command.evidence is None:
        return None
    query = _query(job, item, attempt)
    return None if query is None else command.evidence(tx, query)


def _query(job: Job, item: JobItem, attempt: Row) -> EvidenceQuery | None:
    if item.target is None or attempt["version"] is None:
        return None
    version = OcppVersion(attempt["version"])
    return EvidenceQuery(
        station_id=item.target,
        epoch=attempt["epoch"],
        connection_generation=attempt["connection_generation"],
        intent_at=attempt["intent_at"],
        payload=orders.encode(job, version).payload,
        version=version,
    )
