"""OCPP 2.0.1: firmware and certificates."""

from __future__ import annotations

from typing import Any

from tests.certificates import chain
from tests.conformance.orders import V201, Order, Told, order
from tests.conformance.orders.profiles import AT, UNTIL
from tests.conformance.orders.v201_lists import begun, status
from tests.conformance.stories import Event


def security_event(kind: str) -> Told:
    return "SecurityEventNotification", {"type": kind, "timestamp": AT}


# ---- firmware --------------------------------------------------------------------------------


def update(request_id: int = 7, **more: Any) -> dict[str, Any]:
    """All that an update to signed firmware is."""
    location, signature = "https://files.example.org/f", "c2lnbmVk"
    return {
        "version": V201,
        "command": "update_firmware",
        "params": {
            "location": location,
            "retrieve_at": AT,
            "install_at": UNTIL,
            "signing_certificate": "PEM",
            "signature": signature,
            "request_id": request_id,
        },
        "action": "UpdateFirmware",
        "payload": {
            "requestId": request_id,
            "firmware": {
                "location": location,
                "retrieveDateTime": AT,
                "installDateTime": UNTIL,
                "signingCertificate": "PEM",
                "signature": signature,
            },
        },
        **more,
    }


def reported(*words: str) -> list[Told]:
    return [("FirmwareStatusNotification", {"status": word, "requestId": 7}) for word in words]


def progress(*words: str, answer: str = "Accepted", request_id: int = 7) -> list[dict[str, Any]]:
    """The rows of an update that was begun and got so far."""
    return [
        {"task": "firmware_update", "status": word, "request_id": request_id, "answered": first}
        for first, word in [(1, answer), *((0, word) for word in words)]
    ]


def gets_to(*words: str, told: tuple[Told, ...] = (), **stored: Any) -> dict[str, Any]:
    """An update that gets so far."""
    return update(
        told=[*reported(*words), *told], stored={"task_progress": progress(*words), **stored}
    )


def refused(word: str, *told: Told) -> dict[str, Any]:
    """An update that does not begin."""
    events = [{"type": payload["type"], "critical": 1} for _, payload in told]
    return update(
        answer={"status": word},
        ends="rejected",
        told=told,
        stored={"task_progress": [], "security_events": events},
    )


LOADED = ("Downloading", "Downloaded", "SignatureVerified")
BEGUN = Order(**update(told=reported("Downloading")))
ENDED = Event("Ended", "StopAuthorized", "EVConnected", "Local").payload("tx-1", 1)

FIRMWARE = [
    order("TC_L_01", **gets_to(*LOADED, "Installing", "InstallRebooting", "Installed")),
    order("TC_L_02", **gets_to(*LOADED, "InstallScheduled", "Installing", "Installed")),
    order("TC_L_03", **gets_to("DownloadScheduled", *LOADED, "Installing", "Installed")),
    order("TC_L_04", **refused("RevokedCertificate")),
    order(
        "TC_L_05",
        **refused("InvalidCertificate", security_event("InvalidFirmwareSigningCertificate")),
    ),
    order(
        "TC_L_06",
        **gets_to(
            *("Downloading", "Downloaded", "InvalidSignature"),
            told=(security_event("InvalidFirmwareSignature"),),
            security_events=[{"type": "InvalidFirmwareSignature", "critical": 1}],
        ),
    ),
    order("TC_L_07", **gets_to("Downloading", "DownloadFailed")),
    order("TC_L_08", **gets_to(*LOADED, "Installing", "InstallVerificationFailed")),
    order("TC_L_09", **gets_to(*LOADED, "Installing", "InstallationFailed")),
    order(
        "TC_L_10",
        after=[BEGUN],
        **update(
            8,
            answer={"status": "AcceptedCanceled"},
            stored={
                "task_progress": [
                    *progress("Downloading"),
                    *progress(answer="AcceptedCanceled", request_id=8),
                ]
            },
        ),
    ),
    order(
        "TC_L_11",
        after=[BEGUN],
        **update(
            8,
            answer={"status": "Rejected"},
            ends="rejected",
            stored={"task_progress": progress("Downloading")},
        ),
    ),
    order(
        "TC_L_13",
        first=[begun()],
        **gets_to(
            *LOADED,
            told=(
                *reported("InstallScheduled"),
                ("TransactionEvent", ENDED),
                status("Unavailable"),
                *reported("Installing", "Installed"),
                status("Available"),
            ),
            task_progress=progress(*LOADED, "InstallScheduled", "Installing", "Installed"),
            transactions=[{"stop_reason": "Local"}],
            connectors=[{"status": "Available"}],
        ),
    ),
]

