"""OCPP 1.6: local lists, reservations, firmware, logs, smart charging and certificates."""

from __future__ import annotations

from typing import Any

from tests.certificates import chain
from tests.conformance.orders import Order, Told, order
from tests.conformance.orders.profiles import AT, given, sent_v16

UNTIL = "2036-05-01T12:00:00.000Z"


def status(word: str, connector_id: int = 1) -> Told:
    payload = {"connectorId": connector_id, "errorCode": "NoError", "status": word, "timestamp": AT}
    return "StatusNotification", payload


# ---- local lists -----------------------------------------------------------------------------


def full_list(**more: Any) -> dict[str, Any]:
    """All that a Full update with one tag is."""
    return {
        "command": "send_local_list",
        "params": {
            "version_number": 1,
            "update_type": "Full",
            "entries": [{"id_token": "TAG", "status": "Accepted"}],
        },
        "action": "SendLocalList",
        "payload": {
            "listVersion": 1,
            "updateType": "Full",
            "localAuthorizationList": [{"idTag": "TAG", "idTagInfo": {"status": "Accepted"}}],
        },
        **more,
    }


LOCAL_LISTS = [
    order(
        "TC_042_1",
        command="get_local_list_version",
        action="GetLocalListVersion",
        payload={},
        answer={"listVersion": -1},
        wrong={"listVersion": "none"},
        stored={"local_lists": [{"version": -1}], "local_list_entries": []},
    ),
    order(
        "TC_042_2",
        command="get_local_list_version",
        action="GetLocalListVersion",
        payload={},
        answer={"listVersion": 0},
        wrong={},
        stored={"local_lists": [{"version": 0}], "local_list_entries": []},
    ),
    order(
        "TC_043_1",
        **full_list(
            answer={"status": "NotSupported"},
            ends="rejected",
            stored={"local_lists": [{"version": None, "refusal": "NotSupported"}]},
        ),
    ),
    order(
        "TC_043_3",
        **full_list(
            answer={"status": "Failed"},
            ends="rejected",
            stored={
                "local_lists": [{"version": None, "refusal": "Failed"}],
                "local_list_entries": [],
            },
        ),
    ),
    order(
        "TC_043_4",
        **full_list(
            stored={
                "local_lists": [{"version": 1, "known_version": 1, "refusal": None}],
                "local_list_entries": [{"id_token": "TAG", "status": "Accepted"}],
            }
        ),
    ),
    order(
        "TC_043_5",
        after=[Order(**full_list())],
        command="send_local_list",
        params={
            "version_number": 2,
            "update_type": "Differential",
            "entries": [{"id_token": "OTHER", "status": "Blocked"}, {"id_token": "TAG"}],
        },
        action="SendLocalList",
        payload={
            "listVersion": 2,
            "updateType": "Differential",
            "localAuthorizationList": [
                {"idTag": "OTHER", "idTagInfo": {"status": "Blocked"}},
                {"idTag": "TAG"},
            ],
        },
        stored={
            "local_lists": [{"version": 2, "known_version": 2}],
            "local_list_entries": [{"id_token": "OTHER", "status": "Blocked"}],
        },
    ),
]

# ---- firmware and logs -----------------------------------------------------------------------


def firmware(*words: str) -> dict[str, Any]:
    """An update to unsigned firmware that gets so far."""
    return {
        "command": "update_firmware",
        "params": {"location": "https://files.example.org/f", "retrieve_at": AT, "retries": 1},
        "action": "UpdateFirmware",
        "payload": {"location": "https://files.example.org/f", "retrieveDate": AT, "retries": 1},
        "answer": {},
        "told": [("FirmwareStatusNotification", {"status": word}) for word in words],
        "stored": {
            "task_progress": [
                {"task": "firmware_update", "status": word} for word in ("Accepted", *words)
            ]
        },
    }


def signed_firmware(*words: str) -> dict[str, Any]:
    """An update to signed firmware that gets so far."""
    signed = {"signature": "c2lnbmVk"}
    return {
        "command": "update_firmware",
        "params": {
            "location": "https://files.example.org/f",
            "retrieve_at": AT,
            "install_at": UNTIL,
            "signing_certificate": "PEM",
            "request_id": 7,
            **signed,
        },
        "action": "SignedUpdateFirmware",
        "payload": {
            "requestId": 7,
            "firmware": {
                "location": "https://files.example.org/f",
                "retrieveDateTime": AT,
                "installDateTime": UNTIL,
                "signingCertificate": "PEM",
                **signed,
            },
        },
        "told": [
            ("SignedFirmwareStatusNotification", {"status": word, "requestId": 7}) for word in words
        ],
        "stored": {
            "task_progress": [{"status": word, "request_id": 7} for word in ("Accepted", *words)]
        },
    }


