"""Everything a request handler may use, handed over by the composition root."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from aiohttp import web

from csms.api.auth import Authenticator
from csms.api.feed import Feed
from csms.api.metrics import Metrics
from csms.clock import Clock
from csms.domain.addresses import Proxies
from csms.domain.jobs import Policy
from csms.events import Bus
from csms.fleet.manager import Fleet
from csms.host import Listen
from csms.jobs.engine import Engine
from csms.ocpp.endpoint import Endpoint
from csms.ocpp.hub import Hub
from csms.services.credentials import Passwords
from csms.services.file_drop import FileDrop
from csms.services.heartbeats import Heartbeats
from csms.services.message_log import MessageLog
from csms.services.sign_in import SignIn
from csms.store.database import Database


@dataclass(frozen=True, slots=True)
class ApiSettings:
    """The API's settings as plain values; the config fills them."""

    body_limit_bytes: int = 1024 * 1024
    bulk_body_limit_bytes: int = 8 * 1024 * 1024
    max_items: int = 100_000
    """Most items of one job, judged before expansion."""
    virtual_by_default: bool = False
    """Whether a bulk create without `virtual` makes virtual stations."""
    max_in_process: int = 2000
    """Most virtual stations in the server's process."""
    allowed_targets: tuple[str, ...] = ()
    """Origins that virtual stations may dial besides this server and loopback."""
    webhook_targets: tuple[str, ...] = ()
    """Origins that a webhook may lead to though they are not public, or not https."""
    external_url: str = ""
    """The URL stations reach us by, without the identity; empty: as the caller reached us."""
    listening: tuple[Listen, ...] = ()
    """Where we listen, for people who ask what to enter in a station."""
    command_timeout_s: float = 30.0
    requests_per_minute: int = 12_000
    """Of one token; 0: any number."""
    failed_tokens_per_minute: int = 60
    """From one address that are not valid; 0: any number."""
    audit_kept_days: int = 365
    proxies: Proxies = field(default_factory=Proxies)
    """Whose word counts for where a request comes from."""
    policy: Policy = field(default_factory=Policy)
    """How a job runs unless its request says otherwise."""


@dataclass(slots=True)
class Deps:
    """One object for all handlers; csms/app builds it and flips `ready` and `draining`."""

    db: Database
    bus: Bus
    clock: Clock
    hub: Hub
    engine: Engine
    fleet: Fleet
    passwords: Passwords
    files: FileDrop
    heartbeats: Heartbeats
    message_log: MessageLog
    endpoint: Endpoint
    auth: Authenticator
    feed: Feed
    metrics: Metrics
    started_at: datetime
    settings: ApiSettings = field(default_factory=ApiSettings)
    ready: bool = False
    """Recovery is done and stations may connect."""
    draining: bool = False
    """Stopping: writes are refused with 503."""
    sign_in: SignIn = field(init=False)

    def __post_init__(self) -> None:
        self.sign_in = SignIn(self.clock)


DEPS = web.AppKey("deps", Deps)
