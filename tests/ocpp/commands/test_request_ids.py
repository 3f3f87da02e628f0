from __future__ import annotations

from csms.domain.versions import OcppVersion
from csms.jobs.kinds.command import Wanted
from csms.ocpp.commands import typed
from csms.ocpp.commands.get_base_report import GetBaseReport
from csms.ocpp.commands.request_ids import freeze
from csms.ocpp.commands.set_monitoring_level import SetMonitoringLevel

V201 = OcppVersion.V201


def test_every_attempt_of_an_accepted_job_sends_the_same_id():
    frozen = Wanted(command="get_base_report").frozen()
    sent = [typed(V201, frozen["command"], frozen["params"]).payload for _ in range(2)]
    assert sent[0] == sent[1]
    assert 0 < sent[0]["requestId"] < 2**31


def test_two_jobs_have_two_ids():
    drawn = {freeze(GetBaseReport, {})["request_id"] for _ in range(10)}
    assert len(drawn) == 10


def test_an_id_that_was_given_stays():
    assert freeze(GetBaseReport, {"request_id": 7}) == {"request_id": 7}


def test_a_command_without_one_gets_none():
    assert freeze(SetMonitoringLevel, {"severity": 1}) == {"severity": 1}


def test_an_action_in_words_of_1_6_has_one_for_other_versions():
    payload = {"location": "https://csms.example"}
    frozen = Wanted(version=OcppVersion.V16, action="GetDiagnostics", payload=payload).frozen()
    assert frozen["payload"] == payload
    assert 0 < frozen["meaning"]["params"]["request_id"] < 2**31
