from __future__ import annotations

import pytest

from csms.cli.output import print_table, progress


def test_a_table_for_a_program_is_tab_separated(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"a": "x", "b": None, "c": True}, {"a": "y\tz\n", "b": ["p", "q"], "c": False}]
    print_table({"a": "A", "b": "B", "c": "C"}, rows, empty="none")
    assert capsys.readouterr().out == "x\t-\tyes\ny z \tp,q\tno\n"


def test_an_empty_table_says_so_on_stderr_only(capsys: pytest.CaptureFixture[str]) -> None:
    print_table({"a": "A"}, [], empty="no jobs")
    written = capsys.readouterr()
    assert written.out == ""
    assert written.err == "no jobs\n"


def test_progress_without_a_terminal_is_a_line_for_each_tenth(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with progress("work", 100) as bar:
        for done in range(101):
            bar.show(done)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 11
    assert lines[0] == "work 0/100"
    assert lines[-1] == "work 100/100"


def test_a_new_note_is_worth_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    with progress("work", 100) as bar:
        bar.show(1)
        bar.show(2, note="waiting for the server")
        bar.show(2, note="waiting for the server")
    assert capsys.readouterr().err == "work 1/100\nwork 2/100 waiting for the server\n"


def test_progress_of_nothing_is_complete(capsys: pytest.CaptureFixture[str]) -> None:
    with progress("work", 0) as bar:
        bar.show(0)
    assert capsys.readouterr().err == "work 0/0\n"
