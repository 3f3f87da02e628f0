"""What every virtual station does, whatever version it speaks."""

from __future__ import annotations

import pytest

from csms.domain.versions import OcppVersion
from csms.fleet.faults import Faults
from csms.fleet.physics import CurrentType, Supply
from csms.fleet.speech import StopCause, Token
from tests.fleet import words
from tests.fleet.conftest import Bench

V16 = OcppVersion.V16
INTERVAL = {"MeterValueSampleInterval": "10"}


@pytest.fixture(params=OcppVersion, ids=lambda version: version.value)
def bench(request, clock) -> Bench:
    """A station of two connectors, booted."""
    bench = Bench(clock, request.param, connectors=2, vendor="ACME", configuration=INTERVAL)
    bench.connect()
    return bench


# ---- transactions --------------------------------------------------------------------------------


def test_a_session_begins_is_metered_and_ends(bench):
    assert words.start(bench) == "Accepted"
    bench.wait(45)
    assert words.stop(bench) == "Accepted"
    bench.wait(3)
    assert (len(words.starts(bench)), len(words.ends(bench))) == (1, 1)
    assert len(words.readings(bench)) == 4
    assert len(bench.said("Authorize")) == 1
    assert bench.statuses(1)[-1] == "Available"


def test_power_is_voltage_times_current_and_energy_never_falls(bench):
    words.start(bench)
    bench.wait(120)
    registers = []
    for samples in words.readings(bench):
        by_measurand: dict[str, list[float]] = {}
        for sample in samples:
            by_measurand.setdefault(sample["measurand"], []).append(float(sample["value"]))
        pairs = zip(by_measurand["Voltage"], by_measurand["Current.Import"], strict=True)
        assert words.power_w(samples) == pytest.approx(sum(u * i for u, i in pairs), rel=0.01)
        registers += by_measurand["Energy.Active.Import.Register"]
    assert registers == sorted(registers)
    assert registers[-1] > registers[0]


def test_a_token_that_is_not_authorized_starts_nothing(bench):
    name = "idTagInfo" if bench.version is V16 else "idTokenInfo"
    bench.answers["Authorize"] = {name: {"status": "Invalid"}}
    words.start(bench)
    assert words.starts(bench) == []
    assert bench.statuses(1)[-1] == "Available"


def test_what_happens_offline_is_told_afterwards(bench):
    words.start(bench)
    bench.disconnect()
    bench.clock.advance(60)
    bench.device.connectors[0].stop(StopCause.LOCAL)
    bench.calls.clear()
    bench.connect()
    assert len(words.ends(bench)) == 1


def test_nothing_starts_before_the_station_is_accepted(clock):
    for version in OcppVersion:
        bench = Bench(clock, version)
        bench.answers["BootNotification"] = {
            **bench.answers["BootNotification"],
            "status": "Pending",
        }
        bench.connect()
        assert words.start(bench) == "Rejected"


def test_a_pending_station_sends_what_it_is_asked_for_and_nothing_else(clock):
    for version in OcppVersion:
        bench = Bench(clock, version)
        bench.answers["BootNotification"] = {
            **bench.answers["BootNotification"],
            "status": "Pending",
        }
        bench.connect()
        words.make_inoperative(bench, 1)
        bench.send("TriggerMessage", {"requestedMessage": "Heartbeat"})
        assert [action for action, _ in bench.calls] == ["BootNotification", "Heartbeat"]


def test_a_faulty_station_refuses_every_command_that_can_be_refused(clock):
    for version in OcppVersion:
        bench = Bench(clock, version, faults=Faults(reject_percent=100))
        bench.connect()
        assert words.start(bench) == "Rejected"
        assert words.soft_reset(bench) == "Rejected"
        setting = ("HeartbeatInterval", ("OCPPCommCtrlr", "HeartbeatInterval"), "9")
        assert words.configure(bench, *setting) == "Rejected"
        assert bench.device.hangup is None


# ---- reservation ---------------------------------------------------------------------------------


