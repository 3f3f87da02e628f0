"""How a native job runs: as a bulk run of the older dialect, and it can pause by itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from pydantic import Field

from csms.api.commands_dialect import options as shared
from csms.domain.jobs import AbortAction, Gate, Policy


class JobRollout(shared.RolloutOptions):
    """How fast it goes out."""

    gate: Gate = Field(
        default=Gate.NEXT,
        description="When a wave is over: begin the next, or pause until somebody resumes the job.",
    )


class JobAbort(shared.AbortOptions):
    """When to stop as a whole."""

    action: AbortAction = Field(
        default=AbortAction.PAUSE,
        description="Pause until somebody resumes or cancels the job, or fail it.",
    )


class JobOptions(shared.BulkOptions):
    """All optional; null means the default."""

    rollout: JobRollout | None = None
    abort: JobAbort | None = None


def policy_of(options: JobOptions | None, default: Policy, now: datetime) -> Policy:
    """The job's policy; raises Invalid for an end that is past or before the beginning."""
    policy = shared.policy_of(options, default, now)
    if options is not None and options.rollout is not None:
        policy = replace(policy, gate=options.rollout.gate)
    if options is not None and options.abort is not None:
        policy = replace(policy, abort_action=options.abort.action)
    return policy
