"""Every setting, its default and its one line of help; flags > environment > file > defaults."""

from __future__ import annotations

import difflib
import json
import os
import re
import shlex
import tomllib
from collections.abc import Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal

import platformdirs
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from csms.domain.addresses import read_network, read_station_url
from csms.errors import Invalid
from csms.host import parse_listen

PREFIX = "CSMS_"
# Read by name where they are needed; secrets and test hooks are no settings of the file.
OUTSIDE = frozenset({"CSMS_ADMIN_TOKEN", "CSMS_CRASH_AT", "CSMS_URL", "CSMS_TOKEN"})
_USER_OF_URL = re.compile(r"//.*@")
Seconds = Annotated[float, Field(gt=0, le=86_400)]


def _split(value: Any) -> Any:
    """Let the environment give a list as `a,b`, or as the file writes it: `["a", "b"]`."""
    if not isinstance(value, str):
        return value
    if value.startswith('["'):
        return json.loads(value)
    return [part.strip() for part in value.split(",")]


Texts = Annotated[list[str], NoDecode, BeforeValidator(_split)]


def _split_addresses(value: Any) -> Any:
    """The same for addresses, whose options have commas too: `0.0.0.0:9000,[::]:9443,tls`."""
    return re.split(r",(?=[^,]*:)", value) if isinstance(value, str) else value


def _address(value: str) -> str:
    """Refuse what nothing can listen on."""
    parse_listen(value)
    return value


Addresses = Annotated[
    list[Annotated[str, AfterValidator(_address)]], NoDecode, BeforeValidator(_split_addresses)
]


def _network(value: str) -> str:
    """Refuse what is neither an address nor a network."""
    read_network(value)
    return value


Networks = Annotated[
    list[Annotated[str, AfterValidator(_network)]], NoDecode, BeforeValidator(_split)
]


def _station_url(value: str) -> str:
    """Refuse what no station can dial."""
    return read_station_url(value) if value else value


def _command_line(value: str) -> str:
    """Refuse quotes that are not closed."""
    shlex.split(value)
    return value


CommandLine = Annotated[str, AfterValidator(_command_line)]


class ConfigError(Invalid):
    """A setting that cannot be used; the message says which and why."""

    code = "bad_configuration"


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Onboarding(_Section):
    """Stations that nobody registered."""

    mode: Literal["closed", "manual", "open"] = Field(
        "manual",
        description="closed: refuse them; manual: hold them in the inbox; open: register them",
    )
    allow_no_password: bool = Field(
        False, description="let a station in that has no password set; for development only"
    )


class Ocpp(_Section):
    """The conversation with stations."""

    call_timeout_s: Seconds = Field(30.0, description="how long a station may take to answer")
    heartbeat_interval_s: int = Field(
        300, ge=10, le=86_400, description="the interval given in the answer to a boot"
    )
    ping_interval_s: Seconds = Field(30.0, description="how often we ping each station")
    pong_timeout_s: Seconds = Field(
        50.0, description="silence after which a station that has ponged before is given up"
    )
    silent_timeout_s: Seconds = Field(
        180.0, description="the same for stations that never pong; at least three heartbeats"
    )
    ready_silence_s: Seconds = Field(
        5.0, description="silence after a connect before one boot is asked for"
    )
    ready_trigger_s: Seconds = Field(
        30.0, description="how long that question may stay unanswered before commands go out"
    )
    boot_retry_s: int = Field(
        10, ge=1, le=3600, description="the interval given with Pending and Rejected"
    )
    handshake_timeout_s: Seconds = Field(
        10.0, description="from accepting a socket to the end of its request head"
    )
    assume_subprotocol: Literal["", "1.6"] = Field(
        "", description="the version of stations that offer no subprotocol; empty refuses them"
    )
    strict: bool = Field(
        False, description="answer messages that break the schema with the exact CALLERROR"
    )
    max_sockets: int = Field(20_000, ge=1, description="station sockets at most")
    messages_per_s: float = Field(
        20.0, gt=0, le=10_000, description="what a station may send for long; beyond it waits"
    )
    messages_burst: int = Field(
        200, ge=1, le=100_000, description="messages that a station may send at once"
    )


class Tls(_Section):
    """TLS of our own, for listeners with tls or mtls. Files are in PEM."""

    certificates: Texts = Field(
        default_factory=list,
        description="our certificate with its chain; one with an RSA and one with an EC key",
    )
    keys: Texts = Field(
        default_factory=list, description="the private keys of these, in the same order"
    )
    client_ca: str = Field("", description="who signs the certificates of stations; for mtls")
    client_organizations: Texts = Field(
        default_factory=list,
        description="organizations (O) that such a certificate may name; empty: any",
    )
    static_rsa: bool = Field(
        False, description="offer TLS_RSA suites too, which old stations need and the others avoid"
    )


class Authorization(_Section):
    """Who may charge."""

    unknown_id_tokens: Literal["accept", "refuse"] = Field(
        "accept", description="what an id token gets that nobody has entered; it is recorded"
    )
    max_transactions_per_id_token: int = Field(
        0, ge=0, description="answer ConcurrentTx beyond so many open ones; 0: no limit"
    )


