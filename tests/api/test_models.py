"""What every body and every query has in common, whatever its model says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pydantic import AwareDatetime, BaseModel, ValidationError

from csms.api import models
from csms.api.body import validate_body
from csms.api.errors import ValidationFailed
from csms.api.models import Lenient, LenientQuery, Query, Strict, TimeZone

if TYPE_CHECKING:
    from collections.abc import Mapping


class Thing(Strict):
    name: str = ""
    at: AwareDatetime | None = None
    zone: TimeZone | None = None
    free: dict[str, Any] | None = None


def complaint(data: bytes) -> tuple[tuple[str | int, ...], str]:
    with pytest.raises(ValidationFailed) as refused:
        validate_body(Thing, data)
    (issue,) = refused.value.issues
    return issue.loc, issue.kind


@pytest.mark.parametrize(
    "text", [r"\u0000", r"\u001B", r"\b", r"\f", r"\u0085", "\x7f", "\u0090", r"\\\u0007"]
)
def test_control_characters_are_refused_however_they_are_written(text: str) -> None:
    assert complaint(f'{{"name": "a{text}b"}}'.encode()) == (("body", "name"), "control_character")
    deep = f'{{"free": {{"a": [1, {{"b": "{text}"}}]}}}}'.encode()
    assert complaint(deep) == (("body", "free", "a", 1, "b"), "control_character")
    assert complaint(f'{{"free": {{"{text}": 1}}}}'.encode())[0] == ("body", "free")


@pytest.mark.parametrize("text", [r"\n", r"\t", r"\r", r"\\u0000", r"\u0041", "\u00e9\U0001f600"])
def test_lines_and_every_script_are_text(text: str) -> None:
    assert validate_body(Thing, f'{{"name": "a{text}b"}}'.encode()).name


def test_a_text_that_says_nothing_of_its_length_is_bounded() -> None:
    assert validate_body(Thing, b'{"name": "%s"}' % (b"x" * 1000)).name == "x" * 1000
    assert complaint(b'{"name": "%s"}' % (b"x" * 1001)) == (("body", "name"), "string_too_long")


@pytest.mark.parametrize(
    "time", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-01:00", "1969-12-31T00:00:00Z"]
)
def test_a_time_that_nobody_can_count_with_is_refused(time: str) -> None:
    assert complaint(f'{{"at": "{time}"}}'.encode()) == (("body", "at"), "year_out_of_range")


class Since(Query):
    name: str = ""
    at: AwareDatetime | None = None


@pytest.mark.parametrize("number", ["0.5", "1777636800", "-1", " 7 "])
def test_seconds_are_no_time(number: str) -> None:
    with pytest.raises(ValidationError):
        Since.model_validate({"at": number})
    assert Since.model_validate({"name": number, "at": "2026-05-01T12:00:00Z"}).name == number


@pytest.mark.parametrize("zone", ["Europe/Amsterdam", "UTC", "America/Argentina/Ushuaia"])
def test_a_time_zone_is_one_that_exists(zone: str) -> None:
    assert validate_body(Thing, f'{{"zone": "{zone}"}}'.encode()).zone == zone


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../../etc/passwd", "/etc/passwd", "Europe"])
def test_a_time_zone_that_does_not_exist_is_refused(zone: str) -> None:
    assert complaint(f'{{"zone": "{zone}"}}'.encode()) == (("body", "zone"), "time_zone")


def test_a_machine_that_knows_no_zones_takes_any(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "available_timezones", set)
    assert validate_body(Thing, b'{"zone": "Mars/Olympus"}').zone == "Mars/Olympus"


@pytest.mark.parametrize(
    ("base", "extra"),
    [(Strict, "forbid"), (Lenient, "ignore"), (Query, "forbid"), (LenientQuery, "ignore")],
)
def test_natively_a_name_that_is_not_known_is_refused(base: type[BaseModel], extra: str) -> None:
    config: Mapping[str, Any] = base.model_config
    assert config["extra"] == extra
