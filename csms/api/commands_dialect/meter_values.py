"""Meter values of the commands dialect: one for each sampled value of a charger."""

from __future__ import annotations

from typing import Any

from pydantic import AwareDatetime, Field

from csms.api.commands_dialect.charger_shape import row_id_of_connector
from csms.api.commands_dialect.pages import LimitedPage, PageLinks, PageMeta, page_body
from csms.api.models import Shape
from csms.api.routing import Call, Reply
from csms.api.times import micros
from csms.services import sampled_values, stations
from csms.services.sampled_values import StoredSample, Wanted


class CommandsMeterValues(LimitedPage):
    """Which meter values; the times are the station's."""

    measurand: str | None = Field(default=None, min_length=1, max_length=100)
    date_from: AwareDatetime | None = None
    date_to: AwareDatetime | None = Field(default=None, description="Not itself included.")


class CommandsMeterValue(Shape):
    """One sampled value, with the defaults of OCPP filled in."""

    id: int
    charger_id: int
    charger_connector_id: int
    connector_id: int
    charger_transaction_id: int | None = Field(description="The `id` of the transaction.")
    transaction_id: int | str | None = Field(
        description="The charger's own id of it: a number in OCPP 1.6, a text in 2.x."
    )
    timestamp: str
    value: str | None
    context: str
    format: str
    measurand: str
    phase: str | None
    location: str
    unit: str | None


class CommandsMeterValueList(Shape):
    """A page of meter values, the newest first."""

    data: list[CommandsMeterValue]
    links: PageLinks
    meta: PageMeta


async def list_of_charger(call: Call[None, CommandsMeterValues]) -> Reply:
    """GET /api/v3/chargers/{uuid}/metervalues."""
    db, query = call.deps.db, call.query
    found = await stations.show_station(db, call.path["uuid"], call.principal)
    wanted = Wanted(found.station.id, since=query.date_from, before=query.date_to)
    page = await sampled_values.list_samples(
        db, wanted, query.measurand, limit=query.size, offset=query.offset
    )
    data = [meter_value_body(item) for item in page.items]
    return Reply(page_body(call.request, data, page.total, query))


def meter_value_body(found: StoredSample) -> dict[str, Any]:
    """One sampled value."""
    sample = found.sample
    return {
        "id": found.id,
        "charger_id": found.station_id,
        "charger_connector_id": row_id_of_connector(found.station_id, found.evse_id, None),
        "connector_id": found.evse_id,
        "charger_transaction_id": found.transaction_id,
        "transaction_id": found.station_transaction_id,
        "timestamp": micros(found.at),
        "value": sample.value,
        "context": sample.context,
        "format": sample.format,
        "measurand": sample.measurand,
        "phase": sample.phase,
        "location": sample.location,
        "unit": sample.unit,
    }
