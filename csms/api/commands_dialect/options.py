"""How a bulk command runs, where the caller wants it otherwise than by default."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import AwareDatetime, Field, model_validator

from csms.api.models import Strict
from csms.domain.jobs import OfflinePolicy, Policy, Wave
from csms.errors import Invalid

Seconds = Annotated[float, Field(gt=0, le=86_400)]


class WaveOptions(Strict):
    """How many chargers go out together: so many, or a share of all."""

    count: int | None = Field(default=None, ge=1, le=1_000_000)
    percent: float | None = Field(default=None, gt=0, le=100)

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.count is None) == (self.percent is None):
            raise ValueError("give one of count and percent")
        return self


class RolloutOptions(Strict):
    """How fast it goes out."""

    rate_per_min: float | None = Field(default=None, gt=0, le=1_000_000)
    per_location_parallel: int | None = Field(
        default=None, ge=1, le=10_000, description="Chargers of one site at the same time."
    )
    waves: list[WaveOptions] | None = Field(
        default=None,
        max_length=20,
        description="The first waves, each begun when every charger of the one before has its"
        " result; what they leave over is the last.",
    )


class AbortOptions(Strict):
    """When to give up as a whole: the run then completes, the rest as `error`."""

    after: int | None = Field(
        default=None, ge=1, le=1_000_000, description="So many failed chargers."
    )
    percent: float | None = Field(
        default=None, gt=0, le=100, description="So many percent of the finished ones failed."
    )
    minimum: int | None = Field(
        default=None,
        ge=1,
        le=1_000_000,
        description="How many must be finished before `percent` is judged.",
    )


class RetryOptions(Strict):
    """How often a charger is tried, and how long to wait in between."""

    max_attempts: int | None = Field(default=None, ge=1, le=100)
    first_delay_s: Seconds | None = None
    max_delay_s: Seconds | None = None


class BulkOptions(Strict):
    """All optional; null means the default."""

    concurrency: int | None = Field(
        default=None, ge=1, le=10_000, description="Chargers at the same time."
    )
    rollout: RolloutOptions | None = None
    offline: OfflinePolicy | None = Field(
        default=None, description="Report an offline charger, or wait until it connects."
    )
    expires_at: AwareDatetime | None = Field(
        default=None, description="What was not sent by then is reported as offline."
    )
    not_before: AwareDatetime | None = Field(default=None, description="Send nothing earlier.")
    timeout_s: Seconds | None = Field(default=None, description="Wait so long for each answer.")
    abort: AbortOptions | None = None
    retry: RetryOptions | None = None


def policy_of(options: BulkOptions | None, default: Policy, now: datetime) -> Policy:
    """The job's policy; raises Invalid for an end that is past or before the beginning."""
    if options is None:
        return default
    chosen: dict[str, Any] = {
        "max_parallel": options.concurrency,
        "offline": options.offline,
        "call_timeout_s": options.timeout_s,
        "expires_in_s": _expires_in_s(options, now),
    }
    if options.rollout is not None:
        chosen["rate_per_min"] = options.rollout.rate_per_min
        chosen["per_location_parallel"] = options.rollout.per_location_parallel
        chosen["waves"] = tuple(
            Wave(wave.count, wave.percent) for wave in options.rollout.waves or ()
        )
    if options.abort is not None:
        chosen["abort_after"] = options.abort.after
        chosen["abort_percent"] = options.abort.percent
        chosen["abort_minimum"] = options.abort.minimum
    if options.retry is not None:
        chosen["max_attempts"] = options.retry.max_attempts
        chosen["first_delay_s"] = options.retry.first_delay_s
        chosen["max_delay_s"] = options.retry.max_delay_s
    return replace(default, **{name: value for name, value in chosen.items() if value is not None})


def _expires_in_s(options: BulkOptions, now: datetime) -> float | None:
    if options.expires_at is None:
        return None
    begin = now if options.not_before is None else max(now, options.not_before)
    left_s = (options.expires_at - begin).total_seconds()
    if left_s <= 0:
        raise Invalid(
            "The expires at must be a time after now and after not before.",
            loc=("options", "expires_at"),
            given=options.expires_at.isoformat(),
        )
    return left_s
