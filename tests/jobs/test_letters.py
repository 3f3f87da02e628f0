from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from csms.clock import EPOCH
from csms.domain.jobs import Counters, Job, JobState, Lane, Policy
from csms.domain.versions import OcppVersion
from csms.errors import NotSupportedByVersion
from csms.jobs import orders
from csms.jobs.letters import MAX_LETTERS, Letters

V16, V201 = OcppVersion.V16, OcppVersion.V201


def a_job(params: dict[str, Any], number: int = 1) -> Job:
    return Job(
        id=number,
        uuid="j",
        kind="command",
        dialect="native",
        lane=Lane.BULK,
        state=JobState.ACCEPTED,
        hidden=False,
        principal="p",
        reach=None,
        location_id=None,
        params=params,
        policy=Policy(),
        workflow_run_id="wfr_1",
        generation=1,
        counters=Counters(total=1, open=1),
        error=None,
        not_before=None,
        created_at=EPOCH,
        started_at=None,
        finished_at=None,
        updated_at=EPOCH,
    )


def order(value: str, key: str = "WebSocketPingInterval") -> dict[str, Any]:
    return orders.frozen_action(V16, "ChangeConfiguration", {"key": key, "value": value})


def test_a_job_has_one_letter_for_each_version() -> None:
    letters, job = Letters(), a_job(orders.frozen_command("clear_cache", {}))
    old, new = letters.of(job, V16), letters.of(job, V201)
    assert old is letters.of(replace(job, state=JobState.RUNNING), V16)
    assert old is not new
    assert ("ClearCache", "clear_cache") == (old.order.action, old.command.name)


def test_another_order_under_the_same_number_is_another_letter() -> None:
    letters = Letters()
    found = [letters.of(a_job(order(value)), V16) for value in ("60", "90")]
    assert ["60", "90"] == [letter.order.payload["value"] for letter in found]


def test_what_has_a_secret_in_it_is_not_kept() -> None:
    letters, secret = Letters(), order("canary-of-the-key", "WifiPassword")
    letter = letters.of(a_job(secret), V16)
    assert {"key": "WifiPassword", "value": "canary-of-the-key"} == letter.order.payload
    assert frozenset({"canary-of-the-key"}) == letter.told
    assert not letters._letters


def test_only_the_last_ones_are_kept() -> None:
    letters = Letters()
    for number in range(MAX_LETTERS + 10):
        letters.of(a_job(order("60"), number), V16)
    assert MAX_LETTERS == len(letters._letters)


def test_what_a_version_cannot_say_is_no_letter() -> None:
    letters = Letters()
    with pytest.raises(NotSupportedByVersion):
        letters.of(a_job(orders.frozen_command("get_base_report", {})), V16)
    assert not letters._letters
