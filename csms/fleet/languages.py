"""Every version of OCPP that virtual stations speak."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from csms.domain.versions import OcppVersion
from csms.fleet.device import Language
from csms.fleet.v2x import V2X
from csms.fleet.v16 import V16

LANGUAGES: Mapping[OcppVersion, Language] = MappingProxyType(
    {OcppVersion.V16: V16, OcppVersion.V201: V2X, OcppVersion.V21: V2X}
)