def test_a_reserved_connector_is_for_its_token_only(bench):
    assert words.reserve(bench, 11, "MINE") == "Accepted"
    assert bench.statuses(1)[-1] == "Reserved"
    assert words.start(bench, "YOURS") == "Rejected"
    assert words.start(bench, "mine") == "Accepted"
    assert [one["reservationId"] for one in words.starts(bench)] == [11]
    bench.wait(5)
    words.stop(bench)
    bench.wait(3)
    assert bench.statuses(1)[-1] == "Available"


def test_a_start_without_a_connector_leaves_reserved_ones_alone(bench):
    words.reserve(bench, 11, "MINE", 1)
    assert words.start(bench, "YOURS", None) == "Accepted"
    assert bench.device.connectors[1].tx is not None


def test_a_reservation_expires(bench):
    words.reserve(bench, 11, "MINE", seconds=30)
    bench.wait(31)
    assert bench.statuses(1)[-1] == "Available"
    gone = [] if bench.version is V16 else [(11, "Expired")]
    updates = bench.said("ReservationStatusUpdate")
    assert [(one["reservationId"], one["reservationUpdateStatus"]) for one in updates] == gone


def test_a_reservation_is_cancelled(bench):
    words.reserve(bench, 11, "MINE")
    assert bench.status("CancelReservation", {"reservationId": 12}) == "Rejected"
    assert bench.status("CancelReservation", {"reservationId": 11}) == "Accepted"
    assert bench.statuses(1)[-1] == "Available"
    bench.wait(100)
    assert bench.said("ReservationStatusUpdate") == []


def test_a_reservation_moves_to_another_connector(bench):
    words.reserve(bench, 11, "MINE", 1)
    assert words.reserve(bench, 11, "MINE", 2) == "Accepted"
    assert [bench.statuses(number)[-1] for number in (1, 2)] == ["Available", "Reserved"]


def test_what_cannot_be_reserved(bench):
    words.start(bench)
    assert words.reserve(bench, 11, "MINE", 1) == "Occupied"
    assert words.reserve(bench, 11, "MINE", 0) == "Rejected"
    assert words.reserve(bench, 11, "MINE", 9) == "Rejected"
    assert words.reserve(bench, 11, "MINE", 2, seconds=-1) == "Rejected"
    words.make_inoperative(bench, 2)
    assert words.reserve(bench, 11, "MINE", 2) == "Unavailable"


def test_a_connector_out_of_service_loses_its_reservation(bench):
    words.reserve(bench, 11, "MINE", 2)
    words.make_inoperative(bench, 2)
    assert bench.statuses(2)[-1] == "Unavailable"
    assert bench.device.connectors[1].reservation is None


def test_a_reservation_outlives_a_reset(bench):
    words.reserve(bench, 11, "MINE", seconds=100)
    words.soft_reset(bench)
    bench.restart()
    assert bench.statuses(1) == ["Reserved"]
    bench.wait(101)
    assert bench.statuses(1)[-1] == "Available"


# ---- smart charging ------------------------------------------------------------------------------


def test_a_profile_limits_the_power_from_now_on(bench):
    words.start(bench)
    bench.wait(20)
    assert words.power_w(words.readings(bench)[-1]) > 3000
    shape = words.profile(bench, 1, "TxProfile", (0, 2000))
    assert words.install(bench, 1, shape) == "Accepted"
    bench.wait(20)
    assert words.power_w(words.readings(bench)[-1]) == pytest.approx(2000, rel=0.001)
    assert words.clear(bench, 1) == "Accepted"
    bench.wait(20)
    assert words.power_w(words.readings(bench)[-1]) > 3000


def test_amperes_limit_the_current_of_each_phase(bench):
    words.start(bench)
    words.install(bench, 1, words.profile(bench, 1, "TxProfile", (0, 6), unit="A"))
    bench.wait(40)
    amps = [
        float(one["value"])
        for one in words.readings(bench)[-1]
        if one["measurand"] == "Current.Import"
    ]
    assert max(amps) <= 6
    assert min(amps) > 5.8


