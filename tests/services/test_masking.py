"""What names a person in a payload, and what does not."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from csms.services.masking import masked, masked_json


@pytest.mark.parametrize(
    ("shown", "seen"),
    [
        ({"idTag": "A"}, {"idTag": "***"}),
        ({"id_tag": "A", "parent_id_tag": "B"}, {"id_tag": "***", "parent_id_tag": "***"}),
        ({"ID-Token": "A"}, {"ID-Token": "***"}),
        ({"idTag": 4711}, {"idTag": "***"}),
        ({"idTag": ""}, {"idTag": ""}),
        ({"id_token": None}, {"id_token": None}),
        (
            {"id_token_type": "Central", "id_token_status": "Accepted", "id_token_id": "u"},
            {"id_token_type": "Central", "id_token_status": "Accepted", "id_token_id": "u"},
        ),
        (
            {"idToken": {"idToken": "A", "type": "eMAID", "additionalInfo": [{"x": "B"}]}},
            {"idToken": {"idToken": "***", "type": "eMAID", "additionalInfo": [{"x": "***"}]}},
        ),
        (
            {"idTokenInfo": {"status": "Accepted", "groupIdToken": {"idToken": "G"}}},
            {"idTokenInfo": {"status": "Accepted", "groupIdToken": {"idToken": "***"}}},
        ),
        ([2, "m", "Authorize", {"idTag": "A"}], [2, "m", "Authorize", {"idTag": "***"}]),
        ({"data": '{"idTag":"A","n":1}'}, {"data": '{"idTag":"***","n":1}'}),
        ({"data": '{"idTag":"A","n'}, {"data": "***"}),
        ({"text": "no idTag"}, {"text": "no idTag"}),
        ({"data": "A", "seqNo": 0}, {"data": "A", "seqNo": 0}),
        (
            {"data": "A", "seqNo": 0, "requestId": 1, "generatedAt": "", "tbc": False},
            {"data": "***", "seqNo": 0, "requestId": 1, "generatedAt": "", "tbc": False},
        ),
    ],
)
def test_id_tokens_lose_their_values(shown: Any, seen: Any) -> None:
    assert masked(shown) == seen
    assert orjson.loads(masked_json(orjson.dumps(shown))) == seen


@pytest.mark.parametrize("text", [b"", b"idTag: A", b"\xff idTag", b'{"a":1}'])
def test_what_is_not_json_or_tells_nothing_stays(text: bytes) -> None:
    assert masked_json(text) == text
