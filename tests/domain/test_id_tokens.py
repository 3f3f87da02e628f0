from __future__ import annotations

from datetime import UTC, datetime

import pytest

from csms.domain.id_tokens import (
    AuthorizationStatus,
    IdToken,
    ShownToken,
    best_match,
    id_token_key,
    narrow_v16,
)


@pytest.mark.parametrize(
    ("value", "key"),
    [
        ("ABC", "abc"),
        (" F6 CA 0C C5", "f6 ca 0c c5"),
        ("04A1B2C3D4E5F6A7B8C9\x00\x07", "04a1b2c3d4e5f6a7b8c9"),
        ("\x00", ""),
        ("", ""),
    ],
)
def test_tokens_are_compared_trimmed_and_without_case(value, key):
    assert id_token_key(value) == key


def test_only_the_five_words_of_v16_leave():
    allowed = {"Accepted", "Blocked", "ConcurrentTx", "Expired", "Invalid"}
    assert {narrow_v16(status) for status in AuthorizationStatus} == allowed
    assert narrow_v16(AuthorizationStatus.UNKNOWN) == "Invalid"


def stored(token_type, status=AuthorizationStatus.UNKNOWN):
    now = datetime(2026, 5, 1, tzinfo=UTC)
    return IdToken(
        id=1,
        uuid="1",
        value="A",
        key="a",
        type=token_type,
        status=status,
        group_key=None,
        expires_at=None,
        is_master=False,
        max_open_transactions=None,
        note=None,
        last_station_id=None,
        first_seen_at=now,
        last_seen_at=now,
    )


UNTYPED, CARD, CODE = stored(""), stored("ISO14443"), stored("KeyCode")
GOOD_UNTYPED = stored("", AuthorizationStatus.ACCEPTED)
GOOD_CARD = stored("ISO14443", AuthorizationStatus.ACCEPTED)
GOOD_CODE = stored("KeyCode", AuthorizationStatus.ACCEPTED)


@pytest.mark.parametrize(
    ("known", "shown", "meant"),
    [
        ([], "ISO14443", None),
        ([UNTYPED], "ISO14443", UNTYPED),
        ([UNTYPED, CARD], "ISO14443", CARD),
        ([GOOD_UNTYPED, CARD], "ISO14443", GOOD_UNTYPED),
        ([GOOD_UNTYPED, GOOD_CARD], "ISO14443", GOOD_CARD),
        ([CODE], "ISO14443", None),
        ([CARD], "", CARD),
        ([UNTYPED, CARD], "", UNTYPED),
        ([UNTYPED, GOOD_CARD], "", GOOD_CARD),
        ([CARD, CODE], "", None),
        ([UNTYPED, GOOD_CARD, CODE], "", GOOD_CARD),
        ([UNTYPED, GOOD_CARD, GOOD_CODE], "", UNTYPED),
    ],
)
def test_type_of_a_token_narrows_it_down_where_both_sides_have_one(known, shown, meant):
    assert best_match(known, shown) is meant


def test_token_for_no_authorization_has_nothing_to_compare():
    assert ShownToken("x", "NoAuthorization").key == ""
    assert ShownToken(" aB", "Local").key == "ab"
