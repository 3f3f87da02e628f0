"""No command writes a station's password: it would be echoed, and one for many is none."""

from __future__ import annotations

from csms.errors import Invalid
from csms.ocpp.frames import JsonObject


def refuse_password(action: str, payload: JsonObject) -> None:
    """Raise Invalid when the CALL would set the Basic auth password, in any version."""
    if action == "ChangeConfiguration" and _is(payload.get("key"), "authorizationkey"):
        raise _refusal(("key",))
    if action != "SetVariables":
        return
    items = payload.get("setVariableData")
    for index, item in enumerate(items if isinstance(items, list) else []):
        variable = item.get("variable") if isinstance(item, dict) else None
        if isinstance(variable, dict) and _is(variable.get("name"), "basicauthpassword"):
            raise _refusal(("setVariableData", index, "variable", "name"))


def _is(given: object, name: str) -> bool:
    # Stations compare names without case and some trim them.
    return isinstance(given, str) and given.strip().casefold() == name


def _refusal(loc: tuple[str | int, ...]) -> Invalid:
    return Invalid(
        "a password is not set by a command; use credentials/rotate",
        loc=loc,
        code="use_credentials_rotate",
    )
