"""Commands that start a task: logs and firmware, and customers' information."""

from __future__ import annotations

import pytest

from csms.domain.jobs import CommandClass
from csms.domain.multipart import ReportKind
from csms.domain.stations import NewStation
from csms.domain.tasks import Progress, Task
from csms.domain.versions import OcppVersion
from csms.errors import Invalid, NotSupportedByVersion
from csms.ocpp.commands import COMMANDS, in_our_words, parameters, raw, typed
from csms.ocpp.commands.command import EvidenceQuery, Order
from csms.ocpp.commands.task_requests import open_story
from csms.ocpp.commands.update_firmware import UpdateFirmware
from csms.services import task_progress
from csms.store import reports, stations
from csms.store import task_progress as store

V16, V201, V21 = OcppVersion
URL = "https://csms.example/files"
AT = "2026-05-01T12:00:00Z"
WIRE_AT = "2026-05-01T12:00:00.000Z"
FIRMWARE = {"location": URL, "retrieve_at": AT, "request_id": 7}
SIGNED = {**FIRMWARE, "signing_certificate": "PEM", "signature": "c2ln"}
SENT = {"requestId": 7, "firmware": {"location": URL, "retrieveDateTime": WIRE_AT}}
SENT_SIGNED = {
    "requestId": 7,
    "firmware": {**SENT["firmware"], "signingCertificate": "PEM", "signature": "c2ln"},
}


@pytest.fixture
async def station(db):
    return await db.write(lambda tx: stations.insert(tx, NewStation("GARAGE-1")))


@pytest.fixture
def settle(db, station, clock):
    async def run(name, payload, answer, *, asked_at=None):
        command = COMMANDS[name]
        read, at = command.read(answer), clock.micros() if asked_at is None else asked_at
        if command.starts is None:
            await db.write(lambda tx: command.settled(tx, station.id, payload, read))
        else:
            task = command.starts
            await db.write(lambda tx: open_story(tx, station.id, task, payload, read, asked_at=at))

    return run


@pytest.fixture
def report(db, station):
    async def tell(task, request_id, status, *, of=None):
        progress = Progress(task, request_id, status, "{}")
        await db.write(lambda tx: task_progress.record(tx, of or station.id, progress))

    return tell


@pytest.fixture
def story(db, station):
    async def read(task):
        rows = await db.read(lambda tx: store.list_of_station(tx, station.id, task, limit=99))
        return [(row.progress.status, row.progress.answered) for row in reversed(rows)]

    return read


# ---- logs ------------------------------------------------------------------------------------


def test_diagnostics_are_asked_for_in_the_words_of_each_version():
    values = {
        "location": URL,
        "oldest_at": "2026-04-30T12:00:00+02:00",
        "latest_at": AT,
        "retries": 3,
        "retry_interval_s": 60,
        "request_id": 7,
    }
    more = {"retries": 3, "retryInterval": 60}
    assert typed(V16, "get_log", values) == Order(
        "GetDiagnostics",
        {
            "location": URL,
            "startTime": "2026-04-30T10:00:00.000Z",
            "stopTime": WIRE_AT,
            **more,
        },
    )
    log = {
        "remoteLocation": URL,
        "oldestTimestamp": "2026-04-30T10:00:00.000Z",
        "latestTimestamp": WIRE_AT,
    }
    expected = Order("GetLog", {"logType": "DiagnosticsLog", "requestId": 7, "log": log, **more})
    assert typed(V201, "get_log", values) == typed(V21, "get_log", values) == expected


@pytest.mark.parametrize("version", list(OcppVersion))
def test_the_security_log_is_asked_for_by_the_same_message_everywhere(version):
    values = {"location": URL, "log_type": "SecurityLog", "request_id": 7}
    assert typed(version, "get_log", values) == Order(
        "GetLog", {"logType": "SecurityLog", "requestId": 7, "log": {"remoteLocation": URL}}
    )


def test_only_2_1_has_the_log_of_the_data_collector():
    values = {"location": URL, "log_type": "DataCollectorLog"}
    assert typed(V21, "get_log", values).payload["logType"] == "DataCollectorLog"
    for version in (V16, V201):
        with pytest.raises(NotSupportedByVersion):
            typed(version, "get_log", values)


