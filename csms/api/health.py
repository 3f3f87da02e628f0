"""/healthz, /readyz and /metrics: what machines ask of the process."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping

from aiohttp import web
from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

from csms import __version__
from csms.api import metrics
from csms.api.auth import require
from csms.api.deps import Deps
from csms.api.models import Shape
from csms.api.routing import Call, Reply
from csms.domain.permissions import Scope
from csms.domain.versions import OcppVersion
from csms.errors import CsmsError
from csms.ocpp.hub import HubStats
from csms.store import engine, jobs

_PROXY_HEADERS = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "Via")
_LAG_LIMIT_S = 1.0


class Health(Shape):
    """The process lives."""

    status: str


class Readiness(Shape):
    """Whether stations and writes are welcome; every check by name."""

    status: str
    checks: dict[str, str]


class Version(Shape):
    """Which release this is."""

    version: str


async def version(call: Call[None, None]) -> Reply:
    """As `csms --version` tells it."""
    return Reply(Version(version=__version__))


async def healthz(call: Call[None, None]) -> Reply:
    """200 while the process answers at all."""
    return Reply(Health(status="ok"), headers={"Cache-Control": "no-store"})


async def readyz(call: Call[None, None]) -> Reply:
    """200 once recovery is done and the port accepts stations, 503 else."""
    checks = await _checks(call.deps)
    ready = all(verdict == "ok" for verdict in checks.values())
    return Reply(
        Readiness(status="ok" if ready else "unavailable", checks=checks),
        status=200 if ready else 503,
        headers={"Cache-Control": "no-store"},
    )


async def show_metrics(call: Call[None, None]) -> Reply:
    """Prometheus text, for a viewer token or a direct loopback request."""
    if not is_direct_loopback(call.request):
        principal = await call.deps.auth.principal(call.request.headers.get("Authorization"))
        require(principal, Scope.METRICS_READ)
    open_items = await call.deps.db.read(jobs.open_items)
    families = [*call.deps.metrics.families(), *_families(call.deps, open_items)]
    return Reply(
        metrics.exposition(families),
        headers={
            "Content-Type": "text/plain; version=1.0.0; charset=utf-8",
            "Cache-Control": "no-store",
        },
    )


def is_direct_loopback(request: web.BaseRequest) -> bool:
    """From this machine, with no proxy in between that would hide where it came from."""
    if any(name in request.headers for name in _PROXY_HEADERS):
        return False
    if any(name.lower().startswith("x-forwarded-") for name in request.headers):
        return False
    peer = request.transport.get_extra_info("peername") if request.transport else None
    if not isinstance(peer, tuple):
        return False
    address = ipaddress.ip_address(peer[0].partition("%")[0])
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)


async def _checks(deps: Deps) -> dict[str, str]:
    lag_s = deps.metrics.lag.quantile_s(0.99)
    checks = {
        "recovery": "ok" if deps.ready else "running",
        "draining": "stopping" if deps.draining else "ok",
        "event_loop": "ok" if lag_s < _LAG_LIMIT_S else f"late by {lag_s:.2f} s",
        "database": "ok",
    }
    try:
        # A write, because a full disk still reads.
        await deps.db.write(engine.touch)
    except CsmsError as error:
        checks["database"] = error.message
    return checks


def _families(deps: Deps, open_items: int) -> Iterator[Metric]:
    stats = deps.db.stats
    yield GaugeMetricFamily("db_queue_depth", "Writes waiting", value=deps.db.pending)
    yield CounterMetricFamily("db_commits", "Transactions committed", value=stats.commits)
    yield CounterMetricFamily("db_writes", "Units of work committed", value=stats.units)
    yield CounterMetricFamily("db_failures", "Transactions that failed", value=stats.failures)
    yield CounterMetricFamily(
        "db_commit_seconds", "Time spent in COMMIT", value=stats.commit_seconds
    )
    yield GaugeMetricFamily("job_queue_depth", "Items of live jobs not final", value=open_items)
    yield GaugeMetricFamily("job_items_in_flight", "Items being run", value=deps.engine.in_flight)
    yield from _item_families(deps.engine.ended)
    yield from _ocpp_families(deps.hub.stats())
    yield GaugeMetricFamily(
        "process_start_time_seconds",
        "When the process started, Unix time",
        value=deps.started_at.timestamp(),
    )


def _item_families(ended: Mapping[tuple[str, str], int]) -> Iterator[Metric]:
    items = CounterMetricFamily(
        "job_items", "Items that came to an end after they were tried", labels=("kind", "state")
    )
    for labels, number in ended.items():
        items.add_metric(labels, number)
    yield items


def _ocpp_families(stats: HubStats) -> Iterator[Metric]:
    connections = GaugeMetricFamily(
        "ocpp_connections", "Stations with a socket", labels=("version",)
    )
    for version in OcppVersion:
        connections.add_metric((version.value,), stats.connections.get(version.value, 0))
    yield connections
    depths = GaugeMetricFamily("ocpp_queue_depth", "CALLs on their way", labels=("queue",))
    depths.add_metric(("outstanding",), stats.calls_outstanding)
    depths.add_metric(("waiting",), stats.calls_waiting)
    depths.add_metric(("being_answered",), stats.being_answered)
    yield depths
    yield GaugeMetricFamily("ocpp_ready", "Stations that commands can reach", value=stats.ready)
    yield GaugeMetricFamily("ocpp_held", "Sockets that wait for a person", value=stats.held)
    messages = CounterMetricFamily(
        "ocpp_messages", "CALLs that ended", labels=("direction", "action", "result")
    )
    for labels, number in stats.messages.items():
        messages.add_metric(labels, number)
    yield messages
    latencies = HistogramMetricFamily(
        "ocpp_call_seconds",
        "From a CALL to its answer; in: ours to stations, out: theirs to us",
        labels=("direction",),
    )
    for direction, histogram in stats.latencies.items():
        latencies.add_metric((direction,), metrics.buckets(histogram), histogram.sum)
    yield latencies
    yield CounterMetricFamily("ocpp_garbled", "Frames that were none", value=stats.garbled)
    yield CounterMetricFamily(
        "ocpp_slowed", "Times a station sent too much and had to wait", value=stats.slowed
    )
    yield CounterMetricFamily("ocpp_strays", "Answers nobody waited for", value=stats.strays)
