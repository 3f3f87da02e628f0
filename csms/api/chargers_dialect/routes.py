"""Every route of the chargers dialect, one row each."""

from __future__ import annotations

from csms.api.chargers_dialect import (
    authorization,
    bulk_create,
    bulk_job,
    catalog,
    chargers,
    configuration,
    happenings,
    location_chargers,
    locations,
    logs,
    operation,
    sessions,
)
from csms.api.chargers_dialect.authorization import (
    CacheAnswer,
    LocalAuthListAnswer,
    LocalAuthListPage,
)
from csms.api.chargers_dialect.bulk_create import BulkCreateAccepted, BulkCreatePreview
from csms.api.chargers_dialect.bulk_job import BulkCreateStatus
from csms.api.chargers_dialect.catalog import ChargersBrandList, ChargersModel, ChargersModelList
from csms.api.chargers_dialect.charger_shape import ChargersCharger, ChargersChargerList
from csms.api.chargers_dialect.chargers import ChargerAccepted, ChargerStatus
from csms.api.chargers_dialect.configuration import ConfigurationAnswer, ConfigurationList
from csms.api.chargers_dialect.happenings import FaultAnswer
from csms.api.chargers_dialect.location_chargers import DeletedChargers, UpdatedChargers
from csms.api.chargers_dialect.locations import ChargersLocation, ChargersLocationList
from csms.api.chargers_dialect.logs import ChargerLogs
from csms.api.chargers_dialect.queued import QueuedCommand, QueuedCommands
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
    table.post("/ocpp/locations/{location_id}/chargers/start-chargers", operation.start_chargers, Scope.COMMANDS_SEND, "Put chargers of a location in service", {202: QueuedCommands}, bulk=True),
    table.post("/ocpp/locations/{location_id}/chargers/stop-chargers", operation.stop_chargers, Scope.COMMANDS_SEND, "Take chargers of a location out of service", {202: QueuedCommands}, bulk=True),
    table.post("/ocpp/locations/{location_id}/chargers/reset-chargers", operation.reset_chargers, Scope.COMMANDS_SEND, "Restart chargers of a location", {202: QueuedCommands}, bulk=True),
    table.get("/ocpp/chargers", chargers.list_all, Scope.STATIONS_READ, "List chargers", ChargersChargerList),
    table.post("/ocpp/chargers", chargers.create, Scope.STATIONS_WRITE, "Create a charger", {202: ChargerAccepted}),
    table.get("/ocpp/chargers/{charger_id}", chargers.show, Scope.STATIONS_READ, "Show a charger", ChargersCharger),
    table.put("/ocpp/chargers/{charger_id}", chargers.update, Scope.STATIONS_WRITE, "Change a charger", ChargersCharger),
    table.delete("/ocpp/chargers/{charger_id}", chargers.delete, Scope.STATIONS_WRITE, "Delete a charger", {204: None}),
    table.get("/ocpp/chargers/{charger_id}/status", chargers.show_status, Scope.STATIONS_READ, "Show how a charger's provisioning stands", ChargerStatus),
    table.get("/ocpp/chargers/{charger_id}/logs", logs.show, Scope.STATIONS_READ, "List what a charger said and was told", ChargerLogs),
    table.get("/ocpp/chargers/{charger_id}/configuration", configuration.show, Scope.STATIONS_READ, "Read settings of a charger", ConfigurationList, waits=True),
    table.get("/ocpp/chargers/{charger_id}/local-auth-list", authorization.show_list, Scope.STATIONS_READ, "Show what is on a charger's local list", LocalAuthListPage),
    table.post("/ocpp/chargers/{charger_id}/start-charger", operation.start_charger, Scope.COMMANDS_SEND, "Put a charger in service", {202: QueuedCommand}),
    table.post("/ocpp/chargers/{charger_id}/stop-charger", operation.stop_charger, Scope.COMMANDS_SEND, "Take a charger out of service", {202: QueuedCommand}),
    table.post("/ocpp/chargers/{charger_id}/reset-charger", operation.reset_charger, Scope.COMMANDS_SEND, "Restart a charger", {202: QueuedCommand}),
    table.post("/ocpp/commands/start-session", sessions.start_session, Scope.COMMANDS_SEND, "Start a session", {202: QueuedCommands}, bulk=True),
    table.post("/ocpp/commands/stop-session", sessions.stop_session, Scope.COMMANDS_SEND, "Stop sessions", {202: QueuedCommands}, bulk=True),
    table.post("/ocpp/commands/unlock-connector", sessions.unlock_connector, Scope.COMMANDS_SEND, "Release a cable", {202: QueuedCommands}, bulk=True),
    table.post("/ocpp/commands/plug-connector", happenings.plug_connector, Scope.COMMANDS_SEND, "Plug a car in, at virtual chargers", {202: QueuedCommands}, bulk=True),
    table.post("/ocpp/commands/authorize-id-tag", happenings.authorize_id_tag, Scope.COMMANDS_SEND, "Show a card, at virtual chargers", {202: QueuedCommands}, bulk=True),
    table.post("/ocpp/commands/ev-requests-energy", happenings.ev_requests_energy, Scope.COMMANDS_SEND, "Have cars take energy, at virtual chargers", {202: QueuedCommands}, bulk=True),
    table.post("/ocpp/commands/ev-stops-energy", happenings.ev_stops_energy, Scope.COMMANDS_SEND, "Have cars take no energy, at virtual chargers", {202: QueuedCommands}, bulk=True),
    table.post("/ocpp/commands/power-update", happenings.power_update, Scope.COMMANDS_SEND, "Set what cars ask for, at virtual chargers", {202: QueuedCommands}, bulk=True),
    table.post("/ocpp/commands/proxy-message", happenings.proxy_message, Scope.COMMANDS_SEND, "Have a virtual charger say something", {202: QueuedCommand}),
    table.post("/ocpp/commands/inject-fault", happenings.inject_fault, Scope.COMMANDS_SEND, "Break a virtual charger", {202: FaultAnswer}),
    table.post("/ocpp/commands/clear-fault", happenings.clear_fault, Scope.COMMANDS_SEND, "Repair a virtual charger", {202: FaultAnswer}),
    table.post("/ocpp/commands/configuration", configuration.change, Scope.COMMANDS_SEND, "Change settings of a charger", {202: ConfigurationAnswer}, waits=True),
    table.post("/ocpp/commands/cache/reset", authorization.reset_cache, Scope.COMMANDS_SEND, "Clear a charger's authorization cache", {202: CacheAnswer}, waits=True),
    table.post("/ocpp/commands/local-auth-list", authorization.send_list, Scope.COMMANDS_SEND, "Send a charger its local list", {202: LocalAuthListAnswer}, waits=True),
    table.post("/ocpp/commands/clear-local-auth-list", authorization.clear_list, Scope.COMMANDS_SEND, "Empty a charger's local list", {202: LocalAuthListAnswer}, waits=True),
    table.get("/ocpp/catalog/brands", catalog.list_brands, Scope.STATIONS_READ, "List brands", ChargersBrandList),
    table.get("/ocpp/catalog/brands/{brand_slug}/models", catalog.list_models, Scope.STATIONS_READ, "List a brand's models", ChargersModelList),
    table.get("/ocpp/catalog/brands/{brand_slug}/models/{model_slug}", catalog.show_model, Scope.STATIONS_READ, "Show a model", ChargersModel),
)
# fmt: on