def diagnostics(*words: str, last: str) -> dict[str, Any]:
    """An upload of diagnostics that gets so far; `last` is the last word in OCPP 2.x."""
    return {
        "command": "get_log",
        "params": {"location": "ftp://files.example.org/d", "oldest_at": AT, "latest_at": UNTIL},
        "action": "GetDiagnostics",
        "payload": {"location": "ftp://files.example.org/d", "startTime": AT, "stopTime": UNTIL},
        "answer": {"fileName": "diagnostics.zip"},
        "told": [("DiagnosticsStatusNotification", {"status": word}) for word in words],
        "stored": {
            "task_progress": [
                {"task": "log_upload", "status": word} for word in ("Accepted", *words[:-1], last)
            ]
        },
    }


def security_event(kind: str) -> Told:
    return "SecurityEventNotification", {"type": kind, "timestamp": AT}


TASKS = [
    order("TC_044_1", **firmware("Downloading", "Downloaded", "Installing", "Installed")),
    order("TC_044_2", **firmware("Downloading", "DownloadFailed")),
    order("TC_044_3", **firmware("Downloading", "Downloaded", "Installing", "InstallationFailed")),
    order("TC_045_1", **diagnostics("Uploading", "Uploaded", last="Uploaded")),
    order("TC_045_2", **diagnostics("Uploading", "UploadFailed", last="UploadFailure")),
    order(
        "TC_079",
        command="get_log",
        params={
            "location": "https://files.example.org/l",
            "log_type": "SecurityLog",
            "request_id": 7,
        },
        action="GetLog",
        payload={
            "logType": "SecurityLog",
            "requestId": 7,
            "log": {"remoteLocation": "https://files.example.org/l"},
        },
        answer={"status": "Accepted", "filename": "security.log"},
        told=[
            ("LogStatusNotification", {"status": "Uploading", "requestId": 7}),
            ("LogStatusNotification", {"status": "Uploaded", "requestId": 7}),
        ],
        stored={
            "task_progress": [
                {"task": "log_upload", "status": word, "request_id": 7}
                for word in ("Accepted", "Uploading", "Uploaded")
            ]
        },
    ),
    order(
        "TC_080",
        **signed_firmware(
            *("Downloading", "Downloaded", "SignatureVerified"),
            *("Installing", "InstallRebooting", "Installed"),
        ),
    ),
    order("TC_081", **signed_firmware("Downloading", "Downloaded", "InvalidSignature")),
]

# ---- reservations ----------------------------------------------------------------------------


def reserve(evse_id: int | None = 1, parent: str | None = None, **more: Any) -> dict[str, Any]:
    """All that a reservation is."""
    params = {"reservation_id": 5, "expires_at": UNTIL, "id_token": "TAG"}
    payload = {
        "connectorId": evse_id or 0,
        "expiryDate": UNTIL,
        "idTag": "TAG",
        "reservationId": 5,
    }
    if parent is not None:
        params["group_id_token"] = payload["parentIdTag"] = parent
    if evse_id is not None:
        params["evse_id"] = evse_id
    return {
        "command": "reserve_now",
        "params": params,
        "action": "ReserveNow",
        "payload": payload,
        **more,
    }


def refused(word: str) -> dict[str, Any]:
    """A reservation that the station refuses."""
    return reserve(answer={"status": word}, ends="rejected", stored={"reservations": []})


CANCEL: dict[str, Any] = {
    "command": "cancel_reservation",
    "params": {"reservation_id": 5},
    "action": "CancelReservation",
    "payload": {"reservationId": 5},
}
USED: list[Told] = [
    ("Authorize", {"idTag": "TAG"}),
    (
        "StartTransaction",
        {"connectorId": 1, "idTag": "TAG", "meterStart": 0, "timestamp": AT, "reservationId": 5},
    ),
]

RESERVATIONS = [
    order(
        "TC_046",
        **reserve(
            told=[status("Reserved"), *USED],
            stored={
                "reservations": [{"reservation_id": 5, "evse_id": 1, "id_token": "TAG"}],
                "transactions": [{"reservation_id": 5, "evse_id": 1}],
            },
        ),
    ),
    order(
        "TC_047",
        **reserve(
            told=[status("Reserved"), status("Available")],
            stored={
                "reservations": [{"expires_at": 2_093_256_000_000_000}],
                "connectors": [{"status": "Available"}],
                "transactions": [],
            },
        ),
    ),
    order("TC_048_1", **refused("Faulted")),
    order("TC_048_2", **refused("Occupied")),
    order("TC_048_3", **refused("Unavailable")),
    order("TC_048_4", **refused("Rejected")),
    order(
        "TC_049",
        **reserve(
            None,
            told=[status("Reserved", 0), *USED],
            stored={
                "reservations": [{"reservation_id": 5, "evse_id": None}],
                "transactions": [{"reservation_id": 5, "evse_id": 1}],
            },
        ),
    ),
    order(
        "TC_051",
        after=[Order(**reserve(told=[status("Reserved")]))],
        **CANCEL,
        told=[status("Available")],
        stored={"reservations": [{"reservation_id": 5, "state": "cancelled"}]},
    ),
    order(
        "TC_052",
        **CANCEL,
        answer={"status": "Rejected"},
        ends="rejected",
        stored={"reservations": []},
    ),
]

# ---- smart charging --------------------------------------------------------------------------


