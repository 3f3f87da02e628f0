"""What schemathesis is told about this API: things that exist, and when a refusal is right.

Loaded by it, not by pytest; `client_models` is what a generator made of the description.
"""

from __future__ import annotations

import json
import os
from typing import Any, get_args

import client_models
import hypothesis
import schemathesis
from pydantic_core.core_schema import ErrorType
from schemathesis.core.failures import Failure

# Name of a parameter or field → ids that exist; half of the generated ones are replaced.
EXISTING: dict[str, list[str]] = json.loads(os.environ.get("CALLS_EXISTING", "{}"))
# What a JSON schema can say. Other kinds are about what it means: a name that is taken, fields
# that exclude or need each other, an id that leads nowhere, a URL of another kind.
MEANINGS = {"assertion_error", "missing", "url_parsing", "url_scheme", "value_error"}
SHAPES = frozenset(get_args(ErrorType)) - MEANINGS
LARGEST = 2**53
# A schema says nothing of what is in a file.
FILES = {"multipart/form-data", "text/csv"}
# Their last word could be an id, and `Allow` has the methods of that too.
BESIDE_IDS = {"/api/v1/id-tokens/import", "/api/v1/jobs/preview"}


# An answer depends on the calls before it, so there is no input to climb towards; hypothesis 6.170
# ends with an IndexError where the same input gives another score.
hypothesis.target = lambda observation, *, label="": observation  # type: ignore[assignment]


@schemathesis.check
def client_decodes(ctx: Any, response: Any, case: Any) -> None:
    """Models that a client generates decode the answer."""
    described = case.operation.definition.raw["responses"].get(str(response.status_code), {})
    if "$ref" in described:
        name = described["$ref"].rpartition("/")[2]
        described = case.operation.schema.raw_schema["components"]["responses"][name]
    kind = response.headers.get("content-type", [""])[0]
    schema = described.get("content", {}).get(kind, {}).get("schema", {})
    if "$ref" in schema:
        model = getattr(client_models, schema["$ref"].rpartition("/")[2])
        model.model_validate_json(response.content)


@schemathesis.hook
def map_path_parameters(context: Any, path_parameters: dict[str, Any] | None) -> Any:
    """Ids of things that are there, for half of the calls."""
    return replaced(path_parameters)


@schemathesis.hook
def map_body(context: Any, body: Any) -> Any:
    """The same inside bodies; whole numbers as integers, as every JSON library writes them."""
    return replaced(whole(body))


@schemathesis.hook
def filter_case(context: Any, case: Any) -> bool:
    """Whoever takes its own token away learns nothing more, or follows what never ends."""
    if str((case.query or {}).get("follow", False)).lower() not in {"false", "0"}:
        return False
    return (case.path_parameters or {}).get("token_id") not in EXISTING.get("own_token", [])


@schemathesis.hook
def filter_failure(context: Any, failure: Failure, case: Any, response: Any) -> bool:
    """Which failures count."""
    if response.status_code == 431:
        return False  # it was no request to any operation
    if failure.code == "ST205" and case.operation.path in BESIDE_IDS:
        return False
    if failure.code != "ST202":
        return True
    # A request that fits the schema may be refused for what it means, never for its form.
    if response.status_code == 400 and case.operation.path.startswith("/api/v3/"):
        return bool(response.json()["message"] != "The charger is offline.")
    if response.status_code == 400 and case.media_type in FILES:
        return False
    if response.status_code == 416:  # the file is shorter
        return False
    return response.status_code != 422 or bool(kinds(response.json()) & SHAPES)


def kinds(refusal: dict[str, Any]) -> set[str]:
    """Why a 422 says that it refuses; /api/v3 has sentences for people only."""
    detail = refusal.get("detail")
    issues = detail if isinstance(detail, list) else refusal.get("errors") or []
    return {issue["type"] for issue in issues if isinstance(issue, dict)}


def replaced(value: Any, name: str = "") -> Any:
    """The same with ids that exist where the generated text says so by its length."""
    if isinstance(value, dict):
        return {key: replaced(one, key) for key, one in value.items()}
    if isinstance(value, list):
        return [replaced(one, name.removesuffix("s")) for one in value]
    known = EXISTING.get(name)
    if known and isinstance(value, str) and len(value) % 2:
        return known[len(value) // 2 % len(known)]
    return value


def whole(value: Any) -> Any:
    """1.0 is an integer to JSON Schema; strict validation wants it written as one, in 64 bits."""
    if isinstance(value, dict):
        return {key: whole(one) for key, one in value.items()}
    if isinstance(value, list):
        return [whole(one) for one in value]
    if isinstance(value, float) and value.is_integer() and abs(value) < LARGEST:
        return int(value)
    if isinstance(value, int) and abs(value) > LARGEST:
        return LARGEST
    return value
