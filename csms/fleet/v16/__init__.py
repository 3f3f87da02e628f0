"""OCPP 1.6 as virtual stations speak it."""

from __future__ import annotations

from csms.fleet.device import Language
from csms.fleet.v16 import commands, offers
from csms.fleet.v16.speech import SpeechV16

V16 = Language(
    speech=SpeechV16,
    answers={**commands.ANSWERS, **offers.ANSWERS},
    refuse=commands.refuse,
    rejected_error=None,  # 1.6 4.2: a rejected station does not respond to the CSMS
)