def test_diagnostics_in_the_words_of_1_6_reach_a_2x_station():
    payload = {"location": URL, "startTime": AT, "retries": 1}
    raw(V16, "GetDiagnostics", payload)
    name, values = in_our_words(V16, "GetDiagnostics", payload)
    order = typed(V201, name, {**values, "request_id": 7})
    assert order == Order(
        "GetLog",
        {
            "logType": "DiagnosticsLog",
            "requestId": 7,
            "log": {"remoteLocation": URL, "oldestTimestamp": WIRE_AT},
            "retries": 1,
        },
    )


def test_a_log_in_the_words_of_the_extension_of_1_6_reaches_a_2x_station():
    payload = {"logType": "SecurityLog", "requestId": 7, "log": {"remoteLocation": URL}}
    raw(V16, "GetLog", payload)
    assert typed(V201, *in_our_words(V16, "GetLog", payload)) == Order("GetLog", payload)


@pytest.mark.parametrize(
    "location",
    [
        *(
            "file:///etc/passwd",
            "javascript:alert(1)",
            "gopher://h/x",
            "//h/x",
            "/x",
            "x",
            "http://",
        ),
        *(" https://h/x", "https://h/a b", "https://h/x\r\nHost: y", "https\x00://h/x"),
    ],
)
def test_only_urls_of_files_on_the_network_are_told(location: str):
    for name, values in (
        ("update_firmware", FIRMWARE),
        ("get_log", {"log_type": "SecurityLog"}),
        ("publish_firmware", {"checksum": "0" * 32}),
    ):
        with pytest.raises(Invalid) as refusal:
            typed(V201, name, {**values, "location": location})
        assert ("location",) == refusal.value.loc[-1:]


@pytest.mark.parametrize("scheme", ["http", "HTTPS", "ftp", "ftps", "sftp"])
def test_every_transfer_that_ocpp_has_may_be_told(scheme: str):
    location = f"{scheme}://user:secret@host:2121/a%20b?c=d"
    assert typed(V201, "get_log", {"log_type": "SecurityLog", "location": location})


def test_a_time_without_a_zone_reaches_no_other_version():
    payload = {"location": URL, "startTime": "2026-05-01T12:00:00"}
    with pytest.raises(NotSupportedByVersion):
        in_our_words(V16, "GetDiagnostics", payload)


# ---- firmware --------------------------------------------------------------------------------


def test_unsigned_firmware_in_the_words_of_each_version():
    assert typed(V16, "update_firmware", FIRMWARE) == Order(
        "UpdateFirmware", {"location": URL, "retrieveDate": WIRE_AT}
    )
    for version in (V201, V21):
        assert typed(version, "update_firmware", FIRMWARE) == Order("UpdateFirmware", SENT)


def test_signed_firmware_in_the_words_of_each_version():
    values = {**SIGNED, "install_at": AT, "retries": 0, "retry_interval_s": 5}
    firmware = {**SENT_SIGNED["firmware"], "installDateTime": WIRE_AT}
    payload = {**SENT_SIGNED, "firmware": firmware, "retries": 0, "retryInterval": 5}
    assert typed(V16, "update_firmware", values) == Order("SignedUpdateFirmware", payload)
    for version in (V201, V21):
        assert typed(version, "update_firmware", values) == Order("UpdateFirmware", payload)


def test_1_6_cannot_say_when_to_install_unsigned_firmware():
    with pytest.raises(NotSupportedByVersion):
        typed(V16, "update_firmware", {**FIRMWARE, "install_at": AT})


@pytest.mark.parametrize("lacking", ["signature", "signing_certificate"])
def test_a_signature_needs_its_certificate(lacking):
    values = {name: value for name, value in SIGNED.items() if name != lacking}
    with pytest.raises(Invalid) as refusal:
        typed(V21, "update_firmware", values)
    assert refusal.value.loc == ("signing_certificate",)


def test_firmware_is_signed_when_it_has_a_signature():
    parsed = [parameters.parse(UpdateFirmware, values) for values in (FIRMWARE, SIGNED)]
    assert [params.signed for params in parsed] == [False, True]


