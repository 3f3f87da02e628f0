"""The aiohttp application: every request's way from the socket to its handler and back."""

from __future__ import annotations

import asyncio
import hashlib
import re
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from http import HTTPStatus

import structlog
from aiohttp import web

from csms.api import body as bodies
from csms.api import errors, listing, peers, serving
from csms.api.answers import respond, to_bytes
from csms.api.auth import require
from csms.api.deps import DEPS, Deps
from csms.api.limits import LIMITS, STANDING, Limits
from csms.api.openapi import DOCUMENT, Document
from csms.api.personal import CALLER
from csms.api.recording import Recorder, asked_for
from csms.api.routing import Call, Reply, Route
from csms.domain.jobs import IdempotencyKey
from csms.domain.permissions import Principal, Scope
from csms.errors import BadRequest, CsmsError, Forbidden, NotFound, Unauthenticated, Unavailable
from csms.services.redaction import redacted

log = structlog.get_logger(__name__)

REQUEST_ID = web.RequestKey("request_id", str)
RECORDER = web.AppKey("recorder", Recorder)
_FLUSH_EVERY_S = 60
_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_IDEMPOTENCY_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_SAFETY_HEADERS = {
    # No answer is a page, except the pages, which have a policy of their own.
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


def build(deps: Deps, routes: Iterable[Route]) -> web.Application:
    """One application for REST, the page and, behind an upgrade, the stations."""
    app = web.Application(
        middlewares=[_front],
        client_max_size=deps.settings.bulk_body_limit_bytes,
        handler_args=serving.ARGUMENTS,
    )
    routes = tuple(routes)
    app[DEPS] = deps
    app[DOCUMENT] = Document(routes)
    app[LIMITS] = Limits(deps)
    app[RECORDER] = Recorder(deps)
    for route in routes:
        if route.method == "GET":
            app.router.add_get(route.path, _endpoint(route))
        else:
            app.router.add_route(route.method, route.path, _endpoint(route))
    app.on_response_prepare.append(_mark)
    app.cleanup_ctx.append(_background)
    app.on_shutdown.append(_end_streams)
    return app


def is_upgrade(request: web.BaseRequest) -> bool:
    """Whether a station knocks; whatever the path, it is not REST."""
    return "websocket" in request.headers.get("Upgrade", "").lower()


@web.middleware
async def _front(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    deps = request.app[DEPS]
    if is_upgrade(request):
        if peers.is_for_programs_only(request):
            return _no_stations(request)
        return await deps.endpoint.handle(request)
    request_id = _request_id(request)
    request[REQUEST_ID] = request_id
    with structlog.contextvars.bound_contextvars(request_id=request_id):
        try:
            peers.check_host(request)
            response = await handler(request)
        except CsmsError as error:
            response = _refuse(request, error)
        except web.HTTPException as refusal:
            response = _refuse_unrouted(request, refusal)
            if refusal.status in {HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED}:
                lost = await deps.endpoint.handle_without_upgrade(request)
                # Without any header of a websocket it is REST, whose 404 has a shape.
                response = lost if lost is not None and lost.status != refusal.status else response
        except Exception as error:
            if _is_of_connection(request, error):
                return _nobody_hears(request)
            log.exception("request failed", method=request.method, path=redacted(request.path))
            response = _refuse(request, CsmsError("Internal server error"))
    resource = request.match_info.route.resource
    deps.metrics.count_request(
        request.method, resource.canonical if resource else "unknown", response.status
    )
    return response


def _endpoint(route: Route) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def handle(request: web.Request) -> web.StreamResponse:
        call = await _call(route, request)
        if route.writes and call.caller is not None:
            return await request.app[RECORDER].answer(call, request[REQUEST_ID])
        reply = await route.handler(call)
        if isinstance(reply, Reply):
            return await respond(request, listing.with_link(call, reply))
        return reply

    return handle


async def _call(route: Route, request: web.Request) -> Call[object, object]:
    deps = request.app[DEPS]
    caller = None if route.scope is None else await _caller(route, route.scope, request)
    if route.writes and deps.draining:
        raise Unavailable("The server is shutting down; nothing was done.", code="draining")
    raw = await _read(route, request, deps)
    query = None if route.query is None else bodies.validate_query(route.query, request)
    listing.open_cursor(route, query)
    return Call(
        request=request,
        deps=deps,
        route=route,
        caller=caller,
        path=request.match_info,
        query=query,
        body=await _parsed(route, request, raw),
        idempotency=_idempotency(route, request, caller, raw),
    )


async def _caller(route: Route, scope: Scope, request: web.Request) -> Principal:
    caller: Principal | None = None
    try:
        caller = request[CALLER] = await request.app[LIMITS].caller(request)
        require(caller, scope)
    except (Unauthenticated, Forbidden) as error:
        if route.writes:
            # Whoever tries one id after another fills one entry, not as many.
            asked = replace(asked_for(request, route, caller), path=route.path)
            request.app[RECORDER].refused(asked, errors.status_of(error), error.code)
        raise
    return caller


async def _read(route: Route, request: web.Request, deps: Deps) -> bytes:
    if route.takes_file:  # for an Idempotency-Key it is told from another by its head
        said = (request.headers.get(name, "") for name in ("Content-Length", "Content-Digest"))
        return "\n".join(said).encode()
    settings = deps.settings
    limit = settings.bulk_body_limit_bytes if route.bulk else settings.body_limit_bytes
    if not request.can_read_body or not route.takes_body:
        return b""
    if route.body is not None:
        bodies.check_media_type(request, route.body)
    return await bodies.read(request, limit)


async def _parsed(route: Route, request: web.Request, raw: bytes) -> object:
    if route.body is None:
        return None
    if bodies.is_csv(request, route.body):
        return await asyncio.to_thread(route.body.from_csv, raw)
    if not raw and route.body_optional:
        return None
    return await bodies.parsed_body(route.body, raw)


def _idempotency(
    route: Route, request: web.Request, caller: Principal | None, raw: bytes
) -> IdempotencyKey | None:
    key = request.headers.get("Idempotency-Key")
    if key is None or caller is None or not route.writes:
        return None
    if not _IDEMPOTENCY_KEY.fullmatch(key):
        raise BadRequest(
            "Idempotency-Key must be 1 to 255 printable ASCII characters without spaces",
            code="invalid_idempotency_key",
        )
    # The target counts as content: the same key and body elsewhere is another request.
    target = f"{request.method} {request.rel_url}\n".encode()
    return IdempotencyKey(caller.id, key, hashlib.sha256(target + raw).digest())


def _is_of_connection(request: web.Request, error: Exception) -> bool:
    # A caller who goes while we wait for room to write is a bare ConnectionError to aiohttp.
    is_gone = isinstance(error, ConnectionError) and request.transport is None
    return is_gone or isinstance(error, ConnectionResetError)


def _nobody_hears(request: web.Request) -> web.Response:
    """The caller went away, or we gave up in the middle of an answer; neither is a fault."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


def _refuse(request: web.Request, error: CsmsError) -> web.Response:
    rendered = errors.render(error, errors.dialect_of(request.path))
    return web.Response(
        status=rendered.status,
        body=to_bytes(rendered.body),
        headers={**rendered.headers, "Content-Type": rendered.media_type},
    )


def _no_stations(request: web.Request) -> web.Response:
    response = _refuse(request, NotFound("Stations connect at another port"))
    response.force_close()
    return response


def _refuse_unrouted(request: web.Request, refusal: web.HTTPException) -> web.Response:
    """What aiohttp itself refused, in the dialect of the path."""
    if isinstance(refusal, web.HTTPMethodNotAllowed):
        allowed = ", ".join(sorted(refusal.allowed_methods))
        return _refuse(request, errors.MethodNotAllowed(allowed))
    if refusal.status == HTTPStatus.NOT_FOUND:
        return _refuse(request, NotFound("Not found"))
    rendered = errors.render_status(refusal.status, refusal.reason, errors.dialect_of(request.path))
    return web.Response(
        status=rendered.status,
        body=to_bytes(rendered.body),
        headers={"Content-Type": rendered.media_type},
    )


def _request_id(request: web.Request) -> str:
    given = request.headers.get("X-Request-Id", "")
    return given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex


async def _mark(request: web.Request, response: web.StreamResponse) -> None:
    response.headers["Server"] = serving.SERVER
    request_id = request.get(REQUEST_ID)
    if request_id is None:  # an upgrade
        return
    response.headers["X-Request-Id"] = request_id
    for name, value in _SAFETY_HEADERS.items():
        response.headers.setdefault(name, value)
    if (standing := request.get(STANDING)) is not None:
        response.headers.update(standing.headers(errors.dialect_of(request.path)))


async def _background(app: web.Application) -> AsyncIterator[None]:
    deps = app[DEPS]
    tasks = [
        asyncio.create_task(deps.metrics.lag.run(), name="api-lag"),
        asyncio.create_task(deps.feed.run(), name="api-feed"),
        asyncio.create_task(_flush_often(app), name="api-flush"),
    ]
    yield
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    with suppress(CsmsError):
        await _flush(app)


async def _flush_often(app: web.Application) -> None:
    while True:
        await asyncio.sleep(_FLUSH_EVERY_S)
        try:
            await _flush(app)
        except CsmsError as error:
            log.warning("uses of tokens are not stored", error=error.message)


async def _flush(app: web.Application) -> None:
    await app[DEPS].auth.flush()
    await app[RECORDER].flush()


async def _end_streams(app: web.Application) -> None:
    app[DEPS].feed.close()
