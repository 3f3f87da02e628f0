"""OCPP 2.0.1 and 2.1 as virtual stations speak them."""

from __future__ import annotations

from csms.fleet.device import Language
from csms.fleet.v2x import commands, offers, variables
from csms.fleet.v2x.refusals import refuse
from csms.fleet.v2x.speech import SpeechV2x

V2X = Language(
    speech=SpeechV2x,
    answers={**commands.ANSWERS, **offers.ANSWERS, **variables.ANSWERS},
    refuse=refuse,
    rejected_error="SecurityError",  # 2.0.1 B03.FR.08
)
