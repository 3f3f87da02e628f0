"""The inbox as the command line shows it."""

from __future__ import annotations

import os
import sys

import pytest

from csms.cli import inbox_view

ENTRY = {
    "identity": "GARAGE\x1b[2J-1",
    "cause": "no_upgrade",
    "address": "192.0.2.7",
    "vendor": "Acme",
    "model": None,
    "attempts": 2,
    "last_seen_at": "2026-05-01T12:00:00.123456Z",
    "next_step": "Choose OCPP JSON.",
    "detail": "it speaks SOAP",
    "sent": "POST /ocpp/GARAGE-1; no password",
}


def test_a_program_reads_one_line_for_each(capsys: pytest.CaptureFixture[str]) -> None:
    inbox_view.show([ENTRY], as_json=False)
    (line,) = capsys.readouterr().out.splitlines()
    assert "Choose OCPP JSON. (it speaks SOAP)" == line.split("\t")[-1]


def test_a_person_reads_a_paragraph_as_wide_as_the_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setattr("shutil.get_terminal_size", lambda: os.terminal_size((32, 24)))
    inbox_view.show([ENTRY, {**ENTRY, "identity": "", "attempts": 1}], as_json=False)
    shown = capsys.readouterr().out
    first, second, _ = shown.split("\n\n")
    assert [
        "  Choose OCPP JSON. (it speaks",
        "  SOAP)",
        "  POST /ocpp/GARAGE-1; no",
        "  password",
    ] == first.splitlines()[1:]
    assert "no_upgrade · Acme · from 192.0.2.7 · 2 times, last 2026-05-01 12:00:00Z" in first
    assert "(no identity)" in second
    assert " · once, last" in second
    assert "\x1b[2J" not in shown
