"""Which events a webhook is told of, and how it knows that it was us."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from csms.domain.webhooks import (
    Webhook,
    event_id_of,
    matches,
    message_id,
    new_secret,
    signature,
    wait_s,
)

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
WEBHOOK = Webhook(
    id=1,
    uuid="e28b835d-7d3f-4de6-a085-a48ecfe6125c",
    name="",
    url="https://hooks.example/",
    event_types=("station.*",),
    location_ids=None,
    max_parallel=1,
    secrets="",
    enabled=True,
    disabled_reason=None,
    seen_event_id=0,
    failing_since=None,
    last_success_at=None,
    last_failure=None,
    created_at=NOON,
    updated_at=NOON,
)


def test_the_signature_is_that_of_the_published_example() -> None:
    # From the documentation of Standard Webhooks.
    signed = signature(
        ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
        message="msg_p5jXN8AQM9LWM0D4loKWxJek",
        timestamp=1614265330,
        body=b'{"test": 2432232314}',
    )
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_each_secret_signs_for_itself() -> None:
    old, new = new_secret(), new_secret()
    one = {"message": "msg_1", "timestamp": 1, "body": b"{}"}
    both = signature([new, old], **one)
    assert both.split(" ") == [signature([new], **one), signature([old], **one)]
    assert signature([new], **one) != signature([old], **one)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("station.booted", True),
        ("station.*", True),
        ("*", True),
        ("station", False),
        ("station.boot", False),
        ("job.*", False),
    ],
)
def test_a_pattern_matches_whole_types_or_beginnings(pattern: str, *, expected: bool) -> None:
    assert matches("station.booted", pattern) is expected


def test_a_bound_webhook_hears_of_its_locations_and_of_no_job() -> None:
    bound = replace(WEBHOOK, event_types=("*",), location_ids=frozenset({7}))
    assert bound.wants("station.booted", location_id=7, job_id=None)
    assert not bound.wants("station.booted", location_id=8, job_id=None)
    assert not bound.wants("token.created", location_id=None, job_id=None)
    assert not bound.wants("job.done", location_id=7, job_id=3)


def test_the_test_of_one_webhook_is_not_told_to_others() -> None:
    everything = replace(WEBHOOK, event_types=("*",))
    assert not everything.wants("webhook.test", location_id=None, job_id=None)
    assert everything.wants("webhook.disabled", location_id=None, job_id=None)


def test_an_id_leads_back_to_its_event() -> None:
    made = message_id(WEBHOOK.uuid, 4711)
    assert made == "msg_e28b835d7d3f4de6a085a48ecfe6125c_4711"
    assert event_id_of(made) == 4711


@pytest.mark.parametrize("text", ["", "msg_", "msg_x", "msg_1_-4", "msg_1_٤", "msg_" + "9" * 40])
def test_what_is_no_id_leads_nowhere(text: str) -> None:
    assert event_id_of(text) is None


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("120", 120),
        ("Fri, 01 May 2026 12:02:00 GMT", 120),
        ("Fri, 01 May 2026 14:02:00 +0200", 120),
        ("Fri, 01 May 2026 12:02:00 -0000", 120),
        ("Fri, 01 May 2026 11:00:00 GMT", 0),
        ("", 0),
        ("-5", 0),
        ("1.5", 0),
        ("soon", 0),
        ("٣", 0),
        ("9" * 200, 1e200),
        ("Fri, 01 May 99999999999999999999 12:02:00 GMT", 0),
        ("Fri, 01 May 2026 12:02:00 +99999999999999999999", 0),
        ("Fri, 01 May 0001 00:00:00 +2359", 0),
    ],
)
def test_how_long_a_receiver_wants_to_be_left_alone(said: str, seconds: float) -> None:
    assert seconds == pytest.approx(wait_s(said, NOON))
