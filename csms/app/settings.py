"""What the configuration says, as each part of the server wants to hear it."""

from __future__ import annotations

from pathlib import Path

from csms import host
from csms.api.deps import ApiSettings
from csms.config import Config, ConfigError
from csms.domain.addresses import Proxies
from csms.domain.id_tokens import UnknownIdTokens
from csms.domain.jobs import Policy
from csms.domain.onboarding import Onboarding
from csms.domain.versions import OcppVersion
from csms.host import Listen, Security
from csms.jobs.settings import EngineSettings
from csms.ocpp.settings import OcppSettings
from csms.ocpp.tls import TlsFiles
from csms.services.programs import Program

BY_HAND = "manual"
"""The signer that is a person."""


def of_ocpp(config: Config) -> OcppSettings:
    """The OCPP side's values."""
    ocpp = config.ocpp
    limit = config.authorization.max_transactions_per_id_token
    return OcppSettings(
        call_timeout_s=ocpp.call_timeout_s,
        heartbeat_interval_s=ocpp.heartbeat_interval_s,
        ping_interval_s=ocpp.ping_interval_s,
        pong_timeout_s=ocpp.pong_timeout_s,
        silent_timeout_s=ocpp.silent_timeout_s,
        ready_silence_s=ocpp.ready_silence_s,
        ready_trigger_s=ocpp.ready_trigger_s,
        boot_retry_s=ocpp.boot_retry_s,
        handshake_timeout_s=ocpp.handshake_timeout_s,
        onboarding=Onboarding(config.onboarding.mode),
        assume_subprotocol=(
            OcppVersion(ocpp.assume_subprotocol) if ocpp.assume_subprotocol else None
        ),
        allow_no_password=config.onboarding.allow_no_password,
        strict=ocpp.strict,
        client_organizations=frozenset(config.tls.client_organizations),
        security_profiles=_security_profiles(config),
        unknown_id_tokens=UnknownIdTokens(config.authorization.unknown_id_tokens),
        max_transactions_per_id_token=limit or None,
        signs_certificates=bool(config.programs.signer),
        max_sockets=ocpp.max_sockets,
        proxies=Proxies.read(config.trusted_proxies),
        messages_per_s=ocpp.messages_per_s,
        messages_burst=ocpp.messages_burst,
    )


def _security_profiles(config: Config) -> frozenset[int]:
    numbers = {Security.PLAIN: 1, Security.TLS: 2, Security.MTLS: 3}
    addresses = map(host.parse_listen, config.listen)
    served = {numbers[one.security] for one in addresses if not one.programs_only}
    if config.external_url.startswith("wss:"):  # something before us ends the TLS
        served.add(2)
    if config.trusted_proxies:  # and tells us the certificate of the station
        served |= {2, 3}
    return frozenset(served)


def program(command: str, config: Config) -> Program | None:
    """What runs the command; None when there is none, or a person does the work."""
    if command in {"", BY_HAND}:
        return None
    return Program(command, timeout_s=config.programs.timeout_s)


def of_engine(config: Config) -> EngineSettings:
    """The engine's values."""
    return EngineSettings(
        bulk_slots=config.jobs.bulk_slots,
        interactive_slots=config.jobs.interactive_slots,
        max_open_items=config.jobs.max_open_items,
    )


def of_api(config: Config) -> ApiSettings:
    """The API's values."""
    return ApiSettings(
        body_limit_bytes=config.api.body_limit_bytes,
        bulk_body_limit_bytes=config.api.bulk_body_limit_bytes,
        requests_per_minute=config.api.requests_per_minute,
        failed_tokens_per_minute=config.api.failed_tokens_per_minute,
        audit_kept_days=config.api.audit_kept_days,
        proxies=Proxies.read(config.trusted_proxies),
        max_items=config.jobs.max_items,
        virtual_by_default=config.fleet.provisioning == "virtual",
        max_in_process=config.fleet.max_in_process,
        allowed_targets=(*config.fleet.allowed_targets, *_own_origins(config)),
        webhook_targets=tuple(config.webhooks.allowed_targets),
        external_url=config.external_url,
        listening=tuple(map(host.parse_listen, config.listen)),
        command_timeout_s=config.ocpp.call_timeout_s,
        policy=Policy(
            max_parallel=config.jobs.max_parallel,
            evidence_window_s=config.jobs.evidence_window_s,
        ),
    )


def _own_origins(config: Config) -> list[str]:
    """Where this server itself is reached; virtual stations may always dial it."""
    addresses = map(host.parse_listen, config.listen)
    origins = [url for address in addresses for url in address.websocket_urls()]
    return [*origins, config.external_url] if config.external_url else origins


def tls_files(config: Config) -> TlsFiles | None:
    """The files for TLS; None when there are none. Raises ConfigError."""
    settings = config.tls
    if len(settings.certificates) != len(settings.keys):
        raise ConfigError("setting tls.keys: each of tls.certificates needs one")
    if not settings.certificates:
        return None
    return TlsFiles(
        certificates=tuple(map(Path, settings.certificates)),
        keys=tuple(map(Path, settings.keys)),
        client_ca=Path(settings.client_ca) if settings.client_ca else None,
        static_rsa=settings.static_rsa,
    )


def home_of(addresses: list[Listen]) -> Listen:
    """The address of the page and the command line: a plain one, where there is one."""
    serving = [address for address in addresses if not address.stations_only]
    if not serving:
        raise ConfigError("setting listen: one address must serve the API, not only stations")
    return next((one for one in serving if one.security is Security.PLAIN), serving[0])
