from __future__ import annotations

import pytest

from csms.domain.credentials import (
    ALPHABET,
    candidates,
    check_supplied,
    derive,
    generate,
)
from csms.domain.versions import OcppVersion
from csms.errors import Invalid


def test_generated_passwords_have_the_format_and_are_unique():
    made = {generate() for _ in range(10_000)}
    assert len(made) == 10_000
    assert all(len(password) == 20 and set(password) <= set(ALPHABET) for password in made)


def test_derived_passwords_are_stable_and_differ_by_key_station_and_number():
    first = derive(b"k" * 32, 1, 1)
    assert first == derive(b"k" * 32, 1, 1)
    assert len(first) == 20
    assert set(first) <= set(ALPHABET)
    others = {derive(b"k" * 32, station, number) for station in range(50) for number in range(50)}
    assert len(others) == 2500
    assert derive(b"x" * 32, 1, 1) != first


def test_presented_password_may_be_the_hex_of_the_bytes():
    raw = bytes(range(200, 220))
    assert raw in candidates(raw.hex().encode())
    assert raw in candidates(raw.hex().upper().encode())
    assert candidates(raw) == (raw,)
    assert candidates(b"z" * 40) == (b"z" * 40,)
    assert candidates(b"\xff" * 40) == (b"\xff" * 40,)


@pytest.mark.parametrize(
    ("length", "version", "allowed"),
    [
        (15, None, False),
        (16, None, True),
        (64, None, True),
        (65, None, False),
        (20, OcppVersion.V16, True),
        (21, OcppVersion.V16, False),
        (64, OcppVersion.V201, True),
    ],
)
def test_length_of_a_supplied_password(length, version, allowed):
    password = b"x" * length
    if allowed:
        assert check_supplied(password, version) == password
    else:
        with pytest.raises(Invalid):
            check_supplied(password, version)
