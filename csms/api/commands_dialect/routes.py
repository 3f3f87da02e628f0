"""Every route of the commands dialect, one row each."""

from __future__ import annotations

from csms.api.commands_dialect import (
    actions,
    chargers,
    logs,
    meter_values,
    runs,
    site_lists,
    sites,
    transactions,
    user,
)
from csms.api.commands_dialect.actions import ActionAnswer
from csms.api.commands_dialect.charger_shape import CommandsChargerAnswer, CommandsChargerList
from csms.api.commands_dialect.logs import CommandsLogList
from csms.api.commands_dialect.meter_values import CommandsMeterValueList
from csms.api.commands_dialect.runs import RunAnswer, RunList
from csms.api.commands_dialect.site_lists import CommandsConnectorList
from csms.api.commands_dialect.sites import SiteAnswer, SiteList
from csms.api.commands_dialect.transactions import CommandsTransactionList
from csms.api.commands_dialect.user import CommandsUserAnswer
from csms.api.routing import Dialect, Route, Table
from csms.domain.permissions import Scope

table = Table(Dialect.COMMANDS)

# fmt: off
COMMANDS: tuple[Route, ...] = (
    table.get("/api/v3/user", user.show, Scope.STATIONS_READ, "Show the caller", CommandsUserAnswer),
    # Before /api/v3/chargers/{uuid}, which would take "commands" for a charger.
    table.get("/api/v3/chargers/commands/bulk", runs.list_all, Scope.JOBS_READ, "List bulk runs", RunList),
    table.post("/api/v3/chargers/commands/bulk", runs.create, Scope.COMMANDS_SEND, "Send one command to many chargers", {202: RunAnswer}, bulk=True),
    table.get("/api/v3/chargers/commands/bulk/{run}", runs.show, Scope.JOBS_READ, "Show a bulk run", RunAnswer),
    table.post("/api/v3/chargers/commands/bulk/{run}/cancel", runs.cancel, Scope.COMMANDS_SEND, "Cancel a bulk run", RunAnswer),
    table.post("/api/v3/chargers/commands/bulk/{run}/retry", runs.retry, Scope.COMMANDS_SEND, "Try a run's failed chargers again", {202: RunAnswer}),
    table.get("/api/v3/chargers", chargers.list_all, Scope.STATIONS_READ, "List chargers", CommandsChargerList),
    table.post("/api/v3/chargers", chargers.create, Scope.STATIONS_WRITE, "Register a charger", {201: CommandsChargerAnswer}),
    table.get("/api/v3/chargers/{uuid}", chargers.show, Scope.STATIONS_READ, "Show a charger", CommandsChargerAnswer),
    table.put("/api/v3/chargers/{uuid}", chargers.update, Scope.STATIONS_WRITE, "Change a charger", CommandsChargerAnswer),
    table.get("/api/v3/chargers/{uuid}/transactions", transactions.list_of_charger, Scope.TRANSACTIONS_READ, "List a charger's transactions", CommandsTransactionList),
    table.get("/api/v3/chargers/{uuid}/metervalues", meter_values.list_of_charger, Scope.TRANSACTIONS_READ, "List a charger's sampled values", CommandsMeterValueList),
    table.get("/api/v3/chargers/{uuid}/logs", logs.list_of_charger, Scope.STATIONS_READ, "List a charger's messages", CommandsLogList),
    table.post("/api/v3/chargers/{uuid}/actions/start", actions.start, Scope.COMMANDS_SEND, "Start a transaction", ActionAnswer, waits=True),
    table.post("/api/v3/chargers/{uuid}/actions/stop", actions.stop, Scope.COMMANDS_SEND, "Stop a transaction", ActionAnswer, waits=True),
    table.post("/api/v3/chargers/{uuid}/actions/restart", actions.restart, Scope.COMMANDS_SEND, "Restart a charger", ActionAnswer, waits=True),
    table.post("/api/v3/chargers/{uuid}/actions/charge-limit", actions.charge_limit, Scope.COMMANDS_SEND, "Limit a charger or a connector", ActionAnswer, waits=True),
    table.get("/api/v3/sites", sites.list_all, Scope.STATIONS_READ, "List sites", SiteList),
    table.post("/api/v3/sites", sites.create, Scope.STATIONS_WRITE, "Create a site", {201: SiteAnswer}),
    table.get("/api/v3/sites/{uuid}", sites.show, Scope.STATIONS_READ, "Show a site", SiteAnswer),
    table.put("/api/v3/sites/{uuid}", sites.update, Scope.STATIONS_WRITE, "Change a site", SiteAnswer),
    table.get("/api/v3/sites/{uuid}/chargers", site_lists.list_chargers, Scope.STATIONS_READ, "List a site's chargers", CommandsChargerList),
    table.get("/api/v3/sites/{uuid}/transactions", transactions.list_of_site, Scope.TRANSACTIONS_READ, "List a site's transactions", CommandsTransactionList),
    table.get("/api/v3/sites/{uuid}/connectors", site_lists.list_connectors, Scope.STATIONS_READ, "List a site's connectors", CommandsConnectorList),
)
# fmt: on
