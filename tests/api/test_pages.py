"""The pages: served from the package, under a policy that lets nothing else in."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import csms

if TYPE_CHECKING:
    from tests.api.conftest import Api

WEB = Path(csms.__file__).parent / "web"
FILES = sorted(path.name for path in WEB.iterdir() if path.suffix != ".html")


@pytest.mark.parametrize("path", ["/", "/docs", "/docs/errors"])
async def test_a_page_is_public_and_locked_down(api: Api, path: str) -> None:
    response = await api.get(path, role=None)
    assert (response.status, response.content_type) == (200, "text/html")
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Server"] == "csms"
    assert response.headers["Referrer-Policy"] == "no-referrer"


async def test_no_refusal_names_what_we_are_made_of(api: Api) -> None:
    response = await api.post("/api/v1/jobs", json={}, headers={"Expect": "a miracle"})
    assert (response.status, response.headers["Server"]) == (417, "csms")


@pytest.mark.parametrize("name", FILES)
async def test_its_files_are_served_with_their_types(api: Api, name: str) -> None:
    response = await api.get(f"/assets/{name}", role=None)
    kinds = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
    assert (response.status, response.content_type) == (200, kinds[Path(name).suffix])
    again = await api.get(
        f"/assets/{name}", role=None, headers={"If-None-Match": response.headers["ETag"]}
    )
    assert again.status == 304


@pytest.mark.parametrize(
    "name", ["nothing.js", "..%2Fapi%2Fauth.py", "index.html%00", "main.js.map"]
)
async def test_nothing_else_is_served(api: Api, name: str) -> None:
    assert (await api.get(f"/assets/{name}", role=None)).status == 404


def test_every_file_the_page_names_exists() -> None:
    named = {
        name
        for path in WEB.iterdir()
        if path.suffix in {".html", ".js"}
        for name in re.findall(r'"/assets/([^"]+)"', path.read_text("utf-8"))
    }
    assert named <= set(FILES)
    assert {"main.js", "docs.js"} <= named


def test_nothing_on_the_page_is_inline_markup_or_from_elsewhere() -> None:
    for path in WEB.iterdir():
        text = path.read_text("utf-8")
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", text)
        assert not re.search(r"<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=", text), path.name
        assert not re.search(r"(?<!xmlns=\")https?://", text), path.name


@pytest.mark.parametrize("path", ["/api/v1/stations", "/ocpp/chargers", "/nowhere", "/healthz"])
@pytest.mark.parametrize("role", ["admin", None])
async def test_no_answer_can_be_run_as_a_page(api: Api, path: str, role: str | None) -> None:
    headers = (await api.get(path, role=role)).headers
    assert headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["X-Content-Type-Options"] == "nosniff"
