"""The composition root: a configuration in, a running server out; order of start and stop."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any, NoReturn

import aiohttp
import structlog
from aiohttp import web

from csms import host
from csms import log as logging
from csms.api import application, routes
from csms.api.auth import Authenticator
from csms.api.deps import Deps
from csms.api.feed import Feed
from csms.api.metrics import Metrics
from csms.api.serving import Runner
from csms.app import settings
from csms.clock import Clock, SystemClock
from csms.config import Config
from csms.errors import CsmsError, Unavailable
from csms.events import Bus, Event
from csms.fleet import catalog
from csms.fleet.deployment import Deployment
from csms.fleet.frame_file import FrameFile
from csms.fleet.manager import Fleet
from csms.host import Listen
from csms.jobs import recovery
from csms.jobs.configuring import Configuring
from csms.jobs.crash import CrashPoints
from csms.jobs.engine import Engine
from csms.jobs.grace import Grace
from csms.jobs.kinds import file_transfer, id_token_import, station_delete, station_update
from csms.jobs.kinds.charging_profile_template import ChargingProfileTemplateRunner
from csms.jobs.kinds.command import CommandRunner
from csms.jobs.kinds.config_template import ConfigTemplateRunner
from csms.jobs.kinds.password_rotation import PasswordRunner
from csms.jobs.kinds.station_create import StationCreateRunner
from csms.jobs.kinds.webhook_delivery import WebhookRunner
from csms.jobs.port import ItemRunner
from csms.jobs.signing import Signing
from csms.jobs.webhook_feed import WebhookFeed
from csms.jobs.welcome import Welcome
from csms.ocpp import actions
from csms.ocpp.doors import Doors
from csms.ocpp.endpoint import Endpoint
from csms.ocpp.hub import Hub
from csms.services import housekeeping, tokens
from csms.services.credentials import Passwords
from csms.services.file_drop import FileDrop, FileDropSettings
from csms.services.file_store import FileStore
from csms.services.heartbeats import Heartbeats
from csms.services.lint import Lint
from csms.services.message_log import MessageLog
from csms.services.webhook_sending import Sender
from csms.store import connections, stations
from csms.store import engine as engine_store
from csms.store.database import Database
from csms.store.opening import boot_id

log = structlog.get_logger(__name__)

# Request smuggling through the upgrade is fixed in 3.14.2 (CVE-2026-69243).
AIOHTTP_FLOOR = (3, 14, 3)
DRAIN_S = 5.0
SPREAD_S = 2.0
DATABASE, CLI_FILE, FILES = "csms.sqlite3", "cli.json", "files"


class CannotStart(CsmsError):
    """The message is one line for stderr; exit code 2."""

    code = "cannot_start"


async def serve(
    config: Config,
    *,
    announce: Callable[[str], None],
    admin_token: str | None = None,
    crash_at: str | None = None,
) -> int:
    """Run the server until SIGTERM or SIGINT; returns the exit code.

    `announce` is given the lines a person wants to see at start, one secret link among them.
    Raises CsmsError with one line for stderr when it cannot start: data directory in use,
    port taken, disk full.
    """
    logging.configure(level=config.log.level, as_json=config.log.format == "json")
    _check_aiohttp()
    host.raise_file_limit()
    server = Server(config, CrashPoints(crash_at), announce)
    stop = _on_signals(server.stopped)
    try:
        async with AsyncExitStack() as stack:
            await server.start(stack, admin_token=admin_token)
            await server.stopped.wait()
            log.info("stopping")
    except CsmsError as error:
        if not server.stopped.is_set():
            raise
        # What could not be written at the end is lost as in a crash; the next start copes.
        log.exception("the stop was not clean", reason=error.code)
        server.exit_code = 1
    finally:
        stop()
    return server.exit_code


@dataclass(frozen=True, slots=True)
class Parts:
    """What a server is made of."""

    db: Database
    hub: Hub
    engine: Engine
    fleet: Fleet
    frames: FrameFile | None
    deployment: Deployment
    heartbeats: Heartbeats
    message_log: MessageLog
    lint: Lint
    deps: Deps


class Server:
    """Everything one process is made of, built in the order in which it starts."""

    def __init__(self, config: Config, crash: CrashPoints, announce: Callable[[str], None]) -> None:
        self.config = config
        self._announce = announce
        self.stopped = asyncio.Event()
        self.exit_code = 0
        self._crash = crash
        self._clock: Clock = SystemClock()
        self._bus = Bus()
        self._random = Random()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._recovered: dict[str, int] = {}

    async def start(self, stack: AsyncExitStack, *, admin_token: str | None) -> None:
        """Lock, migrate, recover; only then listen. What starts is stopped in reverse."""
        addresses = [host.parse_listen(text) for text in self.config.listen]
        home = settings.home_of(addresses)
        db = await stack.enter_async_context(self._database())
        parts = await self._build(db)
        await tokens.ensure_environment_token(db, admin_token)
        self._crash.reach("recovery.swept")
        doors = Doors(
            addresses, settings.tls_files(self.config), db=db, clock=self._clock, spawn=self._spawn
        )
        runner = await self._start_parts(stack, parts, doors)
        await doors.open(
            runner, parts.deps.endpoint, head_timeout_s=self.config.ocpp.handshake_timeout_s
        )
        self._own(stack, doors.look_after())
        await parts.deployment.restore()
        host.tame_garbage_collector()
        parts.deps.ready = True
        stack.callback(setattr, parts.deps, "draining", True)
        await self._write_cli_file(stack, db, home)
        await self._say_hello(parts.deps, addresses, home)

    async def _build(self, db: Database) -> Parts:
        """Everything, not started; the recovery sweep on the way."""
        config = self.config
        passwords = Passwords(db, host.instance_key(config.data_dir))
        heartbeats = Heartbeats(db, self._clock)
        message_log = MessageLog(db, self._clock)
        lint = Lint(db, self._clock)
        fleet, frames = self._fleet()
        deployment = Deployment(
            db=db,
            fleet=fleet,
            catalog=catalog.load(),
            passwords=passwords,
            verify_timeout_s=config.fleet.verify_timeout_s,
        )
        grace = Grace(self._clock, timedelta(seconds=config.jobs.reconnect_grace_s), self._bus)
        # The kinds need the hub, the hub needs the epoch, the epoch comes from the sweep that
        # asks the kinds: so the sweep gets kinds that can judge, and nothing else.
        epoch = await self._recover(db, grace, deployment, passwords)
        hub = Hub(
            db=db,
            bus=self._bus,
            clock=self._clock,
            settings=settings.of_ocpp(config),
            epoch=epoch,
            message_log=message_log,
            lint=lint,
            heartbeats=heartbeats,
            handlers=actions.HANDLERS,
            provider=settings.program(config.programs.provider, config),
        )
        engine = self._engine(db, self._kinds(db, hub, grace, deployment, passwords), epoch)
        deps = self._deps(
            db=db,
            hub=hub,
            engine=engine,
            fleet=fleet,
            passwords=passwords,
            heartbeats=heartbeats,
            message_log=message_log,
        )
        return Parts(
            db=db,
            hub=hub,
            engine=engine,
            fleet=fleet,
            frames=frames,
            deployment=deployment,
            heartbeats=heartbeats,
            message_log=message_log,
            lint=lint,
            deps=deps,
        )

    def _fleet(self) -> tuple[Fleet, FrameFile | None]:
        path = self.config.fleet.frames
        frames = FrameFile(Path(path), clock=self._clock) if path else None
        on_frame = None if frames is None else frames.write
        return Fleet(clock=self._clock, random=self._random, on_frame=on_frame), frames

    async def _start_parts(
        self, stack: AsyncExitStack, parts: Parts, doors: Doors
    ) -> web.AppRunner:
        runner = Runner(
            application.build(parts.deps, routes.ALL),
            shutdown_timeout=SPREAD_S,
            access_log=None,
            keepalive_timeout=75,
        )
        await runner.setup()
        stack.push_async_callback(self._mark_clean, parts.db)
        stack.push_async_callback(parts.message_log.close)
        stack.push_async_callback(parts.lint.close)
        stack.push_async_callback(parts.heartbeats.flush)
        stack.push_async_callback(runner.cleanup)
        # The ports stay open while we drain, so that writes get their 503.
        stack.callback(doors.close)
        if parts.frames is not None:
            stack.callback(parts.frames.close)
        await parts.fleet.open()
        stack.push_async_callback(parts.fleet.close)
        # Before the fleet: a station that hears 1001 keeps its mark of being connected.
        parts.hub.start()
        stack.push_async_callback(parts.hub.close_all, code=1001, spread_s=SPREAD_S)
        await parts.engine.start()
        stack.push_async_callback(parts.engine.stop, drain_s=DRAIN_S)
        signer = settings.program(self.config.programs.signer, self.config)
        if signer is not None:
            signing = Signing(db=parts.db, bus=self._bus, engine=parts.engine, signer=signer)
            self._own(stack, signing.run())
        window = parts.deps.endpoint.window
        self._own(stack, window.run(parts.db))
        welcome = Welcome(db=parts.db, bus=self._bus, engine=parts.engine, window=window)
        stack.push_async_callback(welcome.close)
        await welcome.start()
        self._own(stack, Configuring(db=parts.db, bus=self._bus, engine=parts.engine).run())
        self._own(stack, self._webhooks(parts).run())
        await parts.deps.files.sweep()
        self._own(stack, parts.deps.files.keep_house())
        kept = timedelta(days=self.config.jobs.kept_days)
        house = housekeeping.keep_house(parts.db, parts.heartbeats, parts.message_log, kept)
        self._own(stack, house)
        self._follow_stations(parts.deployment)
        return runner

    # ---- parts -------------------------------------------------------------------------------

    @contextlib.asynccontextmanager
    async def _database(self) -> AsyncIterator[Database]:
        directory = self.config.data_dir
        try:
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise CannotStart(f"cannot make data directory {directory}: {error}") from error
        db = Database(directory / DATABASE, clock=self._clock, bus=self._bus)
        db.on_failure = self._storage_failed
        await db.open()
        try:
            yield db
        finally:
            await db.close()

    def _storage_failed(self) -> None:
        log.error("storage failed; stopping, so that the next start begins with what is on disk")
        self.exit_code = 1
        self.stopped.set()

    async def _recover(
        self, db: Database, grace: Grace, deployment: Deployment, passwords: Passwords
    ) -> int:
        kinds = self._kinds(db, _NoStations(), grace, deployment, passwords)
        await db.write(connections.update_unobserved)
        found = await db.write(lambda tx: recovery.sweep(tx, boot_id=boot_id(), kinds=kinds))
        grace.begin(await db.read(lambda tx: stations.list_connected_before(tx, found.epoch)))
        self._recovered = {"resumed": found.resumed, "unknown": found.unknown}
        if found.live_jobs or not found.clean:
            log.info(
                "recovered",
                epoch=found.epoch,
                clean_stop=found.clean,
                from_backup=found.restored,
                jobs=found.live_jobs,
                resumed=found.resumed,
                unknown=found.unknown,
            )
        return found.epoch

    def _kinds(
        self, db: Database, hub: Any, grace: Grace, deployment: Deployment, passwords: Passwords
    ) -> dict[str, ItemRunner]:
        calling: dict[str, Any] = {
            "call_timeout_s": self.config.ocpp.call_timeout_s,
            "in_grace": grace.until,
        }
        seal = passwords.seal
        orders = [
            kind(hub, self._clock, read=db.read, seal=seal, **calling)
            for kind in (CommandRunner, ConfigTemplateRunner, ChargingProfileTemplateRunner)
        ]
        files = {"db": db, "files": self._files(db), "seal": seal}
        transfers = file_transfer.runners(hub, self._clock, **files, **calling)
        most = self.config.fleet.max_in_process
        create = StationCreateRunner(read=db.read, deployment=deployment, max_virtual=most)
        rotation = PasswordRunner(hub, self._clock, db=db, passwords=passwords, **calling)
        webhook = WebhookRunner(
            db=db,
            clock=self._clock,
            seal=passwords.seal,
            sender=Sender(
                allowed=tuple(self.config.webhooks.allowed_targets),
                timeout_s=self.config.webhooks.timeout_s,
            ),
            disable_after_days=self.config.webhooks.disable_after_days,
        )
        own = (station_update.runner(), station_delete.runner(), id_token_import.runner())
        made: tuple[ItemRunner, ...] = (*orders, create, rotation, *transfers, webhook, *own)
        return {kind.name: kind for kind in made}

    def _files(self, db: Database) -> FileDrop:
        home, files = self.config.data_dir, self.config.files
        return FileDrop(
            db=db,
            clock=self._clock,
            store=FileStore(home / FILES, keep_free_bytes=files.keep_free_bytes),
            instance_key=host.instance_key(home),
            settings=FileDropSettings(**files.model_dump(exclude={"keep_free_bytes"})),
        )

    def _webhooks(self, parts: Parts) -> WebhookFeed:
        return WebhookFeed(
            db=parts.db,
            bus=self._bus,
            clock=self._clock,
            engine=parts.engine,
            kept=timedelta(days=self.config.webhooks.deliveries_kept_days),
        )

    def _engine(self, db: Database, kinds: dict[str, ItemRunner], epoch: int) -> Engine:
        return Engine(
            db=db,
            bus=self._bus,
            clock=self._clock,
            kinds=kinds,
            epoch=epoch,
            settings=settings.of_engine(self.config),
            random=self._random,
            crash=self._crash,
        )

    def _deps(
        self,
        *,
        db: Database,
        hub: Hub,
        engine: Engine,
        fleet: Fleet,
        passwords: Passwords,
        heartbeats: Heartbeats,
        message_log: MessageLog,
    ) -> Deps:
        return Deps(
            db=db,
            bus=self._bus,
            clock=self._clock,
            hub=hub,
            engine=engine,
            fleet=fleet,
            passwords=passwords,
            files=self._files(db),
            heartbeats=heartbeats,
            message_log=message_log,
            endpoint=Endpoint(hub=hub, db=db, passwords=passwords),
            auth=Authenticator(db=db, bus=self._bus, clock=self._clock),
            feed=Feed(db=db, bus=self._bus, clock=self._clock),
            metrics=Metrics(self._clock, self._recovered),
            started_at=self._clock.now(),
            settings=settings.of_api(self.config),
        )

    def _follow_stations(self, deployment: Deployment) -> None:
        def on_event(event: Event) -> None:
            if event.type == "station.deleted":
                self._spawn(deployment.withdraw(event.data["identity"]))
            elif event.type == "station.credentials_rotated" and not event.data["pushed"]:
                assert event.station_id is not None
                self._spawn(deployment.redeploy(event.station_id))

        self._bus.subscribe(Event, on_event)

    async def _write_cli_file(self, stack: AsyncExitStack, db: Database, home: Listen) -> None:
        path = self.config.data_dir / CLI_FILE
        text = json.dumps({"url": home.loopback_url, "token": await tokens.renew_cli_token(db)})
        host.write_private(path, text.encode())
        stack.callback(path.unlink, missing_ok=True)

    async def _say_hello(self, deps: Deps, addresses: list[Listen], home: Listen) -> None:
        for address in addresses:
            for page in () if address.stations_only else address.urls():
                self._announce(f"page and API  {page}/")
            for stations_at in address.websocket_urls():
                self._announce(f"stations      {stations_at}/ocpp/<identity>")
        if any(address.in_the_clear for address in addresses):
            self._announce(
                "in the clear  what ws:// and http:// carry, passwords and sessions too;"
                " `csms tls init` makes certificates"
            )
        if not await deps.db.read(lambda tx: tokens.has_admin(tx, self._clock.now())):
            self._announce(f"sign in once  {home.urls()[0]}/#sign-in={deps.sign_in.open()[0]}")

    async def _mark_clean(self, db: Database) -> None:
        if self.exit_code == 0:
            with contextlib.suppress(Unavailable):
                await db.write(engine_store.mark_clean)

    def _own(self, stack: AsyncExitStack, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)

        async def end() -> None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

        stack.push_async_callback(end)

    def _spawn(self, work: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.warning("background work failed", exc_info=task.exception())


class _NoStations:
    """Stands for the hub during the sweep, when nobody can be connected."""

    def __getattr__(self, name: str) -> NoReturn:
        raise AssertionError(f"the recovery sweep asked for {name}")


# ---- the process -----------------------------------------------------------------------------


def _check_aiohttp() -> None:
    numbers = tuple(int(part) for part in aiohttp.__version__.split(".")[:3] if part.isdigit())
    if numbers < AIOHTTP_FLOOR:
        wanted = ".".join(map(str, AIOHTTP_FLOOR))
        raise CannotStart(f"aiohttp {aiohttp.__version__} is too old, {wanted} is needed")


def _on_signals(stopped: asyncio.Event) -> Callable[[], None]:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)

    def remove() -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)

    return remove
