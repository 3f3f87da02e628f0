"""Every route, one row each; one table per dialect."""

from __future__ import annotations

from csms.api import health, openapi, pages
from csms.api.chargers_dialect.routes import CHARGERS
from csms.api.commands_dialect.routes import COMMANDS
from csms.api.health import Health, Readiness
from csms.api.routing import Dialect, Route, Table
from csms.api.v1 import (
    certificates,
    commands,
    credentials,
    events,
    id_tokens,
    inbox,
    job_events,
    jobs,
    lint,
    locations,
    prices,
    quirks,
    reconciliation,
    stations,
    tokens,
)
from csms.api.v1.certificates import CertificatesShape
from csms.api.v1.commands import CommandResult
from csms.api.v1.credentials import RotatedCredentials
from csms.api.v1.id_tokens import IdTokenPage, IdTokenShape
from csms.api.v1.inbox import AcceptedStation, InboxPage
from csms.api.v1.job_shapes import ItemPage, JobPage, JobShape
from csms.api.v1.lint import FindingPage
from csms.api.v1.locations import LocationPage
from csms.api.v1.prices import PricesShape
from csms.api.v1.quirks import QuirksShape
from csms.api.v1.reconciliation import ReconciliationDetail, ReconciliationPage
from csms.api.v1.shapes import LocationShape
from csms.api.v1.station_shapes import CreatedStation, StationPage, StationShape
from csms.api.v1.tokens import CreatedToken, TokenPage
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
    table.get("/api/v1/stations/{station_id}/certificates", certificates.show, Scope.STATIONS_READ, "Show what a station wants signed and which certificates it has", CertificatesShape),
    table.get("/api/v1/stations/{station_id}/lint", lint.list_of_station, Scope.STATIONS_READ, "List what a station's messages do wrong", FindingPage),
    table.post("/api/v1/stations/{station_id}/credentials/rotate", credentials.rotate, Scope.STATIONS_WRITE, "Make a new password", RotatedCredentials),
    table.post("/api/v1/stations/{station_id}/commands", commands.send, Scope.COMMANDS_SEND, "Send a command and wait for the answer", CommandResult),
    table.get("/api/v1/stations/{station_id}/quirks", quirks.show, Scope.STATIONS_READ, "Show what is done differently for a station", QuirksShape),
    table.put("/api/v1/stations/{station_id}/quirks", quirks.change, Scope.STATIONS_WRITE, "Set what is done differently for a station", QuirksShape),
    table.delete("/api/v1/stations/{station_id}/quirks/withheld/{call}", quirks.release, Scope.STATIONS_WRITE, "Send a call again that was withheld", {204: None}),
    table.get("/api/v1/locations", locations.list_locations, Scope.STATIONS_READ, "List locations", LocationPage),
    table.post("/api/v1/locations", locations.create, Scope.STATIONS_WRITE, "Create a location", {201: LocationShape}),
    table.get("/api/v1/locations/{location_id}", locations.show, Scope.STATIONS_READ, "Show a location", LocationShape),
    table.get("/api/v1/locations/{location_id}/prices", prices.show, Scope.STATIONS_READ, "Show what charging at a location costs", PricesShape),
    table.put("/api/v1/locations/{location_id}/prices", prices.change, Scope.STATIONS_WRITE, "Set what charging at a location costs", PricesShape),
    table.delete("/api/v1/locations/{location_id}/prices", prices.remove, Scope.STATIONS_WRITE, "Take the prices of a location away", {204: None}),
    table.get("/api/v1/lint", lint.list_findings, Scope.STATIONS_READ, "List what messages of stations do wrong", FindingPage),
    table.get("/api/v1/inbox", inbox.list_entries, Scope.STATIONS_READ, "List stations that were not let in", InboxPage),
    table.post("/api/v1/inbox/{entry_id}/accept", inbox.accept, Scope.STATIONS_WRITE, "Register a station from the inbox", {201: AcceptedStation}),
    table.get("/api/v1/reconciliation", reconciliation.list_entries, Scope.STATIONS_READ, "List messages about transactions that could not be applied", ReconciliationPage),
    table.get("/api/v1/reconciliation/{entry_id}", reconciliation.show, Scope.STATIONS_READ, "Show such a message and what it probably means", ReconciliationDetail),
    table.post("/api/v1/reconciliation/{entry_id}/resolve", reconciliation.resolve, Scope.STATIONS_WRITE, "Do as suggested, or nothing", ReconciliationDetail),
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
