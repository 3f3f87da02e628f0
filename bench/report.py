"""`python -m bench.report`: both systems interleaved, the budgets judged, JSON and a table.

Exit code 1 when a budget is missed, when an answer was missing or wrong, or when the naive system
and csms stored different numbers of rows.
"""

from __future__ import annotations

import argparse
import compileall
import json
import os
import platform
import sqlite3
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median

from bench import measure
from bench.measure import QUICK, STARTERS, Numbers, Scale
from bench.systems import ROOT, BenchFailed

DOCS = ROOT / "docs" / "benchmarks.md"
NO_BUDGET = ""
TABLE_MARKS = ("<!-- table -->\n", "<!-- /table -->\n")
SOURCE_MARKS = ("<!-- naive -->\n", "<!-- /naive -->\n")


@dataclass(frozen=True, slots=True)
class Row:
    """One budget: what was measured, and whether it holds."""

    name: str
    what: str
    budget: str
    met: bool
    """Rows without a budget are always met."""
    csms: str
    naive: str = ""
    result: str = ""


@dataclass(slots=True)
class Bench:
    """All runs of one invocation."""

    scale: Scale
    runs: int

    def compare(self, name: str) -> dict[str, list[Numbers]]:
        """Run a measurement on both, interleaved."""
        results: dict[str, list[Numbers]] = {"naive": [], "csms": []}
        for run in range(self.runs):
            counts: list[dict[str, int]] = []
            for system, start in STARTERS.items():
                _say(f"{name}: {system}, run {run + 1} of {self.runs}")
                outcome = getattr(measure, name)(start, self.scale)
                if isinstance(outcome, tuple):
                    outcome, stored = outcome
                    counts.append(stored)
                results[system].append(outcome)
            if counts and counts[0] != counts[1]:
                raise BenchFailed(f"different rows: naive {counts[0]}, csms {counts[1]}")
        return results

    def repeat(self, name: str, run_once: Callable[[], Numbers]) -> list[Numbers]:
        """Run a measurement that only csms has."""
        results = []
        for run in range(self.runs):
            _say(f"{name}: csms, run {run + 1} of {self.runs}")
            results.append(run_once())
        return results


def mix(bench: Bench) -> list[Row]:
    """CPU per message."""
    results = bench.compare("mix")
    ratio = _ratio(results, "server_cpu_us", of="naive")
    return [
        Row(
            "cpu_per_message",
            f"CPU per message, {bench.scale.stations:,} stations, the mix",
            "6 times less than naive (aim 10)",
            ratio >= 6,
            f"{_median(results['csms'], 'server_cpu_us'):.1f} µs",
            f"{_median(results['naive'], 'server_cpu_us'):.1f} µs",
            f"{ratio:.1f} times less",
        ),
        Row(
            "throughput",
            "Messages a second under the mix, all answered",
            NO_BUDGET,
            True,
            *(
                f"{median(run['messages'] / run['seconds'] for run in results[system]):,.0f}"
                for system in ("csms", "naive")
            ),
        ),
    ]


def lag(bench: Bench) -> list[Row]:
    """How late the loop is under the mix, from the server's own /metrics."""
    bound = _median(bench.repeat("lag", lambda: measure.lag(bench.scale)), "p99_bound_ms")
    text = f"≤ {bound:.0f} ms"
    return [Row("loop_lag", "Loop lag p99 under the mix", "< 50 ms", bound <= 50, text)]


def command(bench: Bench) -> list[Row]:
    """One command to all."""
    results = bench.compare("command")
    ratio = _ratio(results, "seconds", of="csms")
    return [
        Row(
            "command",
            f"One command to {bench.scale.stations:,} connected stations, all answers journaled",
            "≤ 1/3 of naive (aim 1/6)",
            ratio <= 1 / 3,
            *_milliseconds(results),
            f"{ratio:.2f} of naive",
        )
    ]