def set_profile(number: int = 1, **more: Any) -> dict[str, Any]:
    """A TxDefaultProfile for connector 1."""
    return {
        "command": "set_charging_profile",
        "params": {"evse_id": 1, "charging_profile": given(number)},
        "action": "SetChargingProfile",
        "payload": {"connectorId": 1, "csChargingProfiles": sent_v16(number)},
        **more,
    }


CHARGING = [
    order(
        "TC_056",
        **set_profile(
            stored={
                "charging_profiles": [
                    {"profile_id": 1, "evse_id": 1, "purpose": "TxDefaultProfile"}
                ]
            }
        ),
    ),
    order(
        "TC_059",
        command="request_start_transaction",
        params={
            "id_token": "TAG",
            "evse_id": 1,
            "charging_profile": given(purpose="TxProfile", kind="Relative"),
        },
        action="RemoteStartTransaction",
        payload={
            "idTag": "TAG",
            "connectorId": 1,
            "chargingProfile": sent_v16(purpose="TxProfile", kind="Relative"),
        },
        told=[
            (
                "StartTransaction",
                {"connectorId": 1, "idTag": "TAG", "meterStart": 0, "timestamp": AT},
            )
        ],
        stored={"transactions": [{"evse_id": 1}]},
    ),
    order(
        "TC_066",
        after=[Order(**set_profile())],
        command="get_composite_schedule",
        params={"evse_id": 1, "duration_s": 3600, "rate_unit": "A"},
        action="GetCompositeSchedule",
        payload={"connectorId": 1, "duration": 3600, "chargingRateUnit": "A"},
        answer={
            "status": "Accepted",
            "connectorId": 1,
            "scheduleStart": AT,
            "chargingSchedule": {
                "duration": 3600,
                "chargingRateUnit": "A",
                "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 16.0}],
            },
        },
        stored={"composite_schedules": [{"evse_id": 1, "rate_unit": "A", "duration_s": 3600}]},
    ),
    order(
        "TC_067",
        after=[
            Order(**set_profile()),
            Order(
                command="clear_charging_profile",
                params={"charging_profile_id": 1},
                action="ClearChargingProfile",
                payload={"id": 1},
                stored={"charging_profiles": []},
            ),
            Order(**set_profile(2)),
        ],
        command="clear_charging_profile",
        params={"evse_id": 1, "purpose": "TxDefaultProfile", "stack_level": 0},
        action="ClearChargingProfile",
        payload={
            "connectorId": 1,
            "chargingProfilePurpose": "TxDefaultProfile",
            "stackLevel": 0,
        },
        stored={"charging_profiles": []},
    ),
]

# ---- certificates ----------------------------------------------------------------------------

HASH = {
    "hashAlgorithm": "SHA256",
    "issuerNameHash": "aa",
    "issuerKeyHash": "bb",
    "serialNumber": "1",
}


def install(kind: str, word: str, **more: Any) -> dict[str, Any]:
    """A root certificate; `word` is its kind in OCPP 1.6."""
    return {
        "command": "install_certificate",
        "params": {"certificate_type": kind, "certificate": chain()},
        "action": "InstallCertificate",
        "payload": {"certificateType": word, "certificate": chain()},
        **more,
    }


LISTED = {
    "command": "get_installed_certificate_ids",
    "params": {"certificate_types": ["CSMSRootCertificate"]},
    "action": "GetInstalledCertificateIds",
    "payload": {"certificateType": "CentralSystemRootCertificate"},
    "answer": {"status": "Accepted", "certificateHashData": [HASH]},
}

CERTIFICATES = [
    order("TC_075_1", **install("ManufacturerRootCertificate", "ManufacturerRootCertificate")),
    order("TC_075_2", **install("CSMSRootCertificate", "CentralSystemRootCertificate")),
    order(
        "TC_076",
        after=[Order(**LISTED)],
        command="delete_certificate",
        params={
            "hash_algorithm": "SHA256",
            "issuer_name_hash": "aa",
            "issuer_key_hash": "bb",
            "serial_number": "1",
        },
        action="DeleteCertificate",
        payload={"certificateHashData": HASH},
        stored={"installed_certificates": []},
    ),
    order(
        "TC_077",
        command="certificate_signed",
        params={"certificate_chain": chain()},
        action="CertificateSigned",
        payload={"certificateChain": chain()},
        answer={"status": "Rejected"},
        ends="rejected",
        told=[security_event("InvalidChargePointCertificate")],
        stored={"security_events": [{"type": "InvalidChargePointCertificate", "critical": 1}]},
    ),
    order(
        "TC_078",
        **install(
            "CSMSRootCertificate",
            "CentralSystemRootCertificate",
            answer={"status": "Rejected"},
            ends="rejected",
            told=[security_event("InvalidCentralSystemCertificate")],
            stored={
                "security_events": [{"type": "InvalidCentralSystemCertificate", "critical": 1}]
            },
        ),
    ),
]

ORDERS = [*LOCAL_LISTS, *TASKS, *RESERVATIONS, *CHARGING, *CERTIFICATES]
