"""The OCPP side's settings as plain values; the config fills them."""

from __future__ import annotations

from dataclasses import dataclass, field

from csms.domain.addresses import Proxies
from csms.domain.id_tokens import TokenPolicy, UnknownIdTokens
from csms.domain.onboarding import Onboarding
from csms.domain.versions import OcppVersion


@dataclass(frozen=True, slots=True)
class OcppSettings:
    """One object for the whole server; per-station overrides live in the station's row."""

    call_timeout_s: float = 30.0
    heartbeat_interval_s: int = 300
    ping_interval_s: float = 30.0
    pong_timeout_s: float = 50.0
    """A connection that has ponged is closed after this long without any frame."""
    silent_timeout_s: float = 180.0
    """The same for one that never did; at least three heartbeats."""
    ready_silence_s: float = 5.0
    """How long a connection may stay silent before it is asked for a boot, once."""
    ready_trigger_s: float = 30.0
    """How long after that question the station counts as ready without an answer."""
    boot_retry_s: int = 10
    """The interval given with Pending and Rejected: when to boot again."""
    handshake_timeout_s: float = 10.0
    onboarding: Onboarding = Onboarding.MANUAL
    assume_subprotocol: OcppVersion | None = None
    """The version of a station that offers no subprotocol; None refuses it."""
    allow_no_password: bool = False
    strict: bool = False
    """Refuse what breaks the schema; off, it is stored, flagged and answered."""
    client_organizations: frozenset[str] = frozenset()
    """Which organizations a station's certificate may name; none: any."""
    security_profiles: frozenset[int] = frozenset({1, 2, 3})
    """Those by which stations can come in; 1 a password, 2 over TLS, 3 a certificate."""
    unknown_id_tokens: UnknownIdTokens = UnknownIdTokens.ACCEPT
    max_transactions_per_id_token: int | None = None
    """From the next one on the answer is ConcurrentTx; None never says so."""
    signs_certificates: bool = False
    """Somebody signs what stations send in SignCertificate; else it is refused."""
    max_sockets: int = 20_000
    proxies: Proxies = field(default_factory=Proxies)
    """Whose word about the other end counts."""
    messages_per_s: float = 20.0
    """What a station may send for long; above it, what it sends waits."""
    messages_burst: int = 200
    """What it may send at once."""

    @property
    def token_policy(self) -> TokenPolicy:
        """The two settings about id tokens."""
        return TokenPolicy(self.unknown_id_tokens, self.max_transactions_per_id_token)
