"""The shape of a route, and what a handler gets and gives back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import partial
from types import NoneType
from typing import Any, Generic, TypeVar, get_args, get_type_hints

from aiohttp import web
from pydantic import BaseModel

from csms.api.deps import Deps
from csms.domain.jobs import IdempotencyKey
from csms.domain.permissions import Principal, Scope

B = TypeVar("B")
Q = TypeVar("Q")


SAFE_METHODS = frozenset({"GET", "HEAD"})


class Dialect(str, Enum):
    """Whose shapes and errors a route speaks; the value is the jobs' `dialect` column."""

    NATIVE = "native"
    CHARGERS = "chargers"
    COMMANDS = "commands"


@dataclass(slots=True)
class Call(Generic[B, Q]):
    """One authenticated, validated request."""

    request: web.Request
    deps: Deps
    route: Route
    caller: Principal | None
    """None on public routes only; handlers use `principal`."""
    path: Mapping[str, str]
    body: B
    query: Q
    idempotency: IdempotencyKey | None

    @property
    def principal(self) -> Principal:
        """Who asks; every route that is not public has one."""
        assert self.caller is not None, "a public route has no principal"
        return self.caller

    def unchanged(self, version: str) -> bool:
        """Whether the caller's copy already has this `Reply.version`."""
        return is_known(self.request, entity_tag(version))


@dataclass(frozen=True, slots=True)
class Reply:
    """What a handler answers: models, dataclass-free dicts and lists, or None for no body."""

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    version: str | None = None
    """Names this state of the resource for ETag; left out, a GET is tagged by its bytes."""
    is_personal: bool = True
    """Whether it may name people, whom not everybody sees; a description of the API does not."""


def entity_tag(version: str) -> str:
    """Weak, because the same state goes out plain and gzipped."""
    return f'W/"{version}"'


def is_known(request: web.Request, tag: str) -> bool:
    """Whether `If-None-Match` names this tag, weak or strong alike, or any (RFC 9110 13.1.2)."""
    named = request.headers.get("If-None-Match", "")
    return named.strip() == "*" or tag.removeprefix("W/") in named


Handler = Callable[[Call[Any, Any]], Awaitable[Reply | web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Route:
    """One row of a table in routes.py."""

    method: str
    path: str
    handler: Handler
    summary: str
    dialect: Dialect
    scope: Scope | None
    """None: public."""
    body: Any = None
    """A pydantic model, or any type a TypeAdapter takes, e.g. list[Group]."""
    body_optional: bool = False
    query: type[BaseModel] | None = None
    answers: Mapping[int, Any] = field(default_factory=dict)
    """Status → model of the body (None: no body, str: a media type, a tuple: one or the other)."""
    bulk: bool = False
    """Bodies up to 8 MiB instead of 1."""
    hidden: bool = False
    """Not part of the documented API: the page and its files."""
    waits: bool = False
    """Asks a station and waits for its answer: 502 and 504 can happen."""
    takes_file: bool = False
    """The body is a file of any size; the handler takes it piece by piece."""

    @property
    def writes(self) -> bool:
        """Refused while draining; takes an Idempotency-Key."""
        return self.method not in SAFE_METHODS

    @property
    def takes_body(self) -> bool:
        """Whether one that comes is read; one of a GET means nothing."""
        return self.writes or self.takes_file or self.body is not None


class Table:
    """Makes the rows of one dialect, by method."""

    def __init__(self, dialect: Dialect) -> None:
        self.get, self.post, self.put, self.patch, self.delete = (
            partial(_row, dialect, method) for method in ("GET", "POST", "PUT", "PATCH", "DELETE")
        )


def _row(  # noqa: PLR0917 - columns of a table
    dialect: Dialect,
    method: str,
    path: str,
    handler: Handler,
    scope: Scope | None,
    summary: str,
    answers: Any = None,
    *,
    bulk: bool = False,
    hidden: bool = False,
    waits: bool = False,
    takes_file: bool = False,
) -> Route:
    """A row says what it answers as a model (200), or status → model.

    What it takes is read off the handler's `Call[Body, Query]`, so what is documented is what is
    validated; `Body | None` is a body that may be left out.
    """
    body, query = get_args(get_type_hints(handler, include_extras=True)["call"])
    is_optional = NoneType in get_args(body)
    if is_optional:
        (body,) = (member for member in get_args(body) if member is not NoneType)
    if not isinstance(answers, Mapping):
        answers = {} if answers is None else {200: answers}
    return Route(
        method,
        path,
        handler,
        summary,
        dialect,
        scope,
        body=None if body is NoneType else body,
        body_optional=is_optional,
        query=None if query is NoneType else query,
        answers=answers,
        bulk=bulk,
        hidden=hidden,
        waits=waits,
        takes_file=takes_file,
    )
