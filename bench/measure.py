"""One function a measurement: start a system, load it, return numbers."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import IO, Any

from prometheus_client.parser import text_string_to_metric_families
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from bench.mix import CYCLE
from bench.systems import LOAD_CORES, Api, BenchFailed, System, csms, naive, spawn

Numbers = dict[str, float]
Starter = Callable[[Path], AbstractContextManager[System]]
LOCATION = "/ocpp/locations"
BULK = "/api/v3/chargers/commands/bulk"
KEY, VALUE = "HeartbeatInterval", "300"
ORDERS = 3
LONG = 4
OCPP = Subprotocol("ocpp1.6")
POLL_S = 0.02
# Where the job's own clock tells when it ended, a poll would only be measured with it.
SELDOM_S = 0.25
DEADLINE_S = 120.0
SETTLE_S = 2.0


@dataclass(frozen=True, slots=True)
class Scale:
    """How large everything is; `--quick` shrinks it."""

    stations: int = 1000
    rounds: int = 3
    storm: int = 5000
    idle: int = 10_000
    few: int = 1000
    many: int = 10_000
    pending: int = 100_000
    writes: int = 20_000


QUICK = Scale(
    stations=50, rounds=1, storm=200, idle=200, few=100, many=500, pending=2000, writes=2000
)


def mix(start: Starter, scale: Scale) -> tuple[Numbers, dict[str, int]]:
    """CPU per message under the mix; also the rows that were stored."""
    with fresh(start) as system:
        with _mixing(system, scale.stations, scale.rounds) as events:
            result: Numbers = list(events)[-1]
        system.stop()
        counts = system.row_counts()
    _check_counts(system.name, counts, scale, int(result["opened_before"]))
    return result, counts


def lag(scale: Scale) -> Numbers:
    """An upper bound of the loop lag's 99th percentile, while the mix runs and only then."""
    snapshots: dict[str, dict[float, float]] = {}
    with (
        fresh(csms) as system,
        _mixing(system, scale.stations, LONG * scale.rounds) as events,
        Api(system.port) as api,
    ):
        for event in events:
            if event["event"] in {"begin", "end"}:
                snapshots[event["event"]] = _lag_buckets(api)
    before, after = snapshots["begin"], snapshots["end"]
    samples = after[math.inf] - before[math.inf]
    bound = next(le for le in sorted(after) if after[le] - before[le] >= 0.99 * samples)
    return {"p99_bound_ms": bound * 1000, "samples": samples}


def storm(start: Starter, scale: Scale) -> tuple[Numbers, dict[str, int]]:
    """Seconds from the first connect to the last answered boot, of stations it knows."""
    with fresh(start) as system:
        with holding(system, scale.storm):  # the first time they are registered
            time.sleep(SETTLE_S)
        time.sleep(SETTLE_S)  # their going is worked off
        with holding(system, scale.storm) as seconds:
            result = {"seconds": seconds}
        system.stop()
        counts = system.row_counts()
    if not counts["boots"] == counts["ocpp_messages"] == 2 * scale.storm:
        raise BenchFailed(f"{system.name} did not store {2 * scale.storm} boots: {counts}")
    return result, counts


def memory(start: Starter, scale: Scale) -> Numbers:
    """Resident memory a station that is connected, booted and silent."""
    with fresh(start) as system:
        before = system.rss_bytes()
        with holding(system, scale.idle):
            time.sleep(SETTLE_S)
            after = system.rss_bytes()
    return {
        "per_station_kib": (after - before) / scale.idle / 1024,
        "total_mib": after / 1024 / 1024,
    }


def command(start: Starter, scale: Scale) -> tuple[Numbers, dict[str, int]]:
    """Seconds from the order to all answers journaled, median of a few; also the rows stored."""
    send = _order_csms if start is csms else _order_naive
    with fresh(start) as system:
        with holding(system, scale.stations):
            time.sleep(SETTLE_S)
            seconds = [send(system, scale.stations) for _ in range(ORDERS)]
        journaled = system.query(
            "SELECT count(*) FROM job_items WHERE state = 'succeeded'"
            if start is csms
            else "SELECT count(*) FROM command_results WHERE status = 'Accepted'"
        )[0][0]
        system.stop()
        counts = system.row_counts()
    if journaled != ORDERS * scale.stations:
        raise BenchFailed(f"{system.name} journaled {journaled} answers")
    return {"seconds": median(seconds)}, counts


