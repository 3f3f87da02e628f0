"""Polls of large jobs: what the caller has already is not made again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from csms.api.routing import Call, Reply
from csms.domain.jobs import Job
from csms.domain.permissions import Principal
from csms.jobs import reports
from csms.jobs.reports import Columns, R, Report, Rows


async def poll(
    call: Call[Any, Any],
    job: Job,
    choose: Callable[[Job], Rows],
    columns: Columns[R],
    render: Callable[[Report[R]], dict[str, Any]],
) -> Reply:
    """The job as `render` writes it, or 304 before a row of it is read."""

    def tag(version: str) -> str:
        return _tag(version, call.principal, call.request.query_string)

    found = await reports.report(
        call.deps.db, job, choose, columns, is_known=lambda version: call.unchanged(tag(version))
    )
    if found.is_known:
        return Reply(status=304, version=tag(found.version))
    return Reply(render(found), version=tag(found.version))


def _tag(version: str, caller: Principal, query: str) -> str:
    """Of what is shown: the state of the job, who looks, and what they asked for."""
    reach = None if caller.location_ids is None else sorted(caller.location_ids)
    scopes = sorted(scope.value for scope in caller.scopes)
    seen = f"{version}/{caller.id}/{reach}/{scopes}/{query}"
    return hashlib.blake2b(seen.encode(), digest_size=12).hexdigest()
