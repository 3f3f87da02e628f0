"""Every order we can give a station: the commands by name, and raw actions by schema."""

from __future__ import annotations

from typing import Any

import orjson

from csms.domain.jobs import CommandClass
from csms.domain.versions import OcppVersion
from csms.errors import Invalid, NotSupportedByVersion
from csms.ocpp import directions, schemas
from csms.ocpp.commands import (
    adjust_periodic_event_stream,
    afrr_signal,
    cancel_reservation,
    certificate_signed,
    change_availability,
    change_transaction_tariff,
    clear_cache,
    clear_charging_profile,
    clear_der_control,
    clear_display_message,
    clear_tariffs,
    clear_variable_monitoring,
    cost_updated,
    customer_information,
    data_transfer,
    delete_certificate,
    get_base_report,
    get_charging_profiles,
    get_composite_schedule,
    get_der_control,
    get_display_messages,
    get_installed_certificate_ids,
    get_local_list_version,
    get_log,
    get_monitoring_report,
    get_periodic_event_stream,
    get_report,
    get_tariffs,
    get_transaction_status,
    get_variables,
    install_certificate,
    notify_allowed_energy_transfer,
    notify_web_payment_started,
    publish_firmware,
    raise_security_profile,
    request_battery_swap,
    request_start_transaction,
    request_stop_transaction,
    reserve_now,
    reset,
    send_local_list,
    set_charging_profile,
    set_default_tariff,
    set_der_control,
    set_display_message,
    set_monitoring_base,
    set_monitoring_level,
    set_network_profile,
    set_variable_monitoring,
    set_variables,
    trigger_message,
    unlock_connector,
    unpublish_firmware,
    update_dynamic_schedule,
    update_firmware,
    use_priority_charging,
)
from csms.ocpp.commands import params as parameters
from csms.ocpp.commands.command import Command, Order
from csms.ocpp.commands.passwords import refuse_password
from csms.ocpp.frames import JsonObject

# No station takes more in one message; explaining what is wrong with a larger one takes seconds.
MAX_PAYLOAD_BYTES = 64 * 1024

COMMANDS: dict[str, Command] = {
    module.COMMAND.name: module.COMMAND
    for module in (
        adjust_periodic_event_stream,
        afrr_signal,
        cancel_reservation,
        certificate_signed,
        change_availability,
        change_transaction_tariff,
        clear_cache,
        clear_charging_profile,
        clear_der_control,
        clear_display_message,
        clear_tariffs,
        clear_variable_monitoring,
        cost_updated,
        customer_information,
        data_transfer,
        delete_certificate,
        get_base_report,
        get_charging_profiles,
        get_composite_schedule,
        get_der_control,
        get_display_messages,
        get_installed_certificate_ids,
        get_local_list_version,
        get_log,
        get_monitoring_report,
        get_periodic_event_stream,
        get_report,
        get_tariffs,
        get_transaction_status,
        get_variables,
        install_certificate,
        notify_allowed_energy_transfer,
        notify_web_payment_started,
        publish_firmware,
        raise_security_profile,
        request_battery_swap,
        request_start_transaction,
        request_stop_transaction,
        reserve_now,
        reset,
        send_local_list,
        set_charging_profile,
        set_default_tariff,
        set_der_control,
        set_display_message,
        set_monitoring_base,
        set_monitoring_level,
        set_network_profile,
        set_variable_monitoring,
        set_variables,
        trigger_message,
        unlock_connector,
        unpublish_firmware,
        update_dynamic_schedule,
        update_firmware,
        use_priority_charging,
    )
}

_BY_ACTION = {
    (version, action): command
    for command in COMMANDS.values()
    if not command.borrows_actions
    for version, action in [
        *command.actions.items(),
        *((OcppVersion.V16, action) for action in command.decode_v16),
    ]
}


def by_action(version: OcppVersion, action: str) -> Command | None:
    """The command that an action of `version` is, when it is one of ours."""
    return _BY_ACTION.get((version, action))


def for_action(version: OcppVersion, action: str) -> Command:
    """The command of an action, or how to treat one that is only passed through."""
    return by_action(version, action) or _passed_through(version, action)


def typed(version: OcppVersion, name: str, values: JsonObject) -> Order:
    """The checked CALL of a command in our words, for a station of `version`.

    Raises Invalid with the path into `values` for what no station may be sent, and
    NotSupportedByVersion for what those of this version cannot be.
    """
    command = COMMANDS.get(name)
    if command is None:
        known = ", ".join(sorted(COMMANDS))
        raise Invalid(f"unknown command {name!r}; known are: {known}", code="unknown_command")
    order = command.order(version, parameters.parse(command.params, values))
    for call in (order, *order.then):
        _refuse(call.action, call.payload)
        violation = schemas.violation(version, call.action, "request", call.payload)
        if violation is not None:  # a limit that other versions do not have
            raise NotSupportedByVersion(f"OCPP {version.value} has no room: {violation.message}")
    return order


def in_our_words(version: OcppVersion, action: str, payload: JsonObject) -> tuple[str, JsonObject]:
    """The command and the parameters that a raw CALL says; raises NotSupportedByVersion.

    Only 1.6 is read: what was given in words of 2.x stays among the stations that speak them.
    """
    command = by_action(version, action)
    decode = None if command is None else command.decode_v16.get(action)
    if command is None or decode is None or version is not OcppVersion.V16:
        raise NotSupportedByVersion(f"it was given in words of OCPP {version.value}")
    try:
        values = parameters.dump(decode(payload))
        parameters.parse(command.params, values)
    except Invalid as error:
        raise NotSupportedByVersion(error.message) from error
    return command.name, values


def raw(version: OcppVersion, action: str, payload: JsonObject) -> Order:
    """The CALL as given; raises Invalid with the path into `payload` when it must not go out."""
    check(version, action, payload)
    return Order(action, payload)


def check(version: OcppVersion, action: str, payload: JsonObject) -> None:
    """Raise Invalid when `action` is not one for stations or may not have this `payload`."""
    if not schemas.knows(version, action):
        raise Invalid(f"OCPP {version.value} has no action {action!r}", code="unknown_action")
    if not directions.goes_to_station(version, action):
        raise Invalid(f"{action} is sent by stations, not to them", code="unknown_action")
    _refuse(action, payload)
    violation = schemas.violation(version, action, "request", payload)
    if violation is not None:
        raise Invalid(violation.message, loc=tuple(violation.path), kind="schema")
    command = by_action(version, action)
    if command is not None and version is OcppVersion.V16 and action in command.check_v16:
        command.check_v16[action](payload)


def _refuse(action: str, payload: JsonObject) -> None:
    """Raise Invalid for what no station gets from us."""
    if len(orjson.dumps(payload)) > MAX_PAYLOAD_BYTES:
        raise Invalid(f"a payload has at most {MAX_PAYLOAD_BYTES} bytes", code="too_large")
    refuse_password(action, payload)


def _passed_through(version: OcppVersion, action: str) -> Command:
    def encode(payload: Any) -> Order:
        return Order(action, payload)

    # Every Get… of every version only reads; of the rest we know nothing.
    reads = action.startswith("Get")
    return Command(
        name=action,
        summary=f"{action}, passed through",
        command_class=CommandClass.A if reads else CommandClass.C,
        params=dict,
        actions={version: action},
        encode={version: encode},
    )
