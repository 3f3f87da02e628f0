"""OCPP 1.6: firmware, logs and certificates."""

from __future__ import annotations

from typing import Any

from tests.certificates import chain
from tests.conformance.orders import Order, Told, order
from tests.conformance.orders.profiles import AT, UNTIL

# ---- firmware and logs ------------------------------------------------------------------------


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

# ---- certificates -----------------------------------------------------------------------------

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


LISTED: dict[str, Any] = {
    "command": "get_installed_certificate_ids",
    "params": {"certificate_types": ["CSMSRootCertificate"]},
    "action": "GetInstalledCertificateIds",
    "payload": {"certificateType": "CentralSystemRootCertificate"},
    "answer": {"status": "Accepted", "certificateHashData": [HASH]},
    "stored": {"installed_certificates": [{"type": "CSMSRootCertificate", "serial_number": "1"}]},
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

ORDERS = [*TASKS, *CERTIFICATES]