@pytest.mark.parametrize(
    ("action", "payload", "expected"),
    [
        ("UpdateFirmware", {"location": URL, "retrieveDate": AT}, SENT),
        ("SignedUpdateFirmware", SENT_SIGNED, SENT_SIGNED),
    ],
)
def test_firmware_in_the_words_of_1_6_reaches_a_2x_station(action, payload, expected):
    raw(V16, action, payload)
    name, values = in_our_words(V16, action, payload)
    order = typed(V21, name, {**values, "request_id": 7})
    assert order == Order("UpdateFirmware", expected)


def test_a_place_that_is_too_long_for_a_version_is_not_sent_to_it():
    values = {**FIRMWARE, "location": "https://" + "x" * 600}
    typed(V21, "update_firmware", values)
    with pytest.raises(NotSupportedByVersion):
        typed(V201, "update_firmware", values)


@pytest.mark.parametrize("version", [V201, V21])
def test_firmware_is_published_and_unpublished(version):
    values = {"location": URL, "checksum": "d41d8cd9", "retry_interval_s": 5, "request_id": 7}
    assert typed(version, "publish_firmware", values) == Order(
        "PublishFirmware",
        {"location": URL, "checksum": "d41d8cd9", "retryInterval": 5, "requestId": 7},
    )
    assert typed(version, "unpublish_firmware", {"checksum": "d41d8cd9"}) == Order(
        "UnpublishFirmware", {"checksum": "d41d8cd9"}
    )


@pytest.mark.parametrize(
    ("status", "accepted", "on_repeat"),
    [
        ("Unpublished", True, True),
        ("NoFirmware", False, True),
        ("DownloadOngoing", False, False),
    ],
)
def test_unpublishing_has_words_of_its_own(status, accepted, on_repeat):
    command = COMMANDS["unpublish_firmware"]
    assert command.read({"status": status}).accepted is accepted
    assert command.read_repeat({"status": status}).accepted is on_repeat


@pytest.mark.parametrize("name", ["customer_information", "publish_firmware", "unpublish_firmware"])
def test_1_6_has_nothing_of_the_kind(name):
    values = {
        "customer_information": {"customer_identifier": "Doe"},
        "publish_firmware": {"location": URL, "checksum": "d41d8cd9"},
        "unpublish_firmware": {"checksum": "d41d8cd9"},
    }[name]
    with pytest.raises(NotSupportedByVersion):
        typed(V16, name, values)


# ---- the story and what it proves ------------------------------------------------------------


async def test_an_accepted_request_opens_the_story(settle, report, story):
    await settle("update_firmware", SENT, {"status": "Accepted"})
    await report(Task.FIRMWARE_UPDATE, 7, "Downloading")
    await settle("update_firmware", {**SENT, "requestId": 8}, {"status": "Rejected"})
    await settle("update_firmware", {**SENT, "requestId": 9}, {"status": "AcceptedCanceled"})
    assert await story(Task.FIRMWARE_UPDATE) == [
        ("Accepted", True),
        ("Downloading", False),
        ("AcceptedCanceled", True),
    ]


async def test_the_empty_answer_of_1_6_opens_the_story_too(settle, story):
    await settle("get_log", {"location": URL}, {"fileName": "log.zip"})
    await settle("update_firmware", {"location": URL}, {})
    assert await story(Task.LOG_UPLOAD) == [("Accepted", True)]
    assert await story(Task.FIRMWARE_UPDATE) == [("Accepted", True)]


@pytest.mark.parametrize("request_id", [7, None])
async def test_an_answer_that_was_overtaken_does_not_go_back(
    settle, report, story, clock, request_id
):
    payload = {} if request_id is None else {"requestId": request_id}
    await report(Task.LOG_UPLOAD, request_id, "Uploading")
    await settle("get_log", payload, {"status": "Accepted"})
    assert await story(Task.LOG_UPLOAD) == [("Uploading", False)]


async def test_what_1_6_told_before_it_was_asked_overtakes_nothing(settle, report, story, clock):
    await report(Task.LOG_UPLOAD, None, "Uploaded")
    await settle("get_log", {}, {}, asked_at=clock.micros() + 1)
    assert await story(Task.LOG_UPLOAD) == [("Uploaded", False), ("Accepted", True)]


