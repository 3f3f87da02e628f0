"""`csms fleet`: virtual stations as a process of their own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from csms.cli.examples import examples
from csms.cli.failures import BadUsage
from csms.cli.output import say

if TYPE_CHECKING:
    from csms.domain.versions import OcppVersion
    from csms.fleet.runner import Counts, RunOptions

app = typer.Typer(help="Virtual stations.", no_args_is_help=True, rich_markup_mode=None)


def _file(help_text: str, *names: str) -> Any:
    return typer.Option(*names, help=help_text, show_default=False)


def _share(help_text: str) -> Any:
    return typer.Option(min=0, max=100, help=help_text)


@app.callback()
def _group() -> None:
    """Virtual stations."""


@app.command(
    epilog=examples(
        "fleet run --url ws://127.0.0.1:9000/ocpp --stations 50 --version 2.0.1",
        "fleet run --url wss://csms.example/ocpp --from stations.ndjson",
    )
)
def run(
    *,
    url: Annotated[str, typer.Option(help="Where they connect, without the identity.")],
    stations: Annotated[int, typer.Option(min=1, help="How many.")] = 1,
    prefix: Annotated[str, typer.Option(help="What their identities begin with.")] = "VCP",
    from_file: Annotated[
        Path | None,
        _file('Instead: lines of {"identity": …, "password": …, "version": …}.', "--from"),
    ] = None,
    passwords: Annotated[
        Path | None, _file("Keep the passwords that they are told in it, and use those it has.")
    ] = None,
    frames: Annotated[Path | None, _file("Append every frame they send or receive to it.")] = None,
    reject_percent: Annotated[float, _share("Share of the commands they reject.")] = 0.0,
    silent_percent: Annotated[float, _share("Share of the commands they never answer.")] = 0.0,
    flap_percent: Annotated[
        float, _share("Share of them that lose their socket now and then.")
    ] = 0.0,
    version: Annotated[str, typer.Option(help="OCPP 1.6, 2.0.1 or 2.1.")] = "1.6",
    connectors: Annotated[int, typer.Option(min=1, help="Connectors of each.")] = 1,
    brand: Annotated[str, typer.Option(help="Brand in the catalog.")] = "generic",
    model: Annotated[str, typer.Option(help="Model of that brand.")] = "ac-22kw",
    compression: Annotated[
        bool, typer.Option("--compression", help="Offer permessage-deflate; OCPP 2.x.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Decides everything random about them.")] = 0,
    ramp_per_s: Annotated[
        float, typer.Option(min=0.1, help="How many start dialing each second.")
    ] = 200.0,
) -> None:
    """Run virtual stations until Ctrl-C, against any central system."""
    from csms.fleet.runner import RunOptions

    if not url.startswith(("ws://", "wss://")):
        raise BadUsage(f"--url must begin with ws:// or wss://, not {url!r}")
    options = RunOptions(
        url=url,
        version=_read_version(version),
        stations=stations,
        prefix=prefix,
        from_file=from_file,
        passwords=passwords,
        frames=frames,
        reject_percent=reject_percent,
        silent_percent=silent_percent,
        flap_percent=flap_percent,
        connectors=connectors,
        brand=brand,
        model=model,
        seed=seed,
        compression=compression,
        ramp_per_s=ramp_per_s,
    )
    _run(options)


def _read_version(text: str) -> OcppVersion:
    from csms.domain.versions import parse_version
    from csms.errors import Invalid

    try:
        return parse_version(text)
    except Invalid as error:
        raise BadUsage(f"--version: {error.message}") from error


def _run(options: RunOptions) -> None:
    import uvloop

    from csms import log
    from csms.errors import Invalid

    log.configure(level="warning")
    try:
        uvloop.run(_until_stopped(options))
    except Invalid as error:
        raise BadUsage(error.message) from error
    except OSError as error:
        raise BadUsage(f"cannot run: {error}") from error


async def _until_stopped(options: RunOptions) -> None:
    import asyncio
    import signal

    from csms.fleet import runner

    fleet = asyncio.create_task(runner.run(options, _say_ready, _say_trouble))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, fleet.cancel)
    try:
        await fleet
    except asyncio.CancelledError:
        say("stopped")


def _say_ready(counts: Counts) -> None:
    say(f"ready: {counts.booted} stations have booted")


def _say_trouble(counts: Counts) -> None:
    if counts.connected < counts.stations and counts.last_error:
        say(f"{counts.connected} of {counts.stations} connected: {counts.last_error}")
