"""Kind `id_token_import`: decide about many id tokens, each in a transaction.

An item is a row of the import and is named by its number: what a card says of itself is personal,
and jobs are told of in events.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from csms.domain.id_tokens import Decision, ShownToken
from csms.domain.jobs import ItemState, Job, JobItem, NewItem, Submission
from csms.domain.permissions import Principal, Scope
from csms.errors import CsmsError, Invalid
from csms.jobs.kinds.own_rows import OwnRowsRunner
from csms.services import id_tokens
from csms.services.id_token_rehearsal import Rehearsal
from csms.services.id_tokens import Settings
from csms.store.database import Tx

KIND = "id_token_import"
SCOPE = Scope.ID_TOKENS_WRITE
_FLAW = "flaw"


def submission(
    *,
    principal: Principal,
    rows: Sequence[tuple[ShownToken, Settings] | CsmsError],
    overwrite: bool,
) -> Submission:
    """A job with an item per row; `overwrite` decides anew about tokens that were decided about."""
    return Submission(
        kind=KIND,
        dialect="native",
        principal=principal.id,
        reach=principal.location_ids,
        params={"overwrite": overwrite},
        items=[
            _flawed(str(number), row)
            if isinstance(row, CsmsError)
            else NewItem(str(number), data=_data(*row))
            for number, row in enumerate(rows, 1)
        ],
    )


def runner() -> OwnRowsRunner:
    """Runs the items."""
    return OwnRowsRunner(KIND, SCOPE, _decide)


def obstacle(rehearsal: Rehearsal, params: dict[str, Any], row: dict[str, Any]) -> CsmsError | None:
    """Why nothing would be decided about a row after those that were rehearsed before it."""
    return rehearsal.decide(
        ShownToken(row["value"], row["type"]),
        tuple(row["settings"]["aliases"]),
        overwrite=params["overwrite"],
    )


def _decide(tx: Tx, job: Job, item: JobItem) -> dict[str, Any]:
    if _FLAW in item.data:  # a retry does not make it whole
        raise Invalid(item.data[_FLAW])
    shown = ShownToken(item.data["value"], item.data["type"])
    settings = _settings(item.data["settings"])
    known = id_tokens.find_decided(tx, shown) if job.params["overwrite"] else None
    if known is not None:
        id_tokens.update(tx, known.uuid, settings)
        return {"result": "updated", "id_token_id": known.uuid}
    return {"result": "created", "id_token_id": id_tokens.create(tx, shown, settings).uuid}


def _flawed(key: str, why: CsmsError) -> NewItem:
    told = why.message
    return NewItem(key, data={_FLAW: told}, state=ItemState.ERROR, code=why.code, message=told)


def _data(shown: ShownToken, settings: Settings) -> dict[str, Any]:
    expires_at = None if settings.expires_at is None else settings.expires_at.isoformat()
    written = {**asdict(settings), "status": settings.status.value, "expires_at": expires_at}
    return {"value": shown.value, "type": shown.type, "settings": written}


def _settings(values: dict[str, Any]) -> Settings:
    expires_at = values["expires_at"]
    return Settings(
        **{
            **values,
            "status": Decision(values["status"]),
            "expires_at": None if expires_at is None else datetime.fromisoformat(expires_at),
            "aliases": tuple(values["aliases"]),
        }
    )
