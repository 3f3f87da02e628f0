"""Every route, one row each; one table per dialect."""

from __future__ import annotations

from csms.api import health, openapi, pages
from csms.api.chargers_dialect.routes import CHARGERS
from csms.api.commands_dialect.routes import COMMANDS
from csms.api.health import Health, Readiness, Version
from csms.api.routing import Dialect, Route, Table
from csms.api.v1 import (
    actions,
    audit,
    auth,
    authorize,
    catalog,
    certificates,
    charging_profile_templates,
    charging_profiles,
    command_records,
    commands,
    config_templates,
    connection_info,
    connections,
    credentials,
    events,
    evses,
    file_links,
    file_transfers,
    firmware_images,
    id_token_groups,
    id_token_import,
    id_tokens,
    inbox,
    job_control,
    job_credentials,
    job_events,
    job_preview,
    job_results,
    job_submit,
    jobs,
    lint,
    local_list,
    locations,
    log_files,
    messages,
    meter_values,
    onboarding,
    prices,
    quirks,
    reconciliation,
    reservations,
    sessions,
    station_news,
    stations,
    stats,
    tokens,
    transaction_export,
    transactions,
    variables,
    webhooks,
)
from csms.api.v1.actions import ActionList
from csms.api.v1.audit import AuditCheck, AuditPage
from csms.api.v1.auth import Me, SignInLink
from csms.api.v1.authorize import Verdict
from csms.api.v1.catalog import BrandPage, ModelPage
from csms.api.v1.certificates import CertificatesShape
from csms.api.v1.charging_profile_templates import (
    ChargingProfileTemplatePage,
    ChargingProfileTemplateShape,
)
from csms.api.v1.charging_profiles import (
    ChargingProfilePage,
    ChargingProfileShape,
    CompositeSchedulePage,
    CompositeScheduleShape,
)
from csms.api.v1.command_records import CommandPage, CommandShape
from csms.api.v1.commands import CommandResult
from csms.api.v1.config_templates import ConfigTemplatePage, ConfigTemplateShape
from csms.api.v1.connection_info import ConnectionInfo
from csms.api.v1.connections import ConnectionPage, UptimeShape
from csms.api.v1.credentials import RotatedCredentials
from csms.api.v1.evses import EvseShape, EvsesShape, StatusPage
from csms.api.v1.file_links import ReceivedFile
from csms.api.v1.file_transfers import FileTransferDetail, FileTransferPage
from csms.api.v1.firmware_images import FirmwareImagePage, FirmwareImageShape
from csms.api.v1.id_token_groups import IdTokenGroupPage
from csms.api.v1.id_tokens import IdTokenPage, IdTokenShape
from csms.api.v1.inbox import AcceptedStation, InboxPage
from csms.api.v1.job_credentials import CredentialsSheet
from csms.api.v1.job_preview import JobPreview
from csms.api.v1.job_shapes import ItemPage, JobPage, JobShape
from csms.api.v1.lint import FindingPage
from csms.api.v1.local_list import LocalListShape
from csms.api.v1.locations import LocationPage
from csms.api.v1.log_files import LogFilePage, LogFileShape
from csms.api.v1.messages import MessagePage
from csms.api.v1.meter_values import MeterValuePage
from csms.api.v1.onboarding import OnboardingShape
from csms.api.v1.prices import PricesShape
from csms.api.v1.quirks import QuirksShape
from csms.api.v1.reconciliation import ReconciliationDetail, ReconciliationPage
from csms.api.v1.reservations import ReservationPage, ReservationShape
from csms.api.v1.sessions import SessionPage
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
from csms.api.v1.tokens import CreatedToken, TokenPage, TokenShape
from csms.api.v1.transaction_shapes import TransactionPage, TransactionShape
from csms.api.v1.variables import VariablePage, VariablesSet
from csms.api.v1.webhook_shapes import (
    DeliveryDetail,
    DeliveryPage,
    WebhookPage,
    WebhookSecret,
    WebhookShape,
)
from csms.domain.permissions import Scope

table = Table(Dialect.NATIVE)

