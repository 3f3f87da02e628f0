"""Which transaction a stop means whose id leads nowhere."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from csms.domain.reconciliation import Fix, fits, pair, suggest
from csms.domain.transactions import StopReport, Transaction, TransactionFlag

BEGUN = datetime(2026, 5, 1, 10, tzinfo=UTC)
OPEN = Transaction(
    id=1,
    uuid="1",
    station_id=1,
    evse_id=1,
    connector_id=1,
    station_transaction_id="5",
    id_token="Tag",
    id_token_key="tag",
    id_token_type=None,
    id_token_status="Accepted",
    start_register_mwh=1000,
    last_register_mwh=1000,
    end_register_mwh=None,
    register_phases=None,
    lowest_sample_mwh=None,
    sample_below=False,
    started_at=BEGUN,
    start_received_at=BEGUN,
    ended_at=None,
    end_received_at=None,
    stop_reason=None,
    charging_state=None,
    reservation_id=None,
    remote_start_id=None,
    sequence_run=0,
    last_seq_no=None,
    cost_micros=None,
    currency=None,
    flags=frozenset(),
)
LATER = replace(OPEN, id=2, evse_id=2, started_at=BEGUN + timedelta(minutes=5))
OVER = replace(LATER, id=3, end_received_at=BEGUN + timedelta(hours=2))
INFERRED = replace(OVER, flags=frozenset({TransactionFlag.INFERRED_END}))
STOP = StopReport(
    station_transaction_id="-1",
    id_token=None,
    register_mwh=5000,
    reported_at=BEGUN + timedelta(hours=1),
    reason="Local",
    readings=(),
    flags=frozenset(),
    raw="{}",
)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, True),
        ({"id_token": " TAG"}, True),
        ({"id_token": "other"}, False),
        ({"reported_at": BEGUN}, True),
        ({"reported_at": BEGUN - timedelta(seconds=1)}, False),
        ({"reported_at": None}, True),
        ({"register_mwh": 1000}, True),
        ({"register_mwh": 999}, False),
        ({"register_mwh": None}, True),
    ],
)
def test_a_stop_fits_where_nothing_known_speaks_against_it(changed, expected):
    assert expected is fits(replace(STOP, **changed), OPEN)


@pytest.mark.parametrize("number", ["", "0", "-1", str(2**31), str(2**63 - 1), "x", "\u0661"])
def test_a_stop_with_an_id_nobody_gave_means_the_only_one_it_fits(number):
    assert OPEN is pair(replace(STOP, station_transaction_id=number), [OPEN])


@pytest.mark.parametrize("running", [[], [OPEN, LATER]])
def test_no_transaction_and_two_that_fit_are_no_pair(running):
    assert None is pair(STOP, running)


def test_one_that_does_not_fit_does_not_count():
    assert LATER is pair(STOP, [replace(OPEN, start_register_mwh=6000), LATER])


def test_an_id_that_another_system_may_have_given_needs_the_token():
    stop = replace(STOP, station_transaction_id="4711")
    assert None is pair(stop, [OPEN])
    assert OPEN is pair(replace(stop, id_token="TAG"), [OPEN])


@pytest.mark.parametrize("unknown", ["reported_at", "register_mwh"])
def test_without_time_or_register_nothing_is_paired_but_it_is_suggested(unknown):
    stop = replace(STOP, **{unknown: None})
    assert None is pair(stop, [OPEN])
    suggestion = suggest(stop, None, [OPEN])
    assert suggestion is not None
    assert (Fix.END, OPEN) == (suggestion.fix, suggestion.transaction)


@pytest.mark.parametrize(
    ("candidates", "fix", "found", "fitting"),
    [
        ([OPEN, LATER], Fix.END, LATER, 2),
        ([OPEN, INFERRED], Fix.END, OPEN, 2),
        ([INFERRED], Fix.REPLACE_END, INFERRED, 1),
        ([OVER, OPEN], Fix.END, OPEN, 1),
    ],
)
def test_open_transactions_and_later_ones_are_suggested_first(candidates, fix, found, fitting):
    suggestion = suggest(STOP, None, candidates)
    assert suggestion is not None
    assert (fix, found, fitting) == (suggestion.fix, suggestion.transaction, suggestion.fitting)


def test_nothing_is_suggested_where_every_end_was_told():
    assert None is suggest(STOP, None, [OVER])


def test_the_transaction_that_has_the_id_is_the_one_meant():
    suggestion = suggest(STOP, OVER, [OPEN])
    assert suggestion is not None
    assert (Fix.REPLACE_END, OVER) == (suggestion.fix, suggestion.transaction)
    assert None is suggest(replace(STOP, register_mwh=0), OVER, [OPEN])
