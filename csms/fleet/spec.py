"""What a virtual station is: everything about it that does not change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from csms.domain.versions import OcppVersion
from csms.fleet.faults import Faults
from csms.fleet.physics import CurrentType, Supply


@dataclass(frozen=True, slots=True)
class StationSpec:
    """One virtual station."""

    identity: str
    url: str
    """The CSMS, without the identity; `{identity}` marks its place when it is not the end."""
    version: OcppVersion = OcppVersion.V16
    password: bytes | None = None
    vendor: str = "Generic"
    model: str = "Virtual AC"
    firmware: str = "1.0.0"
    serial_number: str | None = None
    connectors: int = 1
    connector_type: str = "cType2"
    supply: Supply = field(default_factory=lambda: Supply(CurrentType.AC, 22_000, 3))
    seed: int = 0
    """Together with the identity it decides everything random about the station."""
    faults: Faults = field(default_factory=Faults)
    configuration: Mapping[str, str] = field(default_factory=dict)
    """Settings that differ from the defaults, by `Knob.name`."""
    compression: bool = False
    """Whether it offers permessage-deflate where its version knows of it, for 256 KiB."""
    reboot_s: float = 1.0
    """About how long a restart takes."""
    step_s: float = 2.0
    """How long each step of a firmware update or a log upload takes."""


def offers_compression(spec: StationSpec) -> bool:
    """Whether it offers permessage-deflate; OCPP 1.6 knows of none."""
    return spec.compression and spec.version is not OcppVersion.V16


def url_of(spec: StationSpec) -> str:
    """Where the station dials."""
    name = quote(spec.identity, safe="")
    if "{identity}" in spec.url:
        return spec.url.replace("{identity}", name)
    return f"{spec.url.rstrip('/')}/{name}"
