"""Every route, one row each; one table per dialect."""

from __future__ import annotations

from csms.api import health, openapi, pages
from csms.api.chargers_dialect.routes import CHARGERS
from csms.api.commands_dialect.routes import COMMANDS
from csms.api.health import Health, Readiness
from csms.api.routing import Dialect, Route, Table
from csms.api.v1 import (
    authorize,
    certificates,
    charging_profiles,
    commands,
    connections,
    credentials,
    events,
    evses,
    id_token_groups,
    id_tokens,
    inbox,
    job_events,
    jobs,
    lint,
    local_list,
    locations,
    messages,
    meter_values,
    prices,
    quirks,
    reconciliation,
    reservations,
    station_news,
    stations,
    stats,
    tokens,
    transaction_export,
    transactions,
    variables,
)
from csms.api.v1.authorize import Verdict
from csms.api.v1.certificates import CertificatesShape
from csms.api.v1.charging_profiles import (
    ChargingProfilePage,
    ChargingProfileShape,
    CompositeSchedulePage,
    CompositeScheduleShape,
)
from csms.api.v1.commands import CommandResult
from csms.api.v1.connections import ConnectionPage, UptimeShape
from csms.api.v1.credentials import RotatedCredentials
from csms.api.v1.evses import EvsesShape, StatusPage
from csms.api.v1.id_token_groups import IdTokenGroupPage
from csms.api.v1.id_tokens import IdTokenPage, IdTokenShape
from csms.api.v1.inbox import AcceptedStation, InboxPage
from csms.api.v1.job_shapes import ItemPage, JobPage, JobShape
from csms.api.v1.lint import FindingPage
from csms.api.v1.local_list import LocalListShape
from csms.api.v1.locations import LocationPage
from csms.api.v1.messages import MessagePage
from csms.api.v1.meter_values import MeterValuePage
from csms.api.v1.prices import PricesShape
from csms.api.v1.quirks import QuirksShape
from csms.api.v1.reconciliation import ReconciliationDetail, ReconciliationPage
from csms.api.v1.reservations import ReservationPage, ReservationShape
from csms.api.v1.shapes import LocationShape
from csms.api.v1.station_news import (
    DisplayMessagesShape,
    MonitoringEventPage,
    NoticePage,
    ReportPage,
    SecurityEventPage,
)
from csms.api.v1.station_shapes import CreatedStation, StationPage, StationShape
from csms.api.v1.stats import OverviewShape
from csms.api.v1.tokens import CreatedToken, TokenPage
from csms.api.v1.transaction_shapes import TransactionPage, TransactionShape
from csms.api.v1.variables import VariablePage, VariablesSet
from csms.domain.permissions import Scope

table = Table(Dialect.NATIVE)

