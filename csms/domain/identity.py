"""The identity of a charging station: which strings may be one, and when two are the same."""

from __future__ import annotations

from csms.errors import Invalid

# OCPP 2.1 part 4, 3.1.1: identifierString of at most 48 characters, without a colon
# (the Basic user name is the identity, and a colon ends it).
MAX_LENGTH = 48
BY_IDENTITY = "identity:"
"""Before an identity where an id may stand too; no identity has a colon."""
_FORBIDDEN = frozenset("/:")
_FOLD = str.maketrans({chr(c): chr(c + 32) for c in range(ord("A"), ord("Z") + 1)})


def identity_key(identity: str) -> str:
    """The form identities are matched in: without ASCII case, everything else untouched."""
    return identity.translate(_FOLD)


def name_key(name: str) -> str:
    """The form in which the names of a certificate are matched; as `store/stations.py` does."""
    return identity_key(name.strip(" "))


def why_not_an_identity(text: str) -> str | None:
    """The reason `text` cannot be a station's identity, or None when it can."""
    if not text:
        return "identity is empty"
    if len(text) > MAX_LENGTH:
        return f"identity has {len(text)} characters, at most {MAX_LENGTH} are allowed"
    for character in text:
        if character in _FORBIDDEN:
            return f"identity must not contain {character!r}"
        if not character.isprintable():
            return "identity must not contain control or unprintable characters"
    return None


def check_identity(text: str) -> str:
    """`text` unchanged; raises Invalid with the reason when it cannot be an identity."""
    reason = why_not_an_identity(text)
    if reason is not None:
        raise Invalid(reason, loc=("identity",), given=text, code="invalid_identity")
    return text
