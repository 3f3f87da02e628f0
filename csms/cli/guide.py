"""What to enter in a station, for the person at the terminal; a QR code where one can be drawn."""

from __future__ import annotations

import sys
from typing import Any

from csms.cli.failures import ServerUnreachable
from csms.cli.http import Client
from csms.cli.output import say


def show(client: Client, *, identity: str | None, vendor: str | None) -> None:
    """As the running server tells it; on stderr, beside what a program may read."""
    try:
        found = client.get("/api/v1/connection-info", identity=identity, vendor=vendor)
    except ServerUnreachable:  # a check has said so
        return
    say("\nPoint your charger here")
    for one in found["urls"][:1]:
        say(f"  URL                 {one['url']}")
        say(f"  or the whole one    {one['url_with_identity']}")
    for number, step in enumerate(_steps(found), start=1):
        say(f"{number:3}. {step}")
    if vendor is None:
        say(f"\ncsms doctor --vendor NAME also knows: {', '.join(found['makers'])}")
    elif not found["known"]:
        say(f"\nNothing is known of {vendor}; makers that are: {', '.join(found['makers'])}")
    if found["urls"] and sys.stderr.isatty():
        best = found["urls"][0]
        _draw(best["url"] if identity is None else best["url_with_identity"])


def _steps(found: dict[str, Any]) -> list[str]:
    known = [f"{one['who']}: {one['text']} ({', '.join(one['sources'])})" for one in found["known"]]
    return [*known, *found["steps"]]


def _draw(url: str) -> None:
    import segno

    say("")
    segno.make(url, micro=False, error="m").terminal(out=sys.stderr, compact=True)
