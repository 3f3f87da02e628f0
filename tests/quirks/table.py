"""Which test shows that a row of the files works; prints the tables of docs/quirks.md.

`python -m tests.quirks.table`
"""

from __future__ import annotations

from dataclasses import MISSING, fields
from typing import Any

from csms.ocpp.quirks import catalog
from csms.ocpp.quirks.catalog import Entry
from csms.ocpp.quirks.settings import Quirks

TRANSPORT, ORDER, PAYLOAD, ORDERS = (
    "quirks/test_transport.py",
    "quirks/test_order.py",
    "quirks/test_payload.py",
    "quirks/test_orders.py",
)
SHOWN_BY: dict[str, tuple[str, str]] = {
    "abb-dates": (PAYLOAD, "test_odd_times_do_not_cost_the_message"),
    "abb-measurands": (ORDERS, "test_an_order_that_does_harm_is_not_sent"),
    "abb-stack-level": (ORDERS, "test_an_order_that_does_harm_is_not_sent"),
    "accepted-without-effect": (
        "api/v1/test_jobs.py",
        "test_a_start_that_nothing_follows_had_no_effect",
    ),
    "alfen-transaction-id": (PAYLOAD, "test_alfen_reports_a_transaction_id_that_is_none"),
    "answer-too-quick": (ORDER, "test_the_pro_wallbox_gets_its_answers_a_little_later"),
    "autel-certificate": (
        "api/v1/test_quirks.py",
        "test_what_is_known_of_its_maker_is_shown_with_its_sources",
    ),
    "connects-beside-itself": ("ocpp/test_hub.py", "test_the_newest_connection_wins"),
    "deaf": (TRANSPORT, "test_a_station_that_hears_nothing_any_more_is_made_to_reconnect"),
    "easee-meter-interval": (ORDERS, "test_an_order_that_does_harm_is_not_sent"),
    "empty-frame": (TRANSPORT, "test_delta_sends_empty_frames"),
    "empty-token": (PAYLOAD, "test_an_empty_token_starts_a_transaction"),
    "empty-vendor": (PAYLOAD, "test_huawei_boots_with_an_empty_vendor"),
    "evbox-profile-in-start": (ORDERS, "test_an_order_that_does_harm_is_not_sent"),
    "evbox-stack-level": (ORDERS, "test_an_order_that_does_harm_is_not_sent"),
    "events-before-boot": (ORDER, "test_a_security_event_before_the_boot_is_answered"),
    "file-protocols": (ORDERS, "test_what_a_station_says_of_its_limits_counts"),
    "flapping": (TRANSPORT, "test_a_station_that_flaps_is_told_of_twice"),
    "foxess-version": (TRANSPORT, "test_fox_ess_is_spoken_to_in_1_6"),
    "free-before-stop": (
        "ocpp/actions/test_lost_stops.py",
        "test_a_free_connector_ends_the_transaction_after_five_minutes",
    ),
    "fractional-seconds": (ORDER, "test_every_time_we_write_has_milliseconds_and_ends_in_z"),
    "grizzl-e-ignores-maximum": (
        "api/v1/test_jobs.py",
        "test_what_is_drawn_shows_whether_a_station_keeps_to_its_maximum",
    ),
    "grizzl-e-locked": (
        "api/v1/test_quirks.py",
        "test_what_is_known_of_its_maker_is_shown_with_its_sources",
    ),
    "grizzl-e-measurands": (ORDERS, "test_an_order_that_does_harm_is_not_sent"),
    "held-by-developers": (ORDER, "test_a_station_is_held_for_as_long_as_its_row_says"),
    "huawei-limits": (ORDERS, "test_an_order_that_does_harm_is_not_sent"),
    "innogy-firmware": (ORDERS, "test_an_order_that_does_harm_is_not_sent"),
    "keba-connector-0": (ORDERS, "test_keba_takes_limits_for_connector_0_only"),
    "keba-tag-with-serial": (PAYLOAD, "test_keba_puts_a_serial_number_behind_a_tag"),
    "late-answer": (ORDER, "test_an_answer_after_the_wait_still_counts"),
    "late-heartbeat": (ORDER, "test_a_heartbeat_may_be_late"),
    "legrand-error-code": (PAYLOAD, "test_legrand_reports_an_error_code_of_its_own"),
    "long-serial": (PAYLOAD, "test_ev_link_has_a_long_serial_number"),
    "long-values": (ORDERS, "test_a_value_that_is_too_long_is_refused_before_it_is_sent"),
    "mennekes-slow": (ORDER, "test_mennekes_is_waited_for"),
    "necharge-steps": (ORDERS, "test_an_order_that_does_harm_is_not_sent"),
    "no-boot-on-reconnect": (
        ORDER,
        "test_a_station_that_only_lost_its_socket_is_asked_for_a_boot_once",
    ),
    "no-orders-on-connect": (ORDER, "test_en_plus_is_sent_nothing_that_nobody_ordered"),
    "no-pong": (TRANSPORT, "test_en_plus_never_pongs_and_is_not_pinged"),
    "no-status-on-reconnect": (
        ORDER,
        "test_connectors_that_tell_no_status_are_asked_one_by_one",
    ),
    "no-subprotocol": (TRANSPORT, "test_grizzl_e_offers_no_subprotocol"),
    "no-upgrade-header": (TRANSPORT, "test_autel_leaves_the_connection_header_out"),
    "odd-url": (TRANSPORT, "test_ids_are_found_however_they_are_spelled"),
    "one-connector": (ORDERS, "test_a_box_of_one_connector_may_be_told_both_ways"),
    "openevse-diagnostics": (ORDERS, "test_an_order_that_does_harm_is_not_sent"),
    "openevse-kwh": (PAYLOAD, "test_open_evse_counts_in_kwh_and_calls_it_wh"),
    "orders-cross-messages": (ORDERS, "test_messages_are_served_while_an_order_is_open"),
    "payload-of-another-version": (
        TRANSPORT,
        "test_fox_ess_sends_payloads_of_1_6_on_a_socket_of_2_0_1",
    ),
    "plain-utc-only": (ORDER, "test_every_time_we_write_has_milliseconds_and_ends_in_z"),
    "refuses-triggers": (ORDER, "test_growatt_is_not_asked_again_and_again"),
    "repeated-message-id": (PAYLOAD, "test_the_same_message_gets_the_same_answer"),
    "resent-meter-values": (
        PAYLOAD,
        "test_webasto_resends_its_meter_values_at_every_reconnect",
    ),
    "reserved-bits": (TRANSPORT, "test_a_reserved_bit_does_not_poison_the_next_connection"),
    "restarts-after-call": (ORDER, "test_an_order_that_is_followed_by_a_boot_twice_is_withheld"),
    "schneider-load-balancer": (ORDERS, "test_the_text_of_a_refusal_reaches_the_operator"),
    "schneider-totals": (PAYLOAD, "test_schneider_tells_totals_that_its_phases_contradict"),
    "short-error": (PAYLOAD, "test_every_spelling_of_an_error_is_read"),
    "smartevse-short-tags": (PAYLOAD, "test_smart_evse_reads_six_bytes_of_seven"),
    "stays-away": ("ocpp/test_hub.py", "test_stopping_says_1001_and_keeps_the_marks"),
    "stop-without-its-id": (
        "ocpp/actions/test_transactions_v16.py",
        "test_stop_with_an_unknown_id_ends_the_only_transaction_it_can_mean",
    ),
    "tag-case": (PAYLOAD, "test_a_tag_is_the_same_one_in_any_case"),
    "tag-spelling": (
        PAYLOAD,
        "test_a_station_may_be_told_to_spell_tags_in_its_own_way",
    ),
    "tag-with-garbage": (PAYLOAD, "test_ocular_starts_with_a_tag_that_has_garbage_behind"),
    "truncated-answer": (PAYLOAD, "test_grizzl_e_cuts_its_answers_off"),
    "unhandled-actions": (PAYLOAD, "test_what_no_version_has_is_refused_and_nothing_more"),
    "unknown-words": (PAYLOAD, "test_unknown_words_do_not_cost_the_message"),
    "version-probe": (
        TRANSPORT,
        "test_fox_ess_probes_one_version_and_comes_back_in_another",
    ),
    "wallbox-boot-loop": (ORDER, "test_wallbox_is_left_alone_after_its_boot"),
    "wallbox-profiles": (ORDERS, "test_an_order_that_does_harm_is_not_sent"),
}


