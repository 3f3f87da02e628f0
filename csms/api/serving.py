"""Connections of people and programs: what is no HTTP is refused without a word of what was sent.

aiohttp itself answers with the line that it cannot read and writes it into the log, with a trace:
there a token would be for everybody, and whoever sends garbage fills the disk.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Any

import structlog
from aiohttp import web
from aiohttp.http import RawRequestMessage
from aiohttp.http_exceptions import HttpProcessingError, LineTooLong

from csms.api import errors
from csms.api.answers import to_bytes

log = structlog.get_logger(__name__)

# What is packed is unpacked by us (decoding.py), so that a refusal is ours too.
ARGUMENTS: dict[str, Any] = {"auto_decompress": False}
"""Of every connection, in tests too."""


SERVER = "csms"
"""Instead of the versions of what we are made of."""


class Runner(web.AppRunner):
    """Runs an application on such connections; `arguments` are those of a connection, too."""

    def __init__(self, app: web.Application, *, shutdown_timeout: float, **arguments: Any) -> None:
        super().__init__(app, handle_signals=False, shutdown_timeout=shutdown_timeout)
        self._arguments = {**ARGUMENTS, **arguments}

    async def _make_server(self) -> web.Server:
        made = await super()._make_server()
        return _Server(made.request_handler, made.request_factory, self._arguments)


class _Server(web.Server):
    def __init__(self, handler: Any, request_factory: Any, arguments: dict[str, Any]) -> None:
        def make(message: RawRequestMessage, *more: Any) -> web.BaseRequest:
            try:
                made: web.BaseRequest = request_factory(message, *more)
            except UnicodeError:  # http://xn--a/: refused with other hosts that are none
                url = message.url.with_host("unreadable").with_user("unreadable")
                made = request_factory(message._replace(url=url), *more)
            return made

        super().__init__(handler, request_factory=make)
        self._arguments = arguments

    def __call__(self) -> web.RequestHandler:
        return _Connection(self, loop=asyncio.get_running_loop(), **self._arguments)


class _Connection(web.RequestHandler):
    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = HTTPStatus.INTERNAL_SERVER_ERROR,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """The answer to what never became a request, or broke outside of the application."""
        if not isinstance(exc, HttpProcessingError):
            log.error("request failed", exc_info=exc)
        if request.writer.output_size > 0:
            raise ConnectionError("a part of an answer is sent already")
        if isinstance(exc, LineTooLong):
            status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
        # Whose dialect it was is not known.
        rendered = errors.render_status(status, HTTPStatus(status).phrase, errors.dialect_of("/"))
        response = web.Response(
            status=rendered.status,
            body=to_bytes(rendered.body),
            headers={"Content-Type": rendered.media_type, "Server": SERVER},
        )
        response.force_close()
        return response
