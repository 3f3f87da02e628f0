"""What stations write reaches a terminal and a file as letters, and as nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
import structlog

from csms import log

NASTY = "a\r\nb\x1b[31m\x00\u202e\x9b\u2028\ud800c"


@pytest.fixture(autouse=True)
def _reset() -> Iterator[None]:
    yield
    structlog.reset_defaults()


def test_a_line_for_people_is_one_line_of_letters(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure()
    structlog.get_logger().warning("seen", station=NASTY)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.isprintable()
    assert r"a\r\nb\x1b[31m\x00\u202e\x9b\u2028\ud800c" in line


def test_a_line_for_programs_is_one_line_of_letters(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure(as_json=True)
    structlog.get_logger().warning("seen", station=NASTY)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.isprintable()
    assert NASTY == json.loads(line)["station"]


def test_a_trace_keeps_its_lines_only(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure()
    try:
        int(NASTY)
    except ValueError as error:
        error.add_note(NASTY)
        structlog.get_logger().exception("failed")
    lines = capsys.readouterr().err.split("\n")
    assert "Traceback (most recent call last):" in lines
    assert all(line.isprintable() for line in lines)