@pytest.fixture
def evidence(db, station):
    async def find(payload, *, since, version=V201, name="update_firmware"):
        query = EvidenceQuery(station.id, 1, 1, since, payload, version)
        return await db.read(lambda tx: COMMANDS[name].evidence(tx, query))

    return find


async def test_a_status_that_names_the_request_shows_that_it_arrived(evidence, report, clock):
    since = clock.micros()
    await report(Task.FIRMWARE_UPDATE, 6, "Downloading")
    await report(Task.FIRMWARE_UPDATE, 7, "Idle")
    assert await evidence(SENT, since=since) is None
    await report(Task.FIRMWARE_UPDATE, 7, "Downloading")
    found = await evidence(SENT, since=since)
    assert (found.what, found.seen_at, found.inferred) == ("firmware_update", since, False)
    assert await evidence(SENT, since=since, name="publish_firmware") is None


async def test_without_a_request_id_a_status_since_then_is_the_likely_effect(
    evidence, report, clock
):
    payload = {"location": URL, "retrieveDate": WIRE_AT}
    await report(Task.FIRMWARE_UPDATE, None, "Installed")
    clock.advance(1)
    since = clock.micros()
    assert await evidence(payload, since=since, version=V16) is None
    await report(Task.FIRMWARE_UPDATE, None, "Downloading")
    found = await evidence(payload, since=since, version=V16)
    assert (found.seen_at, found.inferred) == (since, True)


async def test_the_status_of_another_station_shows_nothing(db, evidence, report, clock):
    neighbour = await db.write(lambda tx: stations.insert(tx, NewStation("GARAGE-2")))
    await report(Task.FIRMWARE_UPDATE, 7, "Downloading", of=neighbour.id)
    assert await evidence(SENT, since=clock.micros()) is None


def test_firmware_is_never_ordered_twice_by_itself():
    assert COMMANDS["update_firmware"].command_class is CommandClass.C
    assert COMMANDS["publish_firmware"].command_class is CommandClass.C
    assert COMMANDS["get_log"].command_class is CommandClass.A


# ---- customers -------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [V201, V21])
@pytest.mark.parametrize(
    ("values", "payload"),
    [
        (
            {"customer_identifier": "Doe"},
            {"report": True, "clear": False, "customerIdentifier": "Doe"},
        ),
        (
            {"id_token": "ABC", "report": False, "clear": True},
            {
                "report": False,
                "clear": True,
                "idToken": {"idToken": "ABC", "type": "ISO14443"},
            },
        ),
        (
            {
                "customer_certificate": {
                    "hash_algorithm": "SHA256",
                    "issuer_name_hash": "a",
                    "issuer_key_hash": "b",
                    "serial_number": "1f",
                }
            },
            {
                "report": True,
                "clear": False,
                "customerCertificate": {
                    "hashAlgorithm": "SHA256",
                    "issuerNameHash": "a",
                    "issuerKeyHash": "b",
                    "serialNumber": "1f",
                },
            },
        ),
    ],
)
def test_a_customer_is_named_in_one_of_three_ways(version, values, payload):
    order = typed(version, "customer_information", {**values, "request_id": 7})
    assert order == Order("CustomerInformation", {"requestId": 7, **payload})


@pytest.mark.parametrize(
    ("values", "loc"),
    [
        ({}, ("customer_identifier",)),
        ({"customer_identifier": "Doe", "id_token": "ABC"}, ("customer_identifier",)),
        ({"customer_identifier": "Doe", "report": False}, ("report",)),
    ],
)
def test_a_request_about_nobody_or_nothing_is_refused(values, loc):
    with pytest.raises(Invalid) as refusal:
        typed(V21, "customer_information", values)
    assert refusal.value.loc == loc


@pytest.mark.parametrize(("asked", "expected"), [(True, True), (False, False)])
async def test_only_a_request_for_a_report_expects_one(db, station, settle, asked, expected):
    payload = {"requestId": 7, "report": asked, "clear": True}
    await settle("customer_information", payload, {"status": "Accepted"})
    found = await db.read(
        lambda tx: reports.find_newest(tx, station.id, ReportKind.CUSTOMER_INFORMATION)
    )
    assert (found is not None) is expected
