"""A charging station as the chargers dialect writes it, and the fields it reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

from csms.api import catalog
from csms.api.models import Lenient, Shape
from csms.api.times import seconds
from csms.api.urls import websocket_url
from csms.domain.locations import Location
from csms.domain.stations import Station
from csms.domain.versions import parse_version
from csms.errors import Invalid


def _version_text(text: str) -> str:
    try:
        parse_version(text)
    except Invalid as error:
        raise PydanticCustomError(
            "ocpp_version", "Input should be OCPP1.6, OCPP2.0.1 or OCPP2.1"
        ) from error
    return text


ShortText = Annotated[str, StringConstraints(max_length=255)]
WsUrl = Annotated[str, StringConstraints(max_length=2048), AfterValidator(websocket_url)]
OcppVersionText = Annotated[
    str,
    StringConstraints(max_length=20),
    AfterValidator(_version_text),
    Field(examples=["OCPP1.6", "OCPP2.0.1", "OCPP2.1"]),
]


class ChargerChanges(Lenient):
    """What to change; fields that are left out stay as they are, null clears."""

    name: ShortText | None = None
    charge_point_name: ShortText | None = Field(
        default=None, description="The same as `name`, which wins when both are given."
    )
    connector_type: ShortText | None = None
    ocpp_version: OcppVersionText | None = None
    ws_url: WsUrl | None = None
    location_id: str | None = None
    location_name: ShortText | None = Field(
        default=None, description="Accepted and ignored: the location has its own name."
    )


class ChargersCharger(Shape):
    """A charger."""

    id: str
    identity: str
    name: str | None
    vendor_name: str | None
    model: str | None
    image_url: str | None
    ocpp_version: str | None
    number_of_connectors: int
    max_charging_power: int | None = Field(description="Kilowatts, when the model is known.")
    connector_type: str | None
    location_id: str | None
    created_at: str
    updated_at: str


class ChargersChargerList(Shape):
    """A page of chargers."""

    data: list[ChargersCharger]
    total: int
    page: int
    limit: int


def charger_body(station: Station, location: Location | None) -> dict[str, Any]:
    """One charger; what it said of itself wins over what its template said."""
    model = catalog.model_of(station)
    version = station.ocpp_version or station.connected_version
    return {
        "id": station.uuid,
        "identity": station.identity,
        "name": station.name,
        "vendor_name": catalog.vendor_name(station),
        "model": catalog.model_name(station),
        "image_url": None,
        "ocpp_version": version.label if version else None,
        "number_of_connectors": station.connectors,
        "max_charging_power": int(model.power_kw) if model else None,
        "connector_type": station.connector_type,
        "location_id": location.uuid if location else None,
        "created_at": seconds(station.created_at),
        "updated_at": seconds(station.updated_at),
    }


def charger_bodies(
    stations: list[Station], locations: Mapping[int, Location]
) -> list[dict[str, Any]]:
    """Several chargers with the locations they stand at."""
    return [charger_body(station, locations.get(station.location_id or 0)) for station in stations]


def station_columns(changes: ChargerChanges) -> dict[str, Any]:
    """The columns the caller named, except the location, which has to be looked up."""
    given = changes.model_fields_set
    columns: dict[str, Any] = {}
    for name in ("connector_type", "ws_url"):
        if name in given:
            columns[name] = getattr(changes, name)
    if "ocpp_version" in given:
        text = changes.ocpp_version
        columns["ocpp_version"] = None if text is None else parse_version(text).value
    if "charge_point_name" in given:
        columns["name"] = changes.charge_point_name
    if "name" in given:
        columns["name"] = changes.name
    return columns
