from __future__ import annotations

import pytest

from csms.domain.id_tokens import AuthorizationStatus, id_token_key, narrow_v16


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
