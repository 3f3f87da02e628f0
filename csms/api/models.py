"""Base classes of the models at the REST edge, and the shapes every native resource shares."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from functools import cache
from typing import Annotated, Any, Literal, get_args
from zoneinfo import ZoneInfo, available_timezones

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
    field_validator,
)
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

# Of a text that says nothing of its own: no name or id of ours is that long.
_LONGEST_TEXT = 1000
# Times we can count with, whatever is added to them.
_YEARS = range(1970, 9999)
# What pydantic would take for seconds since 1970.
_NUMBER = re.compile(r"[-+]?[0-9.]+")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@cache
def _is_time(model: type[BaseModel], name: str | None) -> bool:
    annotation = model.model_fields[name].annotation if name else None
    return not {AwareDatetime, datetime}.isdisjoint((annotation, *get_args(annotation)))


# `defer_build`: what makes a validator of a model runs when it is first used. At start, for
# hundreds of them, it would take a fifth of the time.
class _Given(BaseModel):
    """What a caller sends."""

    model_config = ConfigDict(str_max_length=_LONGEST_TEXT, defer_build=True)

    @field_validator("*")
    @classmethod
    def _is_within_the_calendar(cls, value: Any) -> Any:
        if isinstance(value, datetime) and value.year not in _YEARS:
            raise PydanticCustomError("year_out_of_range", "The year should be in 1970 to 9998")
        return value


class Strict(_Given):
    """A body: unknown fields and wrong types are refused."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Lenient(_Given):
    """A body of a dialect, whose clients may know more fields than we do: those are ignored."""

    model_config = ConfigDict(extra="ignore", strict=True)


class _QueryString(_Given):
    """What stands behind the question mark."""

    @field_validator("*", mode="before")
    @classmethod
    def _is_no_number_of_seconds(cls, value: Any, info: ValidationInfo) -> Any:
        if (
            isinstance(value, str)
            and _NUMBER.fullmatch(value.strip())
            and _is_time(cls, info.field_name)
        ):
            raise PydanticCustomError("datetime_parsing", "Input should be a time as in RFC 3339")
        return value


class Query(_QueryString):
    """A query string: unknown keys are refused, text becomes numbers."""

    model_config = ConfigDict(extra="forbid")


class LenientQuery(_QueryString):
    """A query string of a dialect: unknown keys are ignored, a day is its beginning in UTC."""

    model_config = ConfigDict(extra="ignore")

    @field_validator("*", mode="before")
    @classmethod
    def _is_maybe_a_day(cls, value: Any, info: ValidationInfo) -> Any:
        if isinstance(value, str) and _DAY.fullmatch(value) and _is_time(cls, info.field_name):
            return f"{value}T00:00:00Z"
        return value


def _time_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:  # unknown, or not even a name
        if available_timezones():  # else this machine knows none at all
            complaint = "Input should be a time zone of the IANA database, e.g. Europe/Amsterdam"
            raise PydanticCustomError("time_zone", complaint) from error
    return name


TimeZone = Annotated[str, StringConstraints(max_length=100), AfterValidator(_time_zone)]


class OneOf:
    """Marks a text that is one of these: as a `Literal`, of what a table elsewhere has."""

    def __init__(self, values: Iterable[str]) -> None:
        self._values = list(values)

    def __get_pydantic_core_schema__(self, source: object, handler: object) -> CoreSchema:
        """How pydantic asks."""
        return core_schema.literal_schema(self._values)


# Nothing but one line: nothing that steers a terminal or ends a string.
PLAIN = r"^[^\x00-\x1f\x7f]*$"


def never_null(given: Any) -> Any:
    """Validator of what can be left out of a change, and not be taken away by it."""
    if given is None:
        raise ValueError("cannot be null")
    return given


class Shape(BaseModel):
    """An answer."""

    model_config = ConfigDict(extra="forbid", defer_build=True)


class Page(Query):
    """Cursor paging."""

    limit: int = Field(default=50, ge=1, le=500)
    cursor: str | None = Field(default=None, max_length=2000)


class CountedPage(Page):
    """Cursor paging that also tells how many there are."""

    count: bool = Field(default=False, description="Tell the `total` of all pages.")


class ProblemIssue(Shape):
    """One complaint about one place of the request."""

    where: Literal["body", "query", "path", "header"] = Field(alias="in")
    pointer: str
    detail: str
    type: str


class OcppError(Shape):
    """The CALLERROR of a station."""

    code: str
    description: str


class Problem(BaseModel):
    """RFC 9457 problem details; `code` is stable, `detail` is for people."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    errors: list[ProblemIssue] | None = None


class CommandProblem(Problem):
    """What came of an order that has no answer, or not the one that was wanted."""

    id: str | None = Field(default=None, description="Of the hidden job that carried the order.")
    state: Literal["not_sent", "refused", "rejected", "unknown"] | None = None
    response: dict[str, Any] | None = None
    ocpp_error: OcppError | None = None


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