def storm(bench: Bench) -> list[Row]:
    """Everything connects and boots at once."""
    results = bench.compare("storm")
    ratio = _ratio(results, "seconds", of="csms")
    return [
        Row(
            "boot_storm",
            f"Boot storm of {bench.scale.storm:,}",
            "≤ 2/3 of naive",
            ratio <= 2 / 3,
            *_milliseconds(results),
            f"{ratio:.2f} of naive",
        )
    ]


def memory(bench: Bench) -> list[Row]:
    """Resident memory of idle stations."""
    results = bench.compare("memory")
    own = results["csms"]
    each, total = _median(own, "per_station_kib"), _median(own, "total_mib")
    naive = results["naive"]
    return [
        Row(
            "memory_per_station",
            "Memory per idle station",
            "≤ 20 KiB",
            each <= 20,
            f"{each:.1f} KiB",
            f"{_median(naive, 'per_station_kib'):.1f} KiB",
        ),
        Row(
            "memory_total",
            f"Memory of the process with {bench.scale.idle:,} idle stations",
            "< 300 MiB",
            total < 300,
            f"{total:.0f} MiB",
            f"{_median(naive, 'total_mib'):.0f} MiB",
        ),
    ]


def accept(bench: Bench) -> list[Row]:
    """Bulk create in mode register."""
    results = bench.repeat("accept", lambda: measure.accept(bench.scale))
    few, many = f"{bench.scale.few:,}", f"{bench.scale.many:,}"
    numbers = {key: _median(results, key) for key in results[0]}
    return [
        Row("accept_few", f"202 for {few} chargers", "≤ 50 ms", numbers["few_202_ms"] <= 50,
            f"{numbers['few_202_ms']:.0f} ms"),
        Row("accept_many", f"202 for {many} chargers", "≤ 250 ms", numbers["many_202_ms"] <= 250,
            f"{numbers['many_202_ms']:.0f} ms"),
        Row("register_few", f"{few} stations registered by a job, after the 202", "≤ 0.5 s",
            numbers["few_ready_s"] <= 0.5, f"{numbers['few_ready_s']:.2f} s"),
        Row("register_many", f"{many} stations registered by a job, after the 202", NO_BUDGET,
            True, f"{numbers['many_ready_s']:.2f} s"),
    ]  # fmt: skip


def recovery(bench: Bench) -> list[Row]:
    """A start with a large job pending."""
    with measure.interrupted(bench.scale) as directory:
        results = bench.repeat("recovery", lambda: measure.recovery(directory))
    seconds = _median(results, "seconds")
    return [
        Row(
            "recovery",
            f"Recovery with {bench.scale.pending:,} pending items, added to the start",
            "≤ 0.5 s",
            seconds <= 0.5,
            f"{seconds:.2f} s",
        )
    ]


def start(bench: Bench) -> list[Row]:
    """An empty directory."""
    results = bench.repeat("start", lambda: measure.empty_start(bench.scale))
    seconds = _median(results, "seconds")
    return [
        Row("start", "`csms serve` to ready on an empty directory", "≤ 1.5 s", seconds <= 1.5,
            f"{seconds:.2f} s")
    ]  # fmt: skip


def group_commit(bench: Bench) -> list[Row]:
    """Journal rows with and without it."""
    results = bench.repeat("group_commit", lambda: measure.group_commit(bench.scale))
    grouped, alone = _median(results, "grouped_us"), _median(results, "alone_us")
    return [
        Row(
            "group_commit",
            f"Journal row, awaited until durable, {bench.scale.writes:,} at once"
            " (beside: a commit each)",
            NO_BUDGET,
            grouped < alone,
            f"{grouped:.1f} µs",
            f"{alone:.0f} µs",
            f"{alone / grouped:.0f} times less,"
            f" {_median(results, 'rows_per_commit'):.0f} rows a commit",
        )
    ]


MEASUREMENTS: dict[str, Callable[[Bench], list[Row]]] = {
    "mix": mix,
    "lag": lag,
    "command": command,
    "storm": storm,
    "accept": accept,
    "memory": memory,
    "recovery": recovery,
    "start": start,
    "group_commit": group_commit,
}


