"""What virtual stations were told is on disk before they say so."""

from __future__ import annotations

import pytest

from csms.errors import Invalid
from csms.fleet.password_file import PasswordFile

RAW = bytes(range(200, 220))


def test_the_newest_password_is_found_by_the_next_process(tmp_path):
    path = tmp_path / "passwords"
    first = PasswordFile(path)
    first.write("A", b"a" * 16)
    first.write("a", RAW)
    first.write("B", b"b" * 16)
    first.close()
    second = PasswordFile(path)
    assert [RAW, b"b" * 16, None] == [second.find(identity) for identity in ("A", "b", "C")]
    assert 0o600 == path.stat().st_mode & 0o777


def test_half_a_line_of_a_killed_process_is_passed_over(tmp_path):
    path = tmp_path / "passwords"
    path.write_text('{"identity": "A", "password_hex": "6161"}\n{"identity": "A", "passw')
    kept = PasswordFile(path)
    assert b"aa" == kept.find("A")
    kept.write("A", b"new")
    assert b"new" == PasswordFile(path).find("A")


@pytest.mark.parametrize(
    "line", ["[]", "5", "{}", '{"identity": "A", "password_hex": "x"}', '{"identity": 1}']
)
def test_another_kind_of_file_is_refused(tmp_path, line):
    path = tmp_path / "passwords"
    path.write_text(line + "\n")
    with pytest.raises(Invalid, match="line 1"):
        PasswordFile(path)
