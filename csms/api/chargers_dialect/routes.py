"""Every route of the chargers dialect, one row each."""

from __future__ import annotations

from csms.api.chargers_dialect import (
    bulk_create,
    bulk_job,
    catalog,
    chargers,
    location_chargers,
    locations,
)
from csms.api.chargers_dialect.bulk_create import BulkCreateAccepted, BulkCreatePreview
from csms.api.chargers_dialect.bulk_job import BulkCreateStatus
from csms.api.chargers_dialect.catalog import ChargersBrandList, ChargersModel, ChargersModelList
from csms.api.chargers_dialect.charger_shape import ChargersCharger, ChargersChargerList
from csms.api.chargers_dialect.chargers import ChargerAccepted, ChargerStatus
from csms.api.chargers_dialect.location_chargers import DeletedChargers, UpdatedChargers
from csms.api.chargers_dialect.locations import ChargersLocation, ChargersLocationList
from csms.api.routing import Dialect, Route, Table
from csms.domain.permissions import Scope

table = Table(Dialect.CHARGERS)

# fmt: off
CHARGERS: tuple[Route, ...] = (
    table.get("/ocpp/locations", locations.list_all, Scope.STATIONS_READ, "List locations", ChargersLocationList),
    table.post("/ocpp/locations", locations.create, Scope.STATIONS_WRITE, "Create a location", {201: ChargersLocation}),
    table.get("/ocpp/locations/{location_id}", locations.show, Scope.STATIONS_READ, "Show a location", ChargersLocation),
    table.put("/ocpp/locations/{location_id}", locations.update, Scope.STATIONS_WRITE, "Change a location", ChargersLocation),
    table.delete("/ocpp/locations/{location_id}", locations.delete, Scope.STATIONS_WRITE, "Delete a location and its chargers", {204: None}),
    table.get("/ocpp/locations/{location_id}/chargers", location_chargers.list_all, Scope.STATIONS_READ, "List the chargers of a location", ChargersChargerList),
    table.post("/ocpp/locations/{location_id}/chargers", bulk_create.create, Scope.STATIONS_WRITE, "Create chargers in a location", {202: BulkCreateAccepted, 200: BulkCreatePreview}, bulk=True),
    table.put("/ocpp/locations/{location_id}/chargers", location_chargers.update, Scope.STATIONS_WRITE, "Change chargers of a location", UpdatedChargers, bulk=True),
    table.delete("/ocpp/locations/{location_id}/chargers", location_chargers.delete, Scope.STATIONS_WRITE, "Delete chargers of a location", DeletedChargers),
    table.get("/ocpp/locations/{location_id}/chargers/jobs/{job_id}", bulk_job.show, Scope.JOBS_READ, "Show how a bulk create stands", BulkCreateStatus),
    table.get("/ocpp/chargers", chargers.list_all, Scope.STATIONS_READ, "List chargers", ChargersChargerList),
    table.post("/ocpp/chargers", chargers.create, Scope.STATIONS_WRITE, "Create a charger", {202: ChargerAccepted}),
    table.get("/ocpp/chargers/{charger_id}", chargers.show, Scope.STATIONS_READ, "Show a charger", ChargersCharger),
    table.put("/ocpp/chargers/{charger_id}", chargers.update, Scope.STATIONS_WRITE, "Change a charger", ChargersCharger),
    table.delete("/ocpp/chargers/{charger_id}", chargers.delete, Scope.STATIONS_WRITE, "Delete a charger", {204: None}),
    table.get("/ocpp/chargers/{charger_id}/status", chargers.show_status, Scope.STATIONS_READ, "Show how a charger's provisioning stands", ChargerStatus),
    table.get("/ocpp/catalog/brands", catalog.list_brands, Scope.STATIONS_READ, "List brands", ChargersBrandList),
    table.get("/ocpp/catalog/brands/{brand_slug}/models", catalog.list_models, Scope.STATIONS_READ, "List a brand's models", ChargersModelList),
    table.get("/ocpp/catalog/brands/{brand_slug}/models/{model_slug}", catalog.show_model, Scope.STATIONS_READ, "Show a model", ChargersModel),
)
# fmt: on
