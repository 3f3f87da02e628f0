"""`csms openapi`: the description of the API, without a server."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from csms.cli.examples import examples
from csms.cli.output import Output, print_file

OPENAPI = examples("openapi --output openapi.json", "openapi --indent 0")


def openapi(
    output: Output = None,
    indent: Annotated[int, typer.Option(min=0, max=8, help="Spaces of a level; 0: one line.")] = 2,
) -> None:
    """Print the OpenAPI 3.1 document that a server has at /openapi.json."""
    from csms.api import openapi as description
    from csms.api import routes

    document = json.loads(description.Document(routes.ALL).text)
    text = json.dumps(document, ensure_ascii=False, indent=indent or None, sort_keys=True)
    print_file(iter([f"{text}\n".encode()]), output)
