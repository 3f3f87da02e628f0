"""The document is valid, complete and served."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from openapi_spec_validator import OpenAPIV31SpecValidator

from csms.api import openapi, routes

if TYPE_CHECKING:
    from tests.api.conftest import Api


def test_the_document_is_valid_openapi_31() -> None:
    document = openapi.document(routes.ALL)
    assert [str(error) for error in OpenAPIV31SpecValidator(document).iter_errors()] == []


def test_every_route_is_in_it() -> None:
    paths = openapi.document(routes.ALL)["paths"]
    shown = {(method.upper(), path) for path, item in paths.items() for method in item}
    assert shown == {
        (route.method, re.sub(r"\{(\w+):[^}]*\}", r"{\1}", route.path))
        for route in routes.ALL
        if not route.hidden
    }


def test_operation_ids_are_unique() -> None:
    ids = [openapi.operation_id(route) for route in routes.ALL]
    assert sorted(set(ids)) == sorted(ids)


def test_every_protected_route_documents_its_refusals() -> None:
    paths = openapi.document(routes.ALL)["paths"]
    for route in routes.ALL:
        if route.scope is not None:
            answers = paths[route.path][route.method.lower()]["responses"]
            assert {"401", "403"} <= answers.keys(), route.path
            assert any(status.startswith("2") for status in answers), route.path


async def test_it_is_public_and_can_be_polled(api: Api) -> None:
    response = await api.get("/openapi.json", role=None)
    assert response.status == 200
    assert (await response.json())["openapi"] == "3.1.0"
    tag = response.headers["ETag"]
    again = await api.get("/openapi.json", role=None, headers={"If-None-Match": tag})
    assert again.status == 304
