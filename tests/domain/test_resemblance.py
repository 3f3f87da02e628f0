"""How stations spell a card, and whether it is still recognised."""

from __future__ import annotations

import pytest

from csms.domain.resemblance import Resemblance, known_spellings, plain, resemblance

CARD = "04a1b2c3d4e5f6"


@pytest.mark.parametrize(
    ("shown", "known", "expected"),
    [
        (" 04 a1 b2 c3 d4 e5 f6", CARD, Resemblance.SEPARATORS),
        ("04:a1:b2:c3:d4:e5:f6", "04-a1-b2-c3-d4-e5-f6", Resemblance.SEPARATORS),
        ("f6e5d4c3b2a104", CARD, Resemblance.REVERSED),
        ("f6:e5:d4:c3:b2:a1:04", CARD, Resemblance.REVERSED),
        ("04a1b2c3d4e5", CARD, Resemblance.BYTE_MISSING),
        ("04a1b2c3", CARD, Resemblance.CUT_OFF),
        ("de*abc*c12345678", "de*abc*c12345678*1", Resemblance.CUT_OFF),
        ("04a1b2c3d4e5f6_17001234", CARD, Resemblance.SERIAL_APPENDED),
        ("ba86i250x5g6mod5dlkd!}", "ba86i250x5g6mod5dlkd", Resemblance.GARBAGE_APPENDED),
        ("ba86i250x5g6mod5dlkd12345", "ba86i250x5g6mod5dlkd", Resemblance.LONGER),
        ("04a1b2c3d4e5f6~}", CARD, Resemblance.LONGER),
        ("04a1b2c3d4e5f7", CARD, None),
        ("4a1b2c3d4e5f6", CARD, None),
        ("abc", "abcd", None),
        ("edcba", "abcde", None),
        ("visitors", "srotisiv", None),
    ],
)
def test_a_card_is_recognised_however_it_is_spelled(shown, known, expected):
    assert resemblance(plain(shown), plain(known)) is expected


@pytest.mark.parametrize(
    "shown", [CARD, "f6e5d4c3b2a104", "04a1b2c3d4e5f6_17001234", "04a1b2c3d4e5f6" + "f" * 300]
)
def test_what_it_resembles_is_among_the_spellings_that_are_looked_for(shown):
    assert CARD in known_spellings(shown)


def test_short_tokens_resemble_only_themselves():
    assert known_spellings("1234") == ["1234"]
    assert known_spellings("") == [""]