def accept(scale: Scale) -> Numbers:
    """A bulk create in mode register: until the 202, and from there until READY."""
    result: Numbers = {}
    with fresh(csms) as system, Api(system.port) as api:
        path = _chargers_path(api)
        for name, number in (("few", scale.few), ("many", scale.many)):
            body = [_group(system.port, prefix=f"{name}-", number=number)]
            started = time.perf_counter()
            job = api.post_json(path, body, 202)
            accepted = time.perf_counter()
            final = _poll(api, f"{path}/jobs/{job['job_id']}", "READY")
            ready = time.perf_counter()
            if final["results"]["created_count"] != number:
                raise BenchFailed(f"created {final['results']['created_count']} of {number}")
            result[f"{name}_202_ms"] = (accepted - started) * 1000
            result[f"{name}_ready_s"] = ready - accepted
    return result


def empty_start(_: Scale) -> Numbers:
    """`csms serve` on an empty directory, from exec to ready."""
    with fresh(csms) as system:
        return {"seconds": system.started_s}


@contextmanager
def interrupted(scale: Scale) -> Iterator[Path]:
    """A data directory whose server was killed with a job of many items just accepted."""
    with TemporaryDirectory(prefix="csms-bench-") as base:
        directory = Path(base) / "data"
        directory.mkdir()
        with csms(directory) as system, Api(system.port) as api:
            group = _group(system.port, prefix="pending-", number=scale.pending)
            api.post_json(_chargers_path(api), [group], 202)
            system.kill()
        yield directory


def recovery(directory: Path) -> Numbers:
    """A start on a copy of that directory, against one on an empty directory just before."""
    empty = empty_start(Scale())["seconds"]
    with TemporaryDirectory(prefix="csms-bench-") as base:
        copy = Path(base) / "data"
        shutil.copytree(directory, copy)
        with csms(copy) as system:
            seconds = system.started_s
            system.kill()
            pending = system.query("SELECT count(*) FROM job_items WHERE state = 'ready'")[0][0]
    return {"seconds": max(seconds - empty, 0.0), "start_s": seconds, "pending": pending}


def group_commit(scale: Scale) -> Numbers:
    """Microseconds an awaited journal row, grouped and with a commit of its own."""
    with spawn(
        ["-m", "bench.group_commit", "--rows", str(scale.writes)],
        LOAD_CORES,
        stdout=subprocess.PIPE,
    ) as process:
        output, _ = process.communicate()
    result: Numbers = _checked(process.returncode, output)
    return result


# ---- how it is done ------------------------------------------------------------------------------


@contextmanager
def fresh(start: Starter) -> Iterator[System]:
    """The system on an empty directory of its own."""
    with TemporaryDirectory(prefix="csms-bench-") as base:
        directory = Path(base) / "data"
        directory.mkdir()
        with start(directory) as system:
            yield system


