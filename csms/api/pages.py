"""The pages: static files out of the package, under a policy that lets nothing else in."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from csms.api.routing import Call, Reply
from csms.errors import NotFound

_FOLDER = Path(__file__).resolve().parent.parent / "web"
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
# No 'unsafe-…', no inline anything, no other origin; API answers never run as a page either.
_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self';"
    " object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


async def index(call: Call[None, None]) -> Reply:
    """GET /"""
    return _file("index.html")


async def docs(call: Call[None, None]) -> Reply:
    """GET /docs, GET /docs/errors: the page tells them apart."""
    return _file("docs.html")


async def asset(call: Call[None, None]) -> Reply:
    """GET /assets/{name}"""
    return _file(call.path["name"])


def _file(name: str) -> Reply:
    found = _files().get(name)
    if found is None:
        raise NotFound("Not found")
    return Reply(
        found,
        headers={
            "Content-Type": _TYPES[Path(name).suffix],
            "Content-Security-Policy": _POLICY,
            "Cache-Control": "no-cache",
        },
    )


@cache
def _files() -> dict[str, bytes]:
    """All of them, by name: a few kilobytes, and no path from outside ever reaches the disk."""
    return {
        path.name: path.read_bytes() for path in sorted(_FOLDER.iterdir()) if path.suffix in _TYPES
    }
