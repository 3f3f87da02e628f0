"""What the kinds have in common whose items send no CALL: no answer can come late."""

from __future__ import annotations

from csms.domain.jobs import Job, JobItem
from csms.jobs.port import Done
from csms.ocpp.frames import JsonObject
from csms.store.database import ReadTx, Row


class SendsNoCall:
    """Whatever an attempt of theirs left open can be done again."""

    def repeatable(self, job: Job, item: JobItem) -> bool:
        """What was not committed did not happen, and the rest may happen twice."""
        return True

    def read_late(
        self, tx: ReadTx, job: Job, item: JobItem, attempt: Row, answer: JsonObject
    ) -> Done:
        """No attempt sends a CALL."""
        raise NotImplementedError

    def evidence(self, tx: ReadTx, job: Job, item: JobItem, attempt: Row) -> Done | None:
        """No attempt is ever ambiguous."""
        return None