def test_periods_follow_one_another_and_nothing_flows_at_zero(bench):
    words.start(bench)
    shape = words.profile(bench, 1, "TxProfile", (0, 3000), (30, 0), (60, 1500), duration=90)
    words.install(bench, 1, shape)
    bench.wait(100)
    powers = [words.power_w(samples) for samples in words.readings(bench)]
    limits = [3000, 3000, 3000, 0, 0, 0, 1500, 1500, 1500]
    assert all(power <= limit * 1.001 for power, limit in zip(powers, limits, strict=False))
    assert powers[4] == 0
    assert powers[7] == pytest.approx(1500, rel=0.001)
    assert powers[9] > 1500


def test_a_default_profile_holds_for_transactions_to_come_and_is_overruled(bench):
    words.install(bench, 0, words.profile(bench, 1, "TxDefaultProfile", (0, 2000)))
    words.start(bench)
    bench.wait(20)
    assert words.power_w(words.readings(bench)[-1]) == pytest.approx(2000, rel=0.001)
    words.install(bench, 1, words.profile(bench, 2, "TxProfile", (0, 3000)))
    bench.wait(20)
    assert words.power_w(words.readings(bench)[-1]) == pytest.approx(3000, rel=0.001)


def test_the_highest_stack_level_holds(bench):
    words.start(bench)
    words.install(bench, 1, words.profile(bench, 1, "TxProfile", (0, 3000), stack_level=2))
    words.install(bench, 1, words.profile(bench, 2, "TxProfile", (0, 1000), stack_level=1))
    bench.wait(20)
    assert words.power_w(words.readings(bench)[-1]) == pytest.approx(3000, rel=0.001)


def test_connectors_share_what_the_station_may_draw(bench):
    shape = words.profile(
        bench,
        1,
        "ChargingStationMaxProfile",
        (0, 4000),
        chargingProfileKind="Absolute",
        startSchedule=words.in_s(bench, -10),
    )
    assert words.install(bench, 0, shape) == "Accepted"
    words.start(bench, "A", 1)
    bench.wait(20)
    assert words.power_w(words.readings(bench)[-1]) > 3000
    words.start(bench, "B", 2)
    bench.wait(30)
    last = [words.power_w(samples) for samples in words.readings(bench)[-2:]]
    assert last == [pytest.approx(2000, rel=0.001)] * 2


def test_a_profile_of_a_transaction_goes_with_it(bench):
    words.start(bench)
    words.install(bench, 1, words.profile(bench, 1, "TxProfile", (0, 2000)))
    words.stop(bench)
    assert words.clear(bench, 1) == "Unknown"


def test_a_profile_comes_with_the_start(bench):
    shape = words.profile(bench, 1, "TxProfile", (0, 2000))
    assert words.start(bench, chargingProfile=shape) == "Accepted"
    bench.wait(30)
    assert words.power_w(words.readings(bench)[-1]) == pytest.approx(2000, rel=0.001)


def test_a_recurring_profile_holds_every_day(bench):
    words.start(bench)
    shape = words.profile(
        bench,
        1,
        "TxDefaultProfile",
        (0, 2000),
        duration=3600,
        chargingProfileKind="Recurring",
        recurrencyKind="Daily",
        startSchedule=words.in_s(bench, 100 - 7 * 86400),
    )
    words.install(bench, 1, shape)
    assert words.composite(bench, 1, 86400) == [(0, 22000), (100, 2000), (3700, 22000)]


@pytest.mark.parametrize(
    ("connector", "purpose"),
    [(1, "TxProfile"), (9, "TxDefaultProfile"), (1, "ChargingStationMaxProfile")],
)
def test_profiles_that_do_not_fit_are_rejected(bench, connector, purpose):
    shape = words.profile(bench, 1, purpose, (0, 2000))
    assert words.install(bench, connector, shape) == "Rejected"


