"""Every write of a caller: once under its key, and in the audit, in the transaction of the write.

A repetition gets the first answer. Where that was not the last word (202, an order without an
outcome) or was lost, the handler tells it anew of what it keyed itself (`once`, a job). What
failed before anything was written is not remembered.
"""

from __future__ import annotations

import asyncio
import zlib
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from functools import partial
from http import HTTPStatus
from typing import Any, NamedTuple

import orjson
import structlog
from aiohttp import web

from csms.api import errors, peers, subjects
from csms.api.answers import respond, to_bytes
from csms.api.deps import Deps
from csms.api.routing import Call, Reply, Route
from csms.domain.jobs import IdempotencyKey
from csms.domain.permissions import Principal
from csms.errors import Conflict, CsmsError
from csms.store import audit, idempotency
from csms.store.audit import Named, Request
from csms.store.companion import Companion
from csms.store.database import Tx
from csms.store.idempotency import ANSWER, Answer, Kept

log = structlog.get_logger(__name__)

LONGEST_PATH = 500
# Kinds of refusals that one entry each sums up in a minute; the rest shares one.
MOST_REFUSALS = 50
_COMPRESS_OFF_LOOP_FROM_BYTES = 256 * 1024
_OTHERS = Request(None, None, None, "*", "*", "*")
# Shown once: a repeated answer has null there.
_SECRETS = frozenset({"password", "secret", "token"})


class _Record(NamedTuple):
    entry_id: int | None
    resource: str | None


