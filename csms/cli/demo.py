"""`csms demo`: a server, virtual stations and one bulk command, through the public API only."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from csms.cli import sign_in
from csms.cli.children import ending_in_order
from csms.cli.deliveries import count_deliveries
from csms.cli.examples import examples
from csms.cli.failures import CommandFailed
from csms.cli.http import Client
from csms.cli.output import Bar, print_json, progress, say
from csms.cli.stage import Stage

# Idempotent, so after a crash an interrupted one is simply sent again; and nothing else sends it.
# Stations that speak OCPP 2.x get it in their words.
COMMAND = "ChangeConfiguration"
PAYLOAD = {"key": "MeterValueSampleInterval", "value": "30"}
ACTIONS = {COMMAND, "SetVariables"}
# Stations of every version in equal parts, told apart by their names.
PREFIXES = {"DEMO-16-": "OCPP1.6", "DEMO-201-": "OCPP2.0.1", "DEMO-21-": "OCPP2.1"}
# Slow enough to be killed in the middle, quick enough to watch.
CRASH_JOB_S = 4.0
STEP_S = 300.0
POLL_S = 0.1
DEMO = examples("demo", "demo --stations 100 --crash", "demo --once")


@dataclass(slots=True)
class Counts:
    """What happened, as JSON on stdout with --once; the command's help explains the fields."""

    stations: int
    created: int = 0
    failed: int = 0
    booted: int = 0
    command: str = COMMAND
    sent: int = 0
    offline: int = 0
    error: int = 0
    skipped: int = 0
    unknown: int = 0
    delivered: int = 0
    reached: int = 0
    settled_before_kill: int | None = None

    def exact(self) -> bool:
        """Whether every number is what it has to be."""
        all_of_them = (self.created, self.booted, self.sent, self.reached)
        none_of_them = (self.failed, self.offline, self.error, self.skipped, self.unknown)
        # Only what was not settled when the server died may have been sent once more.
        before = self.settled_before_kill
        repeatable = 0 if before is None else self.stations - before
        return (
            set(all_of_them) == {self.stations}
            and set(none_of_them) == {0}
            and self.stations <= self.delivered <= self.stations + repeatable
        )


def demo(
    *,
    stations: Annotated[int, typer.Option(min=1, max=2000, help="How many.")] = 25,
    crash: Annotated[
        bool,
        typer.Option("--crash", help="Kill the server in the middle of the command job."),
    ] = False,
    once: Annotated[
        bool, typer.Option("--once", help="Print the counts as JSON and end, instead of serving.")
    ] = False,
    frames: Annotated[
        Path | None,
        typer.Option(
            help="Keep here what the stations write down: every frame.", show_default=False
        ),
    ] = None,
) -> None:
    """Show a server at work: bulk-create virtual stations, watch them boot, send all one command.

    Everything is real: a server process on a temporary directory, websockets, the public API. The
    stations speak OCPP 1.6, 2.0.1 and 2.1, a third of them each.
    With --crash the stations live in a process of their own, the server is killed with SIGKILL
    while its job runs, is started again, and finishes the job.

    The counts: stations asked for, created and failed by the bulk create, booted; then of the
    command sent (answered), offline, error, skipped and unknown. These are what the server says.
    What the stations wrote down themselves: delivered, how many times the command arrived, and
    reached, at how many different stations. settled_before_kill says how far the job was when the
    server died. Exit code 1 when the two sides do not agree.
    """
    with ending_in_order(), tempfile.TemporaryDirectory(prefix="csms-demo-") as directory:
        stage = Stage(Path(directory), frames=frames, crash=crash)
        try:
            counts = _play(stage, Counts(stations))
            if once:
                print_json(asdict(counts))
            else:
                _keep_serving(stage, counts)
        finally:
            stage.stop()
    if not counts.exact():
        raise CommandFailed(f"the counts do not agree: {json.dumps(asdict(counts))}")


def _play(stage: Stage, counts: Counts) -> Counts:
    stage.open()
    say(f"server on {stage.client.url}")
    location = stage.client.post("/ocpp/locations", {"name": "Demo car park"})
    say(f"location {location['name']}")
    created = _create_stations(stage, location["id"], counts)
    if stage.crash:
        stage.start_fleet({charger["identity"]: _version(charger) for charger in created})
    _watch_boots(stage, location["id"], counts)
    _send_command(stage, [charger["charger_id"] for charger in created], counts)
    deliveries = count_deliveries(stage.frames, ACTIONS)
    counts.delivered, counts.reached = deliveries.delivered, deliveries.stations
    return counts


