"""No command writes a station's password: it would be echoed, and one for many is none."""

from __future__ import annotations

from csms.errors import Invalid
from csms.ocpp.fields import objects
from csms.ocpp.frames import JsonObject


def refuse_password(action: str, payload: JsonObject) -> None:
    """Raise Invalid when the CALL would set the Basic auth password, in any version."""
    if action == "ChangeConfiguration" and _is(payload.get("key"), "authorizationkey"):
        raise _refusal(("key",))
    if action == "SetVariables":
        for index, item in enumerate(objects(payload.get("setVariableData"))):
            if any(
                _is(variable.get("name"), "basicauthpassword")
                for variable in objects(item.get("variable"))
            ):
                raise _refusal(("setVariableData", index, "variable", "name"))
    if action == "SetNetworkProfile":  # OCPP 2.1
        for connection in objects(payload.get("connectionData")):
            if "basicAuthPassword" in connection:
                raise _refusal(("connectionData", "basicAuthPassword"))


def _is(given: object, name: str) -> bool:
    # Stations compare names without case and some trim them.
    return isinstance(given, str) and given.strip().casefold() == name


def _refusal(loc: tuple[str | int, ...]) -> Invalid:
    return Invalid(
        "a password is not set by a command; use credentials/rotate",
        loc=loc,
        code="use_credentials_rotate",
    )
