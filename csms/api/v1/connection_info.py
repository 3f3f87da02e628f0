"""What to enter in a station so that it connects here, with a QR code to read it by."""

from __future__ import annotations

import io
from typing import Annotated

import segno
from pydantic import Field, StringConstraints

from csms.api.models import Shape, Strict
from csms.api.routing import Call, Reply
from csms.domain.identity import check_identity
from csms.domain.onboarding import Onboarding
from csms.domain.versions import BY_PREFERENCE
from csms.ocpp import makers
from csms.services.reach import Reach, open_to_the_network, reaches

_PLACEHOLDER = "<identity>"
Text = Annotated[str, StringConstraints(max_length=255)]


class ConnectionQuery(Strict):
    """Which station, as far as it is known."""

    identity: Text | None = Field(default=None, description="Put into the URLs and the QR code.")
    vendor: Text | None = Field(
        default=None, description="One of `makers`, or as in its boot, such as `Wall Box Chargers`."
    )
    model: Text | None = None


class StationUrl(Shape):
    """One URL by which stations reach this server."""

    url: str = Field(description="For stations that append their identity by themselves.")
    url_with_identity: str = Field(description="For stations that want the whole URL.")
    interface: str | None = Field(
        description="The network interface with that address; null: the setting `external_url`."
    )
    security_profile: int = Field(
        description="1: a password. 2: over TLS; the station has to know our root certificate."
        " 3: the station shows a certificate."
    )
    only_this_machine: bool


class SetupStep(Shape):
    """What stations of this make need."""

    who: str
    text: str
    sources: list[str] = Field(
        description="Where it was told: `owner/repository#number` on GitHub, or a URL."
    )


class ConnectionInfo(Shape):
    """What to enter in a station, the best URL first."""

    urls: list[StationUrl]
    subprotocols: list[str]
    onboarding: Onboarding = Field(description="What happens to a station that nobody registered.")
    steps: list[str]
    known: list[SetupStep] = Field(description="Of the vendor and model that were asked for.")
    makers: list[str] = Field(description="Whose steps are known; each is a `vendor` to ask for.")
    qr_svg: str | None = Field(
        description="The first URL as a QR code, an SVG document; null when there is no URL."
    )


async def show(call: Call[None, ConnectionQuery]) -> Reply:
    """For a person who stands before a station."""
    query, settings = call.query, call.deps.settings
    identity = None if query.identity is None else check_identity(query.identity)
    found = reaches(settings.listening, settings.external_url)
    mode = call.deps.hub.settings.onboarding
    shown = ConnectionInfo(
        urls=[_shape(reach, identity) for reach in found],
        subprotocols=[version.subprotocol for version in BY_PREFERENCE],
        onboarding=mode,
        steps=_steps(found, mode),
        known=_known(query),
        makers=[maker.name for maker in makers.load()],
        qr_svg=_qr_svg(found[0], identity) if found else None,
    )
    return Reply(shown)


def _shape(reach: Reach, identity: str | None) -> StationUrl:
    whole = f"{reach.url}/{_PLACEHOLDER}" if identity is None else reach.of(identity)
    return StationUrl(
        url=reach.url,
        url_with_identity=whole,
        interface=reach.interface,
        security_profile=reach.security_profile,
        only_this_machine=reach.is_local,
    )


def _steps(found: list[Reach], mode: Onboarding) -> list[str]:
    steps = []
    if all(reach.is_local for reach in found):
        listen = open_to_the_network(found)
        steps.append(f"Start the server with --listen {listen}: no station reaches it now.")
    steps.append("In the station, choose OCPP JSON (websocket, not SOAP) 1.6, 2.0.1 or 2.1.")
    steps.append(
        "Enter the first URL that the station's network can reach. If it has a field of its own"
        " for the identity, enter the URL without it; else the whole URL."
    )
    if any(reach.url.startswith("wss:") for reach in found):
        steps.append("For a wss:// URL the station has to know our root certificate first.")
    if mode is Onboarding.MANUAL:
        steps.append(
            "Save, and look under Not let in, or at csms stations list --inbox: accept it there."
        )
        steps.append("If a password is shown then, enter it in the station; mind blanks.")
    elif mode is Onboarding.CLOSED:
        steps.append("Add the station here first, and enter the password that is shown.")
    steps.append("Nothing happens? Switch the station off and on; the inbox tells what is wrong.")
    return steps


def _known(query: ConnectionQuery) -> list[SetupStep]:
    return [
        SetupStep(who=maker.name, text=maker.steps, sources=maker.sources)
        for maker in makers.load()
        if maker.fits(query.vendor, query.model)
    ]


def _qr_svg(reach: Reach, identity: str | None) -> str:
    text = reach.url if identity is None else reach.of(identity)
    drawn = io.BytesIO()
    segno.make(text, micro=False, error="m").save(
        drawn, kind="svg", scale=4, xmldecl=False, nl=False, light="#fff", title=text
    )
    return drawn.getvalue().decode()
