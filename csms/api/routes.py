"""Every route, one row each; one table per dialect."""

from __future__ import annotations

from csms.api import health, openapi, pages
from csms.api.chargers_dialect.routes import CHARGERS
from csms.api.commands_dialect.routes import COMMANDS
from csms.api.health import Health, Readiness
from csms.api.models import Page
from csms.api.routing import Dialect, Route
from csms.api.v1 import commands, events, inbox, job_events, jobs, locations, stations, tokens
from csms.api.v1.commands import CommandResult, SendCommand
from csms.api.v1.events import EventFilter
from csms.api.v1.inbox import Acceptance, AcceptedStation, InboxPage, InboxQuery
from csms.api.v1.job_shapes import ItemPage, JobPage, JobShape
from csms.api.v1.jobs import ItemsQuery, JobsQuery, Retry
from csms.api.v1.locations import LocationPage, NewLocation
from csms.api.v1.shapes import LocationShape
from csms.api.v1.station_shapes import (
    CreatedStation,
    RotatedCredentials,
    StationPage,
    StationShape,
)
from csms.api.v1.stations import NewStationBody, StationsQuery
from csms.api.v1.tokens import CreatedToken, NewToken, TokenPage
from csms.domain.permissions import Scope

N = Dialect.NATIVE

NATIVE: tuple[Route, ...] = (
    Route("GET", "/", pages.index, "The page", N, None, hidden=True),
    Route("GET", "/assets/{name}", pages.asset, "A file of the page", N, None, hidden=True),
    Route("GET", "/healthz", health.healthz, "The process lives", N, None, answers={200: Health}),
    Route(
        "GET",
        "/readyz",
        health.readyz,
        "Stations and writes are welcome",
        N,
        None,
        answers={200: Readiness, 503: Readiness},
    ),
    Route(
        "GET",
        "/metrics",
        health.show_metrics,
        "Prometheus metrics",
        N,
        None,
        answers={200: "text/plain"},
    ),
    Route(
        "GET",
        "/openapi.json",
        openapi.show,
        "This document",
        N,
        None,
        answers={200: "application/json"},
    ),
    Route(
        "GET",
        "/api/v1/events",
        events.stream_events,
        "Everything that happens, live",
        N,
        Scope.EVENTS_READ,
        query=EventFilter,
        answers={200: "text/event-stream"},
    ),
    Route(
        "GET",
        "/api/v1/jobs",
        jobs.list_jobs,
        "List jobs",
        N,
        Scope.JOBS_READ,
        query=JobsQuery,
        answers={200: JobPage},
    ),
    Route(
        "GET",
        "/api/v1/jobs/{job_id}",
        jobs.show,
        "Show a job",
        N,
        Scope.JOBS_READ,
        answers={200: JobShape},
    ),
    Route(
        "GET",
        "/api/v1/jobs/{job_id}/items",
        jobs.list_items,
        "List a job's items",
        N,
        Scope.JOBS_READ,
        query=ItemsQuery,
        answers={200: ItemPage},
    ),
    Route(
        "GET",
        "/api/v1/jobs/{job_id}/events",
        job_events.stream_job,
        "Watch a job to its end",
        N,
        Scope.JOBS_READ,
        answers={200: "text/event-stream"},
    ),
    Route(
        "POST",
        "/api/v1/jobs/{job_id}/cancel",
        jobs.cancel,
        "Cancel a job",
        N,
        Scope.JOBS_WRITE,
        answers={200: JobShape, 202: JobShape},
    ),
    Route(
        "POST",
        "/api/v1/jobs/{job_id}/retry",
        jobs.retry,
        "Run a job's failed items again",
        N,
        Scope.JOBS_WRITE,
        body=Retry,
        body_optional=True,
        answers={202: JobShape},
    ),
    Route(
        "GET",
        "/api/v1/stations",
        stations.list_stations,
        "List stations",
        N,
        Scope.STATIONS_READ,
        query=StationsQuery,
        answers={200: StationPage},
    ),
    Route(
        "POST",
        "/api/v1/stations",
        stations.create,
        "Register a station",
        N,
        Scope.STATIONS_WRITE,
        body=NewStationBody,
        answers={201: CreatedStation},
    ),
    Route(
        "GET",
        "/api/v1/stations/{station_id}",
        stations.show,
        "Show a station",
        N,
        Scope.STATIONS_READ,
        answers={200: StationShape},
    ),
    Route(
        "POST",
        "/api/v1/stations/{station_id}/credentials/rotate",
        stations.rotate,
        "Make a new password",
        N,
        Scope.STATIONS_WRITE,
        answers={200: RotatedCredentials},
    ),
    Route(
        "POST",
        "/api/v1/stations/{station_id}/commands",
        commands.send,
        "Send a command and wait for the answer",
        N,
        Scope.COMMANDS_SEND,
        body=SendCommand,
        answers={200: CommandResult},
    ),
    Route(
        "GET",
        "/api/v1/locations",
        locations.list_locations,
        "List locations",
        N,
        Scope.STATIONS_READ,
        query=Page,
        answers={200: LocationPage},
    ),
    Route(
        "POST",
        "/api/v1/locations",
        locations.create,
        "Create a location",
        N,
        Scope.STATIONS_WRITE,
        body=NewLocation,
        answers={201: LocationShape},
    ),
    Route(
        "GET",
        "/api/v1/locations/{location_id}",
        locations.show,
        "Show a location",
        N,
        Scope.STATIONS_READ,
        answers={200: LocationShape},
    ),
    Route(
        "GET",
        "/api/v1/inbox",
        inbox.list_entries,
        "List stations that were not let in",
        N,
        Scope.STATIONS_READ,
        query=InboxQuery,
        answers={200: InboxPage},
    ),
    Route(
        "POST",
        "/api/v1/inbox/{entry_id}/accept",
        inbox.accept,
        "Register a station from the inbox",
        N,
        Scope.STATIONS_WRITE,
        body=Acceptance,
        body_optional=True,
        answers={201: AcceptedStation},
    ),
    Route(
        "GET",
        "/api/v1/tokens",
        tokens.list_tokens,
        "List API tokens",
        N,
        Scope.TOKENS_MANAGE,
        answers={200: TokenPage},
    ),
    Route(
        "POST",
        "/api/v1/tokens",
        tokens.create,
        "Create an API token",
        N,
        Scope.TOKENS_MANAGE,
        body=NewToken,
        answers={201: CreatedToken},
    ),
    Route(
        "DELETE",
        "/api/v1/tokens/{token_id}",
        tokens.revoke,
        "Revoke an API token",
        N,
        Scope.TOKENS_MANAGE,
        answers={204: None},
    ),
)

ALL: tuple[Route, ...] = CHARGERS + COMMANDS + NATIVE
