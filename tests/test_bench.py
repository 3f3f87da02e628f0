"""The benchmark's own machinery, small; its numbers are judged by `make bench` alone."""

from __future__ import annotations

from pathlib import Path

from bench import measure
from bench.mix import CYCLE, Script, Timestamps
from bench.report import SOURCE_MARKS
from bench.systems import ROOT, csms, naive

TINY = measure.Scale(stations=20, rounds=1, storm=20, few=5, many=10)


def test_mix_has_the_shares_it_claims() -> None:
    groups = {
        "heartbeat": {"heartbeat"},
        "meter values": {"meter"},
        "status": {"preparing", "charging", "available"},
        "start and stop": {"start", "stop"},
    }
    percent = {
        group: 100 * sum(kind in kinds for kind in CYCLE) / len(CYCLE)
        for group, kinds in groups.items()
    }
    expected = {"heartbeat": 40, "meter values": 35, "status": 15, "start and stop": 10}
    assert expected == percent


def test_answer_to_another_message_fails_the_run() -> None:
    script = Script("S1", 0, Timestamps())
    script.boot()
    assert script.accept(b'[3,"7",{"status":"Accepted"}]') is not None


def test_refused_transaction_fails_the_run() -> None:
    script = Script("S1", CYCLE.index("start"), Timestamps())
    script.advance()
    answer = b'[3,"1",{"transactionId":1,"idTagInfo":{"status":"Blocked"}}]'
    assert script.accept(answer) is not None


def test_both_systems_store_the_rows_that_were_sent() -> None:
    _, naive_rows = measure.mix(naive, TINY)
    _, csms_rows = measure.mix(csms, TINY)
    assert naive_rows == csms_rows


def test_every_answer_to_a_command_is_journaled_and_stored_as_the_same_rows() -> None:
    naive_result, naive_rows = measure.command(naive, TINY)
    csms_result, csms_rows = measure.command(csms, TINY)
    assert min(naive_result["seconds"], csms_result["seconds"]) > 0
    assert naive_rows == csms_rows
    assert TINY.stations == csms_rows["variables"]
    assert (1 + measure.ORDERS) * TINY.stations == csms_rows["ocpp_messages"]


def test_docs_show_the_naive_system_as_it_is() -> None:
    text = Path(ROOT / "docs" / "benchmarks.md").read_text()
    shown = text.split(SOURCE_MARKS[0])[1].split(SOURCE_MARKS[1])[0]
    source = (ROOT / "bench" / "naive.py").read_text()
    assert f"```python\n{source}```" == shown.strip()
