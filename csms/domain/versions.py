"""The OCPP versions and how the world spells them."""

from __future__ import annotations

from enum import Enum

from csms.errors import Invalid


class OcppVersion(str, Enum):
    """The value is what we store and print natively."""

    V16 = "1.6"
    V201 = "2.0.1"
    V21 = "2.1"

    @property
    def subprotocol(self) -> str:
        """The websocket subprotocol, as registered with IANA."""
        return f"ocpp{self.value}"

    @property
    def label(self) -> str:
        """The chargers dialect's spelling, `OCPP1.6`."""
        return f"OCPP{self.value}"


# Newest first: the order in which we choose among what both ends speak.
BY_PREFERENCE = (OcppVersion.V21, OcppVersion.V201, OcppVersion.V16)


def parse_version(text: str) -> OcppVersion:
    """Accepts `1.6`, `1.6J`, `ocpp1.6`, `OCPP2.0.1`, `v201`, …; raises Invalid."""
    plain = text.strip().lower().removeprefix("ocpp").strip(" -_v").removesuffix("j").rstrip("-")
    for version in OcppVersion:
        if plain in {version.value, version.value.replace(".", "")}:
            return version
    raise Invalid(
        f"unknown OCPP version {text!r}; known are OCPP1.6, OCPP2.0.1 and OCPP2.1",
        loc=("ocpp_version",),
        given=text,
        code="unknown_ocpp_version",
    )