def machine() -> dict[str, str]:
    """What the numbers came from."""
    model = next(
        (
            line.split(":", 1)[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    return {
        "cpu": model,
        "cores": str(len(os.sched_getaffinity(0))),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "ocpp": version("ocpp"),
        "websockets": version("websockets"),
        "aiohttp": version("aiohttp"),
        "measured": datetime.now(UTC).strftime("%Y-%m-%d"),
    }


def markdown(rows: list[Row], runs: int) -> str:
    """The table for the docs, with its machine."""
    host = machine()
    origin = (
        f"Medians of {runs} interleaved runs on {host['cores']} cores of {host['cpu']},"
        f" Linux {host['kernel']}, Python {host['python']}, SQLite {host['sqlite']},"
        f" ocpp {host['ocpp']}, websockets {host['websockets']}, aiohttp {host['aiohttp']};"
        f" measured {host['measured']}."
    )
    lines = [
        origin,
        "",
        "| What | At least | csms | naive | Result |",
        "|---|---|---|---|---|",
    ]
    for row in rows:
        verdict = "" if row.budget == NO_BUDGET else ("holds" if row.met else "**missed**")
        result = ", ".join(part for part in (row.result, verdict) if part)
        lines.append(f"| {row.what} | {row.budget} | {row.csms} | {row.naive} | {result} |")
    return "\n".join(lines) + "\n"


def write_docs(table: str) -> None:
    """Put the table and the naive system's source between their marks."""
    text = DOCS.read_text()
    text = _between(text, TABLE_MARKS, f"\n{table}\n")
    source = (ROOT / "bench" / "naive.py").read_text()
    text = _between(text, SOURCE_MARKS, f"\n```python\n{source}```\n\n")
    DOCS.write_text(text)


def _between(text: str, marks: tuple[str, str], content: str) -> str:
    before, first, rest = text.partition(marks[0])
    _, last, after = rest.partition(marks[1])
    if not last:
        raise BenchFailed(f"{DOCS} has no {marks[0].strip()} … {marks[1].strip()}")
    return before + first + content + last + after


def _median(results: list[Numbers], key: str) -> float:
    return median(run[key] for run in results)


def _ratio(results: dict[str, list[Numbers]], key: str, *, of: str) -> float:
    """Median over the pairs of runs; `of` is the numerator."""
    other = "csms" if of == "naive" else "naive"
    pairs = zip(results[of], results[other], strict=True)
    return median(above[key] / below[key] for above, below in pairs)


def _milliseconds(results: dict[str, list[Numbers]]) -> tuple[str, str]:
    own, other = (_median(results[system], "seconds") for system in ("csms", "naive"))
    return f"{own * 1000:.0f} ms", f"{other * 1000:.0f} ms"


def _say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def main(argv: list[str] | None = None) -> int:
    """Run, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="small numbers, one run, no verdict")
    parser.add_argument("--only", action="append", choices=list(MEASUREMENTS))
    parser.add_argument("--write-docs", action="store_true", help=f"update {DOCS.name}")
    arguments = parser.parse_args(argv)
    runs = 1 if arguments.quick else arguments.runs
    bench = Bench(QUICK if arguments.quick else Scale(), runs)
    rows: list[Row] = []
    # As installing leaves it: else the first starts would measure the compiler.
    compileall.compile_dir(ROOT / "csms", quiet=2)
    try:
        for name in arguments.only or MEASUREMENTS:
            rows += MEASUREMENTS[name](bench)
    except BenchFailed as failure:
        print(f"the benchmark is worth nothing: {failure}", file=sys.stderr)
        return 1
    table = markdown(rows, runs)
    output = {"machine": machine(), "runs": runs, "rows": [asdict(row) for row in rows]}
    print(json.dumps(output, indent=2, ensure_ascii=False))
    print(f"\n{table}")
    if arguments.write_docs:
        write_docs(table)
    missed = [row.name for row in rows if not row.met]
    if missed and not arguments.quick:
        print(f"missed: {', '.join(missed)}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
