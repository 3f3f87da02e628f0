"""What a command job sends, worked out once for all of its stations that speak one version."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from csms.domain.jobs import Job
from csms.domain.sealing import Seal
from csms.domain.versions import OcppVersion
from csms.jobs import orders
from csms.ocpp.commands.command import Command, Order
from csms.services import redaction

# A letter holds in the open what is sealed in the database: as few as many jobs at once need.
MAX_LETTERS = 32


@dataclass(frozen=True, slots=True)
class Letter:
    """The order of one job to stations of one version."""

    params: dict[str, Any]
    """The job's, by which the letter is known to be its own still."""
    job: Job
    """With its order as it was given."""
    command: Command
    order: Order
    told: frozenset[str]
    """The secrets in it."""

    @classmethod
    def of(cls, job: Job, version: OcppVersion, seal: Seal) -> Letter:
        """Raises NotSupportedByVersion."""
        opened = orders.opened(job, seal)
        command, order = orders.command_of(opened), orders.encode(opened, version)
        payloads = [order.payload, *(after.payload for after in order.then)]
        return cls(job.params, opened, command, order, redaction.secrets_of(payloads))


class Letters:
    """Those of the jobs that sent something last."""

    def __init__(self, seal: Seal) -> None:
        self._seal = seal
        self._letters: OrderedDict[tuple[int, OcppVersion], Letter] = OrderedDict()

    def of(self, job: Job, version: OcppVersion) -> Letter:
        """Raises NotSupportedByVersion."""
        letter = self._letters.get((job.id, version))
        if letter is None or letter.params is not job.params:
            letter = self._letters[job.id, version] = Letter.of(job, version, self._seal)
            if len(self._letters) > MAX_LETTERS:
                self._letters.popitem(last=False)
        return letter
