"""The operator's program that knows what csms cannot: a question on stdin, the answer on stdout."""

from __future__ import annotations

import json
import sys
from typing import Any


def answer(action: str, payload: dict[str, Any]) -> dict[str, Any]:
    """A status, or what the contract provider wrote; of the certificate 404 it knows nothing."""
    if action == "GetCertificateStatus":
        if payload["ocspRequestData"]["serialNumber"] == "404":
            return {"status": "NoSuchWord"}
        return {"status": "Accepted", "ocspResult": "T0NTUA=="}
    return {"status": "Accepted", "exiResponse": payload["exiRequest"][::-1]}


if __name__ == "__main__":
    asked = json.load(sys.stdin)
    json.dump(answer(asked["action"], asked["payload"]), sys.stdout)