@contextmanager
def holding(system: System, stations: int) -> Iterator[float]:
    """Connected and booted stations for the duration; gives the seconds that took."""
    with spawn(
        ["-m", "bench.load", "hold", "--port", str(system.port), "--stations", str(stations)],
        LOAD_CORES,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        first = process.stdout.readline()
        if not first:
            raise BenchFailed("the load generator died")
        line = json.loads(first)
        if line["event"] != "ready":
            raise BenchFailed(f"{system.name}: {line['reason']}")
        try:
            yield line["seconds"]
        finally:
            process.stdin.close()
            output = process.stdout.read()
            process.wait()
        _checked(process.returncode, output)


@contextmanager
def _mixing(system: System, stations: int, rounds: int) -> Iterator[Iterator[Any]]:
    """The generator at work; gives its events as they come."""
    arguments = ["-m", "bench.load", "mix", "--port", str(system.port)]
    arguments += ["--stations", str(stations), "--rounds", str(rounds)]
    arguments += ["--server-pid", str(system.process.pid)]
    with spawn(arguments, LOAD_CORES, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        yield _events(system.name, process.stdout)
    if process.returncode != 0:
        raise BenchFailed(f"the load generator ended with {process.returncode}")


def _events(name: str, output: IO[bytes]) -> Iterator[Any]:
    for line in output:
        event = json.loads(line)
        if event["event"] == "failed":
            raise BenchFailed(f"{name}: {event['reason']}")
        yield event


def _checked(code: int, output: bytes) -> Any:
    line = json.loads(output.splitlines()[-1]) if output else {"reason": "it said nothing"}
    if code != 0:
        raise BenchFailed(f"load generator: {line.get('reason')}")
    return line


def _check_counts(name: str, counts: dict[str, int], scale: Scale, opened_before: int) -> None:
    sessions = scale.stations * scale.rounds
    opened = sessions + opened_before
    expected = {
        "stations": scale.stations,
        "boots": scale.stations,
        "connectors": scale.stations,
        "status_notifications": 3 * sessions,
        "id_tokens": scale.stations,
        "transactions": opened,
        "transaction_events": opened + 2 * sessions,
        "meter_values": 7 * sessions,
        "variables": 0,
        "ocpp_messages": scale.stations + opened_before + sessions * len(CYCLE),
    }
    if counts != expected:
        wrong = {
            table: (counts[table], rows)
            for table, rows in expected.items()
            if counts[table] != rows
        }
        raise BenchFailed(f"{name} stored other rows than were sent (stored, sent): {wrong}")


def _lag_buckets(api: Api) -> dict[float, float]:
    """Cumulative counts by upper bound in seconds."""
    status, body = api.get("/metrics")
    if status != 200:
        raise BenchFailed(f"/metrics answered {status}")
    buckets = {
        float(sample.labels["le"]): sample.value
        for family in text_string_to_metric_families(body.decode())
        for sample in family.samples
        if sample.name.endswith("event_loop_lag_seconds_bucket")
    }
    if not buckets:
        raise BenchFailed("/metrics has no loop lag")
    return buckets


def _order_csms(system: System, stations: int) -> float:
    uuids = [uuid for (uuid,) in system.query("SELECT uuid FROM stations")]
    body = {
        "command": "ChangeConfiguration",
        "data": {"key": KEY, "value": VALUE},
        "charger_ids": uuids,
    }
    with Api(system.port) as api:
        started = time.time()
        run = api.post_json(BULK, body, 202)["data"]
        path = f"{BULK}/{run['uuid']}?results=none"
        final = _poll(api, path, "completed", every_s=SELDOM_S)["data"]
    if final["sent_count"] != stations:
        raise BenchFailed(f"{final['sent_count']} of {stations} commands were answered")
    finished = system.query("SELECT max(finished_at) FROM jobs")[0][0]
    seconds: float = finished / 1e6 - started
    return seconds


def _order_naive(system: System, stations: int) -> float:
    with connect(f"ws://127.0.0.1:{system.port}/command", subprotocols=[OCPP]) as operator:
        started = time.perf_counter()
        operator.send(json.dumps({"key": KEY, "value": VALUE}))
        accepted = json.loads(operator.recv(timeout=DEADLINE_S))["accepted"]
        seconds = time.perf_counter() - started
    if accepted != stations:
        raise BenchFailed(f"{accepted} of {stations} commands were answered")
    return seconds


def _poll(api: Api, path: str, status: str, *, every_s: float = POLL_S) -> Any:
    deadline = time.perf_counter() + DEADLINE_S
    while time.perf_counter() < deadline:
        body = api.get_json(path)
        job = body.get("data", body)
        if job["status"] == status:
            return body
        if job["status"] == "FAILED":
            raise BenchFailed(f"the job failed: {job['error']}")
        time.sleep(every_s)
    raise BenchFailed(f"no {status} within {DEADLINE_S:.0f} s")


def _chargers_path(api: Api) -> str:
    location = api.post_json(LOCATION, {"name": "Bench"}, 201)
    return f"{LOCATION}/{location['id']}/chargers"


def _group(port: int, *, prefix: str, number: int) -> dict[str, Any]:
    return {
        "template": {
            "brand_slug": "bench",
            "model_slug": "one",
            "connector_type": "type2",
            "ws_url": f"ws://127.0.0.1:{port}/ocpp",
            "identity_prefix": prefix,
            "template_name": "Bench",
            "virtual": False,
        },
        "chargers_number": number,
    }


STARTERS: dict[str, Starter] = {"naive": naive, "csms": csms}
