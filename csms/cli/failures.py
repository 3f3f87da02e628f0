"""How a command ends when it does not end well: one line on stderr and an exit code."""

from __future__ import annotations

from enum import IntEnum

from csms.errors import CsmsError


class ExitCode(IntEnum):
    """Part of the outside contract."""

    OK = 0
    FAILURE = 1
    USAGE = 2
    SOME_ITEMS_FAILED = 3
    JOB_CANCELLED = 4


class CommandFailed(CsmsError):
    """The command cannot do what was asked; the message is the one line shown."""

    code = "command_failed"
    exit_code = ExitCode.FAILURE


class BadUsage(CommandFailed):
    """The arguments or the configuration make no sense."""

    code = "bad_usage"
    exit_code = ExitCode.USAGE


class ServerUnreachable(CommandFailed):
    """Nobody answers at the server's address, or the answer broke off."""

    code = "server_unreachable"
    retryable = True


class Refused(CommandFailed):
    """The server answered with an error status."""

    code = "refused"

    def __init__(self, status: int, message: str, *, code: str | None = None) -> None:
        super().__init__(message, code=code)
        self.status = status