def rows() -> list[str]:
    """The table of quirks, by who does it."""
    entries = sorted(catalog.load().entries, key=lambda entry: (entry.who.casefold(), entry.id))
    return [
        "| Quirk | Who | What it does | What csms does | Source | Test |",
        "|---|---|---|---|---|---|",
        *map(_row, entries),
    ]


def settings() -> list[str]:
    """The table of settings."""
    return [
        "| Setting | Default | Meaning |",
        "|---|---|---|",
        *(
            f"| `{field.name}` | {_default(field)} | {field.metadata['description']} |"
            for field in fields(Quirks)
        ),
    ]


def _row(entry: Entry) -> str:
    handling = entry.handling
    if entry.settings:
        handling += "; " + ", ".join(f"`{name}`" for name in entry.settings)
    file, test = SHOWN_BY[entry.id]
    cells = [
        f"`{entry.id}`",
        entry.who + (" †" if entry.match_guessed else ""),
        entry.symptom,
        handling,
        ", ".join(map(_link, entry.sources)),
        f"[{test}](../tests/{file})",
    ]
    return "| " + " | ".join(cells) + " |"


def _link(source: str) -> str:
    repository, _, number = source.partition("#")
    tail = f"/issues/{number}" if number else ""
    return f"[{source}](https://github.com/{repository}{tail})"


def _default(field: Any) -> str:
    value = field.default if field.default is not MISSING else field.default_factory()
    if value is None or value == []:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    return str(getattr(value, "value", value))


if __name__ == "__main__":
    print("\n".join([*settings(), "", *rows()]))
