"""How a job reads in the chargers dialect, state by state."""

from __future__ import annotations

import pytest

from csms.api.chargers_dialect.bulk_job import (
    LONGEST_MESSAGE,
    provisioning_status,
    status_body,
    trimmed,
)
from csms.clock import EPOCH
from csms.domain.jobs import Counters, ItemState, Job, JobError, JobState, Lane, Policy
from csms.jobs.reports import CreateRow, Report

WORDS = {
    JobState.ACCEPTED: "PENDING",
    JobState.SCHEDULED: "PENDING",
    JobState.RUNNING: "PROVISIONING",
    JobState.PAUSED: "PROVISIONING",
    JobState.CANCELLING: "PROVISIONING",
    JobState.DONE: "READY",
    JobState.FAILED: "FAILED",
    JobState.CANCELLED: "FAILED",
}


def job(state: JobState, *, error: JobError | None = None) -> Job:
    return Job(
        id=1,
        uuid="j",
        kind="station_create",
        dialect="chargers",
        lane=Lane.BULK,
        state=state,
        hidden=False,
        principal="p",
        reach=None,
        location_id=1,
        params={},
        policy=Policy(),
        workflow_run_id="wfr_1",
        generation=1,
        counters=Counters(total=2, open=0, succeeded=1, errored=1),
        error=error,
        not_before=None,
        created_at=EPOCH,
        started_at=EPOCH,
        finished_at=EPOCH,
        updated_at=EPOCH,
    )


def row(state: ItemState) -> CreateRow:
    return ("S1", state.value, None, None, 0, 1, None)


@pytest.mark.parametrize("state", JobState)
def test_every_job_state_has_its_word(state: JobState) -> None:
    assert provisioning_status(state).value == WORDS[state]


@pytest.mark.parametrize("state", JobState)
def test_results_and_errors_belong_to_the_end(state: JobState) -> None:
    body = status_body(Report(job(state), [row(ItemState.SUCCEEDED)], 0, 0))

    assert (body["results"] is not None) == (WORDS[state] in {"READY", "FAILED"})
    assert (body["error"] is not None) == (WORDS[state] == "FAILED")
    assert (body["provisioned_at"] is not None) == (WORDS[state] == "READY")


@pytest.mark.parametrize("state", ItemState)
def test_every_item_is_created_failed_or_in_progress(state: ItemState) -> None:
    results = status_body(Report(job(JobState.DONE), [row(state)], 0, 0))["results"]
    live = state.value in {"held", "ready", "wait_online", "in_flight"}

    assert results["created_count"] == (1 if state is ItemState.SUCCEEDED else 0)
    assert results["created_count"] + results["failed_count"] == (0 if live else 1)
    for failure in results["failed"]:
        assert failure["code"]
        assert failure["error"]


def test_an_unknown_outcome_is_named_so() -> None:
    results = status_body(Report(job(JobState.DONE), [row(ItemState.UNKNOWN)], 0, 0))["results"]

    assert results["failed"][0]["code"] == "outcome_unknown"


def test_a_failed_job_says_why() -> None:
    error = JobError("abort_threshold", "too many", step="charger-0-0-1", retryable=True)
    body = status_body(Report(job(JobState.FAILED, error=error), [], 0, 0))

    assert body["error"] == {
        "code": "abort_threshold",
        "message": "too many",
        "step": "charger-0-0-1",
        "param": None,
        "doc_url": None,
        "retryable": True,
    }


def test_long_messages_are_cut_between_characters() -> None:
    assert trimmed("ä" * LONGEST_MESSAGE) == "ä" * LONGEST_MESSAGE
    cut = trimmed("€" * 3000)
    assert len(cut) == LONGEST_MESSAGE
    assert cut.endswith("…")