# ---- certificates ----------------------------------------------------------------------------

HASH = {
    "hashAlgorithm": "SHA256",
    "issuerNameHash": "aa",
    "issuerKeyHash": "bb",
    "serialNumber": "1",
}
STORED = {
    "hash_algorithm": "SHA256",
    "issuer_name_hash": "aa",
    "issuer_key_hash": "bb",
    "serial_number": "1",
}


def install(kind: str, **more: Any) -> dict[str, Any]:
    """A root certificate of a kind."""
    return {
        "version": V201,
        "command": "install_certificate",
        "params": {"certificate_type": kind, "certificate": chain()},
        "action": "InstallCertificate",
        "payload": {"certificateType": kind, "certificate": chain()},
        **more,
    }


def ask(*kinds: str, **more: Any) -> dict[str, Any]:
    """The station has one certificate of each kind that is asked for; none: it tells of a root."""
    found = kinds or ("CSMSRootCertificate", "ManufacturerRootCertificate")
    return {
        "version": V201,
        "command": "get_installed_certificate_ids",
        "params": {"certificate_types": list(kinds)},
        "action": "GetInstalledCertificateIds",
        "payload": {"certificateType": list(kinds)} if kinds else {},
        "answer": {
            "status": "Accepted",
            "certificateHashDataChain": [
                {"certificateType": kind, "certificateHashData": HASH} for kind in found
            ],
        },
        "stored": {"installed_certificates": [{"type": kind, **STORED} for kind in found]},
        **more,
    }


def delete(word: str, *left: str, **more: Any) -> dict[str, Any]:
    """The station has that one certificate, and is to delete it."""
    return {
        "after": [Order(**ask("ManufacturerRootCertificate"))],
        "version": V201,
        "command": "delete_certificate",
        "params": STORED,
        "action": "DeleteCertificate",
        "payload": {"certificateHashData": HASH},
        "answer": {"status": word},
        "stored": {"installed_certificates": [{"type": kind, **STORED} for kind in left]},
        **more,
    }


CHILD = {**HASH, "serialNumber": "2"}
CERTIFICATES = [
    order("TC_M_01", **install("CSMSRootCertificate")),
    order("TC_M_02", **install("ManufacturerRootCertificate")),
    order("TC_M_03", **install("V2GRootCertificate")),
    order("TC_M_04", **install("MORootCertificate")),
    order(
        "TC_M_05",
        **install("ManufacturerRootCertificate", answer={"status": "Failed"}, ends="rejected"),
    ),
    order("TC_M_13", **ask("ManufacturerRootCertificate")),
    order("TC_M_14", **ask("V2GRootCertificate")),
    order(
        "TC_M_15",
        **ask("V2GCertificateChain")
        | {
            "answer": {
                "status": "Accepted",
                "certificateHashDataChain": [
                    {
                        "certificateType": "V2GCertificateChain",
                        "certificateHashData": HASH,
                        "childCertificateHashData": [CHILD],
                    }
                ],
            },
            "stored": {
                "installed_certificates": [
                    {"serial_number": "1", "parent_serial_number": None},
                    {"serial_number": "2", "parent_serial_number": "1"},
                ]
            },
        },
    ),
    order("TC_M_16", **ask("MORootCertificate")),
    order("TC_M_18", **ask()),
    order(
        "TC_M_19",
        **ask("ManufacturerRootCertificate")
        | {"answer": {"status": "NotFound"}, "stored": {"installed_certificates": []}},
    ),
    order("TC_M_20", **delete("Accepted")),
    order("TC_M_21", **delete("Failed", "ManufacturerRootCertificate", ends="rejected")),
]

ORDERS = [*FIRMWARE, *CERTIFICATES]