class Recorder:
    """Carries the writes of one application out, and remembers them."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps
        self._in_flight: set[tuple[str, str]] = set()
        self._refusals: Counter[tuple[Request, int, str | None]] = Counter()

    async def answer(self, call: Call[Any, Any], request_id: str) -> web.StreamResponse:
        """What the handler answers, or under a known key what the first request was answered."""
        key = call.idempotency
        if key is None:
            return await self._carry_out(call, request_id, known=None)
        name = (key.principal, key.key)
        if name in self._in_flight:
            raise Conflict(
                "a request with this Idempotency-Key is being carried out; try again later",
                code="idempotency_in_flight",
            )
        self._in_flight.add(name)
        try:
            now = self._deps.clock.micros()
            known = await self._deps.db.read(lambda tx: idempotency.find_kept(tx, key, now=now))
            if known is not None and (known.answer is not None or known.resource == ANSWER):
                return await respond(call.request, _again(known))
            return await self._carry_out(call, request_id, known=known)
        finally:
            self._in_flight.discard(name)

    def refused(self, asked: Request, status: int, code: str | None) -> None:
        """Count a write that did nothing; `flush` stores the sums."""
        refusal = (asked, status, code)
        if refusal not in self._refusals and len(self._refusals) >= MOST_REFUSALS:
            refusal = (_OTHERS, status, code)
        self._refusals[refusal] += 1

    async def flush(self) -> None:
        """Store what was refused since the last time, and forget what is old."""
        refusals, self._refusals = self._refusals, Counter()
        if refusals:
            await self._deps.db.write(lambda tx: _insert_refusals(tx, refusals))
        keep_for = timedelta(days=self._deps.settings.audit_kept_days)
        while await self._deps.db.write(lambda tx: audit.delete_old(tx, keep_for)):
            continue

    async def _carry_out(
        self, call: Call[Any, Any], request_id: str, *, known: Kept | None
    ) -> web.StreamResponse:
        asked = asked_for(call.request, call.route, call.caller, request_id)
        named = subjects.named(call)
        companion = Companion(
            partial(_record, key=call.idempotency, asked=asked, named=named, known=known)
        )
        code = None
        reply: Reply | web.StreamResponse
        try:
            with companion.travelling():
                reply = await call.route.handler(call)
        except CsmsError as error:
            code, reply = error.code, _refusal(error, call.route)
        if companion.joined or reply.status < HTTPStatus.BAD_REQUEST:
            await self._remember(call, companion, reply, code)
        else:
            self.refused(replace(asked, request_id=None), reply.status, code)
        if not isinstance(reply, Reply):
            return reply
        is_old = known is not None and (companion.result is None or not companion.result.entry_id)
        return await respond(call.request, _marked(reply) if is_old else reply)

    async def _remember(
        self,
        call: Call[Any, Any],
        companion: Companion[Tx, _Record],
        reply: Reply | web.StreamResponse,
        code: str | None,
    ) -> None:
        """The result joins whatever is written next; only an answer to keep is waited for."""
        key, status, record = call.idempotency, reply.status, companion.result
        created_id = subjects.created_id(call, reply)
        answer = None
        if key is not None and isinstance(reply, Reply) and _is_final(reply, record):
            answer = await _kept(reply)

        def finish(tx: Tx) -> None:
            entry_id = (record or companion.fn(tx)).entry_id
            if entry_id is not None:
                audit.update_result(tx, entry_id, status=status, code=code, created_id=created_id)
            if key is not None and answer is not None:
                idempotency.update_answer(tx, key, answer)

        try:
            stored = self._deps.db.submit(finish)
            if answer is not None:
                await stored
            else:
                stored.add_done_callback(_complain)
        except CsmsError as error:  # what was asked for is done all the same
            log.warning("the result of a write is not stored", error=error.message)


def _record(
    tx: Tx, *, key: IdempotencyKey | None, asked: Request, named: Named, known: Kept | None
) -> _Record:
    resource = None if key is None else idempotency.insert_unless_known(tx, key)
    if known is not None and not tx.events:  # a repetition that changed nothing
        return _Record(None, resource)
    return _Record(audit.insert(tx, asked, named), resource)


def _is_final(reply: Reply, record: _Record | None) -> bool:
    """Whether the answer is repeated, rather than told anew of what was made."""
    if not reply.headers.get("Content-Type", "application/json").endswith("json"):
        return False  # a file, of which we do not know what is secret in it
    if record is None or record.resource == ANSWER:
        return True
    return reply.status < HTTPStatus.BAD_REQUEST and reply.status != HTTPStatus.ACCEPTED


def asked_for(
    request: web.Request, route: Route, caller: Principal | None, request_id: str | None = None
) -> Request:
    """What the audit says of a request."""
    path = str(request.rel_url)[:LONGEST_PATH]
    address = peers.address_of(request)
    return Request(caller, address, request_id, route.method, route.path, path)


def _complain(stored: asyncio.Future[None]) -> None:
    if not stored.cancelled() and (error := stored.exception()) is not None:
        log.warning("the result of a write is not stored", error=str(error))


def _insert_refusals(tx: Tx, refusals: Counter[tuple[Request, int, str | None]]) -> None:
    for (asked, status, code), count in refusals.items():
        entry_id = audit.insert(tx, asked, count=count)
        audit.update_result(tx, entry_id, status=status, code=code)


def _refusal(error: CsmsError, route: Route) -> Reply:
    rendered = errors.render(error, route.dialect)
    headers = {**rendered.headers, "Content-Type": rendered.media_type}
    return Reply(rendered.body, rendered.status, headers)


def _again(known: Kept) -> Reply:
    if known.answer is None:
        raise Conflict(
            "the request with this Idempotency-Key was carried out, at least in part, but its"
            " answer is not kept; see what there is, and send the rest under a new key",
            code="idempotency_answer_lost",
        )
    answer = known.answer
    body = None if answer.body is None else zlib.decompress(answer.body)
    return _marked(Reply(body, answer.status, answer.headers))


def _marked(reply: Reply) -> Reply:
    return replace(reply, headers={**reply.headers, "Idempotency-Replayed": "true"})


async def _kept(reply: Reply) -> Answer:
    if reply.body is None:
        return Answer(reply.status, reply.headers, None)
    body = to_bytes(reply.body)
    if len(body) < _COMPRESS_OFF_LOOP_FROM_BYTES:
        packed = _packed(body)
    else:
        packed = await asyncio.to_thread(_packed, body)
    return Answer(reply.status, reply.headers, packed)


def _packed(body: bytes) -> bytes:
    if any(f'"{name}"'.encode() in body for name in _SECRETS):
        body = orjson.dumps(_without_secrets(orjson.loads(body)))
    return zlib.compress(body)


def _without_secrets(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: None if name in _SECRETS else _without_secrets(inner)
            for name, inner in value.items()
        }
    return [_without_secrets(inner) for inner in value] if isinstance(value, list) else value
