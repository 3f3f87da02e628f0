"""One example of a body for each operation that takes one; shown at /docs, checked by a test."""

from __future__ import annotations

from typing import Any

STATION = "5f697b51-0b54-4a0f-9a3e-0d0f3c0f9a11"
LOCATION = "2f0a7e0c-3d4b-4b7c-8f61-6a1f0f3a7b20"
IMAGE = "7d1c9a52-5b0e-4a5e-8f0c-9a6f6a1a2b33"
_ONE = {"charger_id": STATION}
_PLACE = {"location_id": LOCATION}
_ADDRESS = {"city": "Utrecht", "country": "NL", "latitude": 52.09, "longitude": 5.12}
_MODEL = {
    "brand_slug": "generic",
    "model_slug": "ac-22kw",
    "connector_type": "Type2",
    "ws_url": "ws://127.0.0.1:9000/ocpp",
}
_DECISION = {"status": "Accepted", "expires_at": "2099-12-31T23:00:00Z", "note": "Fleet card 7"}
_PROFILE = {
    "id": 1,
    "stack_level": 0,
    "purpose": "TxDefaultProfile",
    "kind": "Relative",
    "schedules": [{"rate_unit": "A", "periods": [{"start_period_s": 0, "limit": 10}]}],
}

_CHARGERS: dict[tuple[str, str], Any] = {
    ("POST", "/ocpp/locations"): {"name": "Car park", "city": "Utrecht", "country": "NL"},
    ("PUT", "/ocpp/locations/{location_id}"): {"name": "Car park, level 1"},
    ("POST", "/ocpp/locations/{location_id}/chargers"): [
        {
            "template": {**_MODEL, "identity_prefix": "CP-", "template_name": "Bay"},
            "charger_ids": ["A1", "A2"],
            "chargers_number": 10,
        }
    ],
    ("PUT", "/ocpp/locations/{location_id}/chargers"): {
        "chargers": [{"charger_id": STATION, "name": "Bay 1"}]
    },
    ("POST", "/ocpp/locations/{location_id}/chargers/start-chargers"): {"charger_ids": [STATION]},
    ("POST", "/ocpp/locations/{location_id}/chargers/stop-chargers"): {"charger_ids": [STATION]},
    ("POST", "/ocpp/locations/{location_id}/chargers/reset-chargers"): {"charger_ids": [STATION]},
    ("POST", "/ocpp/chargers"): {**_MODEL, "identity": "CP-B1", "location_id": LOCATION},
    ("PUT", "/ocpp/chargers/{charger_id}"): {"name": "Bay 1"},
    ("POST", "/ocpp/commands/start-session"): {"target": _PLACE, "event": {"id_tag": "CARD-1"}},
    ("POST", "/ocpp/commands/stop-session"): {"target": _ONE, "event": {"connector_id": 1}},
    ("POST", "/ocpp/commands/unlock-connector"): {"target": _ONE, "event": {"connector_id": 1}},
    ("POST", "/ocpp/commands/plug-connector"): {"target": _ONE, "event": {"connector_id": 1}},
    ("POST", "/ocpp/commands/authorize-id-tag"): {"target": _ONE, "event": {"id_tag": "CARD-1"}},
    ("POST", "/ocpp/commands/ev-requests-energy"): {"target": _PLACE, "event": {}},
    ("POST", "/ocpp/commands/ev-stops-energy"): {"target": _PLACE, "event": {}},
    ("POST", "/ocpp/commands/power-update"): {"target": _PLACE, "event": {"power_w": 7400}},
    ("POST", "/ocpp/commands/proxy-message"): {
        "target": _ONE,
        "event": {"action": "Heartbeat", "payload": {}},
    },
    ("POST", "/ocpp/commands/inject-fault"): {
        "target": _ONE,
        "event": {"fault_type": "GroundFailure", "connector_id": 1},
    },
    ("POST", "/ocpp/commands/clear-fault"): {"target": _ONE, "event": {"connector_id": 1}},
    ("POST", "/ocpp/commands/configuration"): {
        "target": _ONE,
        "event": {"configuration": {"HeartbeatInterval": "300"}},
    },
    ("POST", "/ocpp/commands/cache/reset"): {"target": _ONE},
    ("POST", "/ocpp/commands/local-auth-list"): {
        "target": _ONE,
        "event": {"list_version": 1, "entries": [{"id_tag": "CARD-1"}]},
    },
    ("POST", "/ocpp/commands/clear-local-auth-list"): {"target": _ONE},
}
_COMMANDS: dict[tuple[str, str], Any] = {
    ("POST", "/api/v3/chargers/commands/bulk"): {
        "command": "ChangeConfiguration",
        "data": {"key": "MeterValueSampleInterval", "value": "30"},
        "charger_ids": [STATION],
        "options": {"offline": "wait", "concurrency": 50},
    },
    ("POST", "/api/v3/chargers/commands/bulk/{run}/retry"): {"include_unknown": False},
    ("POST", "/api/v3/chargers"): {"identity": "CP-C1", "site_uuid": LOCATION},
    ("PUT", "/api/v3/chargers/{uuid}"): {"reference": "Bay 1"},
    ("POST", "/api/v3/chargers/{uuid}/actions/start"): {"id_token": "CARD-1", "connector_id": 1},
    ("POST", "/api/v3/chargers/{uuid}/actions/stop"): {"transaction_id": 42},
    ("POST", "/api/v3/chargers/{uuid}/actions/charge-limit"): {"connector_id": 0, "limit": 16},
    ("POST", "/api/v3/sites"): {"name": "Car park", "street": "Main Street", "house_number": "1"},
    ("PUT", "/api/v3/sites/{uuid}"): {"name": "Car park, level 1"},
}
_JOB = {
    "kind": "command",
    "target": {"location_id": LOCATION},
    "spec": {"command": "reset", "params": {"type": "immediate"}},
}
_VARIABLES = [
    {"component": "OCPPCommCtrlr", "variable": "HeartbeatInterval", "value": "300"},
    {"variable": "MinimumStatusDuration", "value": "5", "ocpp_versions": ["1.6"]},
]
_NATIVE: dict[tuple[str, str], Any] = {
    ("POST", "/api/v1/jobs"): _JOB,
    ("POST", "/api/v1/jobs/preview"): _JOB,
    ("POST", "/api/v1/jobs/{job_id}/credentials"): {"replace": False},
    ("POST", "/api/v1/jobs/{job_id}/retry"): {"states": ["error", "offline"]},
    ("POST", "/api/v1/stations"): {"identity": "BAY-1", "location_id": LOCATION, "connectors": 2},
    ("PATCH", "/api/v1/stations/{station_id}"): {"name": "Bay 1", "strict": True},
    ("POST", "/api/v1/stations/{station_id}/credentials/rotate"): {"push": True},
    ("POST", "/api/v1/stations/{station_id}/commands"): {
        "command": "reset",
        "params": {"type": "immediate"},
    },
    ("PUT", "/api/v1/stations/{station_id}/quirks"): {"settings": {}},
    ("PUT", "/api/v1/stations/{station_id}/local-list"): {"entries": [{"id_token": "CARD-1"}]},
    ("PATCH", "/api/v1/stations/{station_id}/variables"): {
        "variables": [{"variable": "HeartbeatInterval", "value": "300"}]
    },
    ("POST", "/api/v1/locations"): {"name": "Car park", **_ADDRESS, "timezone": "Europe/Amsterdam"},
    ("PATCH", "/api/v1/locations/{location_id}"): {"name": "Car park, level 1"},
    ("PUT", "/api/v1/locations/{location_id}/prices"): {"currency": "EUR", "per_kwh": "0.35"},
    ("POST", "/api/v1/inbox/{entry_id}/accept"): {"location_id": LOCATION, "name": "Bay 2"},
    ("POST", "/api/v1/onboarding"): {"minutes": 10, "location_id": LOCATION},
    ("POST", "/api/v1/stations/{station_id}/reservations"): {
        "id_token": "CARD-1",
        "evse_id": 1,
        "expires_at": "2099-12-31T23:00:00Z",
    },
    ("POST", "/api/v1/stations/{station_id}/charging-profiles"): {
        "charging_profile": _PROFILE,
        "evse_id": 1,
    },
    ("POST", "/api/v1/stations/{station_id}/composite-schedule"): {"duration_s": 3600},
    ("POST", "/api/v1/transactions/{transaction_id}/stop"): {"timeout_s": 10},
    ("POST", "/api/v1/transactions/{transaction_id}/close"): {"reason": "The station was removed"},
    ("POST", "/api/v1/reconciliation/{entry_id}/resolve"): {"action": "dismiss"},
    ("POST", "/api/v1/authorize"): {"id_token": "CARD-1", "station_id": STATION},
    ("POST", "/api/v1/id-tokens"): {"value": "CARD-1", **_DECISION},
    ("POST", "/api/v1/id-tokens/import"): {"id_tokens": [{"value": "CARD-1", **_DECISION}]},
    ("PATCH", "/api/v1/id-tokens/{id_token_id}"): {"status": "Blocked"},
    ("PUT", "/api/v1/id-tokens/{id_token_id}"): _DECISION,
    ("PATCH", "/api/v1/tokens/{token_id}"): {"name": "billing, old", "expires_at": None},
    ("POST", "/api/v1/auth/sign-in"): {"code": "one-time-code-of-the-link"},
    ("POST", "/api/v1/auth/sign-in-links"): {"token_id": "3f9a01c27b"},
    ("POST", "/api/v1/webhooks"): {
        "url": "https://hooks.example.com/csms",
        "event_types": ["station.*", "transaction.ended"],
    },
    ("PATCH", "/api/v1/webhooks/{webhook_id}"): {"enabled": True},
    ("POST", "/api/v1/webhooks/{webhook_id}/rotate-secret"): {"overlap_s": 86400},
    ("POST", "/api/v1/charging-profile-templates"): {
        "name": "Night",
        "charging_profile": _PROFILE,
    },
    ("PATCH", "/api/v1/charging-profile-templates/{charging_profile_template_id}"): {
        "description": "After 22 h"
    },
    ("POST", "/api/v1/config-templates"): {"name": "Street", "variables": _VARIABLES},
    ("PATCH", "/api/v1/config-templates/{config_template_id}"): {"description": "Beside the road"},
    ("PATCH", "/api/v1/firmware-images/{image_id}"): {"version": "1.4.2", "vendor": "Acme"},
    ("POST", "/api/v1/stations/{station_id}/firmware"): {"image_id": IMAGE, "retries": 2},
    ("POST", "/api/v1/stations/{station_id}/logs"): {"log_type": "DiagnosticsLog"},
    ("POST", "/api/v1/tokens"): {"name": "billing", "role": "viewer", "location_ids": [LOCATION]},
}
BODIES: dict[tuple[str, str], Any] = {**_CHARGERS, **_COMMANDS, **_NATIVE}
