"""Every route of the commands dialect, one row each."""

from __future__ import annotations

from csms.api.commands_dialect import chargers, runs, user
from csms.api.commands_dialect.chargers import CommandsChargerAnswer, CommandsChargerList
from csms.api.commands_dialect.pages import CommandsPage
from csms.api.commands_dialect.runs import BulkCommand, ResultsWanted, RetryRun, RunAnswer, RunList
from csms.api.commands_dialect.user import CommandsUserAnswer
from csms.api.routing import Dialect, Route
from csms.domain.permissions import Scope

DIALECT = Dialect.COMMANDS

COMMANDS: tuple[Route, ...] = (
    Route(
        "GET",
        "/api/v3/user",
        user.show,
        "Show the caller",
        DIALECT,
        Scope.STATIONS_READ,
        answers={200: CommandsUserAnswer},
    ),
    # Before /api/v3/chargers/{uuid}, which would take "commands" for a charger.
    Route(
        "GET",
        "/api/v3/chargers/commands/bulk",
        runs.list_all,
        "List bulk runs",
        DIALECT,
        Scope.JOBS_READ,
        query=CommandsPage,
        answers={200: RunList},
    ),
    Route(
        "POST",
        "/api/v3/chargers/commands/bulk",
        runs.create,
        "Send one command to many chargers",
        DIALECT,
        Scope.COMMANDS_SEND,
        body=BulkCommand,
        answers={202: RunAnswer},
        bulk=True,
    ),
    Route(
        "GET",
        "/api/v3/chargers/commands/bulk/{run}",
        runs.show,
        "Show a bulk run",
        DIALECT,
        Scope.JOBS_READ,
        query=ResultsWanted,
        answers={200: RunAnswer},
    ),
    Route(
        "POST",
        "/api/v3/chargers/commands/bulk/{run}/cancel",
        runs.cancel,
        "Cancel a bulk run",
        DIALECT,
        Scope.COMMANDS_SEND,
        answers={200: RunAnswer},
    ),
    Route(
        "POST",
        "/api/v3/chargers/commands/bulk/{run}/retry",
        runs.retry,
        "Try a run's failed chargers again",
        DIALECT,
        Scope.COMMANDS_SEND,
        body=RetryRun,
        body_optional=True,
        answers={202: RunAnswer},
    ),
    Route(
        "GET",
        "/api/v3/chargers",
        chargers.list_all,
        "List chargers",
        DIALECT,
        Scope.STATIONS_READ,
        query=CommandsPage,
        answers={200: CommandsChargerList},
    ),
    Route(
        "GET",
        "/api/v3/chargers/{uuid}",
        chargers.show,
        "Show a charger",
        DIALECT,
        Scope.STATIONS_READ,
        answers={200: CommandsChargerAnswer},
    ),
)
