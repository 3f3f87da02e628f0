"""Which known token an unknown one may be: stations spell the same card in many ways."""

from __future__ import annotations

from enum import Enum

# Shorter ones resemble too much.
_MIN_LENGTH = 8
_MAX_LENGTH = 64
_FULL_LENGTH = 20
_MAX_GARBAGE = 4
_HEX = frozenset("0123456789abcdef")
_SEPARATORS = str.maketrans("", "", " :-.")


class Resemblance(str, Enum):
    """How an unknown token is spelled, compared with the known one that it may be."""

    SEPARATORS = "separators"
    """It differs by blanks, colons, dashes or dots only."""
    REVERSED = "reversed"
    """Its bytes come in the other order."""
    BYTE_MISSING = "byte_missing"
    """It has no seventh byte."""
    CUT_OFF = "cut_off"
    """Its end is missing."""
    SERIAL_APPENDED = "serial_appended"
    """An underscore follows and the serial number of a station: `<card>_<serial>`."""
    GARBAGE_APPENDED = "garbage_appended"
    """It has all 20 characters that OCPP 1.6 gives a tag, and a few more follow."""
    LONGER = "longer"
    """Something else follows."""


def plain(key: str) -> str:
    """The key without what stations put between the bytes of a card."""
    return key.translate(_SEPARATORS)


def known_spellings(shown: str) -> list[str]:
    """The plain keys of known tokens, no longer than the shown one, that it may be."""
    shown = shown[:_MAX_LENGTH]
    spellings = [shown[:length] for length in range(_MIN_LENGTH, len(shown))]
    if _is_bytes(shown):
        spellings.append(_reversed(shown))
    return [shown, *spellings]


def may_be_cut_off(shown: str) -> bool:
    """Whether it is long enough to look for tokens that begin like it."""
    return len(shown) >= _MIN_LENGTH


def resemblance(shown: str, known: str) -> Resemblance | None:
    """How the shown plain key resembles a known one; None when it does not."""
    if shown == known:
        return Resemblance.SEPARATORS
    if _is_bytes(shown) and _reversed(shown) == known:
        return Resemblance.REVERSED
    if min(len(shown), len(known)) < _MIN_LENGTH:
        return None
    if known.startswith(shown):
        is_short_card = (len(shown), len(known)) == (12, 14) and _is_bytes(known)
        return Resemblance.BYTE_MISSING if is_short_card else Resemblance.CUT_OFF
    return _longer(shown, known) if shown.startswith(known) else None


def _longer(shown: str, known: str) -> Resemblance:
    if shown[len(known)] == "_":
        return Resemblance.SERIAL_APPENDED
    if len(known) == _FULL_LENGTH and len(shown) <= _FULL_LENGTH + _MAX_GARBAGE:
        return Resemblance.GARBAGE_APPENDED
    return Resemblance.LONGER


def _is_bytes(text: str) -> bool:
    return len(text) >= _MIN_LENGTH and len(text) % 2 == 0 and _HEX.issuperset(text)


def _reversed(text: str) -> str:
    return "".join(text[at : at + 2] for at in range(len(text) - 2, -1, -2))
