"""What a command job sends, worked out once for all of its stations that speak one version."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from csms.domain.jobs import Job
from csms.domain.versions import OcppVersion
from csms.jobs import orders
from csms.ocpp.commands.command import Command, Order
from csms.services import redaction

MAX_LETTERS = 32


@dataclass(frozen=True, slots=True)
class Letter:
    """The order of one job to stations of one version."""

    params: dict[str, Any]
    """The job's, in the open."""
    command: Command
    order: Order
    told: frozenset[str]
    """The secrets in it."""

    @classmethod
    def of(cls, params: dict[str, Any], version: OcppVersion) -> Letter:
        """Raises NotSupportedByVersion."""
        order = orders.encode_params(params, version)
        payloads = [order.payload, *(after.payload for after in order.then)]
        return cls(params, orders.command_in(params), order, redaction.secrets_of(payloads))


class Letters:
    """Those of the jobs that sent something last; never one with a secret in it."""

    def __init__(self) -> None:
        self._letters: OrderedDict[tuple[int, OcppVersion], Letter] = OrderedDict()

    def of(self, job: Job, version: OcppVersion) -> Letter:
        """Of a job with its order in the open. Raises NotSupportedByVersion."""
        key = job.id, version
        letter = self._letters.get(key)
        # A job's parameters are one object for as long as they do not change.
        if letter is None or letter.params is not job.params:
            letter = Letter.of(job.params, version)
            if letter.told:
                return letter
            self._letters[key] = letter
            if len(self._letters) > MAX_LETTERS:
                self._letters.popitem(last=False)
        return letter
