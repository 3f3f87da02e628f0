"""POST /api/v1/id-tokens/import: a list of id tokens, as JSON or CSV, becomes a job."""

from __future__ import annotations

from typing import Any

import orjson
from pydantic import Field, PrivateAttr

from csms.api import body as bodies
from csms.api import csv_rows
from csms.api.errors import ValidationFailed
from csms.api.models import Query, Strict
from csms.api.routing import Call, Reply
from csms.api.v1 import job_submit
from csms.api.v1.id_tokens import NewIdToken
from csms.domain.jobs import Submission
from csms.errors import BadRequest, CsmsError, Invalid

COLUMNS = (
    "value",
    "type",
    "status",
    "expires_at",
    "group_id_token",
    "is_master",
    "max_open_transactions",
    "aliases",
    "note",
)
_BOOLEANS = {"true": True, "false": False}


class ImportQuery(Query):
    """How to import."""

    overwrite: bool = Field(
        default=False, description="Decide anew about those that were decided about before."
    )


class IdTokenSheet(Strict):
    """All that is decided about each token."""

    id_tokens: list[NewIdToken] = Field(min_length=1)
    _flaws: dict[int, CsmsError] = PrivateAttr(default_factory=dict)
    """Row of a table, from 0 → why it is not among the `id_tokens`."""

    @property
    def rows(self) -> list[NewIdToken | CsmsError]:
        """What there is of each row, in its order."""
        good = iter(self.id_tokens)
        number = len(self.id_tokens) + len(self._flaws)
        return [self._flaws.get(row) or next(good) for row in range(number)]

    @classmethod
    def from_csv(cls, data: bytes) -> IdTokenSheet:
        """A table with these columns; aliases are separated by spaces."""
        table = csv_rows.read(data, COLUMNS)
        if not table:
            raise BadRequest("the CSV has no rows", code="malformed_csv")
        good, flaws = list[NewIdToken](), dict[int, CsmsError]()
        for number, row in enumerate(table):
            try:
                good.append(bodies.validate_body(NewIdToken, orjson.dumps(_typed(row))))
            except ValidationFailed as error:
                place = ".".join(str(part) for part in error.issues[0].loc[1:])
                flaws[number] = Invalid(f"{place}: {error.message}" if place else error.message)
        return cls.model_construct(id_tokens=good).with_flaws(flaws)

    def with_flaws(self, flaws: dict[int, CsmsError]) -> IdTokenSheet:
        """Also these rows."""
        self._flaws = flaws
        return self


async def submit(call: Call[IdTokenSheet, ImportQuery]) -> Reply:
    """202 with the job; an item's key is the number of its row."""
    is_table = bodies.is_csv(call.request, IdTokenSheet)

    async def made() -> Submission:
        return job_submit.id_token_import(
            call, call.body.rows, overwrite=call.query.overwrite, is_table=is_table
        )

    return await job_submit.accept(call, made)


def _typed(row: dict[str, str]) -> dict[str, Any]:
    # What is not of its type stays text, and is refused at its place by the model.
    typed: dict[str, Any] = dict(row)
    if "is_master" in row:
        typed["is_master"] = _BOOLEANS.get(row["is_master"].lower(), row["is_master"])
    number = row.get("max_open_transactions", "")
    if number.isascii() and number.isdigit() and len(number) < 10:
        typed["max_open_transactions"] = int(number)
    if "aliases" in row:
        typed["aliases"] = row["aliases"].split()
    return typed
