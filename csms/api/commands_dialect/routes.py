"""Every route of the commands dialect, one row each."""

from __future__ import annotations

from csms.api.commands_dialect import chargers, runs, user
from csms.api.commands_dialect.chargers import CommandsChargerAnswer, CommandsChargerList
from csms.api.commands_dialect.runs import RunAnswer, RunList
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
    table.get("/api/v3/chargers/{uuid}", chargers.show, Scope.STATIONS_READ, "Show a charger", CommandsChargerAnswer),
)
# fmt: on