def _create_stations(stage: Stage, location_id: str, counts: Counts) -> list[dict[str, Any]]:
    groups = [
        {"template": _template(stage, prefix), "chargers_number": number}
        for prefix, number in zip(PREFIXES, _parts(counts.stations), strict=True)
        if number
    ]
    accepted = stage.client.post(f"/ocpp/locations/{location_id}/chargers", groups)
    with progress("create stations", counts.stations) as bar:
        for _ in _polls(stage):
            job = stage.client.get(accepted["status_url"])
            bar.show(job["progress"]["completed"])
            if job["status"] in {"READY", "FAILED"}:
                break
    if job["error"]:
        raise CommandFailed(f"the stations were not created: {job['error']['message']}")
    results = job["results"]
    counts.created, counts.failed = results["created_count"], results["failed_count"]
    created: list[dict[str, Any]] = results["created"]
    return created


def _template(stage: Stage, prefix: str) -> dict[str, Any]:
    return {
        "brand_slug": "generic",
        "model_slug": "ac-22kw",
        "connector_type": "Type2",
        "ws_url": stage.station_url,
        "ocpp_version": PREFIXES[prefix],
        "identity_prefix": prefix,
        "template_name": "Demo",
        "virtual": not stage.crash,
    }


def _parts(stations: int) -> list[int]:
    """How many of each version."""
    return [(stations + rest) // len(PREFIXES) for rest in reversed(range(len(PREFIXES)))]


def _version(charger: dict[str, Any]) -> str:
    identity = charger["identity"]
    return next(version for prefix, version in PREFIXES.items() if identity.startswith(prefix))


def _watch_boots(stage: Stage, location_id: str, counts: Counts) -> None:
    with progress("stations booted", counts.created) as bar:
        for _ in _polls(stage):
            counts.booted = _booted(stage.client, location_id)
            bar.show(counts.booted)
            if counts.booted == counts.created:
                return


def _booted(client: Client, location_id: str) -> int:
    booted = 0
    cursor = None
    while True:
        page = client.get("/api/v1/stations", location_id=location_id, limit=500, cursor=cursor)
        booted += sum(station["booted_at"] is not None for station in page["items"])
        cursor = page["next_cursor"]
        if cursor is None:
            return booted


def _send_command(stage: Stage, chargers: list[str], counts: Counts) -> None:
    order: dict[str, Any] = {"command": COMMAND, "data": PAYLOAD, "charger_ids": chargers}
    if stage.crash:
        rate_per_min = len(chargers) * 60 / CRASH_JOB_S
        order["options"] = {"rollout": {"rate_per_min": rate_per_min}}
    run = stage.client.post("/api/v3/chargers/commands/bulk", order)["data"]
    with progress(COMMAND, run["total_count"]) as bar:
        if stage.crash:
            _crash_in_the_middle(stage, run["uuid"], bar, counts)
        for _ in _polls(stage):
            run = _show_run(stage.client, run["uuid"], bar)
            if run["status"] == "completed":
                break
    counts.sent, counts.offline = run["sent_count"], run["offline_count"]
    counts.error, counts.skipped = run["error_count"], run["skipped_count"]
    counts.unknown = stage.client.get(f"/api/v1/jobs/{run['uuid']}")["counters"]["unknown"]


def _crash_in_the_middle(stage: Stage, uuid: str, bar: Bar, counts: Counts) -> None:
    for _ in _polls(stage):
        run = _show_run(stage.client, uuid, bar)
        # A third of them, so that some are settled and most are not.
        if 3 * run["sent_count"] >= run["total_count"] or run["status"] == "completed":
            break
    stage.kill_server()
    counts.settled_before_kill = _settled(run)
    bar.show(_settled(run), note="server killed")
    stage.start_server()
    bar.show(_settled(run), note="server is back")


def _show_run(client: Client, uuid: str, bar: Bar) -> dict[str, Any]:
    answer = client.get(f"/api/v3/chargers/commands/bulk/{uuid}", results="none")
    run: dict[str, Any] = answer["data"]
    bar.show(_settled(run))
    return run


def _settled(run: dict[str, Any]) -> int:
    parts = ("sent_count", "offline_count", "error_count", "skipped_count")
    return sum(int(run[part]) for part in parts)


def _polls(stage: Stage) -> Iterator[None]:
    """Endless, with a pause in between; raises CommandFailed when something broke or hangs."""
    deadline = time.monotonic() + STEP_S
    while True:
        yield
        stage.check()
        if time.monotonic() > deadline:
            raise CommandFailed(f"no end in sight after {STEP_S:.0f} s; giving up")
        time.sleep(POLL_S)


def _keep_serving(stage: Stage, counts: Counts) -> None:
    say(f"{counts.sent} of {counts.stations} stations answered {COMMAND}")
    if counts.settled_before_kill is not None:
        say(
            f"the server was killed after {counts.settled_before_kill}; "
            f"the stations themselves saw it arrive {counts.delivered} times at {counts.reached}"
        )
    say(f"page  {sign_in.link(stage.client)}  (opens once)")
    say("Ctrl-C ends it")
    try:
        stage.wait()
    except KeyboardInterrupt:
        say("stopping")