# fmt: off
NATIVE: tuple[Route, ...] = (
    table.get("/", pages.index, None, "The page", hidden=True),
    table.get("/assets/{name}", pages.asset, None, "A file of the page", hidden=True),
    table.get("/healthz", health.healthz, None, "The process lives", Health),
    table.get("/readyz", health.readyz, None, "Stations and writes are welcome", {200: Readiness, 503: Readiness}),
    table.get("/metrics", health.show_metrics, None, "Prometheus metrics", "text/plain"),
    table.get("/openapi.json", openapi.show, None, "This document", "application/json"),
    table.get("/api/v1/events", events.stream_events, Scope.EVENTS_READ, "Everything that happens, live", "text/event-stream"),
    table.get("/api/v1/jobs", jobs.list_jobs, Scope.JOBS_READ, "List jobs", JobPage),
    table.get("/api/v1/jobs/{job_id}", jobs.show, Scope.JOBS_READ, "Show a job", JobShape),
    table.get("/api/v1/jobs/{job_id}/items", jobs.list_items, Scope.JOBS_READ, "List a job's items", ItemPage),
    table.get("/api/v1/jobs/{job_id}/events", job_events.stream_job, Scope.JOBS_READ, "Watch a job to its end", "text/event-stream"),
    table.post("/api/v1/jobs/{job_id}/cancel", jobs.cancel, Scope.JOBS_WRITE, "Cancel a job", {200: JobShape, 202: JobShape}),
    table.post("/api/v1/jobs/{job_id}/retry", jobs.retry, Scope.JOBS_WRITE, "Run a job's failed items again", {202: JobShape}),
    table.get("/api/v1/stations", stations.list_stations, Scope.STATIONS_READ, "List stations", StationPage),
    table.post("/api/v1/stations", stations.create, Scope.STATIONS_WRITE, "Register a station", {201: CreatedStation}),
    table.get("/api/v1/stations/{station_id}", stations.show, Scope.STATIONS_READ, "Show a station", StationShape),
    table.patch("/api/v1/stations/{station_id}", stations.change, Scope.STATIONS_WRITE, "Change a station", StationShape),
    table.delete("/api/v1/stations/{station_id}", stations.delete, Scope.STATIONS_WRITE, "Delete a station", {204: None}),
    table.post("/api/v1/stations/{station_id}/block", stations.block, Scope.STATIONS_WRITE, "Keep a station out", StationShape),
    table.post("/api/v1/stations/{station_id}/disconnect", stations.disconnect, Scope.STATIONS_WRITE, "Close a station's connection", {204: None}),
    table.post("/api/v1/stations/{station_id}/unblock", stations.unblock, Scope.STATIONS_WRITE, "Let a station in again", StationShape),
    table.get("/api/v1/stations/{station_id}/certificates", certificates.show, Scope.STATIONS_READ, "Show what a station wants signed and which certificates it has", CertificatesShape),
    table.get("/api/v1/stations/{station_id}/lint", lint.list_of_station, Scope.STATIONS_READ, "List what a station's messages do wrong", FindingPage),
    table.post("/api/v1/stations/{station_id}/credentials/rotate", credentials.rotate, Scope.STATIONS_WRITE, "Make a new password", RotatedCredentials),
    table.post("/api/v1/stations/{station_id}/commands", commands.send, Scope.COMMANDS_SEND, "Send a command and wait for the answer", CommandResult),
    table.get("/api/v1/stations/{station_id}/quirks", quirks.show, Scope.STATIONS_READ, "Show what is done differently for a station", QuirksShape),
    table.put("/api/v1/stations/{station_id}/quirks", quirks.change, Scope.STATIONS_WRITE, "Set what is done differently for a station", QuirksShape),
    table.delete("/api/v1/stations/{station_id}/quirks/withheld/{call}", quirks.release, Scope.STATIONS_WRITE, "Send a call again that was withheld", {204: None}),
    table.get("/api/v1/stations/{station_id}/connections", connections.list_of_station, Scope.STATIONS_READ, "List when a station was connected", ConnectionPage),
    table.get("/api/v1/stations/{station_id}/evses", evses.list_of_station, Scope.STATIONS_READ, "Show a station's EVSEs and what goes on at them", EvsesShape),
    table.get("/api/v1/stations/{station_id}/messages", messages.list_of_station, Scope.STATIONS_READ, "List a station's messages and their answers", MessagePage),
    table.get("/api/v1/stations/{station_id}/status-history", evses.status_history, Scope.STATIONS_READ, "List what a station said of its connectors", StatusPage),
    table.get("/api/v1/stations/{station_id}/uptime", connections.show_uptime, Scope.STATIONS_READ, "Show how much of a time a station was connected", UptimeShape),
    table.get("/api/v1/stations/{station_id}/display-messages", station_news.list_display_messages, Scope.STATIONS_READ, "List what a station has to show", DisplayMessagesShape),
    table.get("/api/v1/stations/{station_id}/local-list", local_list.show, Scope.STATIONS_READ, "Show a station's local authorization list", LocalListShape),
    table.put("/api/v1/stations/{station_id}/local-list", local_list.put, Scope.COMMANDS_SEND, "Send a station its whole local authorization list", CommandResult),
    table.delete("/api/v1/stations/{station_id}/local-list", local_list.delete, Scope.COMMANDS_SEND, "Empty a station's local authorization list", CommandResult),
    table.get("/api/v1/stations/{station_id}/monitoring-events", station_news.list_monitoring_events, Scope.STATIONS_READ, "List what a station's monitors saw", MonitoringEventPage),
    table.get("/api/v1/stations/{station_id}/notices", station_news.list_notices, Scope.STATIONS_READ, "List what else a station told", NoticePage),
    table.get("/api/v1/stations/{station_id}/reports", station_news.list_reports, Scope.STATIONS_READ, "List what a station reports in parts", ReportPage),
    table.get("/api/v1/stations/{station_id}/security-events", station_news.list_security_events, Scope.STATIONS_READ, "List what a station reported about its security", SecurityEventPage),
    table.get("/api/v1/stations/{station_id}/variables", variables.list_of_station, Scope.STATIONS_READ, "List the device model of a station", VariablePage),
    table.patch("/api/v1/stations/{station_id}/variables", variables.change, Scope.COMMANDS_SEND, "Set variables of a station", VariablesSet),
    table.post("/api/v1/stations/{station_id}/variables/refresh", variables.refresh, Scope.COMMANDS_SEND, "Have a station tell its variables", {202: JobShape}),
    table.get("/api/v1/locations", locations.list_locations, Scope.STATIONS_READ, "List locations", LocationPage),
    table.post("/api/v1/locations", locations.create, Scope.STATIONS_WRITE, "Create a location", {201: LocationShape}),
    table.get("/api/v1/locations/{location_id}", locations.show, Scope.STATIONS_READ, "Show a location", LocationShape),
    table.get("/api/v1/locations/{location_id}/prices", prices.show, Scope.STATIONS_READ, "Show what charging at a location costs", PricesShape),
    table.put("/api/v1/locations/{location_id}/prices", prices.change, Scope.STATIONS_WRITE, "Set what charging at a location costs", PricesShape),
    table.delete("/api/v1/locations/{location_id}/prices", prices.remove, Scope.STATIONS_WRITE, "Take the prices of a location away", {204: None}),
    table.get("/api/v1/lint", lint.list_findings, Scope.STATIONS_READ, "List what messages of stations do wrong", FindingPage),
    table.get("/api/v1/messages", messages.list_messages, Scope.STATIONS_READ, "List the messages of all stations", MessagePage),
    table.get("/api/v1/inbox", inbox.list_entries, Scope.STATIONS_READ, "List stations that were not let in", InboxPage),
    table.post("/api/v1/inbox/{entry_id}/accept", inbox.accept, Scope.STATIONS_WRITE, "Register a station from the inbox", {201: AcceptedStation}),
    table.get("/api/v1/transactions", transactions.list_transactions, Scope.TRANSACTIONS_READ, "List transactions", TransactionPage),
    table.get("/api/v1/transactions.csv", transaction_export.export, Scope.TRANSACTIONS_READ, "Export transactions for a spreadsheet", "text/csv"),
    table.get("/api/v1/transactions/{transaction_id}", transactions.show, Scope.TRANSACTIONS_READ, "Show a transaction", TransactionShape),
    table.get("/api/v1/transactions/{transaction_id}/meter-values", meter_values.of_transaction, Scope.TRANSACTIONS_READ, "List what was metered for a transaction", MeterValuePage),
    table.get("/api/v1/stations/{station_id}/meter-values", meter_values.of_station, Scope.TRANSACTIONS_READ, "List what a station metered", MeterValuePage),
    table.get("/api/v1/stations/{station_id}/reservations", reservations.list_of_station, Scope.STATIONS_READ, "List a station's reservations", ReservationPage),
    table.post("/api/v1/stations/{station_id}/reservations", reservations.create, Scope.COMMANDS_SEND, "Reserve an EVSE for an id token", {201: ReservationShape}),
    table.delete("/api/v1/stations/{station_id}/reservations/{reservation_id}", reservations.cancel, Scope.COMMANDS_SEND, "Cancel a reservation", {204: None}),
    table.get("/api/v1/stations/{station_id}/charging-profiles", charging_profiles.list_of_station, Scope.STATIONS_READ, "List the charging profiles that a station has", ChargingProfilePage),
    table.post("/api/v1/stations/{station_id}/charging-profiles", charging_profiles.create, Scope.COMMANDS_SEND, "Set a charging profile", {201: ChargingProfileShape}),
    table.delete("/api/v1/stations/{station_id}/charging-profiles/{profile_id}", charging_profiles.clear, Scope.COMMANDS_SEND, "Clear a charging profile", {204: None}),
    table.get("/api/v1/stations/{station_id}/composite-schedule", charging_profiles.list_schedules, Scope.STATIONS_READ, "Show the schedules that a station worked out last", CompositeSchedulePage),
    table.post("/api/v1/stations/{station_id}/composite-schedule", charging_profiles.ask_for_schedule, Scope.COMMANDS_SEND, "Have a station work its schedule out", CompositeScheduleShape),
    table.post("/api/v1/transactions/{transaction_id}/stop", transactions.stop, Scope.COMMANDS_SEND, "Ask the station to end a transaction, and wait for the answer", CommandResult),
    table.post("/api/v1/transactions/{transaction_id}/close", transactions.close, Scope.TRANSACTIONS_WRITE, "End a transaction that its station will never end", TransactionShape),
    table.get("/api/v1/reconciliation", reconciliation.list_entries, Scope.STATIONS_READ, "List messages about transactions that could not be applied", ReconciliationPage),
    table.get("/api/v1/reconciliation/{entry_id}", reconciliation.show, Scope.STATIONS_READ, "Show such a message and what it probably means", ReconciliationDetail),
    table.post("/api/v1/reconciliation/{entry_id}/resolve", reconciliation.resolve, Scope.STATIONS_WRITE, "Do as suggested, or nothing", ReconciliationDetail),
    table.get("/api/v1/stats/overview", stats.overview, Scope.STATIONS_READ, "Count what there is and what goes on", OverviewShape),
    table.post("/api/v1/authorize", authorize.judge, Scope.ID_TOKENS_WRITE, "Try out what an id token would be told", Verdict),
    table.get("/api/v1/id-token-groups", id_token_groups.list_groups, Scope.ID_TOKENS_READ, "List the groups that id tokens are in", IdTokenGroupPage),
    table.get("/api/v1/id-tokens", id_tokens.list_id_tokens, Scope.ID_TOKENS_READ, "List id tokens", IdTokenPage),
    table.post("/api/v1/id-tokens", id_tokens.create, Scope.ID_TOKENS_WRITE, "Decide about an id token that is new or waits for review", {201: IdTokenShape}),
    table.get("/api/v1/id-tokens/{id_token_id}", id_tokens.show, Scope.ID_TOKENS_READ, "Show an id token", IdTokenShape),
    table.put("/api/v1/id-tokens/{id_token_id}", id_tokens.change, Scope.ID_TOKENS_WRITE, "Decide about an id token", IdTokenShape),
    table.delete("/api/v1/id-tokens/{id_token_id}", id_tokens.delete, Scope.ID_TOKENS_WRITE, "Forget an id token", {204: None}),
    table.get("/api/v1/tokens", tokens.list_tokens, Scope.TOKENS_MANAGE, "List API tokens", TokenPage),
    table.post("/api/v1/tokens", tokens.create, Scope.TOKENS_MANAGE, "Create an API token", {201: CreatedToken}),
    table.delete("/api/v1/tokens/{token_id}", tokens.revoke, Scope.TOKENS_MANAGE, "Revoke an API token", {204: None}),
)
# fmt: on

ALL: tuple[Route, ...] = CHARGERS + COMMANDS + NATIVE