class Programs(_Section):
    """Programs of yours, for what csms does not do itself."""

    signer: CommandLine = Field(
        "",
        description="signs certificates, PEM in and out; empty refuses, manual keeps for a person",
    )
    provider: CommandLine = Field(
        "", description="answers on certificate status, contracts, VAT numbers; JSON in and out"
    )
    timeout_s: Seconds = Field(20.0, description="how long one of them may take")


class Jobs(_Section):
    """Bulk work."""

    max_items: int = Field(100_000, ge=1, description="most items of one job")
    max_open_items: int = Field(500_000, ge=1, description="most unfinished items of all jobs")
    max_parallel: int = Field(256, ge=1, description="items of one job in flight at once")
    bulk_slots: int = Field(512, ge=1, description="bulk items in flight at once, all jobs")
    interactive_slots: int = Field(64, ge=1, description="slots that bulk work never takes")
    evidence_window_s: Seconds = Field(
        120.0, description="how long an unanswered one-shot command waits for evidence"
    )
    reconnect_grace_s: Seconds = Field(
        120.0, description="after a restart: how long known stations are not called offline"
    )
    kept_days: int = Field(
        30, ge=7, le=36_500, description="how long a job that is over is kept with its items"
    )


class FleetSection(_Section):
    """Virtual stations in this process."""

    provisioning: Literal["register", "virtual"] = Field(
        "register", description="what a bulk create makes unless its template says"
    )
    max_in_process: int = Field(2000, ge=0, description="virtual stations at most")
    allowed_targets: Texts = Field(
        default_factory=list,
        description="origins they may dial besides this server and loopback, wss://host:port",
    )
    frames: str = Field("", description="record every frame of theirs in this file")
    verify_timeout_s: Seconds = Field(
        20.0, description="how long a new one may take until its boot is accepted"
    )


class Api(_Section):
    """REST."""

    body_limit_bytes: int = Field(1024 * 1024, ge=1024, description="largest request body")
    bulk_body_limit_bytes: int = Field(
        8 * 1024 * 1024, ge=1024, description="the same on the bulk routes"
    )
    requests_per_minute: int = Field(
        12_000, ge=0, description="what one token may ask in a minute, else 429; 0: no limit"
    )
    failed_tokens_per_minute: int = Field(
        60, ge=0, description="tokens that are not valid from one address, else 429; 0: no limit"
    )
    audit_kept_days: int = Field(
        365, ge=1, le=36_500, description="how long it is kept who wrote what"
    )


class Webhooks(_Section):
    """Events told to receivers of yours over HTTP."""

    allowed_targets: Texts = Field(
        default_factory=list,
        description="origins that may be private or plain http, http://host:port or a bare host",
    )
    timeout_s: float = Field(10.0, gt=0, le=60, description="how long one delivery may take")
    disable_after_days: float = Field(
        5.0, gt=0, le=365, description="a receiver that takes nothing for so long is told no more"
    )
    deliveries_kept_days: int = Field(
        7, ge=4, le=365, description="how long it is kept what was delivered"
    )


class Files(_Section):
    """Firmware for stations and logs from them, over links of this server's."""

    url: str = Field(
        "",
        pattern="^(https?://[^/?#@\\s]+(/[^?#\\s]*)?)?$",
        description="where stations reach /files, https://host; empty: as we are reached otherwise",
    )
    firmware_limit_bytes: int = Field(1024**3, ge=1, description="largest firmware image")
    log_limit_bytes: int = Field(256 * 1024**2, ge=1, description="largest log of a station")
    keep_free_bytes: int = Field(
        256 * 1024**2, ge=0, description="space on the disk that files leave to everything else"
    )
    link_lifetime_s: Seconds = Field(
        86_400.0, description="how long a station may take until it fetches or sends"
    )
    logs_kept_days: int = Field(30, ge=1, le=36_500, description="how long logs are kept")
    logs_kept_bytes: int = Field(
        2 * 1024**3, ge=0, description="how much of them; the oldest go first"
    )


class Log(_Section):
    """What the process says on stderr."""

    level: Literal["debug", "info", "warning", "error"] = Field("info", description="least level")
    format: Literal["console", "json"] = Field("console", description="for people or programs")


def _default_data_dir() -> Path:
    return Path(platformdirs.user_data_dir("csms"))


