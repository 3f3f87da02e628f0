"""Base classes of the models at the REST edge, and the shapes every native resource shares."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Strict(BaseModel):
    """A body: unknown fields and wrong types are refused."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Lenient(BaseModel):
    """A body of a dialect, whose clients may know more fields than we do: those are ignored."""

    model_config = ConfigDict(extra="ignore", strict=True)


class Query(BaseModel):
    """A query string: unknown keys are refused, text becomes numbers."""

    model_config = ConfigDict(extra="forbid")


class Shape(BaseModel):
    """An answer."""

    model_config = ConfigDict(extra="forbid")


class Page(Query):
    """Cursor paging."""

    limit: int = Field(default=50, ge=1, le=500)
    cursor: str | None = Field(default=None, max_length=200)


class ProblemIssue(Shape):
    """One complaint about one place of the request."""

    where: Literal["body", "query", "path"] = Field(alias="in")
    pointer: str
    detail: str
    type: str


class Problem(BaseModel):
    """RFC 9457 problem details; `code` is stable, `detail` is for people."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    errors: list[ProblemIssue] | None = None


class ChargersError(Shape):
    """The chargers dialect's error."""

    detail: str


class ChargersIssue(BaseModel):
    """One complaint; `loc` leads to the place in the request."""

    loc: list[str | int]
    msg: str
    type: str
    input: Any = None
    ctx: dict[str, Any] | None = None


class ChargersInvalid(Shape):
    """The chargers dialect's validation error."""

    detail: list[ChargersIssue]


class CommandsError(BaseModel):
    """The commands dialect's error; `errors` is there on 422 only."""

    message: str
    errors: dict[str, list[str]] | None = None