def test_a_profile_for_another_transaction_is_rejected(bench):
    words.start(bench)
    other = 4 if bench.version is V16 else "another"
    shape = words.profile(bench, 1, "TxProfile", (0, 2000), transactionId=other)
    assert words.install(bench, 1, shape) == "Rejected"


def test_a_full_store_takes_replacements_only(bench):
    for number in range(20):
        shape = words.profile(bench, number, "TxDefaultProfile", (0, 2000), stack_level=number % 10)
        assert words.install(bench, number // 10 + 1, shape) == "Accepted"
    more = words.profile(bench, 20, "TxDefaultProfile", (0, 2000), stack_level=10)
    assert words.install(bench, 1, more) == "Rejected"
    again = words.profile(bench, 19, "TxDefaultProfile", (0, 1000), stack_level=9)
    assert words.install(bench, 2, again) == "Accepted"


def test_the_composite_schedule_is_what_will_hold(bench):
    words.start(bench)
    words.install(bench, 1, words.profile(bench, 1, "TxProfile", (0, 16), (60, 6), unit="A"))
    bench.wait(10)
    assert words.composite(bench, 1, 120, "A") == [(0, 16), (50, 6)]


def test_without_profiles_the_hardware_is_the_limit(clock):
    for version in OcppVersion:
        bench = Bench(clock, version, supply=Supply(CurrentType.DC, 50_000))
        bench.connect()
        assert words.composite(bench, 1, 60) == [(0, 50_000)]


# ---- local list ----------------------------------------------------------------------------------


def test_the_local_list_is_kept_with_its_version(bench):
    assert words.list_version(bench) == 0
    assert words.send_list(bench, 3, {"A": "Accepted", "B": "Blocked"}) == "Accepted"
    assert words.list_version(bench) == 3
    assert words.send_list(bench, 3, {"C": "Accepted"}, full=False) == "VersionMismatch"
    assert words.send_list(bench, 4, {"C": "Accepted", "A": None}, full=False) == "Accepted"
    assert len(bench.device.local_list) == 2


def test_a_trusted_token_is_not_asked_about(bench):
    words.send_list(bench, 1, {"ABC": "Accepted", "BAD": "Blocked"})
    words.configure(bench, "LocalPreAuthorize", ("AuthCtrlr", "LocalPreAuthorize"), "true")
    words.start(bench, "abc", 1)
    assert bench.said("Authorize") == []
    words.start(bench, "BAD", 2)
    assert len(bench.said("Authorize")) == 1
    assert len(words.starts(bench)) == 2


def test_offline_the_list_decides(bench):
    words.send_list(bench, 1, {"ABC": "Accepted"})
    words.configure(bench, "LocalAuthorizeOffline", ("AuthCtrlr", "LocalAuthorizeOffline"), "true")
    bench.disconnect()
    for connector, text in zip(bench.device.connectors, ("ABC", "XYZ"), strict=True):
        connector.start(Token(text))
    assert [one.tx is not None for one in bench.device.connectors] == [True, False]
    bench.connect()
    assert len(words.starts(bench)) == 1


def test_a_list_that_is_too_long_fails_and_the_old_one_stays(bench):
    words.send_list(bench, 1, {"A": "Accepted"})
    many = {f"T{number}": "Accepted" for number in range(101)}
    assert words.send_list(bench, 2, many) == "Failed"
    assert words.list_version(bench) == 1


# ---- firmware and logs ---------------------------------------------------------------------------

FETCHED = ["Downloading", "Downloaded"]


def firmware_news(bench: Bench) -> list[str]:
    return words.news(bench, "FirmwareStatusNotification")


def test_a_firmware_update_ends_with_a_boot_of_the_new_version(bench):
    words.update_firmware(bench, "https://files.example/acme-2.5.1.bin")
    bench.wait(15)
    rebooting = [] if bench.version is V16 else ["InstallRebooting"]
    assert firmware_news(bench) == [*FETCHED, "Installing", *rebooting]
    bench.restart()
    assert bench.calls[0][0] == "BootNotification"
    boot = bench.calls[0][1]
    version = boot if bench.version is V16 else boot["chargingStation"]
    assert version["firmwareVersion"] == "2.5.1"
    assert boot.get("reason") == (None if bench.version is V16 else "FirmwareUpdate")
    assert firmware_news(bench) == ["Installed"]


def test_a_signed_update_tells_every_step_with_its_number(bench):
    signed = bench.version is V16
    action = "SignedFirmwareStatusNotification" if signed else "FirmwareStatusNotification"
    assert words.update_signed(bench, "https://files.example/fw.bin") == "Accepted"
    bench.wait(15)
    told = [*FETCHED, "SignatureVerified", "Installing", "InstallRebooting"]
    assert words.news(bench, action) == told
    assert {one["requestId"] for one in bench.said(action)} == {5}
    bench.restart()
    assert words.news(bench, action) == ["Installed"]


def test_an_address_that_makes_no_sense_fails(bench):
    words.update_firmware(bench, "nonsense")
    bench.wait(10)
    assert firmware_news(bench) == ["Downloading", "DownloadFailed"]
    assert bench.device.hangup is None


def test_an_update_is_fetched_when_it_is_due(bench):
    words.update_firmware(bench, "https://files.example/fw.bin", seconds=60)
    bench.wait(59)
    assert firmware_news(bench) == ([] if bench.version is V16 else ["DownloadScheduled"])
    bench.wait(3)
    assert firmware_news(bench)[-2:] == FETCHED


def test_an_update_waits_for_the_transaction_to_end(bench):
    words.start(bench)
    words.update_firmware(bench, "https://files.example/fw.bin")
    bench.wait(60)
    assert "Installing" not in firmware_news(bench)
    assert bench.statuses(2)[-1] == "Unavailable"
    words.stop(bench)
    bench.wait(10)
    assert "Installing" in firmware_news(bench)


def test_an_update_that_is_replaced_while_it_waits_is_not_installed(bench):
    words.start(bench)
    words.update_firmware(bench, "https://files.example/fw.bin")
    bench.wait(10)
    words.update_firmware(bench, "nonsense")
    bench.wait(10)
    words.stop(bench)
    bench.wait(10)
    assert "Installing" not in firmware_news(bench)
    assert [bench.statuses(number)[-1] for number in (1, 2)] == ["Available"] * 2


def test_a_reset_cuts_an_update_off(bench):
    words.update_firmware(bench, "https://files.example/fw.bin")
    bench.wait(1)
    words.soft_reset(bench)
    bench.restart()
    assert firmware_news(bench) == ["DownloadFailed"]


def test_a_log_is_uploaded(bench):
    assert words.get_log(bench, "https://files.example/up") == "Accepted"
    bench.wait(5)
    assert words.news(bench, "LogStatusNotification") == ["Uploading", "Uploaded"]
    assert {one["requestId"] for one in bench.said("LogStatusNotification")} == {5}


def test_a_new_upload_takes_the_place_of_the_old_one(bench):
    words.get_log(bench, "https://files.example/up", 5)
    assert words.get_log(bench, "https://files.example/up", 6) == "AcceptedCanceled"
    bench.wait(5)
    told = [(one["status"], one["requestId"]) for one in bench.said("LogStatusNotification")]
    given_up = [] if bench.version is V16 else [("AcceptedCanceled", 5)]
    assert told == [("Uploading", 5), *given_up, ("Uploading", 6), ("Uploaded", 6)]


def test_a_log_cannot_go_to_an_address_that_makes_no_sense(bench):
    words.get_log(bench, "gopher://files.example/up")
    bench.wait(5)
    assert words.news(bench, "LogStatusNotification") == ["Uploading", "UploadFailure"]


def test_diagnostics_of_1_6_are_uploaded(clock):
    bench = Bench(clock)
    bench.connect()
    answer = bench.send("GetDiagnostics", {"location": "ftp://files.example/up"})
    bench.wait(5)
    assert answer[2]["fileName"].endswith(".log")
    assert words.news(bench, "DiagnosticsStatusNotification") == ["Uploading", "Uploaded"]
