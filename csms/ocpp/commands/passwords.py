"""How a station is told its password, and that no command of anybody else does it.

A command would be echoed, and one password for many is none.
"""

from __future__ import annotations

from csms.domain.versions import OcppVersion
from csms.errors import Invalid
from csms.ocpp.commands.command import Answer, Order
from csms.ocpp.commands.device_variables import VariableName, name_v2x, name_v16, read_results
from csms.ocpp.fields import objects
from csms.ocpp.frames import JsonObject

_PASSWORD = VariableName(component="SecurityCtrlr", variable="BasicAuthPassword")


def tell_password(version: OcppVersion, password: str) -> Order:
    """The CALL that gives a station its new password."""
    if version is OcppVersion.V16:  # which writes its bytes as hexadecimal digits
        value = password.encode().hex()
        return Order("ChangeConfiguration", {"key": name_v16(_PASSWORD), "value": value})
    return Order(
        "SetVariables",
        {"setVariableData": [{**name_v2x(_PASSWORD), "attributeValue": password}]},
    )


def read_told(payload: JsonObject) -> Answer:
    """What the station says to it."""
    return read_results(payload, "setVariableResult")


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