class Config(BaseSettings):
    """The whole configuration, checked."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True
    )

    listen: Addresses = Field(
        default_factory=lambda: ["127.0.0.1:9000"],
        description=(
            "where to listen, HOST:PORT[,tls|,mtls][,ocpp-only|,api-only]; several are possible"
        ),
    )
    data_dir: Path = Field(
        default_factory=_default_data_dir, description="everything that is kept lives here"
    )
    external_url: Annotated[str, AfterValidator(_station_url)] = Field(
        "",
        description="the URL stations reach us by, wss://host/ocpp, when a proxy stands before",
    )
    trusted_proxies: Networks = Field(
        default_factory=list,
        description="addresses of our own proxies; what others forward is not believed",
    )
    dev: bool = Field(
        False,
        description="for development: open onboarding, no passwords, virtual stations, strict",
    )
    onboarding: Onboarding = Onboarding()
    ocpp: Ocpp = Ocpp()
    tls: Tls = Tls()
    authorization: Authorization = Authorization()
    programs: Programs = Programs()
    jobs: Jobs = Jobs()
    fleet: FleetSection = FleetSection()
    api: Api = Api()
    files: Files = Files()
    webhooks: Webhooks = Webhooks()
    log: Log = Log()


class _FileSource(PydanticBaseSettingsSource):
    """The TOML file, handed over by `load`."""

    values: Mapping[str, Any] = {}

    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:
        """Unused: `__call__` gives all values at once."""
        raise NotImplementedError

    def __call__(self) -> dict[str, Any]:
        return dict(self.values)


# What --dev changes; anything set explicitly wins over it.
DEV: Mapping[str, Mapping[str, Any]] = {
    "onboarding": {"mode": "open", "allow_no_password": True},
    "ocpp": {"strict": True, "assume_subprotocol": "1.6"},
    "fleet": {"provisioning": "virtual"},
    "webhooks": {"allowed_targets": ["127.0.0.1", "localhost"]},
}


def load(
    flags: Mapping[str, Any] | None = None,
    *,
    file: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> Config:
    """The checked configuration; raises ConfigError with one line that names the setting."""
    _check_environment(os.environ if environment is None else environment)
    given = {} if file is None else read(file)
    dev = (flags or {}).get("dev") or is_true(os.environ.get("CSMS_DEV")) or given.get("dev")
    source = type("_File", (_FileSource,), {"values": _merged(DEV, given) if dev else given})
    try:
        return _with_source(source)(**(flags or {}))
    except ValidationError as error:
        raise ConfigError(_explain(error, file)) from error


def _with_source(source: type[_FileSource]) -> type[Config]:
    class Loaded(Config):
        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            *_: PydanticBaseSettingsSource,
            **named: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            return named["init_settings"], named["env_settings"], source(settings_cls)

    return Loaded


def is_true(text: str | None) -> bool:
    """What counts as yes in the environment."""
    return (text or "").lower() in {"1", "true", "yes", "on"}


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        known = merged.get(key)
        nested = isinstance(known, Mapping) and isinstance(value, Mapping)
        merged[key] = {**known, **value} if nested else value  # type: ignore[dict-item]
    return merged


def read(file: Path) -> dict[str, Any]:
    """What a TOML file sets; raises ConfigError."""
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read {file}: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{file} is not valid TOML: {error}") from error


def names(model: type[BaseModel] = Config, prefix: str = "") -> Iterator[str]:
    """Every setting as `section.name`."""
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from names(field.annotation, f"{prefix}{name}.")
        else:
            yield prefix + name


def _check_environment(environment: Mapping[str, str]) -> None:
    known = {PREFIX + name.replace(".", "__").upper() for name in names()} | OUTSIDE
    for variable in environment:
        if variable.startswith(PREFIX) and variable.upper() not in known:
            raise ConfigError(f"unknown setting {variable}{_nearest(variable, known)}")


def _nearest(name: str, known: Any) -> str:
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f"; did you mean {close[0]}?" if close else ""


def _explain(error: ValidationError, file: Path | None) -> str:
    first = error.errors()[0]
    name = ".".join(str(part) for part in first["loc"] if not isinstance(part, int))
    where = f" in {file}" if file is not None else ""
    if first["type"] == "extra_forbidden":
        return f"unknown setting {name}{where}{_nearest(name, names())}"
    reason = first["msg"].removeprefix("Value error, ")
    given = first.get("input")
    if isinstance(given, dict):
        return f"setting {name}{where}: {reason}"
    shown = _USER_OF_URL.sub("//***@", repr(given))  # a password is nobody's business
    return f"setting {name}{where}: {reason} (given: {shown})"


def example() -> str:
    """The text of config.example.toml: every setting with its default and its help."""
    lines = [
        "# Every setting of csms with its default. Flags win over the environment",
        "# (CSMS_OCPP__CALL_TIMEOUT_S), the environment over this file.",
        "",
    ]
    sections: list[str] = []
    for name, field in Config.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            sections += ["", f"# {(kind.__doc__ or '').splitlines()[0]}", f"[{name}]"]
            for key, inner in kind.model_fields.items():
                sections += _entry(key, inner.get_default(call_default_factory=True), inner)
        elif name == "data_dir":
            lines += [
                f"# {field.description}",
                '# data_dir = "…"  # default: the user\'s data folder',
            ]
        else:
            lines += _entry(name, field.get_default(call_default_factory=True), field)
    return "\n".join([*lines, *sections]) + "\n"


def _entry(name: str, default: Any, field: Any) -> list[str]:
    return [f"# {field.description}", f"{name} = {as_toml(default)}"]


def as_toml(value: Any) -> str:
    """A value as the file would have it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "[" + ", ".join(as_toml(one) for one in value) + "]"
    if isinstance(value, str | Enum):
        return json.dumps(str(value), ensure_ascii=False)
    return repr(value)


if __name__ == "__main__":
    import sys

    sys.stdout.write(example())
