"""Who is connected, how to call them, and the one sweep that looks after all connections."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any

import structlog

from csms.clock import Clock
from csms.domain.addresses import origin_of
from csms.domain.client_certificates import ClientCertificate
from csms.domain.identity import identity_key
from csms.domain.stations import Registration, Station
from csms.domain.versions import OcppVersion
from csms.errors import StationOffline
from csms.events import Bus, Event, StationGone
from csms.ocpp import liveness, logged
from csms.ocpp.bursts import Bursts
from csms.ocpp.conduct import Conduct
from csms.ocpp.connection import Connection
from csms.ocpp.context import Handler, StationContext
from csms.ocpp.duels import Duels
from csms.ocpp.frames import Call, JsonObject
from csms.ocpp.held import Held
from csms.ocpp.link import Link, Shared
from csms.ocpp.liveness import Seen, Step
from csms.ocpp.marks import Marks
from csms.ocpp.meanwhile import end_of
from csms.ocpp.presence import OFFLINE, HubStats, Presence, Unready
from csms.ocpp.quirks.applied import NOTHING, Applied
from csms.ocpp.quirks.settings import Quirks
from csms.ocpp.router import Router
from csms.ocpp.settings import OcppSettings
from csms.ocpp.websocket import Socket
from csms.services import quirks as station_quirks
from csms.services.heartbeats import Heartbeats
from csms.services.lint import Lint
from csms.services.message_log import MessageLog
from csms.services.programs import Program
from csms.store.database import Database
from csms.store.ocpp_messages import Message

__all__ = ["Hub", "HubStats", "Presence"]

log = structlog.get_logger(__name__)

SWEEP_INTERVAL_S = 1.0
# So many connections are looked at before the loop gets a turn.
SWEEP_SLICE = 250
GOODBYE_TIMEOUT_S = 5.0

NORMAL, GOING_AWAY, SERVICE_RESTART = 1000, 1001, 1012


class Hub:
    """The registry of live connections, by station."""

    def __init__(
        self,
        *,
        db: Database,
        bus: Bus,
        clock: Clock,
        settings: OcppSettings,
        epoch: int,
        message_log: MessageLog,
        lint: Lint,
        heartbeats: Heartbeats,
        handlers: Mapping[tuple[OcppVersion, str], Handler],
        provider: Program | None = None,
    ) -> None:
        self.settings = settings
        self.stopping = False
        self._db = db
        self._bus = bus
        self._clock = clock
        self._epoch = epoch
        self._heartbeats = heartbeats
        self._provider = provider
        self._shared = Shared(bus, clock, settings, message_log, lint, self._closed)
        v16 = Router(OcppVersion.V16, handlers)
        self._routers = {
            version: v16 if version is OcppVersion.V16 else Router(version, handlers, elder=v16)
            for version in OcppVersion
        }
        self.versions = frozenset(v for v in OcppVersion if (v, "BootNotification") in handlers)
        """The versions a station can really be served in."""
        self._links: dict[int, Link] = {}
        self._held: dict[str, Held] = {}
        self.bursts = Bursts()
        self._duels = Duels()
        self._marks = Marks(db)
        self._conduct = Conduct(
            db=db,
            clock=clock,
            marks=self._marks,
            breaker=self._shared.breaker,
            spawn=self._spawn,
        )
        self._generation = 0
        self._tasks: set[asyncio.Task[Any]] = set()
        self._sweeper: asyncio.Task[None] | None = None
        self._unsubscribe = bus.subscribe(Event, self._on_event)

    def start(self) -> None:
        """Start the sweep."""
        self._sweeper = asyncio.create_task(self._sweep_for_ever())

    @property
    def clock(self) -> Clock:
        """Whose time counts for what happens at the door."""
        return self._clock

    @property
    def bus(self) -> Bus:
        """Where it hears of what ends connections."""
        return self._bus

    # ---- who is there ------------------------------------------------------------------------

    @property
    def count(self) -> int:
        """Sockets in use, held ones included."""
        return len(self._links) + len(self._held)

    @property
    def held_count(self) -> int:
        """Unknown stations that are held in Pending."""
        return len(self._held)

    def connection(self, station_id: int) -> Connection | None:
        """The station's present connection."""
        link = self._links.get(station_id)
        return None if link is None else link.connection

    def is_connected(self, station_id: int) -> bool:
        """Whether the station has a socket."""
        return station_id in self._links

    def is_ready(self, station_id: int) -> bool:
        """Whether the station has shown its sign of readiness on this socket."""
        link = self._links.get(station_id)
        return link is not None and link.is_ready

    def unready(self, station_id: int) -> Unready | None:
        """Why nothing may be sent to a connected station; None: it may, or it is not there."""
        link = self._links.get(station_id)
        return None if link is None else link.unready

    def slot_free(self, station_id: int) -> bool:
        """Whether a CALL handed in now goes out at once."""
        link = self._links.get(station_id)
        return link is not None and link.is_slot_free

    def generation(self, station_id: int) -> int | None:
        """The number of the station's present connection; it grows with every one accepted."""
        link = self._links.get(station_id)
        return None if link is None else link.context.generation

    def version(self, station_id: int) -> OcppVersion | None:
        """The OCPP version of the station's present connection."""
        link = self._links.get(station_id)
        return None if link is None else link.context.version

    def presence(self, station_id: int) -> Presence:
        """Socket, readiness and last sign of life."""
        link = self._links.get(station_id)
        if link is None:
            return OFFLINE
        silent_s = self._clock.monotonic() - link.connection.last_frame_at
        return Presence(
            connected=True,
            ready=link.is_ready,
            address=link.context.address,
            version=link.context.version,
            last_frame_at=self._clock.now() - timedelta(seconds=silent_s),
        )

    def pending_messages(self, station_id: int) -> list[Message]:
        """The CALLs that are open now, as rows of the message log with state `pending`."""
        link = self._links.get(station_id)
        if link is None:
            return []
        now = self._clock.micros()
        theirs = [("in", call, now) for call in link.connection.session.being_answered]
        ours = [("out", our.call, our.began_at) for our in link.connection.our_calls]
        return [
            logged.message(
                (station_id, direction, link.context.version.value, began_at), call, state="pending"
            )
            for direction, call, began_at in [*theirs, *ours]
        ]

    def stats(self) -> HubStats:
        """Numbers for /metrics."""
        sessions = [link.connection.session for link in self._links.values()]
        return HubStats(
            connections=dict(Counter(link.context.version.value for link in self._links.values())),
            held=len(self._held),
            ready=sum(link.is_ready for link in self._links.values()),
            calls_outstanding=sum(session.outstanding is not None for session in sessions),
            calls_waiting=sum(len(session.waiting) for session in sessions),
            being_answered=sum(len(session.being_answered) for session in sessions),
            messages=dict(self._shared.messages),
            latencies=self._shared.latencies,
            garbled=self._shared.garbled,
            slowed=self._shared.slowed,
            strays=self._shared.strays,
        )

    # ---- calling -----------------------------------------------------------------------------

    async def call(
        self,
        station_id: int,
        *,
        action: str,
        payload: JsonObject,
        message_id: str,
        timeout_s: float,
        generation: int | None = None,
        on_sent: Callable[[], None] | None = None,
    ) -> JsonObject:
        """Send one CALL and return the payload of its CALLRESULT.

        Raises StationOffline when it was certainly never sent (also when the connection is not
        of that generation any more), CallTimeout or ConnectionLost when it may have run, and
        CallRefused for a CALLERROR or an answer that breaks its schema (`InvalidAnswer`), and
        CallWithheld when the station does not bear it. Its quirks may make the wait longer.
        Cancelling the wait keeps the correlation: what comes then is a LateAnswer.
        """
        link = self._links.get(station_id)
        if link is None or not link.is_ready:
            raise StationOffline("the station is not connected")
        if generation is not None and link.context.generation != generation:
            raise StationOffline("the station has reconnected meanwhile")
        return await link.caller.call(Call(message_id, action, payload), timeout_s, on_sent)

    # ---- coming and going --------------------------------------------------------------------

    def open(
        self,
        station: Station,
        socket: Socket,
        address: str,
        version: OcppVersion,
        *,
        certificate: ClientCertificate | None = None,
        security_profile: int | None = None,
        quirks: Applied = NOTHING,
        noticed: Iterable[str] = (),
    ) -> Connection:
        """Register an authenticated connection; the newest of a station wins."""
        link = self._make_link(station, socket, address, version, quirks)
        link.context.certificate = certificate
        link.context.security_profile = security_profile
        replaced = self._links.get(station.id)
        self._links[station.id] = link
        self._spawn(self._marks.connected(link.context))
        if replaced is not None:
            self._replace(replaced, link.context)
        for quirk in noticed:
            link.context.fire(quirk)
        self._conduct.connected(link.context)
        if self.stopping:  # it slipped in while the others were being closed
            self._spawn(link.connection.close(GOING_AWAY, "the server is stopping"))
        return link.connection

    def open_held(
        self,
        identity: str,
        socket: Socket,
        address: str,
        version: OcppVersion,
        *,
        certificate: ClientCertificate | None = None,
        password: bytes | None = None,
    ) -> Connection:
        """Keep an unknown station in Pending; the newest of an identity wins here too."""
        key = identity_key(identity)
        held = Held(
            socket,
            identity=identity,
            address=address,
            version=version,
            certificate=certificate,
            password=password,
            db=self._db,
            clock=self._clock,
            settings=self.settings,
            turns=self._shared.turns,
            purses=self._shared.purses,
            gone=self._held_closed,
        )
        replaced = self._held.get(key)
        self._held[key] = held
        if replaced is not None:
            self._spawn(replaced.connection.close(NORMAL, "replaced by a newer connection"))
        return held.connection

    def held_beside(self, identity: str, origin: str) -> tuple[int, int]:
        """How many are held under other identities: of all, and of those from there."""
        key = identity_key(identity)
        others = [held.origin for other, held in self._held.items() if other != key]
        return len(others), others.count(origin)

    def password_of_held(self, identity: str, address: str) -> bytes | None:
        """What the station that is held for this identity showed, if it came from there."""
        held = self._held.get(identity_key(identity))
        return held.password if held is not None and held.connection.address == address else None

    def is_held(self, identity: str, address: str) -> bool:
        """Whether a station from there waits for a person under this identity."""
        held = self._held.get(identity_key(identity))
        return held is not None and held.connection.is_open and held.connection.address == address

    def admit_held(self, station: Station, address: str, password: bytes | None) -> bool:
        """Let the held station go on as the registered one that it now is, on its socket.

        By now another one may be held for the identity: it has to be the one that was looked at.
        """
        held = self._held.get(identity_key(station.identity))
        if held is None or not held.connection.is_open:
            return False
        if (held.connection.address, held.password) != (address, password):
            return False
        del self._held[identity_key(station.identity)]
        socket, version = held.connection.socket, held.connection.version
        # Nothing is asked of it: at its next boot, or by a question for one, it is in.
        socket.start(self.open(station, socket, address, version))
        return True

    def accept_held(self, identity: str) -> bool:
        """Send a held station away, so that it comes back as the one it now is."""
        held = self._held.get(identity_key(identity))
        if held is None:
            return False
        self._spawn(held.connection.close(SERVICE_RESTART, "accepted, connect again"))
        return True

    def send_held_away(self) -> None:
        """Have all held stations connect again, because they would be let in now."""
        for held in self._held.values():
            self._spawn(held.connection.close(SERVICE_RESTART, "connect again"))

    def is_dueling(self, station_id: int) -> bool:
        """Whether connections of this station replace each other in quick succession."""
        return self._duels.goes_on(station_id, self._clock.monotonic())

    async def disconnect(self, station_id: int, code: int = NORMAL, reason: str = "") -> None:
        """Close the station's connection, if it has one."""
        link = self._links.get(station_id)
        if link is not None:
            await link.connection.close(code, reason)

    async def close_all(self, *, code: int = GOING_AWAY, spread_s: float = 2.0) -> None:
        """Stop for good: close every connection, spread over a while, and wait for the last.

        Stations keep their mark of being connected: the next life of the process grants them
        time to come back.
        """
        if not self.stopping:
            self.stopping = True
            self._unsubscribe()
        if self._sweeper is not None:
            self._sweeper.cancel()
            with suppress(asyncio.CancelledError):
                await self._sweeper
        connections = list(self._connections())
        for number, connection in enumerate(connections, start=1):
            self._spawn(connection.close(code, "the server is stopping"))
            if number % 50 == 0:
                await asyncio.sleep(spread_s * 50 / len(connections))
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=GOODBYE_TIMEOUT_S)
        for connection in self._connections():
            connection.abort()
        for task in tuple(self._tasks):
            task.cancel()

    def _make_link(
        self,
        station: Station,
        socket: Socket,
        address: str,
        version: OcppVersion,
        quirks: Applied,
    ) -> Link:
        self._generation += 1
        context = StationContext(
            db=self._db,
            bus=self._bus,
            clock=self._clock,
            settings=self.settings,
            heartbeats=self._heartbeats,
            epoch=self._epoch,
            station_id=station.id,
            identity=station.identity,
            version=version,
            generation=self._generation,
            address=address,
            strict=self._is_strict(station.strict),
            log=log.bind(station=station.identity),
            registration=station.registration,
            connectors=station.connectors,
            provider=self._provider,
            quirks=quirks,
            on_quirk=self._fire,
        )
        return Link(self._shared, context, self._routers[version], socket)

    def _is_strict(self, wanted: bool | None) -> bool:
        return self.settings.strict if wanted is None else wanted

    def _replace(self, replaced: Link, newer: StationContext) -> None:
        older = replaced.context
        if replaced.connection.is_open:  # else nobody is thrown out: it was on its way
            self._duels.note(newer.station_id, self._clock.monotonic())
            # Who lost its line comes back from where it was, and that is no second one.
            if origin_of(older.address) != origin_of(newer.address):
                newer.log.warning("connection replaced", old=older.address, new=newer.address)
                self._spawn(self._marks.replaced(older, newer))
        self._spawn(replaced.connection.close(NORMAL, "replaced by a newer connection"))

    def _closed(self, link: Link) -> None:
        station_id = link.context.station_id
        if self._links.get(station_id) is not link:
            return  # a newer connection has taken its place
        del self._links[station_id]
        close_code = link.connection.socket.close_code
        link.context.log.debug("station disconnected", code=close_code)
        if not self.stopping:
            self._spawn(self._marks.disconnected(link.context, close_code))
        self._bus.publish(StationGone(station_id))

    def _held_closed(self, held: Held) -> None:
        key = identity_key(held.connection.identity)
        if self._held.get(key) is held:
            del self._held[key]

    def _on_event(self, event: Event) -> None:
        link = None if event.station_id is None else self._links.get(event.station_id)
        if link is None:
            return
        end = end_of(event, by_certificate=link.context.certificate is not None)
        if end is not None:
            self._spawn(link.connection.close(*end))
        if event.type == "station.booted":
            self._conduct.booted(link, event)
        elif event.type == "station.updated":
            self._updated(link, event)
        elif event.type == station_quirks.CHANGED:
            self._conduct.changed(link)

    def _updated(self, link: Link, event: Event) -> None:
        if "strict" in event.data:
            link.context.strict = self._is_strict(event.data["strict"])
        if "registration" in event.data:
            link.register(Registration(event.data["registration"]))

    # ---- quirks ------------------------------------------------------------------------------

    def is_flapping(self, station_id: int) -> bool:
        """Whether the station comes and goes all the time."""
        return self._conduct.is_flapping(station_id)

    def _fire(self, context: StationContext, quirk: str, detail: str | None) -> None:
        self._spawn(self._marks.fired(context, quirk, detail))

    # ---- the sweep ---------------------------------------------------------------------------

    async def sweep(self) -> None:
        """Look at every connection once: liveness, pings, and questions to the silent."""
        now = self._clock.monotonic()
        for number, link in enumerate(list(self._links.values()), start=1):
            self._look_after(link.connection, link.context.quirks.settings, now)
            link.ask(now)
            if number % SWEEP_SLICE == 0:
                await asyncio.sleep(0)
        for held in list(self._held.values()):
            self._look_after(held.connection, NOTHING.settings, now)
        self._conduct.sweep(now)
        self._duels.forget_old(now)

    def _look_after(self, connection: Connection, quirks: Quirks, now: float) -> None:
        if connection.closing:
            return
        seen = Seen(
            connection.last_frame_at,
            connection.pinged_at,
            connection.has_ponged,
            connection.writing_since,
            connection.socket.unsent_bytes,
        )
        step = liveness.next_step(seen, self.settings, quirks, now)
        if step is Step.PING:
            connection.ping()
        elif step is Step.CLOSE:
            log.info("station is silent", station=connection.identity)
            self._spawn(connection.close(GOING_AWAY, "no sign of life"))
        elif step is Step.CUT:
            log.warning("station does not read", station=connection.identity)
            connection.abort()

    async def _sweep_for_ever(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_INTERVAL_S)
            try:
                await self.sweep()
            except Exception:  # a task's outermost loop
                log.exception("sweep failed")

    def _connections(self) -> Iterator[Connection]:
        yield from [link.connection for link in self._links.values()]
        yield from [held.connection for held in self._held.values()]

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