# fmt: off
NATIVE: tuple[Route, ...] = (
    table.get("/", pages.index, None, "The page", hidden=True),
    table.get("/assets/{name}", pages.asset, None, "A file of the page", hidden=True),
    table.get("/docs", pages.docs, None, "The API's page", hidden=True),
    table.get("/docs/errors", pages.docs, None, "Every code of an error", hidden=True),
    table.get("/healthz", health.healthz, None, "The process lives", Health),
    table.get("/readyz", health.readyz, None, "Stations and writes are welcome", {200: Readiness, 503: Readiness}),
    table.get("/version", health.version, None, "Which release this is", Version),
    table.get("/metrics", health.show_metrics, None, "Prometheus metrics", {200: "text/plain", 401: "application/problem+json", 403: "application/problem+json"}),
    table.get("/openapi.json", openapi.show, None, "This document", "application/json"),
    table.get("/api/v1/events", events.stream_events, Scope.EVENTS_READ, "Everything that happens, live", "text/event-stream"),
    table.get("/api/v1/actions", actions.list_actions, Scope.STATIONS_READ, "List what can be ordered of stations", ActionList),
    table.get("/api/v1/commands", command_records.list_commands, Scope.JOBS_READ, "List commands to single stations", CommandPage),
    table.get("/api/v1/commands/{command_id}", command_records.show, Scope.JOBS_READ, "Show a command", CommandShape),
    table.delete("/api/v1/commands/{command_id}", command_records.cancel, Scope.COMMANDS_SEND, "Cancel a command that was not sent yet", CommandShape),
    table.get("/api/v1/jobs", jobs.list_jobs, Scope.JOBS_READ, "List jobs", JobPage),
    table.post("/api/v1/jobs", job_submit.create, Scope.JOBS_WRITE, "Submit a job", {202: JobShape}, bulk=True),
    table.post("/api/v1/jobs/preview", job_preview.preview, Scope.JOBS_WRITE, "Show what a job would do, and do nothing", JobPreview, bulk=True),
    table.get("/api/v1/jobs/{job_id}", jobs.show, Scope.JOBS_READ, "Show a job", JobShape),
    table.get("/api/v1/jobs/{job_id}/items", jobs.list_items, Scope.JOBS_READ, "List a job's items", ItemPage),
    table.post("/api/v1/jobs/{job_id}/credentials", job_credentials.issue, Scope.STATIONS_WRITE, "Make passwords for the stations that a job made", (CredentialsSheet, "text/csv")),
    table.get("/api/v1/jobs/{job_id}/results.csv", job_results.csv, Scope.JOBS_READ, "Export what came of a job's items for a spreadsheet", "text/csv"),
    table.get("/api/v1/jobs/{job_id}/results.ndjson", job_results.ndjson, Scope.JOBS_READ, "Export what came of a job's items for a program", "application/x-ndjson"),
    table.get("/api/v1/jobs/{job_id}/events", job_events.stream_job, Scope.JOBS_READ, "Watch a job to its end", "text/event-stream"),
    table.delete("/api/v1/jobs/{job_id}", job_control.delete, Scope.JOBS_WRITE, "Forget a job that is over", {204: None}),
    table.post("/api/v1/jobs/{job_id}/cancel", job_control.cancel, Scope.JOBS_WRITE, "Cancel a job", {200: JobShape, 202: JobShape}),
    table.post("/api/v1/jobs/{job_id}/pause", job_control.pause, Scope.JOBS_WRITE, "Start nothing more of a job for now", JobShape),
    table.post("/api/v1/jobs/{job_id}/resume", job_control.resume, Scope.JOBS_WRITE, "Go on with a paused job", JobShape),
    table.post("/api/v1/jobs/{job_id}/retry", job_control.retry, Scope.JOBS_WRITE, "Run a job's failed items again", {202: JobShape}),
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
    table.post("/api/v1/stations/{station_id}/credentials/rotate", credentials.rotate, Scope.STATIONS_WRITE, "Make a new password", RotatedCredentials, waits=True),
    table.post("/api/v1/stations/{station_id}/credentials/waive", credentials.waive, Scope.STATIONS_WRITE, "Let a station in without a password", {204: None}),
    table.post("/api/v1/stations/{station_id}/commands", commands.send, Scope.COMMANDS_SEND, "Send a command and wait for the answer", {200: CommandResult, 202: CommandShape}, waits=True),
    table.get("/api/v1/stations/{station_id}/quirks", quirks.show, Scope.STATIONS_READ, "Show what is done differently for a station", QuirksShape),
    table.put("/api/v1/stations/{station_id}/quirks", quirks.change, Scope.STATIONS_WRITE, "Set what is done differently for a station", QuirksShape),
    table.delete("/api/v1/stations/{station_id}/quirks/withheld/{call}", quirks.release, Scope.STATIONS_WRITE, "Send a call again that was withheld", {204: None}),
    table.get("/api/v1/stations/{station_id}/connections", connections.list_of_station, Scope.STATIONS_READ, "List when a station was connected", ConnectionPage),
    table.get("/api/v1/stations/{station_id}/evses", evses.list_of_station, Scope.STATIONS_READ, "Show a station's EVSEs and what goes on at them", EvsesShape),
    table.get("/api/v1/stations/{station_id}/evses/{evse_id}", evses.show, Scope.STATIONS_READ, "Show an EVSE and what goes on at it", EvseShape),
    table.get("/api/v1/stations/{station_id}/messages", messages.list_of_station, Scope.STATIONS_READ, "List a station's messages and their answers", (MessagePage, "application/x-ndjson", "text/event-stream")),
    table.get("/api/v1/stations/{station_id}/status-history", evses.status_history, Scope.STATIONS_READ, "List what a station said of its connectors", StatusPage),
    table.get("/api/v1/stations/{station_id}/uptime", connections.show_uptime, Scope.STATIONS_READ, "Show how much of a time a station was connected", UptimeShape),
    table.get("/api/v1/stations/{station_id}/display-messages", station_news.list_display_messages, Scope.STATIONS_READ, "List what a station has to show", DisplayMessagesShape),
    table.get("/api/v1/stations/{station_id}/local-list", local_list.show, Scope.STATIONS_READ, "Show a station's local authorization list", LocalListShape),
    table.put("/api/v1/stations/{station_id}/local-list", local_list.put, Scope.COMMANDS_SEND, "Send a station its whole local authorization list", CommandResult, waits=True),
    table.delete("/api/v1/stations/{station_id}/local-list", local_list.delete, Scope.COMMANDS_SEND, "Empty a station's local authorization list", CommandResult, waits=True),
    table.get("/api/v1/stations/{station_id}/monitoring-events", station_news.list_monitoring_events, Scope.STATIONS_READ, "List what a station's monitors saw", MonitoringEventPage),
    table.get("/api/v1/stations/{station_id}/notices", station_news.list_notices, Scope.STATIONS_READ, "List what else a station told", NoticePage),
    table.get("/api/v1/stations/{station_id}/reports", station_news.list_reports, Scope.STATIONS_READ, "List what a station reports in parts", ReportPage),
    table.get("/api/v1/stations/{station_id}/security-events", station_news.list_security_events, Scope.STATIONS_READ, "List what a station reported about its security", SecurityEventPage),
    table.get("/api/v1/stations/{station_id}/variables", variables.list_of_station, Scope.STATIONS_READ, "List the device model of a station", VariablePage),
    table.patch("/api/v1/stations/{station_id}/variables", variables.change, Scope.COMMANDS_SEND, "Set variables of a station", VariablesSet, waits=True),
    table.post("/api/v1/stations/{station_id}/variables/refresh", variables.refresh, Scope.COMMANDS_SEND, "Have a station tell its variables", {202: JobShape}),
    table.get("/api/v1/locations", locations.list_locations, Scope.STATIONS_READ, "List locations", LocationPage),
    table.post("/api/v1/locations", locations.create, Scope.STATIONS_WRITE, "Create a location", {201: LocationShape}),
    table.get("/api/v1/locations/{location_id}", locations.show, Scope.STATIONS_READ, "Show a location", LocationShape),
    table.patch("/api/v1/locations/{location_id}", locations.change, Scope.STATIONS_WRITE, "Change a location", LocationShape),
    table.delete("/api/v1/locations/{location_id}", locations.delete, Scope.STATIONS_WRITE, "Delete a location and its stations", {204: None}),
    table.get("/api/v1/locations/{location_id}/stations", locations.list_stations, Scope.STATIONS_READ, "List the stations of a location", StationPage),
    table.get("/api/v1/locations/{location_id}/summary", locations.summary, Scope.STATIONS_READ, "Count what there is and goes on at a location", OverviewShape),
    table.get("/api/v1/locations/{location_id}/prices", prices.show, Scope.STATIONS_READ, "Show what charging at a location costs", PricesShape),
    table.put("/api/v1/locations/{location_id}/prices", prices.change, Scope.STATIONS_WRITE, "Set what charging at a location costs", PricesShape),
    table.delete("/api/v1/locations/{location_id}/prices", prices.remove, Scope.STATIONS_WRITE, "Take the prices of a location away", {204: None}),
    table.get("/api/v1/lint", lint.list_findings, Scope.STATIONS_READ, "List what messages of stations do wrong", FindingPage),
    table.get("/api/v1/messages", messages.list_messages, Scope.STATIONS_READ, "List the messages of all stations", (MessagePage, "application/x-ndjson", "text/event-stream")),
    table.get("/api/v1/inbox", inbox.list_entries, Scope.STATIONS_READ, "List stations that were not let in", InboxPage),
    table.delete("/api/v1/inbox/{entry_id}", inbox.forget, Scope.STATIONS_WRITE, "Forget an attempt in the inbox", {204: None}),
    table.post("/api/v1/inbox/{entry_id}/accept", inbox.accept, Scope.STATIONS_WRITE, "Register a station from the inbox", {201: AcceptedStation}),
    table.get("/api/v1/connection-info", connection_info.show, Scope.STATIONS_READ, "Show what to enter in a station", ConnectionInfo),
    table.get("/api/v1/onboarding", onboarding.show, Scope.STATIONS_READ, "Show whether unknown stations are let in", OnboardingShape),
    table.post("/api/v1/onboarding", onboarding.open_window, Scope.STATIONS_WRITE, "Let unknown stations in for some minutes", OnboardingShape),
    table.delete("/api/v1/onboarding", onboarding.close_window, Scope.STATIONS_WRITE, "Let no more unknown stations in", {204: None}),
    table.get("/api/v1/transactions", transactions.list_transactions, Scope.TRANSACTIONS_READ, "List transactions", TransactionPage),
    table.get("/api/v1/transactions.csv", transaction_export.export, Scope.TRANSACTIONS_READ, "Export transactions for a spreadsheet", "text/csv"),
    table.get("/api/v1/transactions/{transaction_id}", transactions.show, Scope.TRANSACTIONS_READ, "Show a transaction", TransactionShape),
    table.get("/api/v1/transactions/{transaction_id}/meter-values", meter_values.of_transaction, Scope.TRANSACTIONS_READ, "List what was metered for a transaction", MeterValuePage),
    table.get("/api/v1/stations/{station_id}/meter-values", meter_values.of_station, Scope.TRANSACTIONS_READ, "List what a station metered", MeterValuePage),
    table.get("/api/v1/stations/{station_id}/reservations", reservations.list_of_station, Scope.STATIONS_READ, "List a station's reservations", ReservationPage),
    table.post("/api/v1/stations/{station_id}/reservations", reservations.create, Scope.COMMANDS_SEND, "Reserve an EVSE for an id token", {201: ReservationShape}, waits=True),
    table.delete("/api/v1/stations/{station_id}/reservations/{reservation_id}", reservations.cancel, Scope.COMMANDS_SEND, "Cancel a reservation", {204: None}, waits=True),
    table.get("/api/v1/stations/{station_id}/charging-profiles", charging_profiles.list_of_station, Scope.STATIONS_READ, "List the charging profiles that a station has", ChargingProfilePage),
    table.post("/api/v1/stations/{station_id}/charging-profiles", charging_profiles.create, Scope.COMMANDS_SEND, "Set a charging profile", {201: ChargingProfileShape}, waits=True),
    table.delete("/api/v1/stations/{station_id}/charging-profiles/{profile_id}", charging_profiles.clear, Scope.COMMANDS_SEND, "Clear a charging profile", {204: None}, waits=True),
    table.get("/api/v1/stations/{station_id}/composite-schedule", charging_profiles.list_schedules, Scope.STATIONS_READ, "Show the schedules that a station worked out last", CompositeSchedulePage),
    table.post("/api/v1/stations/{station_id}/composite-schedule", charging_profiles.ask_for_schedule, Scope.COMMANDS_SEND, "Have a station work its schedule out", CompositeScheduleShape, waits=True),
    table.post("/api/v1/transactions/{transaction_id}/stop", transactions.stop, Scope.COMMANDS_SEND, "Ask the station to end a transaction, and wait for the answer", CommandResult, waits=True),
    table.post("/api/v1/transactions/{transaction_id}/close", transactions.close, Scope.TRANSACTIONS_WRITE, "End a transaction that its station will never end", TransactionShape),
    table.get("/api/v1/reconciliation", reconciliation.list_entries, Scope.STATIONS_READ, "List messages about transactions that could not be applied", ReconciliationPage),
    table.get("/api/v1/reconciliation/{entry_id}", reconciliation.show, Scope.STATIONS_READ, "Show such a message and what it probably means", ReconciliationDetail),
    table.post("/api/v1/reconciliation/{entry_id}/resolve", reconciliation.resolve, Scope.STATIONS_WRITE, "Do as suggested, or nothing", ReconciliationDetail),
    table.get("/api/v1/stats/overview", stats.overview, Scope.STATIONS_READ, "Count what there is and what goes on", OverviewShape),
    table.post("/api/v1/authorize", authorize.judge, Scope.ID_TOKENS_WRITE, "Try out what an id token would be told", Verdict),
    table.get("/api/v1/id-token-groups", id_token_groups.list_groups, Scope.ID_TOKENS_READ, "List the groups that id tokens are in", IdTokenGroupPage),
    table.get("/api/v1/id-tokens", id_tokens.list_id_tokens, Scope.ID_TOKENS_READ, "List id tokens", IdTokenPage),
    table.post("/api/v1/id-tokens", id_tokens.create, Scope.ID_TOKENS_WRITE, "Decide about an id token that is new or waits for review", {201: IdTokenShape}),
    table.post("/api/v1/id-tokens/import", id_token_import.submit, Scope.ID_TOKENS_WRITE, "Decide about many id tokens", {202: JobShape}, bulk=True),
    table.get("/api/v1/id-tokens/{id_token_id}", id_tokens.show, Scope.ID_TOKENS_READ, "Show an id token", IdTokenShape),
    table.patch("/api/v1/id-tokens/{id_token_id}", id_tokens.change, Scope.ID_TOKENS_WRITE, "Change what is decided about an id token", IdTokenShape),
    table.put("/api/v1/id-tokens/{id_token_id}", id_tokens.replace, Scope.ID_TOKENS_WRITE, "Decide about an id token", IdTokenShape),
    table.delete("/api/v1/id-tokens/{id_token_id}", id_tokens.delete, Scope.ID_TOKENS_WRITE, "Forget an id token", {204: None}),
    table.post("/api/v1/auth/sign-in", auth.sign_in, None, "Sign in to the page: exchange the code of a link, or a token, for a cookie", {201: Me, 401: "application/problem+json", 403: "application/problem+json", 429: "application/problem+json"}),
    table.post("/api/v1/auth/sign-in-links", auth.create_link, Scope.SELF_WRITE, "Make a link that signs in to the page", {201: SignInLink}),
    table.get("/api/v1/auth/me", auth.show_me, Scope.SELF_READ, "Show the caller's token", Me),
    table.get("/api/v1/sessions", sessions.list_sessions, Scope.SELF_READ, "List who is signed in to the page", SessionPage),
    table.delete("/api/v1/sessions/{session_id}", sessions.end, Scope.SELF_WRITE, "End a session: sign out", {204: None}),
    table.get("/api/v1/audit", audit.list_entries, Scope.AUDIT_READ, "List who wrote what", AuditPage),
    table.get("/api/v1/audit/check", audit.check, Scope.AUDIT_READ, "Check whether the audit is as it was written", AuditCheck),
    table.get("/api/v1/catalog/brands", catalog.list_brands, Scope.STATIONS_READ, "List brands that virtual stations can be of", BrandPage),
    table.get("/api/v1/catalog/models", catalog.list_models, Scope.STATIONS_READ, "List models that virtual stations can be", ModelPage),
    table.get("/api/v1/charging-profile-templates", charging_profile_templates.list_templates, Scope.STATIONS_READ, "List charging profile templates", ChargingProfileTemplatePage),
    table.post("/api/v1/charging-profile-templates", charging_profile_templates.create, Scope.COMMANDS_SEND, "Create a charging profile template", {201: ChargingProfileTemplateShape}),
    table.get("/api/v1/charging-profile-templates/{charging_profile_template_id}", charging_profile_templates.show, Scope.STATIONS_READ, "Show a charging profile template", ChargingProfileTemplateShape),
    table.patch("/api/v1/charging-profile-templates/{charging_profile_template_id}", charging_profile_templates.change, Scope.COMMANDS_SEND, "Change a charging profile template", ChargingProfileTemplateShape),
    table.delete("/api/v1/charging-profile-templates/{charging_profile_template_id}", charging_profile_templates.delete, Scope.COMMANDS_SEND, "Delete a charging profile template", {204: None}),
    table.get("/api/v1/config-templates", config_templates.list_templates, Scope.STATIONS_READ, "List config templates", ConfigTemplatePage),
    table.post("/api/v1/config-templates", config_templates.create, Scope.COMMANDS_SEND, "Create a config template", {201: ConfigTemplateShape}),
    table.get("/api/v1/config-templates/{config_template_id}", config_templates.show, Scope.STATIONS_READ, "Show a config template", ConfigTemplateShape),
    table.patch("/api/v1/config-templates/{config_template_id}", config_templates.change, Scope.COMMANDS_SEND, "Change a config template", ConfigTemplateShape),
    table.delete("/api/v1/config-templates/{config_template_id}", config_templates.delete, Scope.COMMANDS_SEND, "Delete a config template", {204: None}),
    table.get("/api/v1/firmware-images", firmware_images.list_images, Scope.STATIONS_READ, "List firmware images", FirmwareImagePage),
    table.post("/api/v1/firmware-images", firmware_images.create, Scope.FIRMWARE_WRITE, "Upload a firmware image", {201: FirmwareImageShape}, takes_file=True),
    table.get("/api/v1/firmware-images/{image_id}", firmware_images.show, Scope.STATIONS_READ, "Show a firmware image", FirmwareImageShape),
    table.patch("/api/v1/firmware-images/{image_id}", firmware_images.change, Scope.FIRMWARE_WRITE, "Describe a firmware image", FirmwareImageShape),
    table.delete("/api/v1/firmware-images/{image_id}", firmware_images.delete, Scope.FIRMWARE_WRITE, "Delete a firmware image", {204: None}),
    table.post("/api/v1/stations/{station_id}/firmware", file_transfers.update_firmware, Scope.COMMANDS_SEND, "Have a station install a firmware image", {202: FileTransferDetail}, waits=True),
    table.post("/api/v1/stations/{station_id}/logs", file_transfers.ask_for_log, Scope.COMMANDS_SEND, "Have a station send a log", {202: FileTransferDetail}, waits=True),
    table.get("/api/v1/file-transfers", file_transfers.list_transfers, Scope.STATIONS_READ, "List firmware updates and log uploads", FileTransferPage),
    table.get("/api/v1/file-transfers/{transfer_id}", file_transfers.show, Scope.STATIONS_READ, "Show how far a file is", FileTransferDetail),
    table.get("/api/v1/log-files", log_files.list_files, Scope.LOGS_READ, "List what stations sent", LogFilePage),
    table.get("/api/v1/log-files/{log_file_id}", log_files.show, Scope.LOGS_READ, "Show what is known of a log file", LogFileShape),
    table.get("/api/v1/log-files/{log_file_id}/content", log_files.download, Scope.LOGS_READ, "Fetch a log file", {200: "application/octet-stream", 206: "application/octet-stream", 416: "application/problem+json"}),
    table.delete("/api/v1/log-files/{log_file_id}", log_files.delete, Scope.COMMANDS_SEND, "Delete a log file", {204: None}),
    table.get("/files/{link}/{name:.*}", file_links.fetch, None, "A station fetches the firmware of its link", {200: "application/octet-stream", 206: "application/octet-stream", 416: "application/problem+json"}),
    table.put("/files/{link}/{name:.*}", file_links.put, None, "A station sends the log of its link", {201: ReceivedFile}, takes_file=True),
    table.post("/files/{link}/{name:.*}", file_links.post, None, "A station sends the log of its link, maybe as a form", {201: ReceivedFile}, takes_file=True),
    table.get("/api/v1/tokens", tokens.list_tokens, Scope.TOKENS_MANAGE, "List API tokens", TokenPage),
    table.post("/api/v1/tokens", tokens.create, Scope.TOKENS_MANAGE, "Create an API token", {201: CreatedToken}),
    table.get("/api/v1/tokens/{token_id}", tokens.show, Scope.TOKENS_MANAGE, "Show an API token", TokenShape),
    table.patch("/api/v1/tokens/{token_id}", tokens.change, Scope.TOKENS_MANAGE, "Change an API token", TokenShape),
    table.delete("/api/v1/tokens/{token_id}", tokens.revoke, Scope.TOKENS_MANAGE, "Revoke an API token", {204: None}),
    table.get("/api/v1/webhooks", webhooks.list_webhooks, Scope.WEBHOOKS_MANAGE, "List webhooks", WebhookPage),
    table.post("/api/v1/webhooks", webhooks.create, Scope.WEBHOOKS_MANAGE, "Have events told to a receiver", {201: WebhookSecret}),
    table.get("/api/v1/webhooks/{webhook_id}", webhooks.show, Scope.WEBHOOKS_MANAGE, "Show a webhook", WebhookShape),
    table.patch("/api/v1/webhooks/{webhook_id}", webhooks.change, Scope.WEBHOOKS_MANAGE, "Change a webhook", WebhookShape),
    table.delete("/api/v1/webhooks/{webhook_id}", webhooks.delete, Scope.WEBHOOKS_MANAGE, "Delete a webhook", {204: None}),
    table.post("/api/v1/webhooks/{webhook_id}/rotate-secret", webhooks.rotate_secret, Scope.WEBHOOKS_MANAGE, "Make a new secret", WebhookSecret),
    table.post("/api/v1/webhooks/{webhook_id}/test", webhooks.test, Scope.WEBHOOKS_MANAGE, "Send a test event and wait for what comes of it", DeliveryDetail),
    table.get("/api/v1/webhooks/{webhook_id}/deliveries", webhooks.list_deliveries, Scope.WEBHOOKS_MANAGE, "List what a webhook was told", DeliveryPage),
    table.get("/api/v1/webhooks/{webhook_id}/deliveries/{delivery_id}", webhooks.show_delivery, Scope.WEBHOOKS_MANAGE, "Show a delivery and what is sent", DeliveryDetail),
    table.post("/api/v1/webhooks/{webhook_id}/deliveries/{delivery_id}/redeliver", webhooks.redeliver, Scope.WEBHOOKS_MANAGE, "Send an event once more", {202: DeliveryDetail}),
)
# fmt: on

ALL: tuple[Route, ...] = CHARGERS + COMMANDS + NATIVE
