"""/metrics: what the process counts and measures, in the Prometheus text format."""

from __future__ import annotations

import asyncio
import math
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector

from csms.clock import Clock
from csms.domain.histograms import Histogram

_SAMPLE_EVERY_S = 0.05
_RECENT = 1200  # one minute
_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class LoopLag:
    """How late the event loop wakes a timer: the delay every station feels."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._recent: deque[float] = deque(maxlen=_RECENT)
        self._all = Histogram(_BUCKETS_S)

    async def run(self) -> None:
        """Sample until cancelled."""
        while True:
            started = self._clock.monotonic()
            await asyncio.sleep(_SAMPLE_EVERY_S)
            self.record(max(0.0, self._clock.monotonic() - started - _SAMPLE_EVERY_S))

    def record(self, lag_s: float) -> None:
        """One sample."""
        self._recent.append(lag_s)
        self._all.record(lag_s)

    def quantile_s(self, fraction: float) -> float:
        """Of the last minute; 0 before the first sample."""
        if not self._recent:
            return 0.0
        ordered = sorted(self._recent)
        return ordered[min(len(ordered) - 1, math.ceil(fraction * len(ordered)) - 1)]

    def families(self) -> Iterator[Metric]:
        """Histogram since the start, and the p99 of the last minute."""
        yield HistogramMetricFamily(
            "event_loop_lag_seconds",
            "How late the event loop wakes a timer",
            buckets=buckets(self._all),
            sum_value=self._all.sum,
        )
        yield GaugeMetricFamily(
            "event_loop_lag_p99_seconds",
            "99th percentile of the last minute",
            value=self.quantile_s(0.99),
        )


class Metrics:
    """The API's own counters, and the place where all families come together."""

    def __init__(self, clock: Clock, recovered: Mapping[str, int]) -> None:
        self.lag = LoopLag(clock)
        self._recovered = recovered
        self._requests: Counter[tuple[str, str, int]] = Counter()

    def count_request(self, method: str, route: str, status: int) -> None:
        """One answered request; `route` is the pattern, never the path."""
        self._requests[method, route, status] += 1

    def families(self) -> Iterator[Metric]:
        """Loop lag, HTTP requests, and what the start found."""
        yield from self.lag.families()
        recovery = CounterMetricFamily(
            "job_recovery",
            "Items that the last stop interrupted, by what became of them",
            labels=("outcome",),
        )
        for outcome, count in self._recovered.items():
            recovery.add_metric((outcome,), count)
        yield recovery
        requests = CounterMetricFamily(
            "http_requests", "HTTP requests answered", labels=("method", "route", "status")
        )
        for (method, route, status), count in self._requests.items():
            requests.add_metric((method, route, str(status)), count)
        yield requests


def buckets(histogram: Histogram) -> list[tuple[str, float]]:
    """As Prometheus wants them."""
    return [
        ("+Inf" if bound == math.inf else str(bound), count)
        for bound, count in histogram.cumulative()
    ]


def exposition(families: Iterable[Metric]) -> bytes:
    """The text a scraper reads."""
    registry = CollectorRegistry()
    registry.register(_Ready(list(families)))
    return generate_latest(registry)


class _Ready(Collector):
    def __init__(self, families: list[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families
